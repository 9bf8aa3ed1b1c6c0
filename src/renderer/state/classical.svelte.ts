import type { ClassicalPreview } from '../../shared/calls/classical.ts';
import type {
  ClassicalQuestion,
  GrabcutParameters,
  KmeansParameters,
  MeanShiftParameters,
  Stroke,
  WandParameters,
  WatershedParameters,
} from '../../shared/classical/questions.ts';
import { RANGES } from '../../shared/classical/questions.ts';
import type { Client } from '../client.ts';
import type { AskContext } from '../editor/asking.ts';
import { isClassical } from '../editor/classical-hints.ts';
import type { MarkedStroke, RegionMethod, WandQuestion } from '../editor/tools/classical-asks.ts';
import type { ClassicalTool, EditorView } from '../editor/types.ts';
import { tellGood, tellNote, tellProblem } from '../problems.ts';

/** What the sliders of each method set. */
export interface Parameters {
  readonly kmeans: KmeansParameters;
  readonly 'mean-shift': MeanShiftParameters;
  readonly grabcut: GrabcutParameters;
  readonly watershed: WatershedParameters;
  readonly wand: WandParameters;
  readonly scissors: { readonly snap: number };
}

/** How far the ends of the scissors' line may jump to an edge, CSS pixels. */
export const SNAP_RANGE = { min: 0, max: 30, step: 1, initial: 6 } as const;

const INITIAL: Parameters = {
  kmeans: {
    k: RANGES.kmeans.k.initial,
    space: 'lab',
    position: RANGES.kmeans.position.initial,
    attempts: RANGES.kmeans.attempts.initial,
    seed: RANGES.kmeans.seed.initial,
    smallest: RANGES.kmeans.smallest.initial,
    regions: 'clusters',
  },
  'mean-shift': {
    spatial: RANGES['mean-shift'].spatial.initial,
    range: RANGES['mean-shift'].range.initial,
    smallest: RANGES['mean-shift'].smallest.initial,
  },
  grabcut: { iterations: RANGES.grabcut.iterations.initial },
  watershed: { smooth: RANGES.watershed.smooth.initial },
  wand: { tolerance: RANGES.wand.tolerance.initial, contiguous: true, connectivity: 4, distance: 'lab' },
  scissors: { snap: SNAP_RANGE.initial },
};

/** What the call takes at most, image pixels. */
const MOST_SNAP_PX = 200;
/** Work shorter than this is not announced. */
const SLOW_MS = 200;
/** A preview that has run longer than this makes room for one with newer parameters. */
const PATIENCE_MS = 400;
/** Up to here previews are never rough. */
const LARGE_PX = 2e6;

/** What an answer took, and at which size it was worked out. */
export interface Told {
  readonly imageId: number;
  readonly tool: ClassicalTool;
  readonly ms: number;
  readonly work: { readonly width: number; readonly height: number } | null;
  readonly found: number;
}

/** The classical methods' parameters, and how far the one in hand is. Answers what their tools ask. */
export class ClassicalState {
  #parameters = $state.raw<Parameters>(INITIAL);
  #told = $state.raw<Told | null>(null);
  #slow = $state(false);
  #last = $state<ClassicalTool>('kmeans');
  #moving = false;
  #lastTolerance = $state<number | null>(null);
  /** The class of what is kept: the active one, or classes named by the method. */
  keepInActiveClass = $state(false);
  /** The call under way, and when it began. */
  #running = $state.raw<{ readonly sinceMs: number } | null>(null);
  readonly #client: Client;
  readonly #editor: EditorView;

  constructor(client: Client, editor: EditorView) {
    this.#client = client;
    this.#editor = editor;
    editor.answers('grabcut', {
      order: 'replace',
      answer: async ({ id, question: { box, strokes } }, about) => {
        const parameters = this.#parameters.grabcut;
        const { instances } = await this.#preview('grabcut', { method: 'grabcut', parameters, box, strokes: sent(strokes) }, about);
        return { kind: 'answer', of: 'grabcut', id, value: { rle: instances[0]?.rle ?? null } };
      },
    });
    editor.answers('watershed', {
      order: 'replace',
      answer: async ({ id, question: { strokes } }, about) => {
        const parameters = this.#parameters.watershed;
        const { instances } = await this.#preview('watershed', { method: 'watershed', parameters, strokes: sent(strokes) }, about);
        return { kind: 'answer', of: 'watershed', id, value: { regions: instances } };
      },
    });
    editor.answers('wand', {
      order: 'newest',
      answer: async ({ id, question }, about) => {
        const { parameters, clicks, tolerance } = this.#wand(question);
        const { instances } = await this.#preview('wand', { method: 'wand', parameters, clicks }, about, question.rough || this.#moving);
        this.#lastTolerance = tolerance;
        return { kind: 'answer', of: 'wand', id, value: { rle: instances[0]?.rle ?? null, tolerance } };
      },
    });
    editor.answers('scissors', {
      order: 'replace',
      answer: async ({ id, question: { from, to } }, about) => {
        const snap = Math.min(MOST_SNAP_PX, this.#parameters.scissors.snap / editor.zoom);
        const path = await this.#follow('scissors', about, () =>
          client.call('classical.path', { imageId: about.imageId, from: [from.x, from.y], to: [to.x, to.y], snap }),
        );
        this.#told = { imageId: about.imageId, tool: 'scissors', ms: path.ms, work: null, found: 1 };
        return { kind: 'answer', of: 'scissors', id, value: path };
      },
    });
    editor.answers('regions', {
      order: 'newest',
      answer: async ({ id, question: { method } }, about) => {
        const { instances } = await this.#preview(method, this.#region(method), about, this.#moving);
        return { kind: 'answer', of: 'regions', id, value: { regions: instances } };
      },
    });
    editor.answers('keep', {
      order: 'replace',
      answer: async ({ id, question: { method } }, about) => ({
        kind: 'answer',
        of: 'keep',
        id,
        value: { suggestions: await this.#keep(method, about) },
      }),
    });
  }

  /** The method in hand, or null. */
  get tool(): ClassicalTool | null {
    const { tool } = this.#editor;
    return isClassical(tool) ? tool : null;
  }

  get parameters(): Parameters {
    return this.#parameters;
  }

  /** What the last answer of the method in hand on the open image took. */
  get told(): Told | null {
    const told = this.#told;
    return told && told.tool === this.tool && told.imageId === this.#editor.document?.imageId ? told : null;
  }

  /** By how much the wand's last click was widened (or narrowed, below 0) by dragging. */
  get widened(): number {
    const { tool, drafting } = this.#editor;
    return tool === 'wand' && drafting && this.#lastTolerance !== null ? this.#lastTolerance - this.#parameters.wand.tolerance : 0;
  }

  /** An answer is awaited. */
  get busy(): boolean {
    return this.#running !== null;
  }

  /** An answer is awaited for so long that it must be said. */
  get slow(): boolean {
    return this.#slow;
  }

  /** Takes a method in hand, the last one by default; K-means and mean shift begin at once. */
  take(tool: ClassicalTool = this.#last): void {
    this.#last = tool;
    this.#editor.setTool(tool);
  }

  /** `moving`: the slider's thumb is held; `settle` follows. */
  set<M extends ClassicalTool>(method: M, change: Partial<Parameters[M]>, moving = false): void {
    this.#moving = moving;
    this.#parameters = { ...this.#parameters, [method]: { ...this.#parameters[method], ...change } };
    if (this.tool !== method) return;
    if (this.#running && performance.now() - this.#running.sinceMs > PATIENCE_MS) this.cancel();
    this.#editor.askAgain();
  }

  /** The thumb was let go: what was shown roughly meanwhile is worked out in full. */
  settle(): void {
    if (!this.#moving) return;
    this.#moving = false;
    const open = this.#editor.document;
    if (open && open.width * open.height > LARGE_PX) this.#editor.askAgain();
  }

  reset(method: ClassicalTool): void {
    this.set(method, INITIAL[method]);
  }

  isInitial(method: ClassicalTool): boolean {
    return JSON.stringify(this.#parameters[method]) === JSON.stringify(INITIAL[method]);
  }

  /** Makes the open image ready for the method in hand, and asks a method that needs no hint. Call when either has changed. */
  follow(): void {
    const { tool } = this;
    const imageId = this.#editor.document?.imageId;
    if (!tool || imageId === undefined) return;
    // Only to be sooner: what is wrong with the image is told when something is asked about it.
    void this.#client.call('classical.open', { imageId }).catch(() => undefined);
    if (tool === 'kmeans' || tool === 'mean-shift') this.#editor.askAgain();
  }

  /** Gives up the call that runs, if one does. */
  cancel(): void {
    if (this.#running) void this.#client.call('classical.cancel', {}).catch(tellProblem);
  }

  #region(method: RegionMethod): ClassicalQuestion {
    return method === 'kmeans' ? { method, parameters: this.#parameters.kmeans } : { method, parameters: this.#parameters['mean-shift'] };
  }

  #wand({ clicks }: WandQuestion): ClassicalQuestion & { method: 'wand' } & { tolerance: number } {
    const parameters = this.#parameters.wand;
    const { min, max } = RANGES.wand.tolerance;
    const asked = clicks.map(({ at, adds, wider }) => ({
      x: at.x,
      y: at.y,
      adds,
      tolerance: Math.min(max, Math.max(min, parameters.tolerance + wider)),
    }));
    return { method: 'wand', parameters, clicks: asked, tolerance: asked.at(-1)?.tolerance ?? parameters.tolerance };
  }

  async #preview(tool: ClassicalTool, question: ClassicalQuestion, about: AskContext, rough = false): Promise<ClassicalPreview> {
    const { imageId } = about;
    const work = (): Promise<ClassicalPreview> => this.#client.call('classical.preview', { imageId, question, draft: rough });
    const preview = await this.#follow(tool, about, work);
    this.#told = { imageId, tool, ms: preview.totalMs, work: preview.work, found: preview.instances.length };
    return preview;
  }

  async #keep(method: RegionMethod, about: AskContext): Promise<number> {
    const { imageId } = about;
    const active = this.#editor.labels.find(({ id }) => id === this.#editor.activeLabelId);
    // K-means' clusters are the same few over again; the regions of mean shift would be a class each.
    const label = this.keepInActiveClass && active ? active.name : method === 'kmeans' ? null : 'region';
    const question = this.#region(method);
    const run = await this.#follow(method, about, () => this.#client.call('classical.propose', { imageId, question, label }));
    if (run.suggestions) tellGood(`${run.suggestions} suggestions`, 'Tab goes through them; Shift+Enter accepts all that are shown.');
    else tellNote('No suggestions', 'The method found nothing to keep: change a parameter.');
    return run.suggestions;
  }

  /** A call with its slowness told. Where nobody wants its answer any more and nothing newer was asked, it is cancelled. */
  async #follow<T>(tool: ClassicalTool, { signal }: AskContext, work: () => Promise<T>): Promise<T> {
    const mine = { sinceMs: performance.now(), tool };
    this.#running = mine;
    const timer = setTimeout(() => (this.#slow = this.#slow || this.#running === mine), SLOW_MS);
    const onAbort = (): void => queueMicrotask(() => this.#running === mine && this.cancel());
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await work();
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      if (this.#running === mine) {
        this.#running = null;
        this.#slow = false;
      }
    }
  }
}

function sent(strokes: readonly MarkedStroke[]): Stroke[] {
  return strokes.map(({ points, radius, mark }) => ({ points, width: 2 * radius, mark }));
}

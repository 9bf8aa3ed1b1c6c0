import type {
  EvaluationCase,
  EvaluationLook,
  EvaluationProgress,
  EvaluationReport,
  KindEvaluation,
  Outcome,
} from '../../shared/answers/evaluation.ts';
import type { EvaluationSource } from '../../shared/calls/evaluation.ts';
import type { OverlapKind } from '../../shared/evaluate/dataset.ts';
import type { Workspace } from './workspace.svelte.ts';

/** Which cases are listed. Label ids as in `evaluation.cases`: 0 is the background, null any. */
export interface CaseFilter {
  readonly outcome: Outcome | null;
  readonly labelId: number | null;
  readonly truthLabelId: number | null;
  readonly detectionLabelId: number | null;
}

const ALL: CaseFilter = { outcome: 'fp', labelId: null, truthLabelId: null, detectionLabelId: null };
const PAGE = 60;
/** Share of the view that an instance takes when it is opened. */
const CLOSE = 0.4;
const MOST_ZOOM = 4;

const STATES = new WeakMap<Workspace, EvaluationState>();

/** The evaluation of a window: it stays while the user looks at its cases on the image. */
export function evaluationOf(workspace: Workspace): EvaluationState {
  const found = STATES.get(workspace) ?? new EvaluationState(workspace);
  STATES.set(workspace, found);
  return found;
}

/** What the evaluation page shows, and the case that is looked at on the image. */
export class EvaluationState {
  #report = $state.raw<EvaluationReport | null>(null);
  #project = $state.raw<string | null>(null);
  #look = $state.raw<EvaluationLook | null>(null);
  #rows = $state.raw<readonly EvaluationCase[]>([]);
  #total = $state(0);
  #progress = $state.raw<EvaluationProgress | null>(null);
  #running = $state(false);
  #filter = $state.raw<CaseFilter>(ALL);
  #kind = $state<OverlapKind>('segm');
  #iou = $state(0.5);
  #minScore = $state(0.5);
  /** Place of the case on the image in `rows`, or null. */
  #active = $state<number | null>(null);
  /** The class whose curve is shown; null for all. */
  labelId = $state<number | null>(null);
  /** Answers to older questions are dropped. */
  #asked = 0;
  #asking = false;
  readonly #workspace: Workspace;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
    workspace.client.on('evaluation.progress', (progress) => (this.#progress = progress));
  }

  /** Null also once another project is open. */
  get report(): EvaluationReport | null {
    return this.#project === (this.#workspace.project?.file ?? '') ? this.#report : null;
  }
  get figures(): KindEvaluation | null {
    return this.report?.[this.#kind] ?? null;
  }
  get look(): EvaluationLook | null {
    return this.report === null ? null : this.#look;
  }
  get rows(): readonly EvaluationCase[] {
    return this.#rows;
  }
  get total(): number {
    return this.#total;
  }
  get progress(): EvaluationProgress | null {
    return this.#progress;
  }
  get running(): boolean {
    return this.#running;
  }
  get filter(): CaseFilter {
    return this.#filter;
  }
  get kind(): OverlapKind {
    return this.#kind;
  }
  get iou(): number {
    return this.#iou;
  }
  get minScore(): number {
    return this.#minScore;
  }
  get activeIndex(): number | null {
    return this.#active;
  }
  /** The case that is looked at, while its image is open. */
  get active(): EvaluationCase | null {
    const found = this.#active === null || this.report === null ? null : (this.#rows[this.#active] ?? null);
    return found && this.#workspace.images.current?.id === found.imageId ? found : null;
  }

  async run(source: EvaluationSource, split: string | null, done: boolean): Promise<void> {
    const { client, project } = this.#workspace;
    this.#running = true;
    this.#progress = null;
    try {
      this.#report = await client.call('evaluation.run', { source, split, states: done ? ['done'] : [] });
      this.#project = project?.file ?? null;
      this.#look = null;
      this.#active = null;
      this.labelId = null;
      this.#filter = ALL;
      await this.#ask();
    } finally {
      this.#running = false;
      this.#progress = null;
    }
  }

  async cancel(): Promise<void> {
    await this.#workspace.client.call('evaluation.cancel', {});
  }

  setKind(kind: OverlapKind): void {
    this.#kind = kind;
    this.#askAgain();
  }

  setThresholds(iou: number, minScore: number): void {
    this.#iou = iou;
    this.#minScore = minScore;
    this.#askAgain();
  }

  setFilter(filter: Partial<CaseFilter>): void {
    this.#filter = { ...ALL, ...filter };
    this.#askAgain();
  }

  #askAgain(): void {
    this.#asked++;
    this.#active = null;
    if (!this.#asking) void this.#workspace.attempt(() => this.#ask());
  }

  /** One question at a time; what was changed meanwhile is asked once, at the end. */
  async #ask(): Promise<void> {
    const { report } = this;
    if (!report) return;
    this.#asking = true;
    try {
      for (let asked = -1; asked !== this.#asked;) {
        asked = this.#asked;
        const [look, cases] = await Promise.all([
          this.#workspace.client.call('evaluation.look', this.#thresholds(report)),
          this.#workspace.client.call('evaluation.cases', { ...this.#thresholds(report), ...this.#filter, limit: PAGE }),
        ]);
        this.#look = look;
        this.#rows = cases.rows;
        this.#total = cases.total;
      }
    } finally {
      this.#asking = false;
    }
  }

  #thresholds(report: EvaluationReport): { id: number; kind: OverlapKind; iou: number; minScore: number } {
    return { id: report.id, kind: this.#kind, iou: this.#iou, minScore: this.#minScore };
  }

  async more(): Promise<void> {
    const { report } = this;
    if (!report || this.#rows.length >= this.#total) return;
    const asked = this.#asked;
    const next = await this.#workspace.client.call('evaluation.cases', {
      ...this.#thresholds(report),
      ...this.#filter,
      offset: this.#rows.length,
      limit: PAGE,
    });
    if (asked === this.#asked) this.#rows = [...this.#rows, ...next.rows];
  }

  /** Opens the image of a case with its instance selected, close up. */
  async open(index: number): Promise<void> {
    const workspace = this.#workspace;
    if (index >= this.#rows.length) await workspace.attempt(() => this.more());
    const found = this.#rows[index];
    if (!found) return;
    this.#active = index;
    workspace.dialog = null;
    workspace.browsing = false;
    await workspace.attempt(async () => {
      const row = await workspace.client.call('images.get', { imageId: found.imageId });
      await workspace.show(row, null);
    });
    const { editor } = workspace;
    if (editor.document?.imageId !== found.imageId) return;
    const { annotationId, suggestionId } = found;
    if (annotationId !== null && editor.document.annotations.some(({ id }) => id === annotationId)) {
      editor.select({ kind: 'annotation', id: annotationId });
    } else if (suggestionId !== null && editor.shownSuggestions.some(({ id }) => id === suggestionId)) {
      editor.select({ kind: 'suggestion', id: suggestionId });
    } else editor.select(null);
    const [x, y, width, height] = found.box;
    const { stage } = editor;
    const scale = Math.min(MOST_ZOOM, CLOSE * Math.min(stage.size.width / Math.max(1, width), stage.size.height / Math.max(1, height)));
    if (scale > editor.zoom) editor.zoomTo(scale);
    const { viewport, size } = stage;
    stage.panBy(
      size.width / 2 - (viewport.x + (x + width / 2) * viewport.scale),
      size.height / 2 - (viewport.y + (y + height / 2) * viewport.scale),
    );
  }

  leave(): void {
    this.#active = null;
  }
}

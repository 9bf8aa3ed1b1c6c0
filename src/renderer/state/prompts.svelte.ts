import type { ModelInfo } from '../../shared/answers.ts';
import type { PromptAnswer, PromptState } from '../../shared/calls/prompts.ts';
import { AppError } from '../../shared/errors.ts';
import type { Client } from '../client.ts';
import type { AskContext } from '../editor/asking.ts';
import type { Ask, PromptQuestion } from '../editor/tools/ask.ts';
import type { EditorView } from '../editor/types.ts';
import { tellNote, tellProblem } from '../problems.ts';
import type { ImagesState } from './images.svelte.ts';
import type { RunsState } from './runs.svelte.ts';
import type { SettingsState } from './settings.svelte.ts';

/** Quiet after a click before its mask is looked at from close by: an encoder's run, which the next click would have to wait for. */
const CLOSER_AFTER_MS = 450;
/** How many images after the open one are made ready meanwhile. */
const AHEAD = 6;

export interface PromptsContext {
  readonly client: Client;
  readonly editor: EditorView;
  readonly images: ImagesState;
  readonly runs: RunsState;
  readonly settings: SettingsState;
  /** Opens the page where models are got. */
  getModels(): void;
}

/** The model that clicks and boxes go to, and how far it is with the open image. */
export class PromptsState {
  #state = $state.raw<PromptState | null>(null);
  #last = $state.raw<{ readonly imageId: number; readonly answer: PromptAnswer } | null>(null);
  /** A prompt tool was used in this project: the images that are opened from now on are made ready. */
  #used = $state(false);
  /** Questions that the user waits for, counted. */
  #clicks = 0;
  readonly #context: PromptsContext;

  constructor(context: PromptsContext) {
    this.#context = context;
    const { editor, client } = context;
    client.on('prompt.state', (state) => this.#take(state));
    editor.answers('prompt', {
      order: 'replace',
      answer: async ({ id, question }, about) => ({ kind: 'answer', of: 'prompt', id, value: await this.#ask(question, false, about) }),
    });
    editor.answers('finer', {
      order: 'replace',
      quiet: true,
      answer: async ({ id, question }, about) => ({ kind: 'answer', of: 'finer', id, value: await this.#look(question, about) }),
    });
    editor.answers('hover', {
      order: 'newest',
      quiet: true,
      answer: async (ask, about) => ({ kind: 'answer', of: 'hover', id: ask.id, value: await this.#preview(ask, about) }),
    });
  }

  /** Usable models that answer prompts. */
  get models(): readonly ModelInfo[] {
    return (this.#context.runs.models ?? []).filter((model) => model.family === 'sam' && !model.problem);
  }

  /** The one in use: the chosen one, or else the first. */
  get model(): ModelInfo | null {
    const { models } = this;
    return models.find((model) => model.id === this.#context.settings.current.promptModelId) ?? models[0] ?? null;
  }

  /** Whether the user has a prompt tool in hand. */
  get inHand(): boolean {
    const { tool } = this.#context.editor;
    return tool === 'prompt' || tool === 'prompt-box';
  }

  /** How the open image stands; null while nothing was asked about it. */
  get state(): PromptState | null {
    const state = this.#state;
    return state?.imageId === this.#context.editor.document?.imageId && state?.modelId === this.model?.id ? state : null;
  }

  /** The last answer to a click or a box on the open image. */
  get last(): PromptAnswer | null {
    return this.#last?.imageId === this.#context.editor.document?.imageId ? (this.#last?.answer ?? null) : null;
  }

  choose(modelId: string): void {
    this.#context.settings.set({ promptModelId: modelId });
    this.#last = null;
    void this.follow();
    this.#context.editor.askAgain();
  }

  /** Another project: nothing of the last one counts. */
  clear(): void {
    if (this.#used) void this.#context.client.call('prompt.close', {}).catch(tellProblem);
    this.#used = false;
    this.#state = null;
    this.#last = null;
  }

  /** Call when a tool is taken, an image was opened or models came or went: makes the open image ready if that is of use. */
  async follow(): Promise<void> {
    const { client, editor, images, runs } = this.#context;
    const imageId = editor.document?.imageId;
    if (this.inHand && imageId !== undefined && runs.models !== null) {
      if (!this.model) return this.#tellLack();
      this.#used = true;
    }
    const modelId = this.model?.id;
    if (!this.#used || imageId === undefined || modelId === undefined) return;
    const { index } = images;
    const places = index === null ? [] : Array.from({ length: AHEAD }, (_, i) => index + 1 + i);
    try {
      const rows = await Promise.all(places.map((place) => images.require(place)));
      if (editor.document?.imageId !== imageId) return;
      const ahead = rows.flatMap((row) => (row && row.error === null ? [row.id] : []));
      this.#take(await client.call('prompt.open', { imageId, modelId, ahead }));
    } catch (thrown) {
      tellProblem(thrown, { label: 'Try again', run: () => void this.follow() });
    }
  }

  /** Proposes a mask for everything on the open image, as suggestions. */
  async everything(): Promise<void> {
    const { images, runs } = this.#context;
    const imageId = images.current?.id;
    if (imageId === undefined) return;
    if (!this.model) return this.#tellLack();
    try {
      await runs.start(this.model.id, { kind: 'images', imageIds: [imageId] });
    } catch (thrown) {
      tellProblem(thrown, { label: 'Try again', run: () => void this.everything() });
    }
  }

  #tellLack(): void {
    tellNote('Prompts need a SAM model', 'None is here yet. Get one from the models page, for instance SAM 2 Hiera tiny.', {
      label: 'Get models…',
      run: () => this.#context.getModels(),
    });
  }

  #take(state: PromptState): void {
    const { document } = this.#context.editor;
    // The answer to `prompt.open` may come after an event that told more.
    const known = this.#state;
    const older =
      known?.imageId === state.imageId && known.modelId === state.modelId && known.state === 'ready' && state.state === 'embedding';
    if (state.imageId === document?.imageId && !older) this.#state = state;
  }

  /** Not while the user goes on clicking. */
  async #look(question: PromptQuestion, about: AskContext): Promise<PromptAnswer> {
    const clicks = this.#clicks;
    await new Promise((resolve) => setTimeout(resolve, CLOSER_AFTER_MS));
    if (about.signal.aborted || clicks !== this.#clicks) throw new AppError('cancelled', 'The next click came first.');
    return this.#ask(question, true, about);
  }

  async #ask(question: PromptQuestion, finer: boolean, { imageId }: AskContext): Promise<PromptAnswer> {
    const { model } = this;
    if (!model) {
      this.#tellLack();
      throw new AppError('cancelled', 'There is no model for prompts.');
    }
    if (!finer) this.#clicks++;
    const { points, box, refine } = question;
    const answer = await this.#context.client.call('prompt.ask', { imageId, modelId: model.id, points: [...points], box, refine, finer });
    // A closer look is nothing that the user waits for.
    if (!finer) this.#last = { imageId, answer };
    return answer;
  }

  /** Only where it can be had at once, so that a moving pointer never makes anything wait. */
  async #preview({ question }: Ask<'hover'>, { imageId }: AskContext): Promise<PromptAnswer | null> {
    const { model, state } = this;
    if (!model || state?.state !== 'ready') return null;
    const points = [{ ...question.at, positive: true }];
    return this.#context.client.call('prompt.ask', { imageId, modelId: model.id, points, hover: true });
  }
}

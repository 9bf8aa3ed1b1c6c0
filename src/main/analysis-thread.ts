import { Worker } from 'node:worker_threads';
import type { SplitReport } from '../shared/answers/splits.ts';
import type { StatisticsProgress, StatisticsReport } from '../shared/answers/statistics.ts';
import type { SplitOptions } from '../shared/calls/splits.ts';
import type { StatisticsInput } from '../shared/calls/statistics.ts';
import type { WireError } from '../shared/errors.ts';
import { AppError, fromWireError, toWireError } from '../shared/errors.ts';
import type { PlanRequest, SplitPlan } from './split-plan.ts';
import type { ImageMeasures } from './store/measures.ts';
import { packageFolder } from './version.ts';

/** What the thread is asked about a project file. */
export type AnalysisQuestion =
  | { readonly kind: 'measure'; readonly file: string }
  | { readonly kind: 'statistics'; readonly file: string; readonly input: StatisticsInput }
  | { readonly kind: 'plan'; readonly file: string; readonly request: PlanRequest }
  | { readonly kind: 'frozen'; readonly file: string; readonly options: SplitOptions };

/** What the thread tells: progress and measures on the way, then one answer. */
export type AnalysisTold =
  | { readonly kind: 'progress'; readonly progress: StatisticsProgress }
  | { readonly kind: 'measured'; readonly batch: readonly ImageMeasures[] }
  | { readonly kind: 'measured-all' }
  | { readonly kind: 'statistics'; readonly report: StatisticsReport }
  | { readonly kind: 'plan'; readonly plan: SplitPlan }
  | { readonly kind: 'frozen'; readonly parts: Pick<SplitReport, 'parts' | 'unassigned'> }
  | { readonly kind: 'failed'; readonly error: WireError };

/** A thread that reads a project while its file is written to. One question at a time. */
export interface AnalysisThread {
  /** Measures whatever is stale; each batch is kept with `keep`. */
  measure(file: string, keep: (batch: readonly ImageMeasures[]) => void): Promise<void>;
  statistics(file: string, input: StatisticsInput): Promise<StatisticsReport>;
  plan(file: string, request: PlanRequest): Promise<SplitPlan>;
  frozen(file: string, options: SplitOptions): Promise<Pick<SplitReport, 'parts' | 'unassigned'>>;
  close(): Promise<void>;
}

/** Questions throw AppError as the project's file does, `cancelled` once the signal aborts, and `internal` when the thread fails. */
export function createAnalysisThread(signal: AbortSignal, onProgress: (progress: StatisticsProgress) => void): AnalysisThread {
  let worker: Worker | null = null;

  async function ask<K extends AnalysisTold['kind']>(
    question: AnalysisQuestion,
    kind: K,
    keep?: (batch: readonly ImageMeasures[]) => void,
  ): Promise<Extract<AnalysisTold, { kind: K }>> {
    if (signal.aborted) throw cancelled();
    const started = (worker ??= new Worker(workerFile()));
    try {
      return await new Promise((resolve, reject) => {
        const fail = (thrown: unknown): void => reject(thrown instanceof Error ? thrown : new AppError('internal', String(thrown)));
        signal.addEventListener('abort', () => reject(cancelled()), { once: true });
        started.removeAllListeners();
        started.on('error', fail);
        started.on('exit', (code) => reject(new AppError('internal', `The thread that counts ended with ${code}.`)));
        started.on('message', (told: AnalysisTold) => {
          try {
            if (told.kind === 'progress') onProgress(told.progress);
            else if (told.kind === 'measured') {
              keep?.(told.batch);
              started.postMessage('next');
            } else if (told.kind === 'failed') reject(fromWireError(told.error));
            else if (isAnswer(told, kind)) resolve(told);
          } catch (thrown) {
            fail(thrown);
          }
        });
        started.postMessage(question);
      });
    } catch (thrown) {
      worker = null;
      await started.terminate();
      if (thrown instanceof AppError) throw thrown;
      throw new AppError('internal', `The project could not be counted: ${toWireError(thrown).message}`, {}, thrown);
    }
  }

  return {
    async measure(file, keep) {
      await ask({ kind: 'measure', file }, 'measured-all', keep);
    },
    statistics: async (file, input) => (await ask({ kind: 'statistics', file, input }, 'statistics')).report,
    plan: async (file, request) => (await ask({ kind: 'plan', file, request }, 'plan')).plan,
    frozen: async (file, options) => (await ask({ kind: 'frozen', file, options }, 'frozen')).parts,
    async close() {
      const ending = worker;
      worker = null;
      await ending?.terminate();
    },
  };
}

function isAnswer<K extends AnalysisTold['kind']>(told: AnalysisTold, kind: K): told is Extract<AnalysisTold, { kind: K }> {
  return told.kind === kind;
}

function cancelled(): AppError {
  return new AppError('cancelled', 'Cancelled. What was measured is kept.');
}

/** Run from its source, or from the build. */
function workerFile(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? 'src/main/analysis-worker.ts' : 'dist/main/analysis-worker.js', packageFolder);
}

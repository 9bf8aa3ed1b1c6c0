import { Worker } from 'node:worker_threads';
import type { EvaluationProgress } from '../../shared/answers/evaluation.ts';
import { AppError, fromWireError } from '../../shared/errors.ts';
import { packageFolder } from '../version.ts';
import type { EvaluationMethod, EvaluationQuestions, EvaluationTold } from './messages.ts';

/** The thread of the evaluation, started with the first question. One question after the other. */
export interface EvaluationThread {
  /** Errors are those of `evaluateProject`; `cancelled` after `cancel` or `close`. */
  ask<M extends EvaluationMethod>(method: M, ask: EvaluationQuestions[M]['ask']): Promise<EvaluationQuestions[M]['answer']>;
  /** The evaluation that runs, and those that wait, fail with `cancelled`. */
  cancel(): void;
  /** Ends the thread and forgets the evaluation that it keeps. A later question starts another. */
  close(): Promise<void>;
}

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

interface Running {
  readonly worker: Worker;
  readonly least: Int32Array;
  readonly waiting: Map<number, Waiting>;
}

export function createEvaluationThread(progress: (progress: EvaluationProgress) => void): EvaluationThread {
  let running: Running | null = null;
  let last = 0;

  function start(): Running {
    const least = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(workerFile(), { workerData: least });
    const started: Running = { worker, least, waiting: new Map() };
    worker.on('message', (told: EvaluationTold) => {
      if (told.kind === 'progress') {
        progress(told.progress);
        return;
      }
      const waiting = started.waiting.get(told.turn);
      started.waiting.delete(told.turn);
      if (told.kind === 'answer') waiting?.resolve(told.answer);
      else waiting?.reject(fromWireError(told.error));
      // What it keeps must not keep the process alive.
      if (started.waiting.size === 0) worker.unref();
    });
    worker.on('error', (error: Error) => end(started, new AppError('internal', `The evaluation stopped: ${error.message}`, {}, error)));
    worker.on('exit', () => end(started, new AppError('cancelled', 'The evaluation was cancelled.')));
    running = started;
    return started;
  }

  function end(started: Running, error: AppError): void {
    if (running === started) running = null;
    for (const waiting of started.waiting.values()) waiting.reject(error);
    started.waiting.clear();
  }

  return {
    ask<M extends EvaluationMethod>(method: M, ask: EvaluationQuestions[M]['ask']) {
      const to = running ?? start();
      to.worker.ref();
      const turn = ++last;
      return new Promise<EvaluationQuestions[M]['answer']>((resolve, reject) => {
        to.waiting.set(turn, { resolve: (answer) => resolve(answer as EvaluationQuestions[M]['answer']), reject });
        to.worker.postMessage({ turn, method, ask });
      });
    },
    cancel() {
      if (running) Atomics.store(running.least, 0, last + 1);
    },
    async close() {
      const closing = running;
      running = null;
      await closing?.worker.terminate();
    },
  };
}

/** Run from its source, or from the build. */
function workerFile(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? 'src/main/evaluation/worker.ts' : 'dist/main/evaluation-worker.js', packageFolder);
}

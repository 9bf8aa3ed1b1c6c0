import { Worker } from 'node:worker_threads';
import type {
  ImportCommitOptions,
  ImportFindingQuery,
  ImportPlan,
  ImportProgress,
  ImportReadOptions,
  ImportReport,
  ImportUndoOptions,
  ImportUndoReport,
} from '../shared/calls/imports.ts';
import type { WireError } from '../shared/errors.ts';
import { AppError, fromWireError } from '../shared/errors.ts';
import type { Finding, FormatId } from '../shared/formats.ts';
import { packageFolder } from './version.ts';

/** What the thread of an import is asked. */
export interface ImportQuestions {
  readonly read: {
    readonly place: string;
    readonly format: FormatId;
    readonly images: string | null;
    readonly pixels: ImportReadOptions['pixels'];
    readonly regions: ImportReadOptions['regions'];
    readonly project: { readonly file: string; readonly folder: string };
  };
  readonly findings: Omit<ImportFindingQuery, 'id'>;
  readonly commit: Pick<ImportCommitOptions, 'onConflict' | 'asDone'> & { readonly atMs: number };
  readonly undo: ImportUndoOptions & { readonly file: string; readonly atMs: number };
  readonly close: null;
}

export interface ImportAnswers {
  readonly read: Omit<ImportPlan, 'id' | 'place' | 'ms'>;
  readonly findings: { readonly total: number; readonly rows: readonly Finding[] };
  readonly commit: Omit<ImportReport, 'file' | 'ms'>;
  readonly undo: Omit<ImportUndoReport, 'file' | 'ms'>;
  readonly close: null;
}

type Kind = keyof ImportQuestions;
export type ImportAsk = { [K in Kind]: { readonly kind: K; readonly id: number; readonly input: ImportQuestions[K] } }[Kind];
export type ImportTold =
  | { readonly kind: 'answer'; readonly id: number; readonly value: ImportAnswers[Kind] }
  | { readonly kind: 'failed'; readonly id: number; readonly error: WireError }
  | { readonly kind: 'progress'; readonly progress: ImportProgress };

export interface ImportThreadData {
  /** 1 at 0: give up. */
  readonly flags: Int32Array;
  readonly stagingFile: string;
}

/** The thread of one import, so that a window stays alive whatever the size of a dataset. */
export interface ImportThread {
  /** One question at a time. Throws the AppError of the thread, and `internal` where it ends by itself. */
  ask<K extends Kind>(kind: K, input: ImportQuestions[K]): Promise<ImportAnswers[K]>;
  /** What is being asked fails with `cancelled`. */
  cancel(): void;
  /** Removes what was staged and ends the thread. */
  close(): Promise<void>;
}

export function startImportThread(stagingFile: string, onProgress: (progress: ImportProgress) => void): ImportThread {
  const flags = new Int32Array(new SharedArrayBuffer(4));
  const data: ImportThreadData = { flags, stagingFile };
  const worker = new Worker(workerFile(), { workerData: data });
  let lastId = 0;
  let ended: AppError | null = null;
  const waiting = new Map<number, { resolve: (value: ImportAnswers[Kind]) => void; reject: (error: AppError) => void }>();

  function end(error: AppError): void {
    ended ??= error;
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  }

  worker.on('message', (told: ImportTold) => {
    if (told.kind === 'progress') return onProgress(told.progress);
    const waiter = waiting.get(told.id);
    waiting.delete(told.id);
    if (waiting.size === 0) worker.unref();
    if (told.kind === 'answer') waiter?.resolve(told.value);
    else waiter?.reject(fromWireError(told.error));
  });
  worker.on('error', (error: Error) => end(new AppError('internal', `The import stopped: ${error.message}`, {}, error)));
  worker.on('exit', () => end(new AppError('internal', 'The import stopped.')));

  const thread: ImportThread = {
    async ask(kind, input) {
      if (ended) throw ended;
      Atomics.store(flags, 0, 0);
      const id = ++lastId;
      worker.ref();
      const answered = new Promise<ImportAnswers[Kind]>((resolve, reject) => waiting.set(id, { resolve, reject }));
      worker.postMessage({ kind, id, input });
      return (await answered) as ImportAnswers[typeof kind];
    },
    cancel: () => void Atomics.store(flags, 0, 1),
    async close() {
      thread.cancel();
      // Never ended in the middle of a transaction: its locks would stay with the process.
      if (!ended) await thread.ask('close', null).catch(() => null);
      await worker.terminate();
    },
  };
  return thread;
}

/** Run from its source, or from the build. */
function workerFile(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? 'src/main/import-worker.ts' : 'dist/main/import-worker.js', packageFolder);
}

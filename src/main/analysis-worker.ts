import { once } from 'node:events';
import { parentPort } from 'node:worker_threads';
import { toWireError } from '../shared/errors.ts';
import type { AnalysisQuestion, AnalysisTold } from './analysis-thread.ts';
import { frozenSplit, planSplit } from './split-plan.ts';
import { collectStatistics } from './statistics.ts';
import type { Db } from './store/database.ts';
import { openSnapshot } from './store/database.ts';
import { createLabels } from './store/labels.ts';
import { measuring } from './store/measures.ts';

/** Reads a project in a thread of its own, on a snapshot: measures instances, counts them, plans splits. One question at a time. */

/** Images measured between two answers, and before the snapshot is taken anew: a long one keeps the log from being folded in. */
const BATCH = 128;
const ROUND = 8192;
/** What is read goes once through the whole file, in another order than it lies there. */
const CACHE = 'cache_size = -65536';

parentPort?.on('message', (question: AnalysisQuestion | 'next') => {
  if (question === 'next') return;
  answer(question).then(tell, (thrown: unknown) => tell({ kind: 'failed', error: toWireError(thrown) }));
});

async function answer(question: AnalysisQuestion): Promise<AnalysisTold> {
  switch (question.kind) {
    case 'measure':
      await measure(question.file);
      return { kind: 'measured-all' };
    case 'statistics':
      return { kind: 'statistics', report: read(question.file, (db) => collectStatistics(db, labelsOf(db), question.input)) };
    case 'plan':
      return { kind: 'plan', plan: read(question.file, (db) => planSplit(db, labelsOf(db), question.request, comparing)) };
    case 'frozen':
      return { kind: 'frozen', parts: read(question.file, (db) => frozenSplit(db, labelsOf(db), question.options)) };
  }
}

function tell(told: AnalysisTold): void {
  parentPort?.postMessage(told);
}

function comparing(done: number, total: number): void {
  tell({ kind: 'progress', progress: { stage: 'comparing', done, total } });
}

function labelsOf(db: Db): ReturnType<ReturnType<typeof createLabels>['list']> {
  return createLabels(db, (work) => work()).list();
}

function read<T>(file: string, work: (db: Db) => T): T {
  const { db, close } = openSnapshot(file);
  db.pragma(CACHE);
  try {
    return work(db);
  } finally {
    close();
  }
}

/** Until nothing is stale any more. Whoever asked keeps a batch while the next one is made, and says so. */
async function measure(file: string): Promise<void> {
  let total = 0;
  let kept: Promise<unknown> | null = null;
  for (let done = 0; ;) {
    const { db, close } = openSnapshot(file);
    db.pragma(CACHE);
    try {
      const stale = measuring(db);
      const open = stale.open();
      if (open === 0) return;
      total = Math.max(total, done + open);
      for (let round = 0; round < ROUND; round += BATCH) {
        const batch = stale.stale(BATCH);
        if (batch.length === 0) break;
        done += batch.length;
        await kept;
        tell({ kind: 'measured', batch });
        tell({ kind: 'progress', progress: { stage: 'measuring', done: Math.min(done, total), total } });
        kept = parentPort ? once(parentPort, 'message') : null;
      }
      await kept;
      kept = null;
    } finally {
      close();
    }
  }
}

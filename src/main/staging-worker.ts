import { parentPort, workerData } from 'node:worker_threads';
import { toWireError } from '../shared/errors.ts';
import type { Db } from './store/database.ts';
import type { StagingAsk, StagingThreadData, StagingTold } from './store/staged-rows.ts';
import { directRows, openStagingFile, stagingError } from './store/staged-rows.ts';

/** Puts the rows of one staging file, in a thread of its own: a dataset is read and written at once. */

const { file, format, state, slots } = workerData as StagingThreadData;
let db: Db | null = null;
let rows: ReturnType<typeof directRows> | null = null;
let failed = false;

/** Who waits for this thread sees the flag; why it failed is a message. */
function attempt(work: () => void): void {
  if (failed) return;
  try {
    work();
  } catch (thrown) {
    failed = true;
    db?.close();
    Atomics.store(state, 1, 1);
    tell({ kind: 'failed', error: toWireError(stagingError(thrown, format, file)) });
  }
}

function tell(told: StagingTold): void {
  parentPort?.postMessage(told);
}

attempt(() => {
  db = openStagingFile(file);
  db.exec('BEGIN');
  rows = directRows(db, format);
});

parentPort?.on('message', (ask: StagingAsk) => {
  if (ask.kind !== 'end') {
    attempt(() => {
      if (ask.kind === 'rows') return rows?.put(ask.batch);
      const slot = slots[ask.slot];
      if (slot) rows?.putSlot(slot, ask.rows);
    });
    Atomics.sub(state, 0, 1);
    Atomics.notify(state, 0);
    return;
  }
  attempt(() => {
    db?.exec('COMMIT');
    db?.close();
    tell({ kind: 'ended' });
  });
});

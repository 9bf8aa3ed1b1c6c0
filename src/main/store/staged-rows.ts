import { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import type { WireError } from '../../shared/errors.ts';
import { AppError, fromWireError } from '../../shared/errors.ts';
import type { FormatId } from '../../shared/formats.ts';
import { packageFolder } from '../version.ts';
import type { Db } from './database.ts';
import { storageError } from './database.ts';
import type { InstanceSlot, SlotWriter } from './instance-slots.ts';
import { createSlots, slotRows, slotWriter } from './instance-slots.ts';

/** Where the rows of a staging file are put: at once, or by a thread of its own while the reader reads on. */
export interface StagedRows {
  /** Throws AppError `storage` or `io` naming the file (a full disk), and `internal` for a key that is used twice. */
  add(table: StagedTable, values: readonly StagedValue[]): void;
  /** Of most rows: the same, quicker. */
  addInstance(row: StagedInstance): void;
  /** All rows are in the file, and nobody but the caller has it open. Throws as `add`. */
  settled(): Promise<void>;
}

/** A row of `instance`, and the text of its record. */
export type StagedInstance = readonly [
  key: number,
  imageKey: number,
  categoryKey: number,
  number: number | null,
  crowd: number,
  form: number,
  geometry: string | null,
  area: number | null,
  x: number | null,
  y: number | null,
  width: number | null,
  height: number | null,
  source: string | null,
];
export type StagedValue = string | number | null;
export type StagedTable = keyof typeof STATEMENTS;
/** Rows of each table, their values one after the other. */
export type StagedBatch = Partial<Record<StagedTable, StagedValue[]>>;

const STATEMENTS = {
  category: ['INSERT INTO category VALUES (?, ?, ?, ?, ?, ?)', 6],
  image: ['INSERT INTO image VALUES (?, ?, ?, ?, ?, ?, ?, ?)', 8],
  instance: ['INSERT INTO instance VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)', 12],
  text: ['INSERT INTO text VALUES (?, ?)', 2],
  finding: ['INSERT INTO finding (kind, what, id, reason, message) VALUES (?, ?, ?, ?, ?)', 5],
  rest: ['INSERT INTO rest (key, source) VALUES (?, ?)', 2],
} as const;

/** A connection for bulk: no journal and no syncing, for a staging file is worth nothing after a crash. */
export function openStagingFile(file: string): Db {
  const db = new Database(file);
  db.pragma('page_size = 16384');
  db.pragma('journal_mode = OFF');
  db.pragma('synchronous = OFF');
  db.pragma('locking_mode = NORMAL');
  db.pragma('cache_size = -16000');
  return db;
}

/** SQLite's errors name the file. */
export function stagingError(thrown: unknown, format: FormatId, file: string): AppError {
  if (thrown instanceof AppError) return thrown;
  const twice = thrown instanceof Error && 'code' in thrown && thrown.code === 'SQLITE_CONSTRAINT_PRIMARYKEY';
  if (twice) return new AppError('internal', `${format}: a key is used twice: ${thrown.message}.`, { format });
  return storageError(thrown, file);
}

/** Through a connection with an open transaction. */
export function directRows(
  db: Db,
  format: FormatId,
): StagedRows & { put(batch: StagedBatch): void; putSlot(slot: InstanceSlot, rows: number): void } {
  const prepared = new Map(Object.entries(STATEMENTS).map(([table, [sql]]) => [table, db.prepare<StagedValue[]>(sql)]));
  const [instance, text] = [prepared.get('instance'), prepared.get('text')];
  const putInstance = (row: StagedInstance): void => {
    const [key, imageKey, categoryKey, number, crowd, form, geometry, area, x, y, width, height, source] = row;
    instance?.run(key, imageKey, categoryKey, number, crowd, form, geometry, area, x, y, width, height);
    if (source !== null) text?.run(key, source);
  };
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (thrown) {
      throw stagingError(thrown, format, db.name);
    }
  };
  return {
    addInstance: (row) => attempt(() => putInstance(row)),
    putSlot: (slot, rows) =>
      attempt(() => {
        for (const row of slotRows(slot, rows)) putInstance(row);
      }),
    add: (table, values) => attempt(() => prepared.get(table)?.run(...values)),
    put: (batch) =>
      attempt(() => {
        for (const [table, values] of Object.entries(batch)) {
          const statement = prepared.get(table);
          const width = STATEMENTS[table as StagedTable][1];
          for (let i = 0; i < values.length; i += width) statement?.run(...values.slice(i, i + width));
        }
      }),
    settled: () => Promise.resolve(),
  };
}

/** What the thread is given, and what it answers with. */
export interface StagingThreadData {
  readonly file: string;
  readonly format: FormatId;
  /** At 0 the messages with rows that were not put yet, at 1 whether it failed. */
  readonly state: Int32Array;
  /** Filled in turn. */
  readonly slots: readonly InstanceSlot[];
}
export type StagingAsk =
  | { readonly kind: 'rows'; readonly batch: StagedBatch }
  | { readonly kind: 'slot'; readonly slot: number; readonly rows: number }
  | { readonly kind: 'end' };
export type StagingTold = { readonly kind: 'ended' } | { readonly kind: 'failed'; readonly error: WireError };

/** Values and characters that travel together. */
const BATCH_VALUES = 40_000;
const BATCH_CHARACTERS = 1 << 20;
/** Messages with rows that may wait: memory must not grow where the disk is slower than the reader. */
const MOST_WAITING = 6;
/** A thread that takes no rows for so long is gone: nobody tells one that waits. */
const MOST_SILENT_MS = 120_000;
/** One more is being filled, so that none is taken up again before it was put. */
const SLOTS = MOST_WAITING + 2;

/** By a thread with a connection of its own. Waits for it where it does not keep up, so it is not for a thread that must stay alive. */
export function threadRows(file: string, format: FormatId): StagedRows {
  const state = new Int32Array(new SharedArrayBuffer(8));
  const slots = createSlots(SLOTS);
  const data: StagingThreadData = { file, format, state, slots };
  const worker = new Worker(workerFile(), { workerData: data });
  const ended = new Promise<void>((resolve, reject) => {
    worker.on('message', (told: StagingTold) => {
      if (told.kind === 'ended') resolve();
      else reject(fromWireError(told.error));
    });
    worker.on('error', (error: Error) =>
      reject(new AppError('internal', `The staging of ${file} stopped: ${error.message}`, { file }, error)),
    );
    worker.on('exit', () => reject(new AppError('internal', `The staging of ${file} stopped.`, { file })));
  });
  ended.catch(() => undefined);
  let batch: StagedBatch = {};
  let values = 0;
  let characters = 0;
  let filling = 0;
  let writer = writerOf(filling);

  function writerOf(index: number): SlotWriter {
    const slot = slots[index];
    if (slot) return slotWriter(slot);
    throw new AppError('internal', `There is no slot ${index} for rows.`);
  }

  function send(ask: StagingAsk): void {
    Atomics.add(state, 0, 1);
    worker.postMessage(ask);
    // Why it failed arrives as a message, and so is known when this thread rests: `settled` throws it.
    const failed = (): AppError => new AppError('storage', `${file} could not be written.`, { file });
    for (let waiting = Atomics.load(state, 0); waiting > MOST_WAITING; waiting = Atomics.load(state, 0)) {
      if (Atomics.load(state, 1) === 1 || Atomics.wait(state, 0, waiting, MOST_SILENT_MS) === 'timed-out') throw failed();
    }
    if (Atomics.load(state, 1) === 1) throw failed();
  }

  function post(): void {
    if (values === 0) return;
    const full = batch;
    batch = {};
    values = 0;
    characters = 0;
    send({ kind: 'rows', batch: full });
  }

  function postSlot(): void {
    const { rows } = writer;
    if (rows === 0) return;
    const slot = filling;
    filling = (filling + 1) % SLOTS;
    writer = writerOf(filling);
    send({ kind: 'slot', slot, rows });
  }

  function add(table: StagedTable, row: readonly StagedValue[]): void {
    const list = (batch[table] ??= []);
    for (const value of row) {
      list.push(value);
      if (typeof value === 'string') characters += value.length;
    }
    values += row.length;
    if (values >= BATCH_VALUES || characters >= BATCH_CHARACTERS) post();
  }

  return {
    add,
    addInstance(row) {
      if (writer.write(row)) return;
      postSlot();
      if (writer.write(row)) return;
      const [key, , , , , , , , , , , , source] = row;
      add('instance', row.slice(0, -1));
      if (source !== null) add('text', [key, source]);
    },
    async settled() {
      try {
        if (Atomics.load(state, 1) === 0) {
          post();
          postSlot();
        }
        const ask: StagingAsk = { kind: 'end' };
        worker.postMessage(ask);
        await ended;
      } catch (thrown) {
        // What the thread says of its failure, where it said something, is better than that there was one.
        if (Atomics.load(state, 1) === 1) await ended;
        throw thrown;
      } finally {
        await worker.terminate();
      }
    },
  };
}

/** Run from its source, or from the build. */
function workerFile(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? 'src/main/staging-worker.ts' : 'dist/main/staging-worker.js', packageFolder);
}

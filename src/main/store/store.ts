import { statSync } from 'node:fs';
import { AppError } from '../../shared/errors.ts';
import type { Db, OpenOptions } from './database.ts';
import { openDatabase, storageError } from './database.ts';
import type { Documents } from './documents.ts';
import { createDocuments } from './documents.ts';
import type { ImportListing } from '../../shared/calls/imports.ts';
import type { Images } from './images.ts';
import { createImages } from './images.ts';
import { createImportList } from './import-list.ts';
import type { Measures } from './measures.ts';
import { createMeasures } from './measures.ts';
import type { Scores } from './scores.ts';
import { createScores } from './scores.ts';
import type { Splits } from './splits.ts';
import { createSplits } from './splits.ts';
import type { Labels } from './labels.ts';
import { createLabels } from './labels.ts';
import type { VerifyReport } from './replay.ts';
import { verifyDatabase } from './replay.ts';
import type { ProjectSnapshot } from './snapshot.ts';
import { openProjectSnapshot } from './snapshot.ts';
import type { Runs } from './runs.ts';
import { createRuns } from './runs.ts';
import { createCounts } from './counts.ts';
import type { Tags } from './tags.ts';
import { createTags } from './tags.ts';

/** One open project file. Everything is synchronous: a method that returned has committed. */
export interface Store {
  readonly file: string;
  readonly images: Images;
  readonly labels: Labels;
  readonly documents: Documents;
  readonly runs: Runs;
  readonly tags: Tags;
  readonly counts: ReturnType<typeof createCounts>;
  readonly measures: Measures;
  readonly splits: Splits;
  readonly scores: Scores;
  /** The project's imports, the newest first. */
  readonly imports: () => readonly ImportListing[];
  /** A value of the project by key, or null. */
  meta(key: string): string | null;
  setMeta(key: string, value: string): void;
  /** Runs several changes as one transaction: all of them or, when one throws, none. */
  write<T>(work: () => T): T;
  /**
   * The same for what can be found out again, without waiting for the disk: a power cut may take back what was written after the
   * newest `write`, which syncs all of the log, and leaves what is there whole. Not inside another transaction.
   */
  writeLater<T>(work: () => T): T;
  /** Until the answer is called, whatever writes throws `storage` with this reason: somebody writes through another connection. */
  hold(reason: string): () => void;
  verify(): VerifyReport;
  /** The project as it is now, for a reader that takes its time while edits go on. */
  snapshot(): ProjectSnapshot;
  /** The file was removed or replaced while it was open: nothing can be saved any more. */
  lost(): boolean;
  close(): void;
}

/**
 * Opens or makes a project file; see `openDatabase` for what can go wrong. Runs that a crash left
 * running are marked `interrupted`. `clock` answers milliseconds since 1970.
 */
export function openStore(file: string, options: OpenOptions & { readonly clock?: () => number } = {}): Store {
  const opened = openDatabase(file, options);
  const { db } = opened;
  const clock = options.clock ?? Date.now;
  try {
    const inode = statSync(file).ino;
    const lost = (): boolean => statSync(file, { throwIfNoEntry: false })?.ino !== inode;
    let held: string | null = null;
    const write = writer(db, file, lost, () => held);
    const writeLater = <T>(work: () => T): T => {
      db.pragma('synchronous = NORMAL');
      try {
        return write(work);
      } finally {
        db.pragma('synchronous = FULL');
      }
    };
    const labels = createLabels(db, write);
    const runs = createRuns(db, write, clock);
    const readMeta = db.prepare<[string], string>('SELECT value FROM meta WHERE key = ?').pluck();
    const writeMeta = db.prepare<[string, string]>(
      'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
    );
    runs.interruptRunning();
    return {
      file,
      images: createImages(db, write),
      labels,
      documents: createDocuments(db, write, labels, clock),
      runs,
      tags: createTags(db, write, clock),
      counts: createCounts(db),
      measures: createMeasures(db, writeLater),
      splits: createSplits(db, write),
      scores: createScores(db, write),
      imports: createImportList(db),
      meta: (key) => readMeta.get(key) ?? null,
      setMeta(key, value) {
        write(() => writeMeta.run(key, value));
      },
      write,
      writeLater,
      hold(reason) {
        held = reason;
        return () => (held = null);
      },
      verify: () => verifyDatabase(db),
      snapshot: () => openProjectSnapshot(file),
      lost,
      close: () => opened.close(),
    };
  } catch (thrown) {
    opened.close();
    throw storageError(thrown, file);
  }
}

/**
 * A transaction (a savepoint inside another) whose SQLite errors name the file. Throws `io` where the
 * file is no longer where it was: SQLite would go on writing into a file that nobody finds again.
 */
function writer(db: Db, file: string, lost: () => boolean, held: () => string | null): <T>(work: () => T) => T {
  return (work) => {
    const reason = held();
    if (reason !== null) throw new AppError('storage', reason, { file });
    if (lost()) {
      throw new AppError('io', `${file} was removed or replaced while it was open: nothing can be saved. Open the folder again.`, { file });
    }
    try {
      return db.transaction(work).immediate();
    } catch (thrown) {
      if (thrown instanceof Error && thrown.name === 'SqliteError') throw storageError(thrown, file);
      throw thrown;
    }
  };
}

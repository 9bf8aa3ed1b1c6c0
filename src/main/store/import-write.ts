import Database from 'better-sqlite3';
import type { Db } from './database.ts';
import { isSqliteError, storageError } from './database.ts';

/**
 * Changes a project through a connection of its own, in one transaction: all of it or nothing. Whoever has the file open must not
 * write meanwhile. `prepare` sets the connection up before. Throws AppError `storage`, `io` or `conflict`, and what `work` throws.
 */
export function writeProject<T>(file: string, prepare: (db: Db) => void, work: (db: Db) => T): T {
  let db: Db | null = null;
  try {
    const open = (db = new Database(file, { fileMustExist: true, timeout: 5000 }));
    open.pragma('journal_mode = WAL');
    open.pragma('synchronous = FULL');
    open.pragma('cache_size = -65536');
    open.pragma('foreign_keys = ON');
    prepare(open);
    return open.transaction(() => work(open)).immediate();
  } catch (thrown) {
    throw isSqliteError(thrown) ? storageError(thrown, file) : thrown;
  } finally {
    db?.close();
  }
}

/** Merges the log of a large change into the project's file, so that no later, smaller one has to. Others may read and write meanwhile. */
export function mergeLog(file: string): void {
  const db = new Database(file, { fileMustExist: true });
  try {
    db.pragma('wal_checkpoint(PASSIVE)');
  } finally {
    db.close();
  }
}

import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { AppError } from '../../shared/errors.ts';
import { makeFolder } from '../make-folder.ts';
import { MIGRATIONS } from './migrations.ts';

export type Db = Database.Database;

/** `PRAGMA application_id` of a project file: "MskL". Tells it from any other SQLite file. */
const APPLICATION_ID = 0x4d736b4c;
/** How long a second writer is waited for; long enough for one that is just closing. */
const BUSY_MS = 400;

export interface OpenOptions {
  /** The schema's steps; only tests give another list. */
  readonly migrations?: readonly string[];
}

/** The one connection that may write a project file, and the lock that makes it the one. */
export interface OpenFile {
  readonly db: Db;
  readonly close: () => void;
}

/**
 * Opens a project file for the one process that may write it. WAL with `synchronous=FULL`: a
 * committed transaction survives power loss.
 *
 * Throws AppError: `conflict` where another process has the file open, `unsupported` where it was
 * written by a newer Maskloop, `invalid` where it is no project file, `storage` where it is damaged,
 * full or a migration failed (the file is then as before, beside its `.bak` copy), `io` otherwise.
 */
export function openDatabase(file: string, options: OpenOptions = {}): OpenFile {
  const migrations = options.migrations ?? MIGRATIONS;
  const opened: Db[] = [];
  const close = (): void => {
    while (opened.length > 0) opened.pop()?.close();
  };
  try {
    makeFolder(dirname(file));
    opened.push(takeLock(file));
    refuseEmpty(file);
    const db = new Database(file, { timeout: BUSY_MS });
    opened.push(db);
    checkIdentity(db, file, migrations.length);
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    migrate(db, file, migrations);
    return { db, close };
  } catch (thrown) {
    close();
    throw storageError(thrown, file);
  }
}

/**
 * Opens a project file for reading, at the state it has now: later commits of the writer don't show.
 * No lock is needed, and none is taken. Throws AppError as `openDatabase`, `unsupported` also for an
 * older file, which only the writer brings up to date.
 */
export function openSnapshot(file: string): OpenFile {
  let db: Db | undefined;
  try {
    refuseEmpty(file);
    const opened = new Database(file, { readonly: true, fileMustExist: true, timeout: BUSY_MS });
    db = opened;
    checkIdentity(opened, file, MIGRATIONS.length);
    const version = userVersion(opened);
    if (version < MIGRATIONS.length) {
      throw new AppError(
        'unsupported',
        `${file} has the older file version ${version}; opening it once brings it to ${MIGRATIONS.length}.`,
        { file, version },
      );
    }
    opened.exec('BEGIN');
    opened.prepare('SELECT count(*) FROM meta').get();
    return { db: opened, close: () => opened.close() };
  } catch (thrown) {
    db?.close();
    throw storageError(thrown, file);
  }
}

/**
 * A file of no bytes, and no log with what it should hold, was a project once, or became one only half. SQLite
 * would take it for a new one, and whoever opens it would think that the work is gone without a word.
 */
function refuseEmpty(file: string): void {
  const size = (path: string): number | null => statSync(path, { throwIfNoEntry: false })?.size ?? null;
  if (size(file) !== 0 || (size(`${file}-wal`) ?? 0) > 0) return;
  throw new AppError(
    'storage',
    `${file} is empty (0 bytes): it was cut off by a full disk, a crash or a copy. Put a copy of it back, or one of the “.bak” files beside it; if nothing was done here yet, delete it.`,
    { file },
  );
}

/**
 * An exclusive SQLite lock on a file beside the project, so that readers of the project itself are
 * not kept out. The system drops it when the process ends, however it ends.
 */
function takeLock(file: string): Db {
  const lock = new Database(`${file}.lock`, { timeout: BUSY_MS });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (thrown) {
    lock.close();
    throw thrown;
  }
}

function userVersion(db: Db): number {
  return Number(db.pragma('user_version', { simple: true }));
}

function checkIdentity(db: Db, file: string, newest: number): void {
  const id = Number(db.pragma('application_id', { simple: true }));
  const tables = Number(db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get());
  if (id !== APPLICATION_ID && tables > 0)
    throw new AppError('invalid', `${file} is an SQLite file, but not a Maskloop project.`, { file });
  const version = userVersion(db);
  if (version > newest) {
    throw new AppError(
      'unsupported',
      `${file} was written by a newer Maskloop (file version ${version}, this one reads up to ${newest}). Update Maskloop to open it.`,
      { file, version, newest },
    );
  }
}

function migrate(db: Db, file: string, migrations: readonly string[]): void {
  const from = userVersion(db);
  if (from === migrations.length) return;
  if (from > 0) copyBefore(db, `${file}.v${from}.bak`);
  for (let version = from; version < migrations.length; version++) {
    const step = migrations[version] ?? '';
    try {
      db.transaction(() => {
        db.exec(step);
        const broken = db.prepare('SELECT count(*) FROM pragma_foreign_key_check').pluck().get();
        if (broken !== 0) throw new Error(`${String(broken)} rows would point nowhere`);
        db.pragma(`application_id = ${APPLICATION_ID}`);
        db.pragma(`user_version = ${version + 1}`);
      }).exclusive();
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      throw new AppError(
        'storage',
        `${file} could not be brought from file version ${version} to ${version + 1}: ${why}. It was left at ${version}.`,
        { file, version },
        thrown,
      );
    }
  }
}

/**
 * Copies the open file through SQLite. Not through the file system: closing any other descriptor of
 * the file would drop this process's POSIX locks on it (sqlite.org/howtocorrupt, 2.2).
 */
function copyBefore(db: Db, target: string): void {
  const partial = `${target}.partial`;
  rmSync(partial, { force: true });
  db.prepare('VACUUM INTO ?').run(partial);
  const descriptor = openSync(partial, 'r+');
  fsyncSync(descriptor);
  closeSync(descriptor);
  renameSync(partial, target);
}

export function isSqliteError(thrown: unknown): thrown is Error {
  return thrown instanceof Database.SqliteError;
}

/** An SQLite or file-system error as AppError that names the file; an AppError passes through. */
export function storageError(thrown: unknown, file: string): AppError {
  if (thrown instanceof AppError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (!(thrown instanceof Database.SqliteError)) {
    return new AppError('io', `${file} cannot be opened: ${message}.`, { file }, thrown);
  }
  const code = thrown.code;
  const detail = { file, sqlite: code };
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return new AppError('conflict', `${file} is open in another Maskloop. Close it there first.`, detail, thrown);
  }
  if (code.startsWith('SQLITE_NOTADB')) return new AppError('invalid', `${file} is not a Maskloop project.`, detail, thrown);
  if (code.startsWith('SQLITE_CANTOPEN')) return new AppError('io', `${file} cannot be opened: ${message}.`, detail, thrown);
  if (code.startsWith('SQLITE_FULL'))
    return new AppError('storage', `The disk is full: ${file} could not be written. Nothing was changed.`, detail, thrown);
  if (code.startsWith('SQLITE_CORRUPT')) return new AppError('storage', `${file} is damaged (${message}).`, detail, thrown);
  return new AppError('storage', `${file}: ${message} (${code}).`, detail, thrown);
}

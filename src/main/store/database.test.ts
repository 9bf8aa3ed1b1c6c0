import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { adding, annotation, containing, seed, temporaryFolder } from '../../../test/store-fixtures.ts';
import { openDatabase, openSnapshot } from './database.ts';
import { MIGRATIONS } from './migrations.ts';
import { verifyProject } from './replay.ts';
import { openStore } from './store.ts';

const folder = temporaryFolder();
let files = 0;
const freshFile = (): string => join(folder, `database-${++files}.db`);

/** This version, as a later one sees it. */
const OLD = MIGRATIONS.length;

/** A file of this version with one image and one instance. */
function oldFile(): string {
  const file = freshFile();
  const store = openStore(file);
  const { imageIds, labelId } = seed(store);
  store.documents.apply(imageIds[0] ?? 0, 0, adding(annotation('one', labelId)));
  store.close();
  return file;
}
const ADD_COLUMN = 'ALTER TABLE image ADD COLUMN rating INTEGER NOT NULL DEFAULT 3 CHECK (rating BETWEEN 1 AND 5)';

describe('opening', () => {
  it('is durable: WAL, full synchronisation, foreign keys, strict tables', () => {
    const { db, close } = openDatabase(freshFile());
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(db.pragma('synchronous', { simple: true })).toBe(2);
    expect(db.pragma('foreign_keys', { simple: true })).toBe(1);
    expect(db.pragma('user_version', { simple: true })).toBe(MIGRATIONS.length);
    const loose = db.prepare("SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite_%'").all();
    expect(loose).toEqual([]);
    close();
  });

  it('lets in one writer, names the file to a second, and reads beside it', () => {
    const file = freshFile();
    const first = openStore(file);
    seed(first);
    expect(() => openStore(file)).toThrow(expect.objectContaining({ code: 'conflict', message: containing(file) }));
    const reader = openSnapshot(file);
    expect(reader.db.prepare('SELECT count(*) FROM image').pluck().get()).toBe(2);
    expect(() => reader.db.exec('DELETE FROM image')).toThrow(/readonly/);
    reader.close();
    expect(verifyProject(file).ok).toBe(true);
    first.close();
    openStore(file).close();
  });

  it('refuses what is no project: another SQLite file, no SQLite file, a damaged one', () => {
    const foreign = freshFile();
    const db = new Database(foreign);
    db.exec('CREATE TABLE song (title TEXT)');
    db.close();
    expect(() => openDatabase(foreign)).toThrow(expect.objectContaining({ code: 'invalid' }));
    const text = freshFile();
    writeFileSync(text, 'Dear diary, today I annotated forty mugs and a spoon.'.repeat(40));
    expect(() => openDatabase(text)).toThrow(expect.objectContaining({ code: 'invalid' }));
    expect(readFileSync(text, 'utf8').startsWith('Dear diary')).toBe(true);
  });

  it('does not take a file of no bytes for a new project', () => {
    const file = freshFile();
    writeFileSync(file, '');
    const empty = expect.objectContaining({ code: 'storage', message: expect.stringContaining('is empty (0 bytes)') as string }) as Error;
    expect(() => openDatabase(file)).toThrow(empty);
    expect(() => verifyProject(file)).toThrow(empty);
    expect(readFileSync(file)).toHaveLength(0);
  });

  it('reports damage instead of reading over it', () => {
    const file = oldFile();
    const bytes = readFileSync(file);
    bytes.fill(0xa5, 4096, bytes.length);
    writeFileSync(file, bytes);
    let thrown: unknown;
    try {
      const store = openStore(file);
      store.close();
      const report = verifyProject(file);
      thrown = report.ok ? null : report;
    } catch (caught) {
      thrown = caught;
    }
    expect(thrown).toMatchObject({ code: 'storage' });
  });
});

describe('migration', () => {
  it('brings an older file up to date and keeps a copy of it as it was', () => {
    const file = oldFile();
    const store = openStore(file, { migrations: [...MIGRATIONS, ADD_COLUMN] });
    expect(store.documents.load(1).annotations).toHaveLength(1);
    expect(store.verify().ok).toBe(true);
    store.close();
    const now = new Database(file);
    expect(now.pragma('user_version', { simple: true })).toBe(OLD + 1);
    expect(now.prepare('SELECT DISTINCT rating FROM image').pluck().all()).toEqual([3]);
    now.close();
    const copy = new Database(`${file}.v${OLD}.bak`, { readonly: true });
    expect(copy.pragma('user_version', { simple: true })).toBe(OLD);
    expect(copy.prepare('SELECT count(*) FROM annotation').pluck().get()).toBe(1);
    copy.close();
  });

  it('stops at a step that fails, with the file as the step before left it', () => {
    const file = oldFile();
    const halfway = `${ADD_COLUMN}; INSERT INTO image (path) VALUES ('no such row');`;
    const newLabel = 'CREATE TABLE tag (id INTEGER PRIMARY KEY) STRICT';
    expect(() => openStore(file, { migrations: [...MIGRATIONS, newLabel, halfway] })).toThrow(
      expect.objectContaining({ code: 'storage', message: containing(`from file version ${OLD + 1} to ${OLD + 2}`) }),
    );
    const db = new Database(file, { readonly: true });
    expect(db.pragma('user_version', { simple: true })).toBe(OLD + 1);
    expect(db.prepare("SELECT count(*) FROM pragma_table_info('image') WHERE name = 'rating'").pluck().get()).toBe(0);
    expect(db.prepare('SELECT count(*) FROM annotation').pluck().get()).toBe(1);
    db.close();
    expect(existsSync(`${file}.v${OLD}.bak`)).toBe(true);
  });

  it('refuses a step that would leave rows pointing nowhere', () => {
    const file = oldFile();
    const orphan = 'PRAGMA defer_foreign_keys = ON; DELETE FROM label';
    expect(() => openStore(file, { migrations: [...MIGRATIONS, orphan] })).toThrow(/would point nowhere|FOREIGN KEY/);
    const store = openStore(file);
    expect(store.labels.list()).toHaveLength(1);
    store.close();
  });

  it('refuses a newer file and leaves it alone', () => {
    const file = oldFile();
    openStore(file, { migrations: [...MIGRATIONS, ADD_COLUMN] }).close();
    const before = readFileSync(file);
    expect(() => openStore(file)).toThrow(
      expect.objectContaining({ code: 'unsupported', detail: { file, version: OLD + 1, newest: OLD } }),
    );
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it('brings the file of every earlier version up to date, with what it holds', () => {
    for (let version = 1; version < OLD; version++) {
      const file = freshFile();
      const { db, close } = openDatabase(file, { migrations: MIGRATIONS.slice(0, version) });
      db.exec(`INSERT INTO label (name, color, position) VALUES ('mug', '#123456', 0);
        INSERT INTO image (path, sort_key, folded, width, height, orientation, bytes, modified_ms, sha256, state)
        VALUES ('a.jpg', 'a.jpg', 'a.jpg', 64, 48, 1, 1, 1, 'x', 'new')`);
      close();
      const store = openStore(file);
      store.documents.apply(1, 0, adding(annotation('one', 1)));
      expect(store.verify()).toMatchObject({ ok: true, annotations: 1 });
      store.close();
      expect(existsSync(`${file}.v${version}.bak`)).toBe(true);
    }
  });
});

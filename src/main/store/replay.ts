import { isDeepStrictEqual } from 'node:util';
import { apply } from '../../shared/diff.ts';
import type { ImageDocument } from '../../shared/records.ts';
import type { Db } from './database.ts';
import { openSnapshot, storageError } from './database.ts';
import { readContent } from './documents.ts';
import { diffReader } from './journal-entries.ts';

export type Content = Pick<ImageDocument, 'annotations' | 'decisions'>;

export interface VerifyReport {
  readonly ok: boolean;
  readonly images: number;
  readonly annotations: number;
  readonly changes: number;
  /** Everything that is wrong, one line each; empty when `ok`. */
  readonly problems: readonly string[];
}

/**
 * Replays the journal of one image from nothing, up to revision `until`. Throws where an entry does
 * not fit its predecessors.
 */
export function replayImage(db: Db, imageId: number, until = Number.MAX_SAFE_INTEGER): Content & { readonly revision: number } {
  const rows = db.prepare<[number, number], { revision: number; diff: string }>(
    'SELECT revision, diff FROM change WHERE image_id = ? AND revision <= ? ORDER BY seq',
  );
  const readDiff = diffReader(db);
  let content: Content = { annotations: [], decisions: {} };
  let revision = 0;
  for (const row of rows.iterate(imageId, until)) {
    if (row.revision !== revision + 1) throw new Error(`revision ${row.revision} follows ${revision}`);
    content = apply(content, readDiff(row.diff, imageId));
    revision = row.revision;
  }
  return { ...content, revision };
}

/** SQLite's own checks, and that the journal of every image replays to the rows that are there. */
export function verifyDatabase(db: Db): VerifyReport {
  const problems: string[] = [];
  for (const line of db.prepare<[], string>('SELECT integrity_check FROM pragma_integrity_check').pluck().all()) {
    if (line !== 'ok') problems.push(`integrity: ${line}`);
  }
  const dangling = db.prepare<[], { table: string; rowid: number | null; parent: string }>(
    'SELECT "table", rowid, parent FROM pragma_foreign_key_check',
  );
  for (const row of dangling.all()) problems.push(`${row.table} row ${row.rowid ?? '?'} points to no row of ${row.parent}`);
  const images = db.prepare<[], { id: number; path: string; revision: number }>('SELECT id, path, revision FROM image ORDER BY id').all();
  for (const image of images) {
    try {
      const replayed = replayImage(db, image.id);
      const now = readContent(db, image.id);
      if (replayed.revision !== image.revision) {
        problems.push(`${image.path}: the journal ends at revision ${replayed.revision}, the image is at ${image.revision}`);
      }
      if (!isDeepStrictEqual(replayed.annotations, now.annotations))
        problems.push(`${image.path}: the journal gives other instances than the file holds`);
      if (!isDeepStrictEqual(replayed.decisions, now.decisions))
        problems.push(`${image.path}: the journal gives other decisions than the file holds`);
    } catch (thrown) {
      problems.push(`${image.path}: its journal does not replay: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    }
  }
  const count = (table: string): number => Number(db.prepare(`SELECT count(*) FROM ${table}`).pluck().get());
  const unnumbered = Number(
    db.prepare('SELECT count(*) FROM annotation a WHERE NOT EXISTS (SELECT 1 FROM annotation_number n WHERE n.uid = a.id)').pluck().get(),
  );
  if (unnumbered > 0) problems.push(`${unnumbered} instances have no number for exports`);
  return { ok: problems.length === 0, images: images.length, annotations: count('annotation'), changes: count('change'), problems };
}

/** The same for a file by name, at the state it has now; somebody may have it open. Throws `storage`, naming it, where it cannot be read. */
export function verifyProject(file: string): VerifyReport {
  const snapshot = openSnapshot(file);
  try {
    return verifyDatabase(snapshot.db);
  } catch (thrown) {
    // So damaged that SQLite cannot even look through it.
    throw storageError(thrown, file);
  } finally {
    snapshot.close();
  }
}

import type { ImportUndoReport, LeftImage } from '../../shared/calls/imports.ts';
import { LISTED_CONFLICTS } from '../../shared/calls/imports.ts';
import { AppError } from '../../shared/errors.ts';
import type { Annotation } from '../../shared/records.ts';
import type { Db } from './database.ts';
import { writeProject } from './import-write.ts';
import { geometryWriter, importedIdSql } from './imported.ts';
import { importOf, takenBackEntry } from './journal-entries.ts';
import { createLabels } from './labels.ts';
import { leaveSplits } from './splits.ts';
import { createStacks } from './stacks.ts';

export interface UndoRequest {
  /** The project's file. Whoever has it open must not write meanwhile. */
  readonly file: string;
  /** Null: the newest that was not taken back. */
  readonly importId: number | null;
  /** Only finds out what would happen. */
  readonly dryRun: boolean;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly onProgress: (done: number, total: number) => void;
  /** Throws where it was given up. */
  readonly checkpoint: () => void;
}

export type Undone = Omit<ImportUndoReport, 'file' | 'ms'>;

/** Carries the figures out of a transaction that is not to stay. */
class RolledBack extends Error {
  readonly undone: Undone;
  constructor(undone: Undone) {
    super('only looked at');
    this.undone = undone;
  }
}

const PAGE = 500;

/**
 * Takes a whole import back, through a connection of its own, in one transaction: its instances, what they replaced, the states
 * and splits that it gave to images, the classes that it made and nothing else uses. An image that a person, or a later import,
 * has changed since stays as it is, and is named. Each image gets an entry in its journal, an undo of the import's: it can be
 * done again there.
 *
 * Throws AppError `not-found` (no such import), `conflict` (taken back already), `storage`, and what `checkpoint` throws.
 */
export function undoImport(request: UndoRequest): Undone {
  try {
    return writeProject(
      request.file,
      () => undefined,
      (db) => {
        const undone = takeBack(db, request);
        if (request.dryRun) throw new RolledBack(undone);
        return undone;
      },
    );
  } catch (thrown) {
    if (thrown instanceof RolledBack) return thrown.undone;
    throw thrown;
  }
}

interface ImportRow {
  readonly id: number;
  readonly format: ImportUndoReport['format'];
  readonly place: string;
  readonly importedAtMs: number;
  readonly undoneAt: number | null;
}

function wanted(db: Db, importId: number | null): ImportRow {
  const COLUMNS = 'id, format, file AS place, at AS importedAtMs, undone_at AS undoneAt';
  const row =
    importId === null
      ? db.prepare<[], ImportRow>(`SELECT ${COLUMNS} FROM import WHERE undone_at IS NULL ORDER BY id DESC LIMIT 1`).get()
      : db.prepare<[number], ImportRow>(`SELECT ${COLUMNS} FROM import WHERE id = ?`).get(importId);
  if (!row) {
    const what =
      importId === null ? 'Nothing was imported into this project that could be taken back.' : `This project has no import ${importId}.`;
    throw new AppError('not-found', what, importId === null ? {} : { importId });
  }
  if (row.undoneAt !== null) {
    const at = new Date(row.undoneAt).toISOString();
    throw new AppError('conflict', `Import ${row.id} was taken back already, at ${at}. Import its file again to have it back.`, {
      importId: row.id,
    });
  }
  return row;
}

interface ImageRow {
  readonly position: number;
  readonly imageId: number;
  readonly path: string;
  readonly state: string;
  readonly revision: number;
  /** As the import found and left it; null where it was imported by a version that did not keep it. */
  readonly was: string | null;
  readonly became: string | null;
  readonly revisionThen: number | null;
  readonly split: string | null;
  readonly instances: number;
}

function takeBack(db: Db, { importId: asked, dryRun, atMs, onProgress, checkpoint }: UndoRequest): Undone {
  const { id: importId, format, place, importedAtMs } = wanted(db, asked);
  const page = db.prepare<[number, number], ImageRow>(`
    SELECT p.position, i.id AS imageId, i.path, i.state, i.revision, p.was, p.became, p.revision AS revisionThen, p.split,
      (SELECT count(*) FROM import_instance m WHERE m.image_id = p.image_id AND m.import_id = p.import_id) AS instances
    FROM import_image p JOIN image i ON i.id = p.image_id
    WHERE p.import_id = ? AND p.position > ? AND p.undone = 0 ORDER BY p.position LIMIT ${PAGE}`);
  const mark = db.prepare('UPDATE import_image SET undone = 1 WHERE import_id = ? AND image_id = ?');
  // An image with instances of somebody is not as new, whatever the import found.
  const restore = db.prepare(`UPDATE image SET state = CASE WHEN @was = 'new' AND newest_run_id IS NOT NULL THEN 'predicted' ELSE @was END
    WHERE id = @imageId AND (@was NOT IN ('new', 'predicted') OR NOT EXISTS (SELECT 1 FROM annotation a WHERE a.image_id = image.id))`);
  const total = Number(db.prepare('SELECT count(*) FROM import_image WHERE import_id = ? AND undone = 0').pluck().get(importId));
  const images = imageUndo(db, importId, atMs);
  const left: LeftImage[] = [];
  const splits = new Map<number, string>();
  const counts = { images: 0, annotations: 0, restored: 0, leftImages: 0, leftAnnotations: 0 };
  let done = 0;
  for (let after = -1; ;) {
    const rows = page.all(importId, after);
    for (const row of rows) {
      after = row.position;
      const why = images.changed(row);
      if (why !== null) {
        counts.leftImages++;
        counts.leftAnnotations += row.instances;
        if (left.length < LISTED_CONFLICTS) left.push({ imageId: row.imageId, path: row.path, instances: row.instances, why });
        continue;
      }
      const { removed, restored } = images.undo(row);
      counts.images++;
      counts.annotations += removed;
      counts.restored += restored;
      if (row.was !== null && row.state === row.became && row.was !== row.became) restore.run({ was: row.was, imageId: row.imageId });
      if (row.split !== null) splits.set(row.imageId, row.split);
      mark.run(importId, row.imageId);
    }
    done += rows.length;
    onProgress(done, total);
    checkpoint();
    if (rows.length < PAGE) break;
  }
  const splitImages = leaveSplits(db, splits);
  const classes = counts.leftImages === 0 ? removeClasses(db, importId) : [];
  if (counts.leftImages === 0) db.prepare('UPDATE import SET undone_at = ? WHERE id = ?').run(atMs, importId);
  return { importId, format, place, importedAtMs, dryRun, ...counts, splitImages, classes, left };
}

/** How one image is looked at, and taken back. */
function imageUndo(
  db: Db,
  importId: number,
  atMs: number,
): { changed(row: ImageRow): LeftImage['why'] | null; undo(row: ImageRow): { removed: number; restored: number } } {
  const stacks = createStacks(db);
  const textOf = db.prepare<[number], string>('SELECT diff FROM change WHERE seq = ?').pluck();
  const entryOf = db
    .prepare<{ imageId: number; start: string }, number>(
      "SELECT seq FROM change WHERE image_id = @imageId AND kind = 'edit' AND substr(diff, 1, length(@start)) = @start ORDER BY seq LIMIT 1",
    )
    .pluck();
  const erase = db.prepare(`DELETE FROM annotation WHERE image_id = @imageId AND id IN (
    SELECT ${importedIdSql('m.seq')} FROM import_instance m WHERE m.image_id = @imageId AND m.import_id = @importId)`);
  const insert = db.prepare(`INSERT INTO annotation (id, image_id, label_id, z, crowd, origin, suggestion_id, geometry)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
  const register = db.prepare<[string]>('INSERT INTO annotation_number (uid) VALUES (?) ON CONFLICT (uid) DO NOTHING');
  const journal = db.prepare("INSERT INTO change (image_id, revision, kind, target, at, diff) VALUES (?, ?, 'undo', ?, ?, ?)");
  const advance = db.prepare('UPDATE image SET revision = ? WHERE id = ?');
  const geometryText = geometryWriter(db);
  const labels = createLabels(db, (work) => work());
  const start = `{"import":${importId},`;

  /** The import's entry while it stands, the newest that does; `none` where its instances are not there by an undo of the image. */
  function standing({ imageId, revision, instances }: ImageRow): { seq: number; text: string } | 'none' | LeftImage['why'] {
    const entry = entryOf.get({ imageId, start });
    const { undo } = stacks.of(imageId, revision);
    if (entry === undefined || !undo.includes(entry)) return entry === undefined && instances > 0 ? 'edited' : 'none';
    const top = undo.at(-1) ?? 0;
    const text = textOf.get(top) ?? '';
    if (top === entry) return { seq: top, text };
    return importOf(text) === null ? 'edited' : 'imported-over';
  }

  return {
    changed(row) {
      const found = standing(row);
      if (typeof found === 'string' && found !== 'none') return found;
      if (found !== 'none') return row.became !== null && row.state !== row.became ? 'state' : null;
      // Only a state or nothing came of it: another one since, or instances, are a person's.
      if (row.was === row.became) return null;
      if (row.state !== row.became) return row.instances > 0 ? null : 'state';
      return row.instances === 0 && row.revision !== row.revisionThen ? 'edited' : null;
    },
    undo(row) {
      const found = standing(row);
      if (typeof found === 'string') return { removed: 0, restored: 0 };
      const { text, restored } = takenBackEntry(found.text);
      const removed = erase.run({ imageId: row.imageId, importId }).changes;
      if (removed !== row.instances) {
        const message = `${row.path}: the journal says that ${row.instances} instances of import ${importId} are on it, but ${removed} are.`;
        throw new AppError('storage', message, { imageId: row.imageId, importId });
      }
      for (const a of restored) put(row.imageId, a);
      journal.run(row.imageId, row.revision + 1, found.seq, atMs, text);
      advance.run(row.revision + 1, row.imageId);
      return { removed, restored: restored.length };
    },
  };

  function put(imageId: number, a: Annotation): void {
    labels.revive(a.labelId);
    insert.run(a.id, imageId, a.labelId, a.z, a.crowd ? 1 : 0, a.origin, a.suggestionId, geometryText(a));
    register.run(a.id);
  }
}

/** Hides the classes that the import made, if nobody renamed or uses them. Answers with their names. */
function removeClasses(db: Db, importId: number): string[] {
  const labels = createLabels(db, (work) => work());
  const unused = db
    .prepare<{ importId: number }, { id: number; name: string }>(
      `SELECT l.id, l.name FROM import_category c JOIN label l ON l.id = c.label_id AND l.name = c.name AND l.removed = 0
      WHERE c.import_id = @importId AND c.made = 1
        AND NOT EXISTS (SELECT 1 FROM annotation a WHERE a.label_id = l.id)
        AND NOT EXISTS (SELECT 1 FROM suggestion s WHERE s.label_id = l.id)
        AND NOT EXISTS (SELECT 1 FROM import_category o JOIN import i ON i.id = o.import_id
          WHERE o.label_id = l.id AND o.import_id <> @importId AND i.undone_at IS NULL)
      ORDER BY c.position`,
    )
    .all({ importId });
  for (const { id } of unused) labels.remove(id);
  return unused.map(({ name }) => name);
}

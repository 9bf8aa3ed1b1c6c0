import type { ImportCommitOptions } from '../../shared/calls/imports.ts';
import type { FormatId } from '../../shared/formats.ts';
import type { Db } from './database.ts';
import { contentReader } from './documents.ts';
import { RESIZED } from './import-plan.ts';
import { writeProject } from './import-write.ts';
import { FORM, importedIdSql } from './imported.ts';
import { importEntryText } from './journal-entries.ts';
import { createLabels } from './labels.ts';
import { adoptSplits } from './splits.ts';

export interface CommitRequest {
  /** The project's file. Whoever has it open must not write meanwhile. */
  readonly file: string;
  /** A sealed and planned staging file. */
  readonly staged: string;
  readonly format: FormatId;
  /** The dataset's file, for people. */
  readonly place: string;
  readonly onConflict: ImportCommitOptions['onConflict'];
  readonly asDone: boolean;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** JSON of the report but for what the commit finds out. */
  readonly report: (figures: CommitFigures) => string;
  readonly onProgress: (done: number, total: number) => void;
  /** Throws where the import was given up. */
  readonly checkpoint: () => void;
}

export interface CommitFigures {
  readonly importId: number;
  readonly images: number;
  readonly annotations: number;
  readonly skippedImages: number;
  readonly replacedAnnotations: number;
  /** Images that were put into a split. */
  readonly splitImages: number;
}

/** Instances copied between two looks at whether to go on. */
const STEP = 20_000;

/**
 * Takes a planned dataset into the project, through a connection of its own, in one transaction: all of it or nothing.
 * Rows are copied inside SQLite, so memory does not grow with the dataset. Throws AppError `storage` or `conflict`, and what
 * `checkpoint` throws.
 */
export function commitImport(request: CommitRequest): CommitFigures {
  const prepare = (db: Db): void => {
    // Every row is made by a join with what it refers to: looking each up once more would double the time.
    db.pragma('foreign_keys = OFF');
    db.prepare('ATTACH ? AS staged').run(request.staged);
    // With the commit everything is in the log, synced. Merging that into the file takes as long again: see `mergeLog`.
    db.pragma('wal_autocheckpoint = 0');
  };
  return writeProject(request.file, prepare, (db) => write(db, request));
}

function write(db: Db, request: CommitRequest): CommitFigures {
  const { onConflict, asDone, atMs, checkpoint, onProgress } = request;
  const number = (sql: string, ...values: unknown[]): number =>
    Number(
      db
        .prepare(sql)
        .pluck()
        .get(...values) ?? 0,
    );
  const importId = Number(
    db.prepare("INSERT INTO import (format, file, at, report) VALUES (?, ?, ?, '{}')").run(request.format, request.place, atMs)
      .lastInsertRowid,
  );
  makeLabels(db);

  // Images that get something; of those that have instances, only as was wanted.
  db.exec('CREATE TEMP TABLE chosen (image_key INTEGER PRIMARY KEY, image_id INTEGER NOT NULL, form INTEGER NOT NULL, base REAL NOT NULL)');
  const wanted = onConflict === 'skip' ? 'WHERE t.image_id NOT IN (SELECT image_id FROM staged.existing)' : '';
  db.exec(`INSERT INTO chosen SELECT t.image_key, t.image_id, t.form, 0 FROM staged.target t ${wanted}`);
  if (onConflict === 'add') {
    db.exec(`UPDATE chosen SET base = 1 + (SELECT max(a.z) FROM annotation a WHERE a.image_id = chosen.image_id)
      WHERE EXISTS (SELECT 1 FROM annotation a WHERE a.image_id = chosen.image_id)`);
  }
  db.exec('CREATE TEMP TABLE before (image_id INTEGER PRIMARY KEY, state TEXT NOT NULL)');
  db.exec('INSERT INTO before SELECT DISTINCT i.id, i.state FROM chosen c JOIN image i ON i.id = c.image_id');
  db.exec('CREATE TEMP TABLE given (image_id INTEGER PRIMARY KEY)');
  db.exec(`INSERT INTO given SELECT DISTINCT c.image_id FROM chosen c
    WHERE EXISTS (SELECT 1 FROM staged.instance i WHERE i.image_key = c.image_key)`);
  const skippedImages =
    onConflict === 'skip'
      ? number(`SELECT count(*) FROM staged.existing e WHERE EXISTS (
          SELECT 1 FROM staged.target t JOIN staged.instance i ON i.image_key = t.image_key WHERE t.image_id = e.image_id)`)
      : 0;

  const triggers = db
    .prepare<[], { name: string; sql: string }>("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'annotation'")
    .all();
  const replaced = onConflict === 'replace' ? removeReplaced(db) : new Map<number, string>();
  // A trigger for each row would cost more than the rows; what it counts is counted at once below.
  for (const { name } of triggers) db.exec(`DROP TRIGGER "${name}"`);
  // Indexes are made at once where most of their entries are new.
  const many = number('SELECT count(*) FROM staged.instance') > number('SELECT count(*) FROM annotation');
  const indexes = many
    ? db
        .prepare<[], { name: string; sql: string }>(
          "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name IN ('annotation', 'import_instance') AND sql IS NOT NULL",
        )
        .all()
    : [];
  for (const { name } of indexes) db.exec(`DROP INDEX "${name}"`);
  freeNumbers(db);
  /** What is added to the key of an instance for the number in its id. */
  const before = number("SELECT seq FROM sqlite_sequence WHERE name = 'import_instance'");
  const annotations = copyInstances(db, importId, before, checkpoint, onProgress);
  for (const { sql } of indexes) {
    db.exec(sql);
    checkpoint();
  }
  copyMeasures(db, before, replaced);
  checkpoint();
  for (const { sql } of triggers) db.exec(sql);

  journal(db, importId, atMs, replaced);
  db.exec(`UPDATE image SET revision = revision + 1, state = ${asDone ? "'done'" : "CASE WHEN state IN ('new', 'predicted') THEN 'in-progress' ELSE state END"}
    WHERE id IN (SELECT image_id FROM given)`);
  if (asDone) db.exec("UPDATE image SET state = 'done' WHERE id IN (SELECT image_id FROM chosen)");
  checkpoint();
  copyTexts(db, importId);
  const splits = adoptSplits(
    db,
    db
      .prepare<[], { imageId: number; name: string }>(
        `SELECT c.image_id AS imageId, i.split AS name FROM chosen c JOIN staged.image i ON i.key = c.image_key
        WHERE i.split IS NOT NULL ORDER BY i.position`,
      )
      .all(),
    atMs,
  );
  const remember = db.prepare('UPDATE import_image SET split = ? WHERE import_id = ? AND image_id = ?');
  for (const [imageId, name] of splits) remember.run(name, importId, imageId);
  const figures: CommitFigures = {
    importId,
    images: number('SELECT count(DISTINCT image_id) FROM chosen'),
    annotations,
    skippedImages,
    replacedAnnotations: replacedCount(replaced),
    splitImages: splits.size,
  };
  db.prepare('UPDATE import SET report = ? WHERE id = ?').run(request.report(figures), importId);
  checkpoint();
  return figures;
}

function makeLabels(db: Db): void {
  const labels = createLabels(db, (work) => work());
  const classes = db
    .prepare<[], { key: number; name: string; color: string | null }>(
      'SELECT c.category_key AS key, c.name, k.color FROM staged.class c JOIN staged.category k ON k.key = c.category_key ORDER BY k.position',
    )
    .all();
  db.exec('CREATE TEMP TABLE label_of (category_key INTEGER PRIMARY KEY, label_id INTEGER NOT NULL, made INTEGER NOT NULL)');
  const keep = db.prepare('INSERT INTO label_of VALUES (?, ?, ?)');
  const byName = new Map(labels.list().map((label) => [label.name, label.id]));
  for (const { key, name, color } of classes) {
    const known = byName.get(name);
    keep.run(key, known ?? labels.create(name, color).id, known === undefined ? 1 : 0);
  }
}

/** Takes away what the import replaces. Answers with the entries of the journal, by image. */
function removeReplaced(db: Db): Map<number, string> {
  const content = contentReader(db);
  const erase = db.prepare('DELETE FROM annotation WHERE image_id = ?');
  const forget = db.prepare('DELETE FROM measure WHERE image_id = ?');
  const out = new Map<number, string>();
  const images = db.prepare<[], number>('SELECT image_id FROM given WHERE image_id IN (SELECT image_id FROM staged.existing)').pluck();
  for (const imageId of images.all()) {
    const { annotations } = content(imageId);
    if (annotations.length === 0) continue;
    out.set(imageId, importEntryText(0, annotations));
    erase.run(imageId);
    forget.run(imageId);
  }
  return out;
}

function replacedCount(replaced: ReadonlyMap<number, string>): number {
  let count = 0;
  for (const text of replaced.values()) count += (JSON.parse(text) as { removed: unknown[] }).removed.length;
  return count;
}

/**
 * Ids of an import that was taken back are free again for images that get instances now: the same file, imported again, is as it was.
 * Nothing brings the older instances back on those, for a new edit ends what could be redone.
 */
function freeNumbers(db: Db): void {
  db.exec(`DELETE FROM annotation_number WHERE uid IN (
    SELECT ${importedIdSql('m.seq')} FROM import_image p JOIN import_instance m ON m.image_id = p.image_id AND m.import_id = p.import_id
    WHERE p.undone = 1 AND p.image_id IN (SELECT image_id FROM given))
    AND NOT EXISTS (SELECT 1 FROM annotation a WHERE a.id = annotation_number.uid)`);
}

/** Instances in steps; numbers of their own where they are free, others above all of them. Answers with how many. */
function copyInstances(
  db: Db,
  importId: number,
  before: number,
  checkpoint: () => void,
  onProgress: (done: number, total: number) => void,
): number {
  const highest = Number(db.prepare('SELECT coalesce(max(key), 0) FROM staged.instance').pluck().get());
  const rows = db.prepare(`
    INSERT INTO import_instance (seq, import_id, image_id, label_id, z, crowd, form, geometry)
    SELECT @before + i.key, @importId, c.image_id, l.label_id, c.base + i.key, i.crowd, i.form, i.geometry
    FROM staged.instance i JOIN chosen c ON c.image_key = i.image_key JOIN label_of l ON l.category_key = i.category_key
    WHERE i.key > @from AND i.key <= @to`);
  const texts = db.prepare(`
    INSERT INTO import_text (seq, text) SELECT @before + x.key, x.source
    FROM staged.text x JOIN import_instance m ON m.seq = @before + x.key WHERE x.key > @from AND x.key <= @to`);
  const annotations = db.prepare(`
    INSERT INTO annotation (id, image_id, label_id, z, crowd, origin, suggestion_id, geometry)
    SELECT ${importedIdSql('seq')}, image_id, label_id, z, crowd, 'imported', NULL, 'null' FROM import_instance
    WHERE seq > @before + @from AND seq <= @before + @to`);
  const numbered = db.prepare(`
    INSERT OR IGNORE INTO annotation_number (number, uid) SELECT i.number, ${importedIdSql('m.seq')}
    FROM staged.instance i JOIN import_instance m ON m.seq = @before + i.key
    WHERE i.key > @from AND i.key <= @to AND i.number IS NOT NULL`);
  const renumbered = db.prepare(`
    UPDATE import_instance SET form = form | ${FORM.renumbered} WHERE seq > ? AND seq <= ?
      AND NOT EXISTS (SELECT 1 FROM annotation_number n WHERE n.uid = ${importedIdSql('import_instance.seq')})`);
  const unnumbered = db.prepare(`
    INSERT INTO annotation_number (uid) SELECT ${importedIdSql('m.seq')} FROM import_instance m WHERE m.seq > ? AND m.seq <= ?
      AND (m.form & ${FORM.renumbered}) <> 0`);
  let copied = 0;
  for (let from = 0; from < highest; from += STEP) {
    const step = { before, importId, from, to: from + STEP };
    const taken = rows.run(step).changes;
    copied += taken;
    const { from: first, to } = step;
    texts.run({ before, from: first, to });
    annotations.run({ before, from: first, to });
    const own = numbered.run({ before, from: first, to }).changes;
    if (own < taken) renumbered.run(before + first, before + to);
    onProgress(Math.min(highest, to), highest);
    checkpoint();
  }
  // After all that keep theirs, so that these lie above them.
  unnumbered.run(before, before + highest);
  return copied;
}

/**
 * What the reader measured, for images all of whose instances are measured then: those that came, and those that were there.
 * A reader measures on the size that the file says; whatever was looked at again (`checked`) may lie on another one.
 */
function copyMeasures(db: Db, before: number, replaced: ReadonlyMap<number, string>): void {
  db.exec(`CREATE TEMP TABLE unmeasured AS SELECT c.image_id FROM chosen c WHERE c.image_key IN (
    SELECT image_key FROM staged.target WHERE checked = 1 UNION SELECT image_key FROM staged.instance WHERE area IS NULL)`);
  db.exec('CREATE TEMP TABLE emptied (image_id INTEGER PRIMARY KEY)');
  const empty = db.prepare('INSERT INTO emptied VALUES (?)');
  for (const imageId of replaced.keys()) empty.run(imageId);
  db.exec('CREATE TEMP TABLE measured (image_id INTEGER PRIMARY KEY)');
  db.exec(`INSERT INTO measured SELECT g.image_id FROM given g LEFT JOIN annotation_edits e ON e.image_id = g.image_id
    WHERE (e.image_id IS NULL OR e.measured = e.edits OR g.image_id IN (SELECT image_id FROM emptied))
      AND g.image_id NOT IN (SELECT image_id FROM unmeasured) ORDER BY g.image_id`);
  db.exec(`INSERT INTO annotation_edits (image_id, edits) SELECT image_id, 1 FROM given WHERE true
    ON CONFLICT (image_id) DO UPDATE SET edits = edits + 1`);
  db.exec('UPDATE annotation_edits SET measured = edits WHERE image_id IN (SELECT image_id FROM measured)');
  // In the order of the key, so that rows are put at the end of the table and not into its middle.
  db.prepare(
    `INSERT INTO measure (image_id, annotation_id, label_id, crowd, area, x, y, width, height)
     SELECT c.image_id, ${importedIdSql('@before + i.key')}, l.label_id, i.crowd, i.area, i.x, i.y, i.width, i.height
     FROM staged.instance i JOIN chosen c ON c.image_key = i.image_key JOIN label_of l ON l.category_key = i.category_key
     WHERE c.image_id IN (SELECT image_id FROM measured) ORDER BY c.image_id, i.key`,
  ).run({ before });
}

function journal(db: Db, importId: number, atMs: number, replaced: ReadonlyMap<number, string>): void {
  db.exec('CREATE TEMP TABLE entry (image_id INTEGER PRIMARY KEY, diff TEXT NOT NULL)');
  const keep = db.prepare('INSERT INTO entry VALUES (?, ?)');
  for (const [imageId, text] of replaced) {
    const { removed } = JSON.parse(text) as { removed: Parameters<typeof importEntryText>[1] };
    keep.run(imageId, importEntryText(importId, removed));
  }
  db.prepare(
    `INSERT INTO change (image_id, revision, kind, target, at, diff)
     SELECT g.image_id, i.revision + 1, 'edit', NULL, ?, coalesce(e.diff, ?)
     FROM given g JOIN image i ON i.id = g.image_id LEFT JOIN entry e ON e.image_id = g.image_id ORDER BY g.image_id`,
  ).run(atMs, importEntryText(importId, []));
}

/** The records around the instances, as they stood. */
function copyTexts(db: Db, importId: number): void {
  db.prepare('INSERT INTO import_rest SELECT ?, position, key, source FROM staged.rest').run(importId);
  db.prepare(
    `INSERT INTO import_category (import_id, label_id, position, name, form, text, made)
     SELECT ?, l.label_id, k.position, c.name, k.in_source, k.source, l.made
     FROM staged.category k JOIN label_of l ON l.category_key = k.key JOIN staged.class c ON c.category_key = k.key`,
  ).run(importId);
  db.prepare(
    `INSERT INTO import_image (import_id, image_id, position, sha256, form, text, was, became, revision)
     SELECT ?, c.image_id, k.position, i.sha256, CASE WHEN (c.form & ${RESIZED}) <> 0 THEN 0 ELSE k.in_source END | (c.form & ${FORM.raw}), k.source,
       b.state, i.state, i.revision
     FROM staged.image k INDEXED BY image_position CROSS JOIN chosen c ON c.image_key = k.key JOIN image i ON i.id = c.image_id
       JOIN before b ON b.image_id = i.id
     WHERE (c.form & ${FORM.renumbered}) = 0 ORDER BY k.position`,
  ).run(importId);
  db.prepare('INSERT INTO import_finding SELECT ?, seq, kind, what, id, reason, message FROM staged.finding').run(importId);
}

import { AppError } from '../../shared/errors.ts';
import type { ImportCategory, ImportConflict, ImportPlan, ImportReadOptions } from '../../shared/calls/imports.ts';
import { LISTED_CONFLICTS } from '../../shared/calls/imports.ts';
import type { Geometry } from '../../shared/records.ts';
import type { DatasetReader } from '../formats/dataset.ts';
import { rawSize, turnToOriented } from '../formats/orientation.ts';
import type { Db } from './database.ts';
import { checkGeometry } from './geometry-check.ts';
import { FORM } from './imported.ts';
import type { ImageIndex, IndexedImage } from './image-index.ts';
import { stagedGeometry } from './staged-source.ts';
import type { KnownImages } from './import-known.ts';
import { planSplits, recordTeller } from './import-known.ts';
import type { Staging } from './staging.ts';

/**
 * What a dataset that was read would bring into a project: which image is which, whether geometry has to be turned, what
 * does not fit. Everything it finds out is kept in the staging file, for the commit.
 */

/** What the plan adds to the staging file: the image of the project that each image is, and the class of each category. */
const SCHEMA = `
CREATE TABLE target (
  image_key INTEGER PRIMARY KEY, image_id INTEGER NOT NULL, turn INTEGER NOT NULL, checked INTEGER NOT NULL, form INTEGER NOT NULL
) STRICT;
CREATE INDEX target_image ON target (image_id);
CREATE TABLE existing (image_id INTEGER PRIMARY KEY, annotations INTEGER NOT NULL) STRICT;
CREATE TABLE class (category_key INTEGER PRIMARY KEY, name TEXT NOT NULL, known INTEGER NOT NULL) STRICT;
`;

export interface PlanRequest {
  readonly staging: Staging;
  readonly space: DatasetReader['space'];
  readonly pixels: ImportReadOptions['pixels'];
  readonly index: ImageIndex;
  /** Names of the project's classes. */
  readonly labels: ReadonlySet<string>;
  readonly known: KnownImages;
  /** Content's digest of the dataset's own file of an image, or null. */
  readonly digest: (path: string) => Promise<string | null>;
  readonly onProgress: (done: number, total: number) => void;
  /** Throws where the import was given up. */
  readonly checkpoint: () => Promise<void>;
}

export type Planned = Omit<ImportPlan, 'id' | 'place' | 'ms'>;

/** Beside the bits of `FORM`, in `target` only: the image's text says another size than its file has. */
export const RESIZED = 8;

const PAGE = 500;
const LONGEST_NAME = 120;

export async function planImport(request: PlanRequest): Promise<Planned> {
  const { staging, labels } = request;
  const { db } = staging;
  staging.seal();
  db.exec(SCHEMA);
  db.exec('BEGIN');
  const images = await matchImages(request);
  await placeInstances(request);
  db.exec('COMMIT');
  const number = (sql: string): number => Number(db.prepare(sql).pluck().get());
  const orphans = number('SELECT count(*) FROM instance i WHERE NOT EXISTS (SELECT 1 FROM target t WHERE t.image_key = i.image_key)');
  const CONFLICT =
    'FROM existing e WHERE EXISTS (SELECT 1 FROM target t JOIN instance i ON i.image_key = t.image_key WHERE t.image_id = e.image_id)';
  const conflictRows = db
    .prepare<[], { imageId: number; existing: number; incoming: number }>(
      `SELECT e.image_id AS imageId, e.annotations AS existing,
        (SELECT count(*) FROM target t JOIN instance i ON i.image_key = t.image_key WHERE t.image_id = e.image_id) AS incoming
      ${CONFLICT} ORDER BY e.image_id LIMIT ${LISTED_CONFLICTS}`,
    )
    .all()
    .map((row): ImportConflict => ({ ...row, path: request.index.byId(row.imageId)?.path ?? '' }));
  return {
    format: staging.format,
    categories: nameClasses(staging, labels),
    images,
    instances: {
      taken: number('SELECT count(*) FROM instance') - orphans,
      crowds: number('SELECT count(*) FROM instance i JOIN target t ON t.image_key = i.image_key WHERE i.crowd = 1'),
      refused: orphans + annotationsRefused(db),
    },
    splits: planSplits(request),
    conflicts: number(`SELECT count(*) ${CONFLICT}`),
    conflictRows,
    findingCounts: staging.findingCounts(),
  };
}

function annotationsRefused(db: Db): number {
  return Number(db.prepare("SELECT count(DISTINCT id) FROM finding WHERE kind = 'refused' AND what = 'annotation'").pluck().get());
}

async function matchImages({
  staging,
  index,
  space,
  pixels,
  known,
  digest,
  onProgress,
  checkpoint,
}: PlanRequest): Promise<ImportPlan['images']> {
  const { db } = staging;
  const addTarget = db.prepare('INSERT INTO target (image_key, image_id, turn, checked, form) VALUES (?, ?, ?, ?, ?)');
  const addExisting = db.prepare('INSERT OR IGNORE INTO existing VALUES (?, ?)');
  const taken = db.prepare<[number], number>('SELECT image_key FROM target WHERE image_id = ?').pluck();
  const instances = db.prepare<[number], number>('SELECT count(*) FROM instance WHERE image_key = ?').pluck();
  const counts = { total: staging.counts().images, byPath: 0, byName: 0, byContent: 0, missing: 0 };
  const tellRecord = recordTeller(staging, known);
  let done = 0;
  for (const image of staging.images()) {
    if (done++ % PAGE === 0) {
      onProgress(done, counts.total);
      await checkpoint();
    }
    const tell = (kind: 'kept' | 'repaired' | 'refused', reason: string, message: string): void =>
      staging.finding({ kind, what: 'image', id: image.path, reason, message: `${image.path}: ${message}` });
    const lost = (): string => {
      const count = instances.get(image.key) ?? 0;
      return count === 0 ? '' : ` Its ${count === 1 ? 'instance is' : `${count} instances are`} not taken.`;
    };
    let found: IndexedImage | null = index.byPath(image.path);
    let how: 'byPath' | 'byName' | 'byContent' = 'byPath';
    if (found === null) {
      const named = index.byName(image.path);
      if (named === 'several') {
        tell('refused', 'image-ambiguous', `several files of the folder have this name, none this path.${lost()}`);
        counts.missing++;
        continue;
      }
      how = 'byName';
      found = named;
      if (found !== null && !found.path.endsWith(`/${image.path}`))
        tell('kept', 'image-by-name', `${found.path} is the only file of this name.`);
    }
    if (found === null) {
      const sha256 = await digest(image.path);
      found = sha256 === null ? null : index.byContent(sha256);
      how = 'byContent';
      if (found !== null) tell('kept', 'image-by-content', `${found.path} has the same content.`);
    }
    if (found === null || found.error !== null) {
      const why = found === null ? 'it is not in the folder' : `the file cannot be used (${found.error})`;
      tell('refused', found === null ? 'image-missing' : 'image-unreadable', `${why}.${lost()}`);
      counts.missing++;
      continue;
    }
    counts[how]++;
    const placed = placeOf(found, image, pixels === 'auto' ? space : pixels, tell);
    const first = taken.get(found.id) === undefined;
    if (!first) tell('repaired', 'image-repeated', `another record is of ${found.path}, too: their instances come together on it.`);
    addTarget.run(image.key, found.id, placed.turn, placed.checked || !first ? 1 : 0, placed.form | (first ? 0 : FORM.renumbered));
    if (found.annotations > 0) addExisting.run(found.id, found.annotations);
    if (first) tellRecord(found.id, image.key);
  }
  onProgress(counts.total, counts.total);
  return counts;
}

/** Whether coordinates must be turned, and whether each instance has to be looked at again. */
function placeOf(
  image: IndexedImage,
  said: { readonly width: number | null; readonly height: number | null },
  space: DatasetReader['space'],
  tell: (kind: 'kept' | 'repaired', reason: string, message: string) => void,
): { readonly turn: number; readonly checked: boolean; readonly form: number } {
  const { width, height, orientation } = image;
  const raw = rawSize(image, orientation);
  if (said.width === null || said.height === null) return { turn: space === 'raw' ? orientation : 1, checked: true, form: 0 };
  const isSize = (size: { width: number; height: number }): boolean => size.width === said.width && size.height === said.height;
  let turn = 1;
  if (space === 'raw') turn = orientation;
  else if (space === 'by-size' && orientation !== 1) {
    if (!isSize(image) && isSize(raw)) {
      turn = orientation;
      tell(
        'repaired',
        'raw-pixels',
        `its coordinates are of the file's own ${raw.width}×${raw.height} pixels; they are turned as EXIF says.`,
      );
    } else if (isSize(raw)) {
      tell(
        'kept',
        'orientation-unclear',
        `EXIF turns it (orientation ${orientation}), and its size fits both ways; coordinates are taken as of the turned image.`,
      );
    }
  }
  const expected = turn === 1 ? { width, height } : raw;
  if (isSize(expected)) return { turn, checked: turn !== 1, form: turn === 1 ? 0 : FORM.raw };
  tell('repaired', 'size-differs', `it is ${expected.width}×${expected.height}, not ${said.width}×${said.height} as the dataset says.`);
  return { turn, checked: true, form: RESIZED | (turn === 1 ? 0 : FORM.raw) };
}

/** Turns what has to be turned, and refuses what does not fit its image. What the reader has seen to be sound is left alone. */
async function placeInstances({ staging, index, checkpoint }: PlanRequest): Promise<void> {
  const { db } = staging;
  interface Row {
    readonly key: number;
    readonly number: number | null;
    readonly imageId: number;
    readonly turn: number;
    readonly form: number;
    readonly geometry: string | null;
    readonly source: string | null;
  }
  const page = db.prepare<[number], Row>(`
    SELECT i.key, i.number, t.image_id AS imageId, t.turn, t.form, i.geometry, x.source
    FROM instance i LEFT JOIN text x ON x.key = i.key JOIN target t ON t.image_key = i.image_key
    WHERE i.key > ? AND (t.checked = 1 OR i.geometry IS NOT NULL) ORDER BY i.key LIMIT ${PAGE}`);
  const change = db.prepare('UPDATE instance SET geometry = ?, form = (form | ?) & ~? WHERE key = ?');
  const remove = db.prepare('DELETE FROM instance WHERE key = ?');
  for (let after = 0; ;) {
    const rows = page.all(after);
    for (const row of rows) {
      after = row.key;
      const image = index.byId(row.imageId);
      if (!image) continue;
      const shown = row.number === null ? `number ${row.key} of those taken` : String(row.number);
      let geometry: Geometry;
      try {
        const said = stagedGeometry(row);
        geometry = row.turn === 1 ? said : turnToOriented(said, row.turn, rawSize(image, row.turn));
        checkGeometry(shown, geometry, image.width, image.height);
      } catch (thrown) {
        const message = thrown instanceof AppError ? thrown.message : String(thrown);
        staging.finding({ kind: 'refused', what: 'annotation', id: shown, reason: 'does-not-fit', message: `${image.path}: ${message}` });
        remove.run(row.key);
        continue;
      }
      // The record of its image is another one: its text names an id that will not be there.
      const other = (row.form & FORM.renumbered) !== 0;
      if (row.turn !== 1) change.run(JSON.stringify(geometry), FORM.raw, other ? FORM.inSource : 0, row.key);
      else if (other) change.run(row.geometry, 0, FORM.inSource, row.key);
    }
    await checkpoint();
    if (rows.length < PAGE) return;
  }
}

/** Names of classes are unique in a project, and neither empty nor endless. */
function nameClasses(staging: Staging, labels: ReadonlySet<string>): ImportCategory[] {
  const { db } = staging;
  const add = db.prepare('INSERT INTO class VALUES (?, ?, ?)');
  const counts = new Map(
    db
      .prepare<[], { key: number; instances: number }>(
        'SELECT i.category_key AS key, count(*) AS instances FROM instance i JOIN target t ON t.image_key = i.image_key GROUP BY i.category_key',
      )
      .all()
      .map(({ key, instances }) => [key, instances]),
  );
  const used = new Set<string>();
  return db
    .prepare<[], { key: number; name: string }>('SELECT key, name FROM category ORDER BY position')
    .all()
    .map(({ key, name }) => {
      const plain = name.trim().slice(0, LONGEST_NAME).trim() || `class ${key}`;
      let label = plain;
      for (let n = 2; used.has(label); n++) label = `${plain.slice(0, LONGEST_NAME - 8)} (${n})`;
      used.add(label);
      if (label !== name) {
        const message = `“${name}” becomes the class “${label}”.`;
        staging.finding({ kind: 'repaired', what: 'category', id: name, reason: 'category-renamed', message });
      }
      add.run(key, label, labels.has(label) ? 1 : 0);
      return { name, label, known: labels.has(label), instances: counts.get(key) ?? 0 };
    });
}

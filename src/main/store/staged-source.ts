import { existsSync } from 'node:fs';
import { isAbsolute, join, sep } from 'node:path';
import type Database from 'better-sqlite3';
import type { FormatId } from '../../shared/formats.ts';
import { classColor } from '../../shared/palette.ts';
import type { Annotation, Geometry, ImageRecord, Label } from '../../shared/records.ts';
import { geometryOfRecord } from '../formats/coco-geometry.ts';
import type { DatasetSource, SourceText } from '../formats/dataset.ts';

interface InstanceRow {
  readonly key: number;
  readonly imageKey: number;
  readonly categoryKey: number;
  readonly number: number | null;
  readonly crowd: number;
  readonly geometry: string | null;
  readonly source: string | null;
}

interface ImageRow extends TextRow {
  readonly key: number;
  readonly position: number;
  readonly path: string;
  readonly width: number | null;
  readonly height: number | null;
}

interface TextRow {
  readonly inSource: number;
  readonly source: string | null;
}

export interface StagedSource {
  readonly format: FormatId;
  readonly projectName: string;
  /** Folder of the images, absolute. */
  readonly folder: string;
}

const INSTANCE = `i.key, i.image_key AS imageKey, i.category_key AS categoryKey, i.number, i.crowd, i.geometry, x.source
  FROM instance i LEFT JOIN text x ON x.key = i.key`;
const PAGE = 500;

/** A sealed staging file as writers take it: keys are the ids, and an image without a size has 0. */
export function createStagedSource(db: Database.Database, { format, projectName, folder }: StagedSource): DatasetSource {
  const highest = Number(db.prepare('SELECT highest FROM numbering').pluck().get());
  const labels = db
    .prepare<[], { key: number; name: string; color: string | null }>('SELECT key, name, color FROM category ORDER BY position')
    .all()
    .map(({ key, name, color }, position): Label => ({ id: key, name, color: color ?? classColor(position), hotkey: null, position }));
  const imagePage = db.prepare<[number, number], ImageRow>(
    'SELECT key, position, path, width, height, in_source AS inSource, source FROM image WHERE position > ? ORDER BY position LIMIT ?',
  );
  const instancesOf = db.prepare<[number], InstanceRow>(`SELECT ${INSTANCE} WHERE i.image_key = ? ORDER BY i.key`);
  const instancePage = db.prepare<[number, number], InstanceRow>(`SELECT ${INSTANCE} WHERE i.key > ? ORDER BY i.key LIMIT ?`);
  const byNumber = db.prepare<[number], InstanceRow>(`SELECT ${INSTANCE} WHERE i.number = ?`);
  const byKey = db.prepare<[number], InstanceRow>(`SELECT ${INSTANCE} WHERE i.key = ? AND i.number IS NULL`);
  const splitOf = db.prepare<[number], string | null>('SELECT split FROM image WHERE key = ?').pluck();
  const categoryText = db.prepare<[number], TextRow>('SELECT in_source AS inSource, source FROM category WHERE key = ?');
  const imageText = db.prepare<[number], TextRow>('SELECT in_source AS inSource, source FROM image WHERE key = ?');
  const rest = db.prepare<[], { key: string; text: string }>('SELECT key, source AS text FROM rest ORDER BY position').all();
  let numbersIndexed = false;

  const numberOf = (row: InstanceRow): number => row.number ?? highest + row.key;
  const textOf = (text: string | null, untouched: boolean, renumbered: boolean): SourceText | null =>
    text === null ? null : { format, text, untouched, raw: false, renumbered };
  const sourceText = (row: InstanceRow): SourceText | null => textOf(row.source, row.geometry === null, row.number === null);
  const annotation = (row: InstanceRow): Annotation => ({
    id: `staged-${row.key}`,
    labelId: row.categoryKey,
    geometry: stagedGeometry(row),
    z: row.key,
    crowd: row.crowd === 1,
    origin: 'imported',
    suggestionId: null,
  });

  function* imageRows(): Generator<ImageRow> {
    for (let after = 0; ;) {
      const rows = imagePage.all(after, PAGE);
      for (const row of rows) yield row;
      const last = rows.at(-1);
      if (!last) return;
      after = last.position;
    }
  }

  return {
    projectName,
    folder,
    labels,
    imageCount: Number(db.prepare('SELECT count(*) FROM image').pluck().get()),
    *images() {
      for (const { key, path, width, height } of imageRows()) {
        const record: ImageRecord = {
          id: key,
          path,
          width: width ?? 0,
          height: height ?? 0,
          orientation: 1,
          bytes: 0,
          sha256: '',
          state: 'done',
          revision: 0,
          error: null,
          annotations: 0,
          pending: 0,
        };
        yield record;
      }
    },
    document: (imageId) => instancesOf.all(imageId).map((row) => ({ number: numberOf(row), annotation: annotation(row) })),
    split: (imageId) => splitOf.get(imageId) ?? null,
    sourceOf(kind, id) {
      if (kind === 'annotation') {
        if (!numbersIndexed) db.exec('CREATE INDEX IF NOT EXISTS instance_number ON instance (number)');
        numbersIndexed = true;
        const row = byNumber.get(id) ?? byKey.get(id - highest);
        return row ? sourceText(row) : null;
      }
      const row = (kind === 'category' ? categoryText : imageText).get(id);
      return row ? textOf(row.source, row.inSource === 1, false) : null;
    },
    *imageOrder() {
      for (const { key, source, inSource } of imageRows()) yield { id: key, source: textOf(source, inSource === 1, false) };
    },
    *annotationOrder() {
      for (let after = 0; ;) {
        const rows = instancePage.all(after, PAGE);
        for (const row of rows) {
          after = row.key;
          const { imageKey: imageId, categoryKey: labelId } = row;
          yield { number: numberOf(row), imageId, labelId, source: sourceText(row), annotation: () => annotation(row) };
        }
        if (rows.length === 0) return;
      }
    },
    rest: () => rest.map((row) => ({ ...row, format })),
    fileOf({ path }) {
      // A dataset can come from anybody: its paths lead nowhere but into its folder.
      if (isAbsolute(path) || path.split(/[\\/]/).includes('..')) return null;
      const file = join(folder, path.split('/').join(sep));
      return existsSync(file) ? file : null;
    },
  };
}

/** The geometry of a row of `instance`: null is whatever its source says. */
export function stagedGeometry(row: { readonly geometry: string | null; readonly source: string | null }): Geometry {
  return row.geometry === null ? geometryOfRecord(row.source ?? '') : (JSON.parse(row.geometry) as Geometry);
}

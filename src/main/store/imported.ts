import { isDeepStrictEqual } from 'node:util';
import type { FormatId } from '../../shared/formats.ts';
import type { Annotation, Geometry } from '../../shared/records.ts';
import { geometryOfRecord } from '../formats/coco-geometry.ts';
import type { OrderedAnnotation, OrderedImage, SourceText } from '../formats/dataset.ts';
import type { Db } from './database.ts';

/**
 * What imports left: the records as their files have them. An imported annotation is a row of `annotation` like any
 * other, but while its geometry is as imported that column holds JSON's null, and the geometry is read from the text.
 * So nothing is kept twice, and whether somebody changed it is seen without looking at it.
 */

/** Bits of the column `form`. */
export const FORM = {
  /** The text alone says what was imported. */
  inSource: 1,
  /** The text is in the file's own pixel space, and EXIF turns the image. */
  raw: 2,
  /** The id in the text is not the record's number. */
  renumbered: 4,
} as const;

const PREFIX = 'imported-';
const DIGITS = 9;
/** What `annotation.geometry` holds while it is as imported. */
const AS_IMPORTED = 'null';

/** SQL for the id of the annotation that row `seq` of `import_instance` became. */
export function importedIdSql(seq: string): string {
  return `printf('${PREFIX}%0${DIGITS}d', ${seq})`;
}

export function importedId(seq: number): string {
  return PREFIX + String(seq).padStart(DIGITS, '0');
}

/** SQL for the number in an imported annotation's id; 0, which no row has, for others. */
const seqSql = (id: string): string => `CAST(substr(${id}, ${PREFIX.length + 1}) AS INTEGER)`;

/** `annotation a` with the row of its import `m` where its geometry is that row's, and the row's text `x` where the text says it. */
export const WITH_IMPORTED = `annotation a LEFT JOIN import_instance m ON a.geometry = '${AS_IMPORTED}' AND m.seq = ${seqSql('a.id')}
  LEFT JOIN import_text x ON m.geometry IS NULL AND x.seq = m.seq`;
/** Columns of `WITH_IMPORTED` for `storedGeometry`. */
export const GEOMETRY = `coalesce(m.geometry, CASE WHEN a.geometry = '${AS_IMPORTED}' THEN NULL ELSE a.geometry END) AS geometry,
  x.text AS source`;

export interface GeometryRow {
  readonly geometry: string | null;
  readonly source: string | null;
}

/** Throws AppError `storage` for a damaged text. */
export function storedGeometry({ geometry, source }: GeometryRow): Geometry {
  return geometry === null ? geometryOfRecord(source ?? '') : (JSON.parse(geometry) as Geometry);
}

/** How a geometry is written into `annotation`: an edit that was undone leaves no copy of what the import holds. */
export function geometryWriter(db: Db): (annotation: Annotation) => string {
  const imported = db.prepare<[number], GeometryRow>(
    'SELECT m.geometry, x.text AS source FROM import_instance m LEFT JOIN import_text x ON x.seq = m.seq WHERE m.seq = ?',
  );
  return ({ id, geometry }) => {
    const seq = seqOf(id);
    const row = seq === null ? undefined : imported.get(seq);
    return row && isDeepStrictEqual(storedGeometry(row), geometry) ? AS_IMPORTED : JSON.stringify(geometry);
  };
}

function seqOf(id: string): number | null {
  const match = /^imported-(\d{9,15})$/.exec(id);
  return match ? Number(match[1]) : null;
}

/** The annotations that an import added to an image, as they were then: what its entry in the journal stands for. */
export function importedReader(db: Db): (importId: number, imageId: number) => Annotation[] {
  interface Row extends GeometryRow {
    readonly seq: number;
    readonly labelId: number;
    readonly z: number;
    readonly crowd: number;
  }
  const rows = db.prepare<[number, number], Row>(`
    SELECT m.seq, m.label_id AS labelId, m.z, m.crowd, m.geometry, x.text AS source
    FROM import_instance m LEFT JOIN import_text x ON m.geometry IS NULL AND x.seq = m.seq
    WHERE m.image_id = ? AND m.import_id = ? ORDER BY m.seq`);
  return (importId, imageId) =>
    rows.all(imageId, importId).map((row) => ({
      id: importedId(row.seq),
      labelId: row.labelId,
      geometry: storedGeometry(row),
      z: row.z,
      crowd: row.crowd === 1,
      origin: 'imported',
      suggestionId: null,
    }));
}

interface TextRow {
  readonly format: FormatId;
  readonly text: string | null;
  readonly form: number;
  readonly touched: number;
}

function toSource(row: TextRow | undefined): SourceText | null {
  if (!row || row.text === null) return null;
  const { format, text, form } = row;
  return {
    format,
    text,
    untouched: row.touched === 0 && (form & FORM.inSource) !== 0,
    raw: (form & FORM.raw) !== 0,
    renumbered: (form & FORM.renumbered) !== 0,
  };
}

/** Where an imported annotation differs from its import. */
const TOUCHED = `a.geometry <> '${AS_IMPORTED}' OR a.label_id <> m.label_id OR a.crowd <> m.crowd`;
/** Rows read at once; of images, which lie anywhere in the file, fewer. */
const PAGE = 500;
const IMAGE_PAGE = 200;

/** The texts of a project's imports, by the records that came of them. */
export interface ImportedTexts {
  sourceOf(kind: 'category' | 'image' | 'annotation', id: number): SourceText | null;
  imageOrder(): Iterable<OrderedImage>;
  annotationOrder(): Iterable<OrderedAnnotation>;
  rest(): readonly { readonly key: string; readonly text: string; readonly format: FormatId }[];
}

export interface OrderedRow extends GeometryRow {
  readonly id: string;
  readonly labelId: number;
  readonly z: number;
  readonly crowd: number;
  readonly origin: Annotation['origin'];
  readonly suggestionId: number | null;
}

/** `annotationOf` makes an annotation of its row. The first import of a class or an image that was not taken back is the one that counts. */
export function importedTexts(db: Db, annotationOf: (row: OrderedRow) => Annotation): ImportedTexts {
  const category = db.prepare<[number], TextRow>(`
    SELECT i.format, c.text, c.form, c.name <> l.name AS touched FROM import_category c
    JOIN import i ON i.id = c.import_id JOIN label l ON l.id = c.label_id WHERE c.label_id = ? AND i.undone_at IS NULL ORDER BY c.import_id LIMIT 1`);
  const image = db.prepare<[number], TextRow>(`
    SELECT i.format, p.text, p.form, 0 AS touched FROM import_image p JOIN import i ON i.id = p.import_id
    WHERE p.image_id = ? AND p.undone = 0 ORDER BY p.import_id LIMIT 1`);
  const annotation = db.prepare<[number], TextRow>(`
    SELECT i.format, x.text, m.form, ${TOUCHED} AS touched
    FROM annotation_number n JOIN annotation a ON a.id = n.uid JOIN import_instance m ON m.seq = ${seqSql('n.uid')}
    LEFT JOIN import_text x ON x.seq = m.seq JOIN import i ON i.id = m.import_id WHERE n.number = ? AND n.uid GLOB '${PREFIX}*'`);
  const images = db.prepare<[number, number], TextRow & { importId: number; position: number; imageId: number }>(`
    SELECT p.import_id AS importId, p.position, p.image_id AS imageId, i.format, p.text, p.form, 0 AS touched
    FROM import_image p JOIN import i ON i.id = p.import_id
    WHERE (p.import_id, p.position) > (?, ?) AND p.undone = 0
      AND NOT EXISTS (SELECT 1 FROM import_image e WHERE e.image_id = p.image_id AND e.import_id < p.import_id AND e.undone = 0)
    ORDER BY p.import_id, p.position LIMIT ${IMAGE_PAGE}`);
  const otherImages = db
    .prepare<[], number>(
      'SELECT id FROM image i WHERE NOT EXISTS (SELECT 1 FROM import_image p WHERE p.image_id = i.id AND p.undone = 0) ORDER BY sort_key, path',
    )
    .pluck();
  const ROW = `a.id, a.label_id AS labelId, a.z, a.crowd, a.origin, a.suggestion_id AS suggestionId, a.image_id AS imageId, n.number`;
  type Ordered = OrderedRow & TextRow & { readonly seq: number; readonly imageId: number; readonly number: number };
  const imported = db.prepare<[number], Ordered>(`
    SELECT m.seq, ${ROW}, i.format, x.text, m.form, ${TOUCHED} AS touched,
      CASE WHEN a.geometry = '${AS_IMPORTED}' THEN m.geometry ELSE a.geometry END AS geometry, x.text AS source
    FROM import_instance m LEFT JOIN import_text x ON x.seq = m.seq JOIN import i ON i.id = m.import_id
    JOIN annotation a ON a.id = ${importedIdSql('m.seq')} JOIN annotation_number n ON n.uid = a.id
    WHERE m.seq > ? ORDER BY m.seq LIMIT ${PAGE}`);
  const NOT_IMPORTED = `NOT (a.id GLOB '${PREFIX}[0-9]*' AND EXISTS (
    SELECT 1 FROM import_instance m WHERE m.seq = ${seqSql('a.id')} AND a.id = ${importedIdSql('m.seq')}))`;
  const annotations = db.prepare<[], number>('SELECT count(*) FROM annotation').pluck();
  /** The last of the next images. */
  const lastOfPage = db
    .prepare<[number], number | null>(`SELECT max(id) FROM (SELECT id FROM image WHERE id > ? ORDER BY id LIMIT ${PAGE})`)
    .pluck();
  const otherPlaces = db
    .prepare<[number, number], number>(
      `SELECT DISTINCT a.image_id FROM annotation a WHERE a.image_id > ? AND a.image_id <= ? AND ${NOT_IMPORTED} ORDER BY a.image_id`,
    )
    .pluck();
  const others = db.prepare<[number], OrderedRow & { readonly imageId: number; readonly number: number }>(`
    SELECT ${ROW}, a.geometry, NULL AS source FROM annotation a JOIN annotation_number n ON n.uid = a.id
    WHERE a.image_id = ? AND ${NOT_IMPORTED} ORDER BY n.number`);
  const rest = db.prepare<[], { key: string; text: string; format: FormatId }>(
    'SELECT r.key, r.text, i.format FROM import_rest r JOIN import i ON i.id = r.import_id WHERE i.undone_at IS NULL ORDER BY r.import_id, r.position',
  );

  function* imageOrder(): Generator<OrderedImage> {
    for (let last = { importId: 0, position: 0 }; ;) {
      const rows = images.all(last.importId, last.position);
      for (const row of rows) {
        last = row;
        yield { id: row.imageId, source: toSource(row) };
      }
      if (rows.length < IMAGE_PAGE) break;
    }
    for (const id of otherImages.all()) yield { id, source: null };
  }

  return {
    sourceOf: (kind, id) => toSource((kind === 'category' ? category : kind === 'image' ? image : annotation).get(id)),
    imageOrder,
    *annotationOrder() {
      let done = 0;
      for (let seq = 0; ;) {
        const rows = imported.all(seq);
        for (const row of rows) {
          seq = row.seq;
          done++;
          const { number, imageId, labelId } = row;
          yield { number, imageId, labelId, source: toSource(row), annotation: () => annotationOf(row) };
        }
        if (rows.length < PAGE) break;
      }
      if (done === annotations.get()) return;
      // A few images at a time: looking through all annotations at once would hold up whoever waits for this thread.
      for (let after = 0, until = lastOfPage.get(0); typeof until === 'number'; after = until, until = lastOfPage.get(after)) {
        for (const imageId of otherPlaces.all(after, until)) {
          for (const row of others.all(imageId)) {
            yield { number: row.number, imageId, labelId: row.labelId, source: null, annotation: () => annotationOf(row) };
          }
        }
      }
    },
    rest() {
      const seen = new Set<string>();
      // Of two files of a format that both have a key, the first says it.
      return rest.all().filter(({ key, format }) => !seen.has(`${format} ${key}`) && seen.add(`${format} ${key}`));
    },
  };
}

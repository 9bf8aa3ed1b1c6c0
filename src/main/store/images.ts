import type { Statement } from 'better-sqlite3';
import type { ImagePage } from '../../shared/answers.ts';
import { AppError } from '../../shared/errors.ts';
import type { ImageRecord, ImageState } from '../../shared/records.ts';
import { COVERED } from './covering.ts';
import type { Db } from './database.ts';
import type { Condition, ListFilter } from './image-filter.ts';
import { conditionOf } from './image-filter.ts';
import { fold, naturalKey } from './natural-order.ts';

export type { ListFilter };

export interface PageQuery extends ListFilter {
  readonly offset: number;
  readonly limit: number;
}

/** What a scan found out about one file. `error` says why it cannot be used. */
export interface ScannedFile {
  /** Relative, with `/`. */
  readonly path: string;
  readonly width: number;
  readonly height: number;
  readonly orientation: number;
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly sha256: string;
  readonly error: string | null;
}

/** What the project remembers of a file, to tell what changed since. */
export interface KnownFile {
  readonly id: number;
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly sha256: string;
  readonly missing: boolean;
}

export interface ImageSummary {
  readonly images: number;
  readonly broken: number;
  readonly done: number;
  readonly annotations: number;
}

/** The images of the project, in natural order of their paths. */
export interface Images {
  page(query: PageQuery): ImagePage;
  /** Index of an image in the filtered list, null where the filter hides it. Throws `not-found`. */
  place(id: number, filter: ListFilter): number | null;
  /** The nearest image after (1) or before (-1) an index of the filtered list with undecided suggestions; done and skipped ones are passed over. */
  nextPending(from: number, step: 1 | -1, filter: ListFilter): { index: number; row: ImageRecord } | null;
  /** Throws `not-found`. */
  get(id: number): ImageRecord;
  has(id: number): boolean;
  setState(ids: readonly number[], state: ImageState): void;
  summary(): ImageSummary;
  /** All of them, also those that cannot be used. */
  count(): number;
  /** Every image in the order of the list, a few at a time. */
  each(): Iterable<ImageRecord>;
  /** Ids in order; `untouched`: only states new and predicted. */
  ids(untouched: boolean): number[];
  /** At most so many files with ids above `after`, by id. */
  known(after: number, limit: number): KnownFile[];
  /** Ids of the new rows. Throws nothing for a bad file: its row carries the reason. */
  add(files: readonly ScannedFile[]): number[];
  /** The file behind an image is not what it was; instances are kept, whatever happens. */
  refresh(id: number, file: ScannedFile): void;
  /** The file lies elsewhere now; everything known about it goes along. */
  move(id: number, path: string, modifiedMs: number): void;
  markMissing(ids: readonly number[]): void;
}

export const MISSING_REASON = 'missing: the file is no longer in the folder';

/** Suggestions of the newest run that ask for a decision, `i` being the image. */
const UNDECIDED = `FROM suggestion s WHERE s.image_id = i.id AND s.run_id = i.newest_run_id AND s.score >= $least
  AND NOT EXISTS (SELECT 1 FROM decision d WHERE d.suggestion_id = s.id) AND NOT ${COVERED}`;
const SELECT = `
  SELECT i.id, i.path, i.width, i.height, i.orientation, i.bytes, i.sha256, i.state, i.revision, i.note,
    CASE WHEN i.missing = 1 THEN '${MISSING_REASON}' ELSE i.error END AS error,
    (SELECT count(*) FROM annotation a WHERE a.image_id = i.id) AS annotations,
    (SELECT count(*) ${UNDECIDED}) AS pending
  FROM image i`;
/** Somebody should look at the image. */
const PENDING = `i.state NOT IN ('done', 'skipped') AND EXISTS (SELECT 1 ${UNDECIDED})`;

interface Place {
  readonly sort_key: string;
  readonly path: string;
}

/** Rows that `each` reads at once. */
const EACH = 500;
const FIRST: Place = { sort_key: '', path: '' };
const LAST: Place = { sort_key: '\u{10FFFF}', path: '' };

/** Statements that differ by their filter only, each prepared once. */
function kept<R>(db: Db, text: (where: string) => string): (filter: Condition) => Statement<[Record<string, unknown>], R> {
  const made = new Map<string, Statement<[Record<string, unknown>], R>>();
  return ({ sql }) => {
    let statement = made.get(sql);
    if (!statement) {
      statement = db.prepare<[Record<string, unknown>], R>(text(sql));
      made.set(sql, statement);
    }
    return statement;
  };
}

export function createImages(db: Db, write: <T>(work: () => T) => T): Images {
  const order = 'ORDER BY i.sort_key, i.path';
  const rows = kept<ImageRecord>(db, (where) => `${SELECT} ${where} ${order} LIMIT $limit OFFSET $offset`);
  const total = kept<{ n: number }>(db, (where) => `SELECT count(*) AS n FROM image i ${where}`);
  const placeOf = kept<Place>(db, (where) => `SELECT i.sort_key, i.path FROM image i ${where} AND i.id = $id`);
  const placeAt = kept<Place>(db, (where) => `SELECT i.sort_key, i.path FROM image i ${where} ${order} LIMIT 1 OFFSET $index`);
  const countBefore = kept<{ n: number }>(
    db,
    (where) => `SELECT count(*) AS n FROM image i ${where} AND (i.sort_key, i.path) < ($sort_key, $path)`,
  );
  const pendingAfter = kept<{ id: number }>(
    db,
    (where) => `SELECT i.id FROM image i ${where} AND (i.sort_key, i.path) > ($sort_key, $path) AND ${PENDING} ${order} LIMIT 1`,
  );
  const pendingBefore = kept<{ id: number }>(
    db,
    (where) =>
      `SELECT i.id FROM image i ${where} AND (i.sort_key, i.path) < ($sort_key, $path) AND ${PENDING} ORDER BY i.sort_key DESC, i.path DESC LIMIT 1`,
  );
  const following = db.prepare<[Place & { least: number }], ImageRecord>(
    `${SELECT} WHERE (i.sort_key, i.path) > ($sort_key, $path) ${order} LIMIT ${EACH}`,
  );
  const placeById = db.prepare<[number], Place>('SELECT sort_key, path FROM image WHERE id = ?');
  const one = db.prepare<[{ id: number; least: number }], ImageRecord>(`${SELECT} WHERE i.id = $id`);
  const state = db.prepare<[string, number]>('UPDATE image SET state = ? WHERE id = ?');
  const summary = db.prepare<[], ImageSummary>(`
    SELECT (SELECT count(*) FROM image INDEXED BY image_state) AS images, (SELECT count(*) FROM image WHERE missing = 1 OR error IS NOT NULL) AS broken,
      (SELECT count(*) FROM image WHERE state = 'done') AS done, (SELECT count(*) FROM annotation) AS annotations`);
  const count = db.prepare<[], number>('SELECT count(*) FROM image INDEXED BY image_state').pluck();
  const allInOrder = db.prepare<[], number>('SELECT id FROM image ORDER BY sort_key, path').pluck();
  const untouchedOrder = db.prepare<[], number>("SELECT id FROM image WHERE state IN ('new', 'predicted') ORDER BY sort_key, path").pluck();
  const known = db.prepare<[number, number], Omit<KnownFile, 'missing'> & { missing: number }>(
    'SELECT id, path, bytes, modified_ms AS modifiedMs, sha256, missing FROM image WHERE id > ? ORDER BY id LIMIT ?',
  );
  const insert = db.prepare(`INSERT INTO image
    (path, sort_key, folded, width, height, orientation, bytes, modified_ms, sha256, state, error)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'new', ?)`);
  const relocate = db.prepare('UPDATE image SET path = ?, sort_key = ?, folded = ?, modified_ms = ?, missing = 0 WHERE id = ?');
  const miss = db.prepare<[number]>('UPDATE image SET missing = 1 WHERE id = ?');
  const annotated = db.prepare<[number], number>('SELECT count(*) FROM annotation WHERE image_id = ?').pluck();
  const content = db.prepare<[number], { width: number; height: number; sha256: string; state: ImageState }>(
    'SELECT width, height, sha256, state FROM image WHERE id = ?',
  );
  const update = db.prepare(`UPDATE image SET width = ?, height = ?, orientation = ?, bytes = ?, modified_ms = ?,
    sha256 = ?, error = ?, note = ?, missing = 0 WHERE id = ?`);
  const touch = db.prepare('UPDATE image SET modified_ms = ?, bytes = ?, error = ?, missing = 0 WHERE id = ?');
  const forget = db.prepare<[string, number]>('UPDATE image SET newest_run_id = NULL, state = ? WHERE id = ?');

  function get(id: number): ImageRecord {
    const row = one.get({ id, least: 0 });
    if (!row) throw new AppError('not-found', `There is no image ${id} in this project.`, { imageId: id });
    return row;
  }

  return {
    page({ offset, limit, ...query }) {
      const filter = conditionOf(query);
      return { total: total(filter).get(filter.values)?.n ?? 0, offset, rows: rows(filter).all({ ...filter.values, limit, offset }) };
    },
    place(id, query) {
      get(id);
      const filter = conditionOf(query);
      const place = placeOf(filter).get({ ...filter.values, id });
      return place ? (countBefore(filter).get({ ...filter.values, ...place })?.n ?? 0) : null;
    },
    nextPending(from, step, query) {
      const filter = conditionOf(query);
      // Beyond either end every image is on the other side: no key is below '', none above U+10FFFF.
      const start = from < 0 ? FIRST : (placeAt(filter).get({ ...filter.values, index: from }) ?? LAST);
      const found = (step === 1 ? pendingAfter : pendingBefore)(filter).get({ ...filter.values, ...start });
      if (found === undefined) return null;
      const place = placeOf(filter).get({ ...filter.values, id: found.id });
      return place ? { index: countBefore(filter).get({ ...filter.values, ...place })?.n ?? 0, row: get(found.id) } : null;
    },
    get,
    has: (id) => one.get({ id, least: 0 }) !== undefined,
    setState(ids, to) {
      write(() => {
        for (const id of ids) {
          if (state.run(to, id).changes === 0) throw new AppError('not-found', `There is no image ${id} in this project.`, { imageId: id });
        }
      });
    },
    *each() {
      for (let place: Place | undefined = FIRST; place;) {
        const found: ImageRecord[] = following.all({ ...place, least: 0 });
        yield* found;
        const last = found.at(-1);
        place = last && found.length === EACH ? placeById.get(last.id) : undefined;
      }
    },
    summary: () => summary.get() ?? { images: 0, broken: 0, done: 0, annotations: 0 },
    count: () => count.get() ?? 0,
    ids: (untouched) => (untouched ? untouchedOrder : allInOrder).all(),
    known: (after, limit) => known.all(after, limit).map((row) => ({ ...row, missing: row.missing === 1 })),
    add(files) {
      return write(() =>
        files.map((f) =>
          Number(
            insert.run(f.path, naturalKey(f.path), fold(f.path), f.width, f.height, f.orientation, f.bytes, f.modifiedMs, f.sha256, f.error)
              .lastInsertRowid,
          ),
        ),
      );
    },
    refresh(id, file) {
      write(() => {
        const was = content.get(id);
        if (!was) throw new AppError('not-found', `There is no image ${id} in this project.`, { imageId: id });
        if (was.sha256 !== '' && was.sha256 === file.sha256) {
          touch.run(file.modifiedMs, file.bytes, file.error, id);
          return;
        }
        const instances = annotated.get(id) ?? 0;
        const unread = file.width === 0 || file.height === 0;
        const resized = was.width > 0 && (was.width !== file.width || was.height !== file.height);
        if (instances > 0 && (unread || resized)) {
          // The instances are in the old image's pixels: they stay, and so does its size, and the
          // content's hash, so that putting the old file back mends everything.
          const error = unread
            ? (file.error ?? 'the file cannot be read any more')
            : `the file was ${was.width}×${was.height} when its ${instances} instances were made and now is ${file.width}×${file.height}`;
          touch.run(file.modifiedMs, file.bytes, error, id);
          return;
        }
        const note = instances > 0 ? `the file's content changed after its ${instances} instances were made` : null;
        update.run(file.width, file.height, file.orientation, file.bytes, file.modifiedMs, file.sha256, file.error, note, id);
        // Suggestions were made from other pixels.
        if (was.sha256 !== '') forget.run(was.state === 'predicted' ? 'new' : was.state, id);
      });
    },
    move(id, path, modifiedMs) {
      write(() => {
        relocate.run(path, naturalKey(path), fold(path), modifiedMs, id);
      });
    },
    markMissing(ids) {
      write(() => {
        for (const id of ids) miss.run(id);
      });
    },
  };
}

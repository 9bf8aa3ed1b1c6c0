import { rmSync } from 'node:fs';
import type { Finding, FindingKind, FormatId } from '../../shared/formats.ts';
import type { FindingCount } from '../../shared/calls/formats.ts';
import type { DatasetCategory, DatasetImage, DatasetInstance, DatasetSink, DatasetSource } from '../formats/dataset.ts';
import type { Db } from './database.ts';
import { storageError } from './database.ts';
import { FORM } from './imported.ts';
import type { StagedRows } from './staged-rows.ts';
import { directRows, openStagingFile, stagingError, threadRows } from './staged-rows.ts';
import { createStagedSource } from './staged-source.ts';

/** What a reader found, kept in a file of its own until it is committed, converted or thrown away. */
export interface Staging extends DatasetSink {
  /** Absolute. */
  readonly file: string;
  readonly format: FormatId;
  /** For the store's own questions; sealed first. */
  readonly db: Db;
  /** All that was told so far is in the file; to be awaited after the reading of one with a thread. Throws as the sink. */
  settled(): Promise<void>;
  /** Ends the reading: indexes are made, and another connection can attach the file. Nothing may be added but findings. */
  seal(): void;
  counts(): StagedCounts;
  /** All findings, by kind and reason, the most frequent first. */
  findingCounts(): FindingCount[];
  /** In the order they were told. */
  findings(query: FindingQuery): { readonly total: number; readonly rows: Finding[] };
  /** Images in the order of the file, a page at a time. */
  images(): Iterable<StagedImage>;
  /** The size of the image file, where the dataset does not say it or says another. */
  setSize(imageKey: number, width: number, height: number): void;
  /** What was read as writers take it. Seals it. */
  source(options: StagedSourceOptions): DatasetSource;
  /** Closes and removes the file. */
  close(): void;
}

export interface StagedCounts {
  readonly categories: number;
  readonly images: number;
  readonly instances: number;
  readonly findings: number;
}

export interface FindingQuery {
  readonly kind?: FindingKind | undefined;
  readonly reason?: string | undefined;
  /** In the id or the message, whatever its case. */
  readonly search?: string | undefined;
  readonly offset: number;
  readonly limit: number;
}

export interface StagedImage {
  readonly key: number;
  readonly path: string;
  readonly width: number | null;
  readonly height: number | null;
  readonly split: string | null;
}

export interface StagedSourceOptions {
  readonly projectName: string;
  /** Folder of the images, absolute. */
  readonly folder: string;
}

/**
 * `geometry` is null where the text
 * says it by itself, and `area` and its box where the instance was not measured; texts, which are most of the file, lie beside what is counted and compared.
 */
const SCHEMA = `
CREATE TABLE category (
  key INTEGER PRIMARY KEY, position INTEGER NOT NULL, name TEXT NOT NULL, color TEXT, in_source INTEGER NOT NULL, source TEXT
) STRICT;
CREATE TABLE image (
  key INTEGER PRIMARY KEY, position INTEGER NOT NULL, path TEXT NOT NULL, width INTEGER, height INTEGER, split TEXT,
  in_source INTEGER NOT NULL, source TEXT
) STRICT;
CREATE TABLE instance (
  key INTEGER PRIMARY KEY, image_key INTEGER NOT NULL, category_key INTEGER NOT NULL, number INTEGER, crowd INTEGER NOT NULL,
  form INTEGER NOT NULL, geometry TEXT, area REAL, x REAL, y REAL, width REAL, height REAL
) STRICT;
CREATE TABLE text (key INTEGER PRIMARY KEY, source TEXT NOT NULL) STRICT;
CREATE TABLE finding (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, what TEXT NOT NULL, id TEXT NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL) STRICT;
CREATE TABLE rest (position INTEGER PRIMARY KEY, key TEXT NOT NULL, source TEXT NOT NULL) STRICT;
`;

export interface StagingOptions {
  /** Rows are put by a thread of its own, which the sink waits for where that does not keep up; see `settled`. */
  readonly thread?: boolean;
}

/**
 * Makes an empty staging file; `file` must not be there. Its methods throw AppError `storage` or `io` naming it (a full
 * disk), and `internal` for a key that is used twice.
 */
export function createStaging(format: FormatId, file: string, { thread = false }: StagingOptions = {}): Staging {
  let db: Db;
  try {
    db = openStagingFile(file);
    db.exec(SCHEMA);
    if (!thread) db.exec('BEGIN');
  } catch (thrown) {
    throw storageError(thrown, file);
  }
  let rows: StagedRows = thread ? threadRows(file, format) : directRows(db, format);
  let threaded = thread;
  const size = db.prepare('UPDATE image SET width = ?, height = ? WHERE key = ?');
  const page = db.prepare<[number], StagedImage & { position: number }>(
    'SELECT key, path, width, height, split, position FROM image WHERE position > ? ORDER BY position LIMIT 500',
  );
  const kinds = new Map<string, { kind: FindingKind; reason: string; count: number }>();
  const counts = { categories: 0, images: 0, instances: 0, findings: 0 };
  let sealed = false;

  function attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (thrown) {
      throw stagingError(thrown, format, file);
    }
  }

  function seal(): void {
    if (sealed) return;
    attempt(() => {
      const highest = Number(db.prepare('SELECT max(coalesce(max(number), 0), 0) FROM instance').pluck().get());
      db.exec('COMMIT');
      // Numbers of the file stay; whoever has none gets one above them.
      db.exec(`CREATE TABLE numbering (highest INTEGER NOT NULL) STRICT; INSERT INTO numbering VALUES (${highest})`);
      db.exec('CREATE INDEX instance_image ON instance (image_key); CREATE INDEX image_position ON image (position)');
      // Mostly empty: what is asked of all rows, and true of few.
      db.exec('CREATE INDEX image_split ON image (position) WHERE split IS NOT NULL');
      db.exec('CREATE INDEX instance_unmeasured ON instance (image_key) WHERE area IS NULL');
    });
    sealed = true;
  }

  return {
    file,
    format,
    db,
    async settled() {
      if (!threaded) return;
      threaded = false;
      await rows.settled();
      attempt(() => {
        rows = directRows(db, format);
        db.exec('BEGIN');
      });
    },
    category({ key, name, color, inSource, source }: DatasetCategory) {
      rows.add('category', [key, ++counts.categories, name, color, inSource ? 1 : 0, source]);
    },
    image({ key, path, width, height, split, inSource, source }: DatasetImage) {
      rows.add('image', [key, ++counts.images, path, width, height, split, inSource ? 1 : 0, source]);
    },
    instance({ key, imageKey, categoryKey, crowd, source, measured, inSource, number = null, geometry: read }: DatasetInstance) {
      const geometry = inSource ? null : JSON.stringify(read);
      const form = (inSource ? FORM.inSource : 0) | (number === null ? FORM.renumbered : 0);
      const [x, y, width, height] = measured?.box ?? [null, null, null, null];
      const area = measured?.area ?? null;
      rows.addInstance([key, imageKey, categoryKey, number, crowd ? 1 : 0, form, geometry, area, x, y, width, height, source]);
      counts.instances++;
    },
    finding({ kind, what, id, reason, message }: Finding) {
      rows.add('finding', [kind, what, id, reason, message]);
      counts.findings++;
      const key = `${kind} ${reason}`;
      const known = kinds.get(key);
      if (known) known.count++;
      else kinds.set(key, { kind, reason, count: 1 });
    },
    rest(key, source) {
      rows.add('rest', [key, source]);
    },
    seal,
    counts: () => ({ ...counts }),
    findingCounts: () => [...kinds.values()].map((row) => ({ ...row })).sort((a, b) => b.count - a.count),
    findings({ kind, reason, search, offset, limit }) {
      const where =
        'FROM finding WHERE ($kind IS NULL OR kind = $kind) AND ($reason IS NULL OR reason = $reason)' +
        " AND ($search = '' OR instr(lower(id), $search) OR instr(lower(message), $search))";
      const wanted = { kind: kind ?? null, reason: reason ?? null, search: (search ?? '').toLowerCase() };
      return attempt(() => ({
        total: Number(db.prepare(`SELECT count(*) ${where}`).pluck().get(wanted)),
        rows: db
          .prepare<[object], Finding>(`SELECT kind, what, id, reason, message ${where} ORDER BY seq LIMIT $limit OFFSET $offset`)
          .all({ ...wanted, limit, offset }),
      }));
    },
    *images() {
      for (let position = 0; ;) {
        const rows = attempt(() => page.all(position));
        for (const row of rows) {
          position = row.position;
          yield row;
        }
        if (rows.length === 0) return;
      }
    },
    setSize(imageKey, width, height) {
      attempt(() => size.run(width, height, imageKey));
    },
    source({ projectName, folder }) {
      seal();
      return createStagedSource(db, { format, projectName, folder });
    },
    close() {
      db.close();
      rmSync(file, { force: true });
      rmSync(`${file}-journal`, { force: true });
    },
  };
}

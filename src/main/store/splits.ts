import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { SplitGroups } from '../../shared/answers/splits.ts';
import type { SplitOptions } from '../../shared/calls/splits.ts';
import { MOST_PARTS, splitOptionsSchema } from '../../shared/calls/splits.ts';
import { AppError } from '../../shared/errors.ts';
import type { Db } from './database.ts';

/** Which image is in which split; an image is in one at most. */
export interface Splits {
  of(imageId: number): string | null;
  /** By image id. */
  all(): { readonly imageId: number; readonly name: string }[];
  /** Puts images into splits. One that is in another split already is moved. */
  put(images: Iterable<readonly [imageId: number, name: string]>): void;
  /** Takes every image out of its split. */
  clear(): void;
  /** Hex digest of the whole division: equal when every image is where it was. */
  fingerprint(): string;
  /** Perceptual hash of a file's pixels by its content's digest, 16 bytes; null where it is not known yet. */
  hash(sha256: string): Uint8Array | null;
  keepHashes(made: readonly (readonly [sha256: string, hash: Uint8Array])[]): void;
}

/** The split of an image by a connection. */
export function splitReader(db: Db): (imageId: number) => string | null {
  const of = db.prepare<[number], string>('SELECT name FROM split WHERE image_id = ?').pluck();
  return (imageId) => of.get(imageId) ?? null;
}

/** Key of `meta` under which it is remembered how the images were divided. */
export const SPLIT_META = 'split';

/** What is remembered of a frozen split beside the images in it. */
export interface FrozenSplit {
  readonly options: SplitOptions;
  /** Milliseconds since 1970. */
  readonly madeAtMs: number;
  readonly fingerprint: string;
  readonly groups: SplitGroups | null;
}

const frozenSchema = z.object({
  options: splitOptionsSchema,
  madeAtMs: z.number(),
  fingerprint: z.string(),
  groups: z.unknown(),
});

/** What `meta` remembers of the split; null where none was made. Throws AppError `storage` where it cannot be read. */
export function parseFrozenSplit(text: string | null | undefined, file: string): FrozenSplit | null {
  if (!text) return null;
  const found = frozenSchema.safeParse(JSON.parse(text));
  if (!found.success) throw new AppError('storage', `${file}: what is remembered of the split is damaged.`, { file, key: SPLIT_META });
  return { ...found.data, groups: found.data.groups as SplitGroups | null };
}

/** A dataset's name of a split as the project has it: exports name files after it. */
export function splitName(name: string): string {
  return (
    name
      .replace(/^\.+|[/\\\p{Cc}]/gu, '_')
      .trim()
      .slice(0, 80) || '_'
  );
}

/** Names of the parts that the images are divided into; empty where they are not. */
export function splitNames(db: Db): string[] {
  const frozen = readFrozen(db);
  const used = db.prepare<[], string>('SELECT DISTINCT name FROM split').pluck().all();
  return [...new Set([...(frozen?.options.parts.map(({ name }) => name) ?? []), ...used])];
}

function readFrozen(db: Db): FrozenSplit | null {
  return parseFrozenSplit(db.prepare<[string], string>('SELECT value FROM meta WHERE key = ?').pluck().get(SPLIT_META), db.name);
}

function writeFrozen(db: Db, frozen: FrozenSplit | null): void {
  db.prepare('INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value').run(
    SPLIT_META,
    frozen === null ? '' : JSON.stringify(frozen),
  );
}

/**
 * Divides the images as a dataset says that was imported, and freezes that. Where the project's images are divided already that
 * stays, and only images in no part are put into one; a part that the project does not have is added, with no share. Must be
 * called inside the import's transaction. Answers with the part of each image that got one; with none where there would be too
 * many parts (`MOST_PARTS`), which is told when the import is planned.
 */
export function adoptSplits(
  db: Db,
  images: readonly { readonly imageId: number; readonly name: string }[],
  atMs: number,
): ReadonlyMap<number, string> {
  const given = new Map<number, string>();
  const before = splitNames(db);
  if (images.length === 0 || new Set([...before, ...images.map(({ name }) => splitName(name))]).size > MOST_PARTS) return given;
  const frozen = readFrozen(db);
  const intact = frozen !== null && fingerprintOf(db) === frozen.fingerprint;
  const put = db.prepare<[number, string]>('INSERT INTO split (image_id, name) VALUES (?, ?) ON CONFLICT DO NOTHING');
  const counts = new Map<string, number>();
  for (const { imageId, name } of images) {
    const kept = splitName(name);
    if (put.run(imageId, kept).changes === 0) continue;
    given.set(imageId, kept);
    counts.set(kept, (counts.get(kept) ?? 0) + 1);
  }
  if (given.size === 0) return given;
  if (frozen !== null) {
    const known = new Set(frozen.options.parts.map(({ name }) => name));
    const added = [...counts.keys()].filter((name) => !known.has(name)).map((name) => ({ name, share: 0 }));
    const options = { ...frozen.options, parts: [...frozen.options.parts, ...added] };
    // A division that somebody changed stays recognisable as changed.
    writeFrozen(db, { ...frozen, options, fingerprint: intact ? fingerprintOf(db) : frozen.fingerprint });
  } else if (before.length === 0) {
    const options = splitOptionsSchema.parse({ kind: 'imported', parts: [...counts].map(([name, share]) => ({ name, share })) });
    writeFrozen(db, { options, madeAtMs: atMs, fingerprint: fingerprintOf(db), groups: null });
  }
  return given;
}

/** Takes images out of the parts that they got from an import, if they still are in them. Answers with how many were. */
export function leaveSplits(db: Db, images: ReadonlyMap<number, string>): number {
  const frozen = readFrozen(db);
  const intact = frozen !== null && fingerprintOf(db) === frozen.fingerprint;
  const leave = db.prepare<[number, string]>('DELETE FROM split WHERE image_id = ? AND name = ?');
  let left = 0;
  for (const [imageId, name] of images) left += leave.run(imageId, name).changes;
  if (left === 0 || frozen === null) return left;
  const none = db.prepare('SELECT 1 FROM split LIMIT 1').get() === undefined;
  writeFrozen(
    db,
    none && frozen.options.kind === 'imported' ? null : { ...frozen, fingerprint: intact ? fingerprintOf(db) : frozen.fingerprint },
  );
  return left;
}

function fingerprintOf(db: Db): string {
  const digest = createHash('sha256');
  const rows = db.prepare<[], { imageId: number; name: string }>('SELECT image_id AS imageId, name FROM split ORDER BY image_id');
  for (const { imageId, name } of rows.iterate()) digest.update(`${imageId}\t${name}\n`);
  return digest.digest('hex');
}

export function createSplits(db: Db, write: <T>(work: () => T) => T): Splits {
  const all = db.prepare<[], { imageId: number; name: string }>('SELECT image_id AS imageId, name FROM split ORDER BY image_id');
  const put = db.prepare<[number, string]>(
    'INSERT INTO split (image_id, name) VALUES (?, ?) ON CONFLICT DO UPDATE SET name = excluded.name',
  );
  const clear = db.prepare('DELETE FROM split');
  const hash = db.prepare<[string], Buffer>('SELECT hash FROM image_hash WHERE sha256 = ?').pluck();
  const keepHash = db.prepare<[string, Uint8Array]>(
    'INSERT INTO image_hash (sha256, hash) VALUES (?, ?) ON CONFLICT DO UPDATE SET hash = excluded.hash',
  );
  return {
    of: splitReader(db),
    all: () => all.all(),
    put(images) {
      write(() => {
        for (const [imageId, name] of images) put.run(imageId, name);
      });
    },
    clear() {
      write(() => clear.run());
    },
    fingerprint: () => fingerprintOf(db),
    hash: (sha256) => hash.get(sha256) ?? null,
    keepHashes(made) {
      if (made.length === 0) return;
      write(() => {
        for (const [sha256, bytes] of made) keepHash.run(sha256, bytes);
      });
    },
  };
}

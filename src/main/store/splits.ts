import { createHash } from 'node:crypto';
import type { SplitGroups } from '../../shared/answers/splits.ts';
import type { SplitOptions } from '../../shared/calls/splits.ts';
import { MOST_PARTS, splitOptionsSchema } from '../../shared/calls/splits.ts';
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

/**
 * Divides the images as a dataset says that was imported, and freezes that; does nothing where the project's images are
 * divided already. Must be called inside the import's transaction. Answers with the number of images in a part.
 */
export function adoptSplits(db: Db, images: readonly { readonly imageId: number; readonly name: string }[], atMs: number): number {
  if (images.length === 0 || db.prepare('SELECT 1 FROM split LIMIT 1').get() !== undefined) return 0;
  const put = db.prepare<[number, string]>('INSERT INTO split (image_id, name) VALUES (?, ?) ON CONFLICT DO NOTHING');
  // More are no parts of a training set.
  if (new Set(images.map((image) => image.name)).size > MOST_PARTS) return 0;
  const counts = new Map<string, number>();
  for (const { imageId, name } of images) {
    // Exports name files after it.
    const kept =
      name
        .replace(/^\.+|[/\\\p{Cc}]/gu, '_')
        .trim()
        .slice(0, 80) || '_';
    if (put.run(imageId, kept).changes > 0) counts.set(kept, (counts.get(kept) ?? 0) + 1);
  }
  const options = splitOptionsSchema.parse({ kind: 'imported', parts: [...counts].map(([name, share]) => ({ name, share })) });
  const frozen: FrozenSplit = { options, madeAtMs: atMs, fingerprint: fingerprintOf(db), groups: null };
  db.prepare('INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value').run(
    SPLIT_META,
    JSON.stringify(frozen),
  );
  return images.length;
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

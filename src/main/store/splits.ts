import { createHash } from 'node:crypto';
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
    fingerprint() {
      const digest = createHash('sha256');
      for (const { imageId, name } of all.iterate()) digest.update(`${imageId}\t${name}\n`);
      return digest.digest('hex');
    },
    hash: (sha256) => hash.get(sha256) ?? null,
    keepHashes(made) {
      if (made.length === 0) return;
      write(() => {
        for (const [sha256, bytes] of made) keepHash.run(sha256, bytes);
      });
    },
  };
}

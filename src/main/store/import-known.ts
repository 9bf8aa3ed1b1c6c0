import { basename } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { ImportSplit } from '../../shared/calls/imports.ts';
import { MOST_PARTS } from '../../shared/calls/splits.ts';
import type { Db } from './database.ts';
import { splitName, splitNames, splitReader } from './splits.ts';
import type { Staging } from './staging.ts';

/** What a project already says of the images of a dataset that was read: their splits, and the records of earlier imports. */
export interface KnownImages {
  splitOf(imageId: number): string | null;
  /** Names of the parts that the project's images are divided into. */
  readonly splits: readonly string[];
  /** The record that counts for an image, of the first import that has one and was not taken back. */
  recordOf(imageId: number): { readonly file: string; readonly text: string | null } | null;
}

/** By a connection that sees the project at one moment. */
export function knownImages(db: Db): KnownImages {
  const record = db.prepare<[number], { file: string; text: string | null }>(
    `SELECT i.file, p.text FROM import_image p JOIN import i ON i.id = p.import_id
    WHERE p.image_id = ? AND p.undone = 0 ORDER BY p.import_id LIMIT 1`,
  );
  // A first import has nothing to look up, image by image.
  const some = db.prepare('SELECT 1 FROM import_image LIMIT 1').get() !== undefined;
  return { splitOf: splitReader(db), splits: splitNames(db), recordOf: (imageId) => (some ? record.get(imageId) : undefined) ?? null };
}

/** How it is told that an image has a record already, of which an export writes the id and the keys, and not this one's. */
export function recordTeller(staging: Staging, known: KnownImages): (imageId: number, imageKey: number) => void {
  const own = staging.db.prepare<[number], { path: string; text: string | null }>('SELECT path, source AS text FROM image WHERE key = ?');
  return (imageId, imageKey) => {
    const first = known.recordOf(imageId);
    const mine = first && own.get(imageKey);
    if (!first || !mine || first.text === mine.text) return;
    const [theirs, ours] = [parsed(first.text), parsed(mine.text)];
    if (isDeepStrictEqual(theirs, ours)) return;
    const from = `its record of ${basename(first.file)}, imported before`;
    const [was, is] = [idOf(theirs), idOf(ours)];
    const message =
      was !== is
        ? `${mine.path}: it keeps ${from}, with ${was === null ? 'no id' : `the id ${was}`}; ${is === null ? 'no id' : `the id ${is}`} of this one is not kept.`
        : `${mine.path}: it keeps ${from}; what this one says differently is not kept.`;
    staging.finding({ kind: 'kept', what: 'image', id: mine.path, reason: 'image-known', message });
  };
}

/** Texts of files that are no JSON to the letter (NaN) are compared as they stand. */
function parsed(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function idOf(record: unknown): string | null {
  if (typeof record !== 'object' || record === null || !('id' in record)) return null;
  return JSON.stringify(record.id);
}

const PAGE = 500;

/**
 * What becomes of the splits of a dataset, by name: images that the project has in no part get theirs, all others stay where
 * they are, which is told where that is another. Must come after images were matched.
 */
export function planSplits({ staging, known }: { readonly staging: Staging; readonly known: KnownImages }): ImportSplit[] {
  const { db } = staging;
  const found = new Map<string, { name: string; images: number; applied: number; kept: number }>();
  const names = db
    .prepare<[], string>(
      'SELECT DISTINCT split FROM image i JOIN target t ON t.image_key = i.key WHERE split IS NOT NULL ORDER BY position',
    )
    .pluck()
    .all();
  const tooMany = new Set([...known.splits, ...names.map(splitName)]).size > MOST_PARTS;
  if (tooMany) {
    const message = `It is divided into ${names.length} parts; with those of the project that is more than ${MOST_PARTS}, so they are not taken.`;
    staging.finding({ kind: 'refused', what: 'file', id: 'splits', reason: 'too-many-splits', message });
  }
  for (const name of names) {
    const part = splitName(name);
    if (tooMany || known.splits.length === 0 || known.splits.includes(part)) continue;
    const message = `The project is divided into ${known.splits.join(', ')}; “${part}” is added, for images that are in none of them.`;
    staging.finding({ kind: 'kept', what: 'file', id: name, reason: 'split-added', message });
  }
  const page = db.prepare<[number], { position: number; imageId: number; path: string; split: string }>(
    `SELECT i.position, t.image_id AS imageId, i.path, i.split FROM image i JOIN target t ON t.image_key = i.key
    WHERE i.split IS NOT NULL AND i.position > ? ORDER BY i.position LIMIT ${PAGE}`,
  );
  /** Of images that several records are of, and in several splits: the first counts. */
  const several = db
    .prepare<[], number>(
      'SELECT t.image_id FROM image i JOIN target t ON t.image_key = i.key WHERE i.split IS NOT NULL GROUP BY t.image_id HAVING count(DISTINCT i.split) > 1',
    )
    .pluck()
    .all();
  const chosen = new Map<number, string | null>(several.map((imageId) => [imageId, known.splitOf(imageId)]));
  for (let after = -1; ;) {
    const rows = page.all(after);
    for (const { position, imageId, path, split } of rows) {
      after = position;
      const part = splitName(split);
      const now = chosen.get(imageId) ?? known.splitOf(imageId);
      const entry = found.get(split) ?? { name: split, images: 0, applied: 0, kept: 0 };
      found.set(split, entry);
      entry.images++;
      if (tooMany || now === part) continue;
      if (now === null) {
        entry.applied++;
        if (chosen.has(imageId)) chosen.set(imageId, part);
        continue;
      }
      entry.kept++;
      const message = `${path}: it stays in the split “${now}”; the dataset has it in “${split}”.`;
      staging.finding({ kind: 'kept', what: 'image', id: path, reason: 'split-differs', message });
    }
    if (rows.length < PAGE) break;
  }
  return [...found.values()];
}

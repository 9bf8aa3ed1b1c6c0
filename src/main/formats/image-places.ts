import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, relative } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import { pictureStems } from '../render-files.ts';
import type { DatasetSource } from './dataset.ts';
import type { ImageFiles } from './folder.ts';

/** Where the images of a dataset lie, for formats that only name them, and where a written dataset puts them. */

/** Where a dataset lies below the folder of the images, with a `/` at its end; empty where it does not lie there. */
export function placeBelow(images: string, root: string): string {
  const inside = relative(images, root).replaceAll('\\', '/');
  return inside === '' || inside.startsWith('..') || isAbsolute(inside) ? '' : inside + '/';
}

/** The first of these paths at which an image lies, else the only one with the name of the last; null for none or several. */
export function imageAt(files: ImageFiles, candidates: readonly string[]): string | null {
  const there = candidates.find((each) => files.find(each) === each);
  return there ?? files.find(candidates.at(-1) ?? '');
}

/** The same for paths without an ending. */
export function imageAtStem(files: ImageFiles, candidates: readonly string[]): string | null {
  for (const each of candidates) {
    const found = files.findStem(each);
    if (found?.startsWith(each + '.')) return found;
  }
  return files.findStem(candidates.at(-1) ?? '');
}

/** A split as files and folders call it, by the names the studio has for the usual three; null for none. */
export function splitName(name: string): string | null {
  const lower = name.toLowerCase();
  const known: Readonly<Record<string, string>> = { training: 'train', valid: 'val', validation: 'val', testing: 'test' };
  if (['', 'default', 'all', 'trainval'].includes(lower)) return null;
  return known[lower] ?? (['train', 'val', 'test'].includes(lower) ? lower : name);
}

/** What a written dataset calls an image below its folder of images, and the same without ending, for annotation files. */
export interface WrittenName {
  readonly path: string;
  /** Unique in any case of letters. */
  readonly stem: string;
}

/** The images' own paths, without `prefix` where all have it: a dataset that is read and written again keeps its folders. */
export function writtenNames(source: DatasetSource, prefix: string): Map<number, WrittenName> {
  const paths: { id: number; path: string }[] = [];
  let all = true;
  for (const { id, path } of source.images()) {
    paths.push({ id, path });
    all &&= path.startsWith(prefix) && path.length > prefix.length;
  }
  const cut = all ? prefix.length : 0;
  const short = paths.map(({ id, path }) => ({ id, path: path.slice(cut) }));
  const stems = pictureStems(short);
  return new Map(short.map(({ id, path }) => [id, { path, stem: stems.get(id) ?? path }]));
}

/** A file's whole content. Throws AppError `io`, naming it, also where it is larger than `most` bytes. */
export async function readWhole(path: string, most = 1 << 28): Promise<Buffer> {
  try {
    if ((await stat(path)).size <= most) return await readFile(path);
  } catch (cause) {
    throw new AppError('io', `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { path }, cause);
  }
  throw new AppError('io', `${path} is larger than ${most >> 20} MB, more than such a file ever is.`, { path });
}

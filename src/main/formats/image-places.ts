import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, relative } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import type { Finding } from '../../shared/formats.ts';
import type { Box, Geometry } from '../../shared/records.ts';
import { pictureStems } from '../render-files.ts';
import { checkGeometry } from '../store/geometry-check.ts';
import type { DatasetSource } from './dataset.ts';
import type { ImageFiles } from './folder.ts';
import type { Size } from './orientation.ts';

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

/** A path as a file says it, without what leads out of its dataset: drives, roots, `..`. Empty where nothing is left. */
export function insidePath(said: string): string {
  const parts: string[] = [];
  for (const part of said
    .replaceAll('\\', '/')
    .replace(/^[A-Za-z]:\//, '')
    .split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part.replaceAll('\0', '_'));
  }
  return parts.join('/');
}

/** Coordinates that no image has; the bound where nobody knows the size. */
const LARGEST = 65_500;

/** Why geometry cannot belong to its image, or null; without a size only what no image could hold. */
export function impossible(geometry: Geometry, size: Size | null): string | null {
  try {
    checkGeometry('', geometry, size?.width ?? LARGEST, size?.height ?? LARGEST);
    return null;
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    return thrown.message.replace(/^Annotation : /, '');
  }
}

/**
 * What is wrong with where a shape lies on its image: far outside it is refused, as the store would; a little outside is kept.
 * Null where nothing is, and where nobody knows the size.
 */
export function placeProblem(geometry: Geometry, size: Size | null): Pick<Finding, 'kind' | 'reason' | 'message'> | null {
  if (geometry.kind === 'mask') return null;
  const wrong = impossible(geometry, size);
  if (wrong !== null) return { kind: 'refused', reason: 'far-outside', message: `Its place is not on the image: ${wrong}` };
  if (!size) return null;
  const points = geometry.kind === 'box' ? cornersOf(geometry.box) : geometry.parts.flatMap((part) => [...part.outer]);
  const far = points.reduce((most, value, i) => Math.max(most, -value, value - (i % 2 === 0 ? size.width : size.height)), 0);
  if (far <= EDGE) return null;
  return {
    kind: 'kept',
    reason: 'outside-image',
    message: `It reaches ${Math.round(far * 100) / 100} px out of its ${size.width} × ${size.height} image.`,
  };
}

/** As much outside is rounding. */
const EDGE = 1;

function cornersOf([x, y, width, height]: Box): number[] {
  return [x, y, x + width, y + height];
}

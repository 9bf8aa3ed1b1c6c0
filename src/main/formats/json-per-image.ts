import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { ReadOptions } from './dataset.ts';
import type { ImageFiles } from './folder.ts';
import { datasetPath, listFiles, readJson } from './folder.ts';
import { imageAt } from './image-places.ts';

/** What formats with one JSON file an image have in common (LabelMe, ISAT): a file or a folder of them, each beside its image. */

/** A file of more bytes is a dataset of its own, not one image's shapes. */
const MOST_BYTES = 1 << 26;
/** Files that are looked at to know a format. */
const LOOKED_AT = 5;

/** The files of a place: it alone, or all below it, relative to `root`. Throws AppError `io`; the signal's reason. */
export async function jsonFiles(
  place: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly root: string; readonly files: readonly string[]; readonly single: boolean }> {
  const single = await isFile(place);
  const root = resolve(single ? dirname(place) : place);
  return { root, files: single ? [basename(place)] : await listFiles(root, ['.json'], signal), single };
}

async function isFile(place: string): Promise<boolean> {
  return (await stat(place).catch(() => null))?.isFile() === true;
}

/** Where the image of a file is: `said`, as a path of the dataset, and what was found there or beside the file by that name; null for nothing. */
export function namedImage(
  images: ImageFiles,
  options: ReadOptions,
  file: string,
  folder: string,
  name: string,
): { readonly said: string; readonly found: string | null } {
  const said = datasetPath(options.images, folder, name);
  const beside = join(dirname(file), basename(said)).replaceAll('\\', '/');
  return { said, found: imageAt(images, [said, beside, said]) };
}

/** How much a place looks like a format, 0 to 1: the mean of what `alike` says of the first files. */
export async function likeness(place: string, alike: (value: unknown) => number): Promise<number> {
  try {
    const single = (await stat(place)).isFile();
    if (single && !place.toLowerCase().endsWith('.json')) return 0;
    const files = single ? [''] : (await listFiles(place, ['.json'])).slice(0, LOOKED_AT);
    let sum = 0;
    for (const file of files) {
      const path = join(place, file);
      if ((await stat(path)).size <= MOST_BYTES) sum += alike(await readJson(path).catch(() => null));
    }
    return files.length === 0 ? 0 : sum / files.length;
  } catch {
    return 0;
  }
}

import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PixelSize } from '../shared/contract.ts';
import type { ImageRecord } from '../shared/records.ts';
import { displayable, thumbnail } from './inference/pixels.ts';
import { pathOf } from './jobs.ts';
import { makeFolder } from './make-folder.ts';

/** What the window is shown, as bytes or as a file to be streamed, with its media type. */
export interface PixelBytes {
  readonly body: Buffer | { readonly path: string };
  readonly type: string;
}

/** Longest side of a thumbnail. */
const THUMB_PX = 256;

/**
 * Reads the pixels of an image of the project: in its own size, or as a thumbnail that is kept by
 * the content's hash. Originals are only read. Throws AppError `not-found`, `unsupported` or `io`
 * with the file's path, and `invalid` where a project file names a path outside its folder.
 */
export async function readPixels(folder: string, cache: string, image: ImageRecord, size: PixelSize): Promise<PixelBytes> {
  const file = pathOf(folder, image);
  if (size === 'full') {
    const shown = await displayable(file);
    return { type: shown.type, body: shown.kind === 'file' ? { path: shown.path } : shown.bytes };
  }
  const kept = image.sha256 === '' ? null : join(cache, 'thumbs', image.sha256.slice(0, 2), `${image.sha256}.webp`);
  if (kept !== null && existsSync(kept)) return { type: 'image/webp', body: await readFile(kept) };
  const body = await thumbnail(file, THUMB_PX);
  if (kept !== null) await keep(kept, body);
  return { type: 'image/webp', body };
}

let writes = 0;

/** A thumbnail that cannot be kept is made again next time: no reason to fail. */
async function keep(file: string, body: Buffer): Promise<void> {
  const partial = `${file}.${process.pid}-${++writes}.partial`;
  try {
    makeFolder(dirname(file));
    await writeFile(partial, body);
    await rename(partial, file);
  } catch (thrown) {
    if (!(thrown instanceof Error && 'code' in thrown)) throw thrown;
  }
}

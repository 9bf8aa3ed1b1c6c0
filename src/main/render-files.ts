import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { AppError } from '../shared/errors.ts';
import type { ImageRecord } from '../shared/records.ts';
import { makeFolder } from './make-folder.ts';

/** The pictures that a job writes into one folder. */
export interface PictureFiles {
  /** Relative to the folder, with `/`, in the order they were written. */
  readonly written: readonly string[];
  /** Whether a file of this name is there that may not be replaced. */
  isTaken(name: string): boolean;
  /**
   * Writes under a temporary name, then renames: nobody sees half a picture. Throws AppError `conflict` for a
   * taken name and `io`, naming the file.
   */
  write(name: string, bytes: Uint8Array): Promise<void>;
}

export function createPictureFiles(out: string, overwrite: boolean): PictureFiles {
  const written: string[] = [];
  const isTaken = (name: string): boolean => !overwrite && existsSync(join(out, name));
  return {
    written,
    isTaken,
    async write(name, bytes) {
      const path = join(out, name);
      if (isTaken(name)) throw new AppError('conflict', takenReason(name), { path });
      const partial = join(dirname(path), `.${randomUUID().slice(0, 8)}.partial`);
      try {
        makeFolder(dirname(path));
        await writeFile(partial, bytes, { flag: 'wx' });
        await rename(partial, path);
      } catch (thrown) {
        // Where its folder could not be made, there is nothing to remove, and that is an error of its own.
        await rm(partial, { force: true }).catch(() => undefined);
        throw new AppError(
          'io',
          `${path} cannot be written: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
          { path },
          thrown,
        );
      }
      written.push(name);
    },
  };
}

export function takenReason(name: string): string {
  return `${name} is there already and was left as it is`;
}

/**
 * Names for the pictures made from images: the image's path without its ending, unless two images would
 * then be called the same (`a.jpg` and `a.png`), in any spelling of upper and lower case; those keep it.
 */
export function pictureStems(images: Iterable<Pick<ImageRecord, 'id' | 'path'>>): Map<number, string> {
  const stems = new Map<string, number>();
  const all = [...images].map(({ id, path }) => ({ id, path, stem: path.slice(0, path.length - posix.extname(path).length) }));
  for (const { stem } of all) stems.set(stem.toLowerCase(), (stems.get(stem.toLowerCase()) ?? 0) + 1);
  return new Map(all.map(({ id, path, stem }) => [id, (stems.get(stem.toLowerCase()) ?? 0) > 1 ? path : stem]));
}

/** Whether an image's path is meant by a pattern: `*.jpg` in any folder, `train/*.jpg` and `**` by path. Null means all. */
export function isMeant(path: string, pattern: string | null): boolean {
  if (pattern === null) return true;
  return posix.matchesGlob(pattern.includes('/') ? path : posix.basename(path), pattern);
}

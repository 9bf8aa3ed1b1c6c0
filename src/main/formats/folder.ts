import type { Dirent } from 'node:fs';
import { constants } from 'node:fs';
import { copyFile, link, mkdir, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, extname, isAbsolute, join, posix, relative, resolve } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import type { ImageRecord } from '../../shared/records.ts';
import { IMAGE_EXTENSIONS } from '../inference/pixels.ts';
import type { DatasetSource, ReadOptions, WriteOptions } from './dataset.ts';

/** Files of datasets that are folders: what lies there, and where an image is that a file speaks of. */

/** Folders deeper than this are not looked into: a dataset is never so deep, a mistake is. */
const DEEPEST = 24;

/**
 * The files below a folder whose names end in one of `extensions` (lower case, with the dot), relative to it, with `/`,
 * sorted. Hidden files and folders are left out; links are followed, each folder once.
 * Throws AppError `io` where a folder cannot be read; the signal's reason when aborted.
 */
export async function listFiles(root: string, extensions: readonly string[], signal?: AbortSignal): Promise<string[]> {
  const found: string[] = [];
  const seen = new Set<string>();
  const wanted = new Set(extensions);
  const visit = async (folder: string, prefix: string, depth: number): Promise<void> => {
    signal?.throwIfAborted();
    let entries: Dirent[];
    try {
      const real = await realpath(folder);
      if (seen.has(real)) return;
      seen.add(real);
      entries = await readdir(folder, { withFileTypes: true });
    } catch (cause) {
      throw unreadable(folder, cause);
    }
    for (const entry of entries) {
      if (entry.name.startsWith('.')) continue;
      const path = prefix + entry.name;
      let directory = entry.isDirectory();
      let file = entry.isFile();
      if (entry.isSymbolicLink()) {
        const target = await stat(join(folder, entry.name)).catch(() => null);
        directory = target?.isDirectory() === true;
        file = target?.isFile() === true;
      }
      if (directory && depth < DEEPEST) await visit(join(folder, entry.name), path + '/', depth + 1);
      else if (file && wanted.has(extname(entry.name).toLowerCase())) found.push(path);
    }
  };
  await visit(root, '', 0);
  return found.sort(compareText);
}

/** By code units: the same order on every machine. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A path without the ending of its file's name. */
export function stemOf(path: string): string {
  return path.slice(0, path.length - extname(path).length);
}

/** The image files below a folder, to be found by what annotation files say of them. */
export interface ImageFiles {
  /** Relative to the folder, with `/`, sorted. */
  readonly paths: readonly string[];
  /** The file with this path, else the only one with its name in any folder; null for none or several. */
  find(path: string): string | null;
  /** The same, whatever the file's ending is. */
  findStem(stem: string): string | null;
}

/** The images that a reading is about: those it was told, else those in its folder. Throws as `listFiles`. */
export async function imagesOf(options: Pick<ReadOptions, 'images' | 'files' | 'signal'>): Promise<ImageFiles> {
  return options.files ?? (await listImages(options.images, options.signal));
}

/** Throws as `listFiles`. */
export async function listImages(root: string, signal?: AbortSignal): Promise<ImageFiles> {
  return imageFiles(await listFiles(root, IMAGE_EXTENSIONS, signal));
}

/** The same for paths that are known already. */
export function imageFiles(paths: readonly string[]): ImageFiles {
  const all = new Set(paths);
  const byName = groupBy(paths, (path) => basename(path));
  const byStem = groupBy(paths, stemOf);
  const byStemName = groupBy(paths, (path) => stemOf(basename(path)));
  const only = (found: readonly string[] | undefined): string | null => (found?.length === 1 ? (found[0] ?? null) : null);
  return {
    paths,
    find: (path) => (all.has(path) ? path : only(byName.get(basename(path)))),
    findStem: (stem) => byStem.get(stem)?.[0] ?? only(byStemName.get(basename(stem))),
  };
}

function groupBy(paths: readonly string[], key: (path: string) => string): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const path of paths) {
    const name = key(path);
    const group = groups.get(name);
    if (group) group.push(path);
    else groups.set(name, [path]);
  }
  return groups;
}

/**
 * The path of an image in its dataset: as `said` by a file that lies in `folder`, relative to the folder `images` of the
 * images; else without what leads out of it. `\` counts as `/`: LabelMe writes it on Windows.
 */
export function datasetPath(images: string, folder: string, said: string): string {
  const path = said.replaceAll('\\', '/');
  if (/^[A-Za-z]:\//.test(path)) return basename(path);
  const inside = relative(images, resolve(folder, path)).replaceAll('\\', '/');
  if (inside !== '' && !isAbsolute(inside) && !inside.startsWith('..')) return inside;
  return isAbsolute(path) ? basename(path) : posix.normalize(path).replace(/^(?:\.{1,2}(?:\/+|$))+/, '');
}

/** The text of a file. Throws AppError `io`, naming it. */
export async function readText(path: string): Promise<string> {
  try {
    const text = await readFile(path, 'utf8');
    return text.startsWith('\uFEFF') ? text.slice(1) : text;
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** The value of a JSON file. Throws AppError `io`, or `invalid` where it is not JSON, naming the file. */
export async function readJson(path: string): Promise<unknown> {
  const text = await readText(path);
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch (cause) {
    throw new AppError('invalid', `${path} is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, { path }, cause);
  }
}

/**
 * Puts an image beside the annotations: a hard link where that is wanted and the disk can, else a copy (of the blocks where
 * the disk can). Throws AppError `io`, naming both.
 */
export async function putImage(from: string, to: string, how: 'copy' | 'link'): Promise<void> {
  try {
    await mkdir(dirname(to), { recursive: true });
    if (how === 'link') {
      try {
        await link(await realpath(from), to);
        return;
      } catch (cause) {
        // Another disk, a file system without links, or too many of them: a copy is as good.
        if (codeOf(cause) === 'ENOENT' || codeOf(cause) === 'EEXIST') throw cause;
      }
    }
    await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  } catch (cause) {
    throw new AppError('io', `${from} cannot be put at ${to}: ${wordOf(cause)}`, { from, to }, cause);
  }
}

/**
 * Puts the file of an image at `to` as the options of a writer say. Answers whether it was put there, false where it stays
 * where it is. Throws AppError `io` where it is wanted and not there, or cannot be put.
 */
export async function placeImage(
  source: Pick<DatasetSource, 'fileOf'>,
  image: ImageRecord,
  how: WriteOptions['images'],
  to: string,
): Promise<boolean> {
  if (how === 'leave') return false;
  const from = source.fileOf(image);
  if (from === null) {
    throw new AppError('io', `${image.path} cannot be copied: its file is not there. Leave the images, or bring it back.`, {
      path: image.path,
    });
  }
  await putImage(from, to, how);
  return true;
}

function unreadable(path: string, cause: unknown): AppError {
  return new AppError('io', `${path} cannot be read: ${wordOf(cause)}`, { path }, cause);
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : '';
}

function wordOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

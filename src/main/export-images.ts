import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { copyFile, link, mkdir, open, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ExportProgress, ExportReport } from '../shared/answers.ts';
import { AppError } from '../shared/errors.ts';
import type { Finding } from '../shared/formats.ts';
import type { ImageRecord } from '../shared/records.ts';
import type { Breath } from './formats/breath.ts';
import type { DatasetSource } from './formats/dataset.ts';
import type { CocoSource } from './formats/coco-source.ts';
import { cocoText, valueOf } from './formats/coco-text.ts';

/** Where an export keeps image files; names in its annotations are below it. */
export const IMAGES_FOLDER = 'images';

export type ImageFiles = ExportReport['imageFiles'];
type Tell = (finding: Finding) => void;

/**
 * Names of all images below `images/`, each once: the one an image was imported with where that leads nowhere else and no
 * other image has it, else its path in the project. Systems that don't tell upper from lower case are thought of.
 */
export async function imageNames(source: CocoSource, breath: Breath, tell: Tell): Promise<Map<number, string>> {
  const names = new Map<number, string>();
  const taken = new Set<string>();
  const fold = (name: string): string => name.normalize('NFC').toLowerCase();
  for (const { id, path } of source.images()) {
    if (breath.due()) await breath.take();
    const text = cocoText(source.sourceOf?.('image', id) ?? null);
    const quoted = text === null ? null : valueOf(text, 'file_name');
    const imported = quoted?.startsWith('"') === true ? String(JSON.parse(quoted)) : null;
    const dot = path.lastIndexOf('.');
    const numbered = `${path.slice(0, dot < 0 ? undefined : dot)}-${id}${dot < 0 ? '' : path.slice(dot)}`;
    const wanted = imported === null ? [path, numbered] : [imported, path, numbered];
    const name = wanted.find((candidate) => isInside(candidate) && !taken.has(fold(candidate))) ?? `image-${id}`;
    if (name !== wanted[0]) {
      const message = `${wanted[0] ?? path} cannot be the name of a file of its own in the export; it is called ${name}.`;
      tell({ kind: 'repaired', what: 'image', id: imported ?? path, reason: 'file-name-changed', message });
    }
    taken.add(fold(name));
    names.set(id, name);
  }
  return names;
}

/** A relative path with `/` that stays in its folder, on every platform. */
function isInside(name: string): boolean {
  return name !== '' && !/[\\:\0]/.test(name) && !name.split('/').some((part) => part === '' || part === '.' || part === '..');
}

export interface PlaceOptions {
  /** Absolute folder of the export, where an earlier one may have left the same images. */
  readonly out: string;
  /** Absolute folder of the files that get their places later. */
  readonly staging: string;
  readonly how: 'copy' | 'link';
  readonly names: ReadonlyMap<number, string>;
  readonly leftOut: ReadonlySet<number>;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ExportProgress) => void) | undefined;
}

/**
 * Puts the files of all images that are in the export below `staging/images`, as copies or hard links (a copy where the
 * disk cannot link). A file that is there already and is the same stays. Throws AppError `conflict` where another file has
 * the place: an image is never written over; Node's errors of the disk; the signal's reason.
 */
export async function placeImages(
  source: CocoSource & Partial<Pick<DatasetSource, 'fileOf'>>,
  options: PlaceOptions,
  tell: Tell,
): Promise<ImageFiles> {
  const files = { copied: 0, linked: 0, present: 0, bytes: 0 };
  let done = 0;
  let total = 0;
  for (const { id } of source.images()) if (!options.leftOut.has(id)) total++;
  const made = new Set<string>();
  for (const image of source.images()) {
    if (options.leftOut.has(image.id)) continue;
    options.signal?.throwIfAborted();
    const name = options.names.get(image.id) ?? image.path;
    const from = source.fileOf ? source.fileOf(image) : join(source.folder, image.path);
    const size = from === null ? null : await stat(from).catch(() => null);
    if (from === null || size === null) {
      const message = `${image.path}: the file is not there; only its annotations are in the export.`;
      tell({ kind: 'lost', what: 'image', id: image.path, reason: 'image-missing', message });
    } else {
      const target = join(options.staging, IMAGES_FOLDER, name);
      if (await isThere(image, from, join(options.out, IMAGES_FOLDER, name))) files.present++;
      else {
        if (!made.has(dirname(target))) await mkdir(dirname(target), { recursive: true });
        made.add(dirname(target));
        const linked = options.how === 'link' && (await linkFile(from, target));
        if (!linked) await copy(from, target);
        files[linked ? 'linked' : 'copied']++;
      }
      files.bytes += size.size;
      if (image.bytes > 0 && size.size !== image.bytes) {
        const message = `${image.path} changed after the folder was looked through: ${size.size} bytes instead of ${image.bytes}.`;
        tell({ kind: 'kept', what: 'image', id: image.path, reason: 'image-changed', message });
      }
    }
    options.onProgress?.({ stage: 'images', done: ++done, total });
  }
  return files;
}

async function isThere(image: ImageRecord, from: string, place: string): Promise<boolean> {
  const found = await stat(place).catch(() => null);
  if (!found) return false;
  const own = await stat(from);
  if (found.ino === own.ino && found.dev === own.dev) return true;
  if (found.isFile() && found.size === own.size && (await hashOf(place)) === (image.sha256 === '' ? await hashOf(from) : image.sha256))
    return true;
  throw new AppError('conflict', `${place} is there already and is another file than ${image.path}. Choose an empty folder.`, {
    path: image.path,
    place,
  });
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Whether the disk could. */
async function linkFile(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC') throw cause;
    return false;
  }
}

async function copy(from: string, to: string): Promise<void> {
  // Shares the blocks where the file system can.
  await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  const handle = await open(to, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { opendir, realpath, stat } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ScanProgress } from '../shared/answers.ts';
import { AppError } from '../shared/errors.ts';
import { IMAGE_EXTENSIONS, readHeader } from './inference/pixels.ts';
import type { KnownFile, ScannedFile } from './store/images.ts';
import { naturalKey } from './store/natural-order.ts';
import type { Store } from './store/store.ts';

export interface ScanReport {
  readonly found: number;
  readonly added: number;
  readonly changed: number;
  readonly moved: number;
  readonly missing: number;
  readonly broken: number;
  /** Folders that could not be read; what was known of them is left as it was. */
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[];
}

export interface ScanOptions {
  readonly folder: string;
  readonly store: Store;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ScanProgress) => void;
  /** Rows that are new or changed; called after their transaction. */
  readonly onRows: (imageIds: readonly number[]) => void;
}

/** Kinds of picture that are listed, with their reason, though they cannot be used. */
const OTHER_PICTURES = ['.bmp', '.heic', '.heif', '.jp2', '.jxl', '.psd', '.mpo', '.apng', '.ppm', '.pgm', '.pnm', '.tga', '.ico'];
const LISTED = new Set([...IMAGE_EXTENSIONS, ...OTHER_PICTURES]);
/** Files read at once, and files written in one transaction. */
const AT_ONCE = 4;
const BATCH = 64;

interface Entry {
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
  /** Why it could not even be looked at, or null. */
  readonly reason: string | null;
}

/**
 * Brings the project up to date with its folder. A file whose size and time are as remembered is not
 * read again. A new path with the content (SHA-256) of a file that is gone is that file, moved. What
 * is gone stays listed as missing. Files that are no picture we read are listed with their reason.
 * Nothing known is ever dropped. Symbolic links are followed, each real folder once; hidden files and
 * folders are left out. Throws AppError `cancelled`, and `not-found` where the folder is not there.
 */
export async function scanFolder(options: ScanOptions): Promise<ScanReport> {
  const { folder, store, signal, onProgress, onRows } = options;
  const unreadable: { path: string; reason: string }[] = [];
  const entries: Entry[] = [];
  let read = 0;
  let broken = 0;
  const report = (done: boolean): void => onProgress({ folder, found: entries.length, read, broken, done });

  const listed = new Set<string>();
  for await (const entry of walk(folder, '', new Set(), unreadable)) {
    signal.throwIfAborted();
    // Names that are no UTF-8 are read alike where they differ only in what cannot be read.
    if (listed.has(entry.path)) continue;
    listed.add(entry.path);
    entries.push(entry);
    if (entries.length % 500 === 0) report(false);
  }
  const keys = new Map(entries.map((e) => [e, naturalKey(e.path)]));
  entries.sort((a, b) => compare(keys.get(a) ?? '', keys.get(b) ?? '') || compare(a.path, b.path));
  keys.clear();

  const known = new Map(store.images.known().map((file) => [file.path, file]));
  const gone = new Set([...known.values()].filter((k) => !listed.has(k.path) && !unreadable.some((u) => inside(k.path, u.path))));
  const goneByHash = new Map<string, KnownFile[]>();
  for (const file of gone) {
    if (file.sha256 === '' || file.bytes === 0) continue;
    const same = goneByHash.get(file.sha256);
    if (same) same.push(file);
    else goneByHash.set(file.sha256, [file]);
  }
  const changedEntries = entries.filter((e) => {
    const was = known.get(e.path);
    return !was || was.missing || was.bytes !== e.bytes || was.modifiedMs !== e.modifiedMs || (was.sha256 === '' && e.reason === null);
  });
  read = entries.length - changedEntries.length;
  report(false);

  let added = 0;
  let changed = 0;
  let moved = 0;
  for (let start = 0; start < changedEntries.length; start += BATCH) {
    const files = await readAll(folder, changedEntries.slice(start, start + BATCH), signal);
    const ids = store.write(() => {
      const touched: number[] = [];
      const fresh: ScannedFile[] = [];
      for (const file of files) {
        const was = known.get(file.path);
        const from = was ? undefined : takeMoved(goneByHash, file);
        if (was) {
          store.images.refresh(was.id, file);
          if (was.sha256 !== file.sha256) changed++;
          touched.push(was.id);
        } else if (from) {
          store.images.move(from.id, file.path, file.modifiedMs);
          gone.delete(from);
          moved++;
          touched.push(from.id);
        } else {
          fresh.push(file);
        }
      }
      touched.push(...store.images.add(fresh));
      added += fresh.length;
      return touched;
    });
    read += files.length;
    broken += files.filter((f) => f.error !== null).length;
    onRows(ids);
    report(false);
  }
  const lost = [...gone].filter((file) => !file.missing);
  store.images.markMissing(lost.map((file) => file.id));
  if (lost.length > 0) onRows(lost.map((file) => file.id));
  broken = store.images.summary().broken;
  report(true);
  return { found: entries.length, added, changed, moved, missing: gone.size, broken, unreadable };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function inside(path: string, folder: string): boolean {
  return folder === '' || path.startsWith(`${folder}/`);
}

/** The missing file that this one is; one of the same name first. */
function takeMoved(goneByHash: Map<string, KnownFile[]>, file: ScannedFile): KnownFile | undefined {
  const candidates = file.sha256 === '' ? undefined : goneByHash.get(file.sha256);
  if (!candidates) return undefined;
  const name = file.path.slice(file.path.lastIndexOf('/') + 1);
  const same = candidates.findIndex((c) => c.path === name || c.path.endsWith(`/${name}`));
  return candidates.splice(Math.max(0, same), 1)[0];
}

async function* walk(
  root: string,
  relative: string,
  visited: Set<string>,
  unreadable: { path: string; reason: string }[],
): AsyncGenerator<Entry> {
  const folder = join(root, relative);
  const folders: string[] = [];
  try {
    const real = await realpath(folder);
    if (visited.has(real)) return;
    visited.add(real);
    for await (const item of await opendir(folder)) {
      if (item.name.startsWith('.')) continue;
      const path = relative === '' ? item.name : `${relative}/${item.name}`;
      if (item.isDirectory()) folders.push(path);
      else if (item.isFile() || item.isSymbolicLink()) {
        const listed = LISTED.has(extname(item.name).toLowerCase());
        if (!listed && !item.isSymbolicLink()) continue;
        const entry = await look(root, path);
        if (entry === 'folder') folders.push(path);
        else if (entry && listed) yield entry;
      }
    }
  } catch (thrown) {
    if (relative === '') throw new AppError('not-found', `The folder ${root} cannot be read: ${reasonOf(thrown)}.`, { path: root }, thrown);
    unreadable.push({ path: relative, reason: reasonOf(thrown) });
  }
  for (const path of folders.sort()) yield* walk(root, path, visited, unreadable);
}

async function look(root: string, path: string): Promise<Entry | 'folder' | null> {
  try {
    const info = await stat(join(root, path.split('/').join(sep)));
    if (info.isDirectory()) return 'folder';
    return info.isFile() ? { path, bytes: info.size, modifiedMs: info.mtimeMs, reason: null } : null;
  } catch (thrown) {
    const misnamed = path.includes('\uFFFD') ? 'its name is not valid UTF-8' : reasonOf(thrown);
    return { path, bytes: 0, modifiedMs: 0, reason: `the file cannot be read: ${misnamed}` };
  }
}

async function readAll(folder: string, entries: readonly Entry[], signal: AbortSignal): Promise<ScannedFile[]> {
  const files: ScannedFile[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < entries.length; i = next++) {
      signal.throwIfAborted();
      const entry = entries[i];
      if (entry) files[i] = await readFile(folder, entry, signal);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return files;
}

async function readFile(folder: string, entry: Entry, signal: AbortSignal): Promise<ScannedFile> {
  const { path, bytes, modifiedMs } = entry;
  const nothing = { path, bytes, modifiedMs, width: 0, height: 0, orientation: 1 };
  if (entry.reason !== null) return { ...nothing, sha256: '', error: entry.reason };
  const file = join(folder, path.split('/').join(sep));
  let sha256: string;
  try {
    sha256 = await hashFile(file, signal);
  } catch (thrown) {
    signal.throwIfAborted();
    return { ...nothing, sha256: '', error: `the file cannot be read: ${reasonOf(thrown)}` };
  }
  try {
    const { width, height, orientation } = await readHeader(file);
    // Writers put odd values into EXIF; whatever is not 1..8 means upright, as everywhere.
    const turned = Number.isInteger(orientation) && orientation >= 1 && orientation <= 8 ? orientation : 1;
    return { ...nothing, sha256, width, height, orientation: turned, error: null };
  } catch (thrown) {
    return { ...nothing, sha256, error: reasonOf(thrown) };
  }
}

/** SHA-256 of a file's content, hex, read as a stream. */
export async function hashFile(file: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash, signal ? { signal } : {});
  return hash.digest('hex');
}

function reasonOf(thrown: unknown): string {
  if (thrown instanceof AppError) {
    const { reason } = thrown.detail;
    return typeof reason === 'string' ? reason : thrown.message;
  }
  return thrown instanceof Error ? thrown.message : String(thrown);
}

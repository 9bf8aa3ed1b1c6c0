import { createHash, hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { opendir, readFile as readWhole, realpath, stat } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ScanProgress } from '../shared/answers.ts';
import { AppError } from '../shared/errors.ts';
import { createBreath } from './formats/breath.ts';
import { sortInSteps } from './in-steps.ts';
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
/** Rows that are read, and that are marked, before the window's messages are let through. */
const KNOWN_AT_ONCE = 2000;
const LOST_AT_ONCE = 500;

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
  let found = 0;
  let read = 0;
  let broken = 0;
  const report = (done: boolean): void => onProgress({ folder, found, read, broken, done });

  // A hundred thousand files are looked at in memory, too: never at a stretch.
  const breath = createBreath(signal);
  const listed = new Set<string>();
  const keyed: { readonly key: string; readonly entry: Entry }[] = [];
  for await (const entry of walk(folder, '', new Set(), unreadable)) {
    signal.throwIfAborted();
    // Names that are no UTF-8 are read alike where they differ only in what cannot be read.
    if (listed.has(entry.path)) continue;
    listed.add(entry.path);
    keyed.push({ key: naturalKey(entry.path), entry });
    found++;
    if (found % 500 === 0) report(false);
  }
  const sorted = await sortInSteps(keyed, (a, b) => compare(a.key, b.key) || compare(a.entry.path, b.entry.path), breath);

  const known = new Map<string, KnownFile>();
  const gone = new Set<KnownFile>();
  const goneByHash = new Map<string, KnownFile[]>();
  for (let after = 0, full = true; full;) {
    const files = store.images.known(after, KNOWN_AT_ONCE);
    full = files.length === KNOWN_AT_ONCE;
    for (const file of files) {
      after = file.id;
      known.set(file.path, file);
      if (listed.has(file.path) || unreadable.some((u) => inside(file.path, u.path))) continue;
      gone.add(file);
      if (file.sha256 === '' || file.bytes === 0) continue;
      const same = goneByHash.get(file.sha256);
      if (same) same.push(file);
      else goneByHash.set(file.sha256, [file]);
    }
    if (breath.due()) await breath.take();
  }
  const changedEntries: Entry[] = [];
  for (const { entry } of sorted) {
    const was = known.get(entry.path);
    const same = was && !was.missing && was.bytes === entry.bytes && was.modifiedMs === entry.modifiedMs;
    if (!same || (was.sha256 === '' && entry.reason === null)) changedEntries.push(entry);
    if (breath.due()) await breath.take();
  }
  read = found - changedEntries.length;
  report(false);

  let added = 0;
  let changed = 0;
  let moved = 0;
  for (let start = 0; start < changedEntries.length; start += BATCH) {
    const files = await readAll(folder, changedEntries.slice(start, start + BATCH), signal);
    const ids = store.writeLater(() => {
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
  const lost = [...gone].filter((file) => !file.missing).map((file) => file.id);
  for (let start = 0; start < lost.length; start += LOST_AT_ONCE) {
    const ids = lost.slice(start, start + LOST_AT_ONCE);
    store.writeLater(() => store.images.markMissing(ids));
    onRows(ids);
    await breath.take();
  }
  broken = store.images.summary().broken;
  report(true);
  return { found, added, changed, moved, missing: gone.size, broken, unreadable };
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
    sha256 = await hashFile(file, signal, bytes);
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

/** Bytes up to which a file is read at once: a stream costs more than what is in it. */
const SMALL_BYTES = 1 << 20;

/** SHA-256 of a file's content, hex. Large ones are read as a stream; `bytes` is their size, where it is known. */
export async function hashFile(file: string, signal?: AbortSignal, bytes = Infinity): Promise<string> {
  if (bytes <= SMALL_BYTES) return hash('sha256', await readWhole(file, signal ? { signal } : {}), 'hex');
  const hashing = createHash('sha256');
  await pipeline(createReadStream(file), hashing, signal ? { signal } : {});
  return hashing.digest('hex');
}

function reasonOf(thrown: unknown): string {
  if (thrown instanceof AppError) {
    const { reason } = thrown.detail;
    return typeof reason === 'string' ? reason : thrown.message;
  }
  return thrown instanceof Error ? thrown.message : String(thrown);
}

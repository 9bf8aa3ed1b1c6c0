import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Name of a report; it is put in its place last. */
export const REPORT_FILE = 'export-report.json';

/** A folder that nobody has written to for so long is left over from an export that was killed. */
const ABANDONED_MS = 3_600_000;
const UNFINISHED = /^\.maskloop-export-[0-9a-f]{8}\.tmp$/;
const READY = /^\.maskloop-export-[0-9a-f]{8}\.ready$/;

/**
 * Files of one export that get their names together. They are written into a folder beside them; `publish` syncs it,
 * renames it once, which is the moment that decides, and moves its files to their places, the report last. What is
 * guaranteed: before that moment nothing of an older export has changed, whatever happens. After it the new export is
 * whole on the disk: a crash between two moves leaves files of both, and the next export into the folder, by
 * `finishOlder`, moves the rest; until then the older report names other hashes than the moved files have.
 */
export interface ExportStaging {
  /** Absolute; to be filled. Files in it must have been synced by who wrote them. */
  readonly folder: string;
  publish(): Promise<void>;
  /** Removes everything. Nothing happens after `publish`. */
  abandon(): Promise<void>;
}

/** `out` must be there. Throws Node's errors of the file system. */
export async function stageExport(out: string): Promise<ExportStaging> {
  const name = join(out, `.maskloop-export-${randomUUID().slice(0, 8)}`);
  const folder = `${name}.tmp`;
  await mkdir(folder);
  return {
    folder,
    async publish() {
      for (const path of await foldersOf(folder)) await syncFolder(path);
      await rename(folder, `${name}.ready`);
      await syncFolder(out);
      await moveAll(`${name}.ready`, out);
    },
    abandon: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Finishes what a crash interrupted in a folder, and removes what one left that came to nothing. */
export async function finishOlder(out: string): Promise<void> {
  for (const name of await readdir(out)) {
    const path = join(out, name);
    if (READY.test(name)) await moveAll(path, out);
    else if (UNFINISHED.test(name) && Date.now() - (await newest(path)) > ABANDONED_MS) await rm(path, { recursive: true, force: true });
  }
}

/** Moves every file to the same place in `out`. Another process may be doing the same: what is gone is done. */
async function moveAll(from: string, out: string): Promise<void> {
  const folders = await foldersOf(from);
  for (const folder of folders) {
    const target = join(out, folder.slice(from.length));
    await mkdir(target, { recursive: true });
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (entry.isDirectory() || (folder === from && entry.name === REPORT_FILE)) continue;
      await move(join(folder, entry.name), join(target, entry.name));
    }
    await syncFolder(target);
  }
  await move(join(from, REPORT_FILE), join(out, REPORT_FILE));
  await syncFolder(out);
  for (const folder of [...folders].reverse()) await rmdir(folder).catch(() => undefined);
}

async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')) throw cause;
  }
}

/** A folder and all in it, parents first. */
async function foldersOf(folder: string): Promise<string[]> {
  const out = [folder];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) out.push(...(await foldersOf(join(folder, entry.name))));
  }
  return out;
}

/** When something in a folder was last written to, milliseconds since 1970. */
async function newest(folder: string): Promise<number> {
  let latest = 0;
  for (const path of await foldersOf(folder)) {
    for (const entry of [path, ...(await readdir(path)).map((name) => join(path, name))]) {
      latest = Math.max(latest, (await stat(entry).catch(() => null))?.mtimeMs ?? 0);
    }
  }
  return latest;
}

/**
 * Puts a folder and all in it on the disk, so that a rename of it never shows names without their content. A file that may
 * only be read (a hard link to a photograph) was there before and is left alone.
 */
export async function syncTree(folder: string): Promise<void> {
  for (const path of (await foldersOf(folder)).reverse()) {
    for (const entry of await readdir(path, { withFileTypes: true })) {
      if (entry.isFile()) await syncFile(join(path, entry.name));
    }
    await syncFolder(path);
  }
}

async function syncFile(path: string): Promise<void> {
  try {
    // Windows flushes only what is open for writing.
    const handle = await open(path, process.platform === 'win32' ? 'r+' : 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && (cause.code === 'EACCES' || cause.code === 'EPERM'))) throw cause;
  }
}

/** Makes renames survive a power loss. Windows has no such call and refuses to open a folder. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes `folder` and its parents up to `top` while they are empty. */
export async function removeEmpty(folder: string, top: string): Promise<void> {
  for (let at = folder; at.startsWith(top); at = dirname(at)) {
    try {
      await rmdir(at);
    } catch {
      // Somebody else put something in it meanwhile: it is theirs now.
      return;
    }
  }
}

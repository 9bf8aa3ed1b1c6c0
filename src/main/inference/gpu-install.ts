import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openPromise } from 'yauzl';
import type { Entry, ZipFile } from 'yauzl';
import type { GpuProgress } from '../../shared/answers/providers.ts';
import { AppError } from '../../shared/errors.ts';
import { findOnFeed } from './gpu-feed.ts';
import { INSTALLED, packagePart, versionFolder } from './gpu-package.ts';
import type { GpuPackage } from './gpu-package.ts';
import { downloadUrl, messageOf } from './fetch-url.ts';
import { megabytes } from './fetch-model.ts';

export interface GpuInstallOptions {
  readonly package: GpuPackage;
  /** Folder of all versions; this one gets a folder of its own in it. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: GpuProgress) => void;
  /** Bytes free where `folder` lies; asked of the system when left out. */
  readonly freeBytes?: (folder: string) => Promise<number>;
  readonly silenceMs?: number;
  readonly waitMs?: number;
}

/** Left free, so that an installation never fills a disk to its last byte. */
const SPARE_BYTES = 64 * 2 ** 20;

/**
 * Installs the libraries: finds the package on its feed, downloads it (going on with what broke off),
 * compares size and SHA-512 with what the feed says, takes out the libraries, and gives their folder its
 * name only when all are there. Only then a copy that lay there before is replaced.
 * @returns the folder.
 * @throws AppError `io` (feed, network, disk, a wrong or broken package), `cancelled`: then nothing but a
 *   `.part`, which can be gone on with, is left; a wrong or broken package is deleted.
 */
export async function installGpu(options: GpuInstallOptions): Promise<string> {
  const { package: wanted, folder, signal } = options;
  const tell = options.onProgress ?? (() => undefined);
  const part = packagePart(folder, wanted);
  const target = versionFolder(folder, wanted.version);
  const unpacking = `${target}.unpacking`;
  try {
    signal.throwIfAborted();
    tell({ stage: 'asking', done: 0, total: null });
    const found = await findOnFeed(wanted.index, wanted.name, wanted.version, signal);
    await mkdir(folder, { recursive: true });
    const have = (await stat(part).catch(() => null))?.size ?? 0;
    // The libraries are about as large again, unpacked; how large exactly is known when the package is here.
    await checkSpace(2 * found.bytes - have, options);
    const { silenceMs, waitMs } = options;
    const patience = { ...(silenceMs === undefined ? {} : { silenceMs }), ...(waitMs === undefined ? {} : { waitMs }) };
    const onProgress = ({ received, total }: { received: number; total: number | null }): void =>
      tell({ stage: 'downloading', done: received, total });
    const download = { url: found.url, part, bytes: found.bytes, signal, onProgress, ...patience };
    await downloadUrl(download);
    let wrong = await wrongPackage(part, found, signal, tell);
    if (wrong !== null && have > 0) {
      // What was left of an earlier attempt need not be of the same package.
      await rm(part);
      await downloadUrl(download);
      wrong = await wrongPackage(part, found, signal, tell);
    }
    if (wrong !== null) {
      await rm(part, { force: true });
      throw new AppError('io', `What came from ${found.url} is not the package that its feed describes: it ${wrong}. It was deleted.`, {
        url: found.url,
      });
    }
    await rm(unpacking, { recursive: true, force: true });
    await mkdir(unpacking);
    const bytes = await unpack(part, wanted, unpacking, options, tell);
    const note = { name: wanted.name, version: wanted.version, sha512: found.sha512, bytes, installedAtMs: Date.now() };
    await writeFile(join(unpacking, INSTALLED), `${JSON.stringify(note, null, 2)}\n`);
    await rm(target, { recursive: true, force: true });
    await rename(unpacking, target);
    await rm(part, { force: true });
    tell({ stage: 'done', done: found.bytes, total: found.bytes });
    return target;
  } catch (thrown) {
    await rm(unpacking, { recursive: true, force: true });
    if (signal.aborted)
      throw new AppError('cancelled', 'Installing the GPU libraries was cancelled. What came is kept: it goes on from there.', {}, thrown);
    throw thrown;
  }
}

/** Deletes the libraries of every version, and what is left of downloads. @returns whether anything was there. */
export async function removeGpu(folder: string): Promise<boolean> {
  const there = (await stat(folder).catch(() => null)) !== null;
  if (there) await rm(folder, { recursive: true });
  return there;
}

async function wrongPackage(
  part: string,
  found: { readonly bytes: number; readonly sha512: string },
  signal: AbortSignal,
  tell: (progress: GpuProgress) => void,
): Promise<string | null> {
  const { size } = await stat(part);
  if (size !== found.bytes) return `has ${size} bytes, expected ${found.bytes}`;
  const hash = createHash('sha512');
  let done = 0;
  for await (const chunk of createReadStream(part, { signal, highWaterMark: 2 ** 20 })) {
    if (!Buffer.isBuffer(chunk)) continue;
    hash.update(chunk);
    done += chunk.byteLength;
    tell({ stage: 'checking', done, total: size });
  }
  const sha512 = hash.digest('base64');
  return sha512 === found.sha512 ? null : `has the SHA-512 ${sha512}, expected ${found.sha512}`;
}

/** @returns the size of each library. */
async function unpack(
  file: string,
  { files, name }: GpuPackage,
  into: string,
  options: GpuInstallOptions,
  tell: (progress: GpuProgress) => void,
): Promise<Readonly<Record<string, number>>> {
  const zip = await opened(file);
  try {
    const wanted = new Map(files.map((entry) => [entry.pathInPackage, entry.name]));
    const entries: Entry[] = [];
    for await (const entry of zip.eachEntry()) if (wanted.has(entry.fileName)) entries.push(entry);
    const missing = files.find(({ pathInPackage }) => !entries.some((entry) => entry.fileName === pathInPackage));
    if (missing !== undefined) throw new AppError('io', `${name} has no ${missing.pathInPackage}.`, { path: missing.pathInPackage });
    const total = entries.reduce((sum, entry) => sum + entry.uncompressedSize, 0);
    await checkSpace(total, options);
    let done = 0;
    const sizes: Record<string, number> = {};
    for (const entry of entries) {
      const target = join(into, basename(wanted.get(entry.fileName) ?? entry.fileName));
      const source = await zip.openReadStreamPromise(entry);
      source.on('data', (chunk: Buffer) => {
        done += chunk.byteLength;
        tell({ stage: 'unpacking', done, total });
      });
      await pipeline(source, createWriteStream(target, { flush: true }), { signal: options.signal });
      sizes[basename(target)] = entry.uncompressedSize;
    }
    return sizes;
  } catch (thrown) {
    options.signal.throwIfAborted();
    if (thrown instanceof AppError) throw thrown;
    throw new AppError('io', `${name} could not be unpacked into ${into} (${messageOf(thrown)}).`, { path: into }, thrown);
  } finally {
    zip.close();
  }
}

async function opened(file: string): Promise<ZipFile> {
  try {
    return await openPromise(file, { autoClose: false });
  } catch (thrown) {
    // Its hash was right, so the feed itself has something else than a package.
    await rm(file, { force: true });
    throw new AppError('io', `${file} is no package (${messageOf(thrown)}). It was deleted.`, { path: file }, thrown);
  }
}

async function checkSpace(bytes: number, { folder, freeBytes }: GpuInstallOptions): Promise<void> {
  const free = await (freeBytes ?? systemFreeBytes)(folder);
  const needed = Math.max(0, bytes) + SPARE_BYTES;
  if (free >= needed) return;
  throw new AppError(
    'io',
    `The GPU libraries need ${megabytes(needed)} in ${folder}; ${megabytes(free)} are free. Make room there and try again.`,
    {
      path: folder,
      needed,
      free,
    },
  );
}

async function systemFreeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { openPromise } from 'yauzl';
import { AppError } from '../../shared/errors.ts';
import type { UrlDownload } from './fetch-url.ts';
import { downloadUrl, messageOf } from './fetch-url.ts';

export interface ZipDownload extends UrlDownload {
  /** Of the archive, hex. */
  readonly sha256: string;
  /** What is wanted of it: path in the archive, the file that takes its bytes, and how many there must be. */
  readonly files: readonly { readonly path: string; readonly part: string; readonly bytes: number }[];
}

/**
 * Downloads a ZIP archive over HTTP(S), compares its hash, and takes out the files that are wanted. What came of
 * the archive stays in `part` when the network breaks off, to be gone on with; otherwise it is deleted.
 * @throws AppError `io` naming the address (network, another archive, a file that is not in it or has another
 *   size); the signal's reason when cancelled.
 */
export async function downloadFromZip(download: ZipDownload): Promise<void> {
  const { url, part, signal } = download;
  const had = (await stat(part).catch(() => null)) !== null;
  await downloadUrl(download);
  if (had && (await wrongArchive(download)) !== null) {
    // What was left of an earlier attempt need not be of the same archive.
    await rm(part);
    await downloadUrl(download);
  }
  const wrong = await wrongArchive(download);
  if (wrong !== null) {
    await rm(part, { force: true });
    throw new AppError('io', `What came from ${url} is not the archive of the manifest: it ${wrong}. It was deleted.`, { url });
  }
  try {
    await takeOut(download);
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof AppError) throw thrown;
    throw new AppError('io', `The archive from ${url} cannot be unpacked (${messageOf(thrown)}).`, { url }, thrown);
  } finally {
    await rm(part, { force: true });
  }
}

async function wrongArchive({ part, sha256, signal }: ZipDownload): Promise<string | null> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(part), hash, { signal });
  const own = hash.digest('hex');
  return own === sha256 ? null : `has the sha256 ${own}, expected ${sha256}`;
}

async function takeOut({ url, part, files, signal }: ZipDownload): Promise<void> {
  const zip = await openPromise(part, { autoClose: false });
  try {
    const left = new Map(files.map((file) => [file.path, file]));
    for await (const entry of zip.eachEntry()) {
      const file = left.get(entry.fileName);
      if (!file) continue;
      left.delete(entry.fileName);
      // Looked at before anything is written, so that an archive cannot fill the disk.
      if (entry.uncompressedSize !== file.bytes) {
        throw new AppError('io', `${entry.fileName} in ${url} has ${entry.uncompressedSize} bytes; the manifest says ${file.bytes}.`, {
          url,
        });
      }
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(file.part, { flush: true }), { signal });
    }
    const [missing] = left.keys();
    if (missing !== undefined) throw new AppError('io', `The archive from ${url} has no ${missing}.`, { url, path: missing });
  } finally {
    zip.close();
  }
}

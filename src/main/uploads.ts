import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../shared/errors.ts';

/** No model that runs on a desk is larger, nor a file of annotations. */
const MOST_BYTES = 4 * 2 ** 30;
/** Left free beside it. */
const SPARE_BYTES = 256 * 2 ** 20;

/** Uploads of annotations are read while a dialog is open; older ones were left behind. */
const LEFT_BEHIND_MS = 24 * 3_600_000;

/**
 * Takes a model file that a browser sends, into a folder of its own below `folder`; answers with its path.
 * @throws AppError `invalid` (name or size), `io` (no room, or it ended too early).
 */
export async function takeUpload(folder: string, name: string, body: Readable, bytes: number): Promise<string> {
  if (!/^[^/\\:\0]{1,200}$/.test(name) || !/\.(onnx|ort|ya?ml|txt)$/i.test(name)) {
    throw new AppError('invalid', `“${name}” is no model file: .onnx, .ort, .yaml and .txt are taken.`, { path: name });
  }
  const own = join(folder, `upload-${randomBytes(6).toString('hex')}`);
  try {
    return await receive(own, name, body, bytes);
  } catch (thrown) {
    await rm(own, { recursive: true, force: true });
    throw thrown;
  }
}

/**
 * Takes one file of annotations. Files with the same `batch` (made by who sends them) come to lie together, each at its `path`,
 * with `/`, as in the folder that was dropped. Answers with its place.
 * @throws AppError as `takeUpload`.
 */
export async function takeAnnotations(folder: string, batch: string, path: string, body: Readable, bytes: number): Promise<string> {
  if (!/^[0-9a-f-]{8,40}$/.test(batch)) throw new AppError('invalid', 'An upload of annotations needs a batch of its own.', { path });
  const segments = path.split('/');
  const sound = segments.length <= 20 && segments.every((segment) => /^[^/\\:\0]{1,200}$/.test(segment) && !/^\.+$/.test(segment));
  if (!sound || !ANNOTATIONS.test(path)) {
    throw new AppError('invalid', `“${path}” is no file of annotations: .json, .xml, .yaml, .txt and .png are taken.`, { path });
  }
  await removeLeftBehind(folder);
  return receive(join(folder, `annotations-${batch}`, ...segments.slice(0, -1)), segments.at(-1) ?? path, body, bytes);
}

const ANNOTATIONS = /\.(json|xml|ya?ml|txt|png)$/i;

async function removeLeftBehind(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const place = join(folder, name);
    const found = name.startsWith('annotations-') ? await stat(place).catch(() => null) : null;
    if (found && Date.now() - found.mtimeMs > LEFT_BEHIND_MS) await rm(place, { recursive: true, force: true });
  }
}

/** Writes `body` to a new file `name` in `own`, which is made; nothing of it stays where that fails. */
async function receive(own: string, name: string, body: Readable, bytes: number): Promise<string> {
  if (!(bytes > 0 && bytes <= MOST_BYTES))
    throw new AppError('invalid', `${name} has ${bytes} bytes; at most ${MOST_BYTES} are taken.`, { path: name });
  await mkdir(own, { recursive: true });
  const path = join(own, name);
  try {
    const { bavail, bsize } = await statfs(own);
    if (bavail * bsize < bytes + SPARE_BYTES)
      throw new AppError('io', `There is no room for ${name} (${bytes} bytes) in ${own}.`, { path: own });
    let received = 0;
    const limit = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        received += chunk.length;
        done(received > bytes ? new AppError('invalid', `${name}: more came than the ${bytes} bytes that were announced.`) : null, chunk);
      },
    });
    await pipeline(body, limit, createWriteStream(path, { flags: 'wx' }));
    if (received !== bytes) throw new AppError('io', `${name}: only ${received} of ${bytes} bytes came.`, { path: name });
    return path;
  } catch (thrown) {
    await rm(path, { force: true });
    throw thrown;
  }
}

import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../shared/errors.ts';

/** No model that runs on a desk is larger. */
const MOST_BYTES = 4 * 2 ** 30;
/** Left free beside it. */
const SPARE_BYTES = 256 * 2 ** 20;

/**
 * Takes a model file that a browser sends, into a folder of its own below `folder`; answers with its path.
 * @throws AppError `invalid` (name or size), `io` (no room, or it ended too early).
 */
export async function takeUpload(folder: string, name: string, body: Readable, bytes: number): Promise<string> {
  if (!/^[^/\\:\0]{1,200}$/.test(name) || !/\.(onnx|ort|ya?ml|txt)$/i.test(name)) {
    throw new AppError('invalid', `“${name}” is no model file: .onnx, .ort, .yaml and .txt are taken.`, { path: name });
  }
  if (!(bytes > 0 && bytes <= MOST_BYTES))
    throw new AppError('invalid', `${name} has ${bytes} bytes; at most ${MOST_BYTES} are taken.`, { path: name });
  const own = join(folder, `upload-${randomBytes(6).toString('hex')}`);
  await mkdir(own, { recursive: true });
  const path = join(own, name);
  try {
    const { bavail, bsize } = await statfs(own);
    if (bavail * bsize < bytes + SPARE_BYTES)
      throw new AppError('io', `There is no room for ${name} (${bytes} bytes) in ${folder}.`, { path: folder });
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
    await rm(own, { recursive: true, force: true });
    throw thrown;
  }
}

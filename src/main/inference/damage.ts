import { open } from 'node:fs/promises';
import { AppError } from '../../shared/errors.ts';
import { beginDecoding } from './pixels.ts';

/** How much of a file's end is looked at for what closes it: cameras and editors put a little behind it. */
const TAIL_BYTES = 64 * 1024;
/** Decoding is only to fail or not: the fewest pixels do. */
const FEW_PIXELS = 10_000;

/**
 * Why an image that could be opened is not whole, or null. A window shows a file that was cut off as far as it
 * goes, without a word. Only a file whose end looks wrong is decoded, so that a whole one costs one read.
 * @throws AppError `not-found` or `io` where the file cannot be read at all.
 */
export async function damageOf(path: string): Promise<string | null> {
  if (await endsWell(path)) return null;
  try {
    const decoding = await beginDecoding(path, FEW_PIXELS);
    await decoding.pixels;
    return null;
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    if (thrown.code !== 'unsupported') throw thrown;
    const { reason } = thrown.detail;
    return typeof reason === 'string' ? reason : thrown.message;
  }
}

/** Whether a JPEG, PNG or WebP has its end; of anything else it is not known here. */
async function endsWell(path: string): Promise<boolean> {
  const file = await open(path).catch((thrown: unknown) => {
    const missing = thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
    throw new AppError(missing ? 'not-found' : 'io', `${path} cannot be read.`, { path }, thrown);
  });
  try {
    const { size } = await file.stat();
    const read = async (position: number, length: number): Promise<Buffer> => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
      return buffer.subarray(0, bytesRead);
    };
    const head = await read(0, 16);
    const tail = await read(Math.max(0, size - TAIL_BYTES), Math.min(size, TAIL_BYTES));
    if (head.readUInt16BE(0) === 0xffd8) return tail.includes(Buffer.from([0xff, 0xd9]));
    if (head.subarray(1, 4).toString('latin1') === 'PNG') return tail.includes('IEND', 0, 'latin1');
    if (head.subarray(0, 4).toString('latin1') === 'RIFF') return size >= head.readUInt32LE(4) + 8;
    return false;
  } catch (thrown) {
    if (thrown instanceof RangeError) return false;
    throw thrown;
  } finally {
    await file.close();
  }
}

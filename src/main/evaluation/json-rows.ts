import { openSync, closeSync, fstatSync, readSync } from 'node:fs';
import { AppError } from '../../shared/errors.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const CHUNK = 1 << 20;

/**
 * Reads a JSON file whose top level is an array and hands its elements over one by one, as values, with the memory of one
 * element and one chunk: results files grow larger than a string can be. `tell` is called after each chunk with the bytes that
 * were read, and may throw to stop. Throws AppError `io`, or `invalid` naming the file and the byte.
 */
export function readJsonRows(
  path: string,
  row: (value: unknown, index: number) => void,
  tell: (done: number, total: number) => void = () => undefined,
): void {
  let depth = 0;
  let inString = false;
  let state = 'before' as 'before' | 'inside' | 'after';
  let held: Buffer[] = [];
  let index = 0;
  let base = 0;
  const bad = (what: string, at: number): AppError =>
    new AppError('invalid', `${path}: ${what} at byte ${base + at}`, { path, byte: base + at });
  const take = (chunk: Buffer, from: number, to: number, last: boolean): void => {
    const bytes = chunk.subarray(from, to);
    const text = (held.length > 0 ? Buffer.concat([...held, bytes]) : bytes).toString('utf8');
    held = [];
    if (text.trim() === '') {
      if (last && index === 0) return;
      throw bad('missing element', to);
    }
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw new AppError('invalid', `${path}: not JSON before byte ${base + to}, element ${index}`, { path, byte: base + to }, cause);
    }
    row(value, index++);
  };

  /** A chunk that ended with a backslash inside a string: the next byte means itself. */
  let skip = 0;
  const look = (chunk: Buffer): void => {
    let from = 0;
    for (let i = skip; i < chunk.length; i++) {
      if (inString) {
        // Counts of masks are long: from quote to quote at once.
        let end = chunk.indexOf(QUOTE, i);
        if (end < 0) end = chunk.length;
        const escape = chunk.subarray(i, end).indexOf(BACKSLASH);
        if (escape >= 0) {
          i += escape + 1;
          if (i >= chunk.length) {
            skip = 1;
            held.push(Buffer.from(chunk.subarray(from)));
            return;
          }
          continue;
        }
        if (end === chunk.length) break;
        i = end;
        inString = false;
        continue;
      }
      const byte = chunk[i] ?? 0;
      if (byte <= 0x20) continue;
      if (state === 'before') {
        if (base + i < 3 && byte >= 0xbb) continue;
        if (byte !== 0x5b) throw bad('expected an array of detections', i);
        state = 'inside';
        from = i + 1;
      } else if (state === 'after') {
        throw bad('text behind the array', i);
      } else if (byte === QUOTE) {
        inString = true;
      } else if (byte === 0x5b || byte === 0x7b) {
        depth++;
      } else if (byte === 0x7d || (byte === 0x5d && depth > 0)) {
        if (--depth < 0) throw bad('unexpected closing bracket', i);
      } else if (byte === 0x5d) {
        take(chunk, from, i, true);
        state = 'after';
      } else if (byte === 0x2c && depth === 0) {
        take(chunk, from, i, false);
        from = i + 1;
      }
    }
    skip = 0;
    if (state === 'inside') held.push(Buffer.from(chunk.subarray(from)));
  };

  let file: number | null = null;
  try {
    file = openSync(path, 'r');
    const total = fstatSync(file).size;
    const chunk = Buffer.alloc(CHUNK);
    for (;;) {
      const length = readSync(file, chunk, 0, CHUNK, null);
      if (length === 0) break;
      look(chunk.subarray(0, length));
      base += length;
      tell(base, total);
    }
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('io', `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { path }, cause);
  } finally {
    if (file !== null) closeSync(file);
  }
  if (state !== 'after') throw bad(state === 'before' ? 'expected an array of detections' : 'the file ends early', 0);
}

import { createReadStream } from 'node:fs';
import { AppError } from '../../shared/errors.ts';

/** One member of a file's top-level object, or one element of a member that is an array. */
export interface JsonElement {
  readonly key: string;
  /** Place in the array, from 0; null where the member is not an array, and for an array's end. */
  readonly index: number | null;
  readonly value: unknown;
  /** The value as it stands in the file, without space around it; `[]` for an array's end. */
  readonly text: string;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;

/**
 * Reads a JSON file whose top level is an object and yields its members one by one, arrays element by
 * element, so that a dataset larger than a JavaScript string (512 MB) is read with the memory of one
 * element. Structure is found on bytes (every structural character is ASCII, so UTF-8 cannot hide
 * one) and each element goes through `JSON.parse`.
 * Throws AppError: `io` (unreadable file), `invalid` (not JSON, or not an object; names the file and
 * the byte).
 */
export async function* readJsonElements(path: string): AsyncGenerator<JsonElement> {
  let depth = 0;
  let inString = false;
  let escaped = false;
  let started = false;
  /** Bytes of the value or key being collected. */
  let held: Buffer[] = [];
  let key: string | null = null;
  let index: number | null = null;
  let expectsValue = false;
  let position = 0;

  const bad = (what: string): AppError => new AppError('invalid', `${path}: ${what} at byte ${position}`, { path, byte: position });
  /** Text of the value that was taken last. */
  let taken = '';
  const take = (): unknown => {
    const text = Buffer.concat(held).toString('utf8').trim();
    held = [];
    taken = text;
    if (text === '') return undefined;
    try {
      const value: unknown = JSON.parse(text);
      return value;
    } catch (cause) {
      throw new AppError(
        'invalid',
        `${path}: not JSON before byte ${position}${key === null ? '' : ` in "${key}"`}`,
        { path, byte: position },
        cause,
      );
    }
  };

  const stream = createReadStream(path, { highWaterMark: 1 << 18 });
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      /** Where the piece of this chunk that belongs to the current value begins. */
      let from = 0;
      const keep = (to: number): void => {
        if (to > from) held.push(chunk.subarray(from, to));
      };
      for (let i = 0; i < chunk.length; i++, position++) {
        const byte = chunk[i] ?? 0;
        if (inString) {
          if (escaped) escaped = false;
          else if (byte === BACKSLASH) escaped = true;
          else if (byte === QUOTE) inString = false;
          continue;
        }
        if (byte === QUOTE) {
          if (depth === 0) throw bad('text outside the top-level object');
          inString = true;
          continue;
        }
        /** Depth at which values are split: 1 for members, 2 inside a member that is an array. */
        const split = index === null ? 1 : 2;
        if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
          if (depth === 0) {
            if (started || byte !== OPEN_BRACE) throw bad('expected one top-level object');
            started = true;
            from = i + 1;
          } else if (depth === 1 && byte === OPEN_BRACKET && expectsValue) {
            keep(i);
            if (take() !== undefined) throw bad('unexpected "["');
            index = 0;
            from = i + 1;
          }
          depth++;
        } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
          if (depth === 0) throw bad('unexpected closing bracket');
          if (depth === split) {
            if ((byte === CLOSE_BRACKET) !== (index !== null)) throw bad('mismatched bracket');
            keep(i);
            from = i + 1;
            const value = take();
            if (index !== null) {
              if (value !== undefined) yield { key: key ?? '', index, value, text: taken };
              else if (index > 0) throw bad('missing element');
              // An empty array and the end of one look the same to the reader: a member that is there.
              yield { key: key ?? '', index: null, value: [], text: '[]' };
              key = null;
              index = null;
              expectsValue = false;
            } else {
              if (expectsValue) {
                if (value === undefined) throw bad('missing value');
                yield { key: key ?? '', index: null, value, text: taken };
              } else if (value !== undefined || key !== null) throw bad('unexpected text');
              key = null;
              expectsValue = false;
            }
          }
          depth--;
        } else if (byte === COLON && depth === 1 && index === null && !expectsValue) {
          keep(i);
          from = i + 1;
          const name = take();
          if (typeof name !== 'string') throw bad('expected a key');
          key = name;
          expectsValue = true;
        } else if (byte === COMMA && depth === split) {
          keep(i);
          from = i + 1;
          const value = take();
          if (index !== null) {
            if (value === undefined) throw bad('missing element');
            yield { key: key ?? '', index, value, text: taken };
            index++;
          } else if (expectsValue) {
            if (value === undefined) throw bad('missing value');
            yield { key: key ?? '', index: null, value, text: taken };
            key = null;
            expectsValue = false;
          } else if (value !== undefined) throw bad('unexpected text');
        } else if (depth === 0 && byte > 0x20 && !(position < 3 && byte >= 0xbb)) {
          throw bad('text outside the top-level object');
        }
      }
      if (depth > 0) keep(chunk.length);
    }
    if (depth > 0 || !started) throw bad(started ? 'the file ends early' : 'expected one top-level object');
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('io', `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { path }, cause);
  } finally {
    stream.destroy();
  }
}

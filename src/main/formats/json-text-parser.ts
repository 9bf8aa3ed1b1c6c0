import { AppError } from '../../shared/errors.ts';
import { BACKSLASH, CLOSE_BRACE, CLOSE_BRACKET, COLON, COMMA, OPEN_BRACE, OPEN_BRACKET, QUOTE } from './json-bytes.ts';

/** One member of a file's top-level object, or one element of a member that is an array, as its very text. */
export interface JsonText {
  readonly key: string;
  /** Place in the array, from 0; null where the member is not an array, and for an array's end. */
  readonly index: number | null;
  /** As it stands in the file, without space around it; `[]` for an array's end. Not parsed: it may be no JSON. */
  readonly text: string;
  /** Where it begins in the file, in bytes. */
  readonly at: number;
  /** For the end of an array that was passed over: the byte behind its opening bracket. */
  readonly from?: number;
}

/** What part of a file is read. */
export interface JsonTextPart {
  /** Asked where a member that is an array begins, with the byte behind its bracket; true passes over it. */
  readonly skip?: (key: string, from: number) => boolean;
  /** Reads the elements of one array only: its key, and the byte that `skip` was told. */
  readonly within?: { readonly key: string; readonly from: number };
}

const CHUNK = 1 << 20;
/** A JavaScript string holds 2^29 - 24 characters. */
const LONGEST = (1 << 29) - 32;

/** 1 for bytes that matter inside of a value: quotes and brackets. */
const STRUCTURE = new Uint8Array(256);
for (const byte of [QUOTE, OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET]) STRUCTURE[byte] = 1;

/** A value does not end in the bytes that are there. */
const MORE = -1;

/** `top`: before the object; `first`: before its first key; then keys, values, elements, and what lies between them. */
type State =
  'top' | 'first' | 'key' | 'colon' | 'value' | 'after-value' | 'first-element' | 'element' | 'after-element' | 'skipped' | 'end';

export interface JsonTextParser {
  /** Where the next bytes go. */
  room(): Buffer;
  /** Place in the file of the next byte to read. */
  readFrom(): number;
  /** So many bytes came; answers with the texts that are whole now. */
  take(bytes: number): JsonText[];
  done(): boolean;
  /** Throws where the file ends early. */
  finish(): void;
}

/** `path` is for messages. Its methods throw AppError `invalid`, naming the file and the byte. */
export function createJsonTextParser(path: string, { skip, within }: JsonTextPart): JsonTextParser {
  let buffer = Buffer.allocUnsafe(2 * CHUNK);
  /** Bytes from `at` up to `end` are not dealt with; `base` is the file's place of the first byte of the buffer. */
  let at = 0;
  let end = 0;
  let base = within?.from ?? 0;
  let state: State = within ? 'first-element' : 'top';
  let key = within?.key ?? '';
  let index = 0;
  /** Of an array that is passed over. */
  let depth = 0;
  let inString = false;
  let skippedFrom = 0;

  const bad = (what: string, place = at): AppError =>
    new AppError('invalid', `${path}: ${what} at byte ${base + place}`, { path, byte: base + place });

  function space(from: number): number {
    let i = from;
    while (i < end && (buffer[i] ?? 0) <= 0x20) i++;
    return i;
  }

  /** Behind the closing quote of a string that begins at `from`, or MORE. */
  function endOfString(from: number): number {
    for (let i = from + 1; i < end; i++) {
      const byte = buffer[i];
      if (byte === QUOTE) return i + 1;
      if (byte === BACKSLASH) i++;
    }
    return MORE;
  }

  /** Behind the value that begins at `from`, or MORE. */
  function endOfValue(from: number): number {
    const first = buffer[from];
    if (first === QUOTE) return endOfString(from);
    if (first !== OPEN_BRACE && first !== OPEN_BRACKET) {
      for (let i = from; i < end; i++) {
        const byte = buffer[i] ?? 0;
        if (byte <= 0x20 || byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET) return i;
        if (byte === QUOTE || byte === COLON || byte === OPEN_BRACE || byte === OPEN_BRACKET) throw bad('unexpected text', i);
      }
      return MORE;
    }
    let nested = 0;
    for (let i = from; i < end; i++) {
      const byte = buffer[i] ?? 0;
      if (STRUCTURE[byte] === 0) continue;
      if (byte === QUOTE) {
        const close = endOfString(i);
        if (close === MORE) return MORE;
        i = close - 1;
      } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        nested++;
      } else if (--nested === 0) {
        return i + 1;
      }
    }
    return MORE;
  }

  function text(from: number, to: number): string {
    if (to - from > LONGEST) throw bad('a value of more than 512 MB', from);
    return buffer.toString('utf8', from, to);
  }

  /** Passes over the rest of an array; false where it does not end in the bytes that are there. */
  function skipArray(): boolean {
    for (; at < end; at++) {
      const byte = buffer[at] ?? 0;
      if (inString) {
        if (byte === BACKSLASH) {
          // The escaped byte may not be there yet.
          if (at + 1 >= end) return false;
          at++;
        } else if (byte === QUOTE) inString = false;
      } else if (STRUCTURE[byte] === 0) continue;
      else if (byte === QUOTE) inString = true;
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
      else if (--depth === 0) {
        if (byte !== CLOSE_BRACKET) throw bad('mismatched bracket');
        at++;
        return true;
      }
    }
    return false;
  }

  /** One step; false where more bytes are needed. */
  function step(out: JsonText[]): boolean {
    if (state === 'skipped') {
      if (!skipArray()) return false;
      out.push({ key, index: null, text: '[]', at: base + at, from: skippedFrom });
      state = 'after-value';
      return true;
    }
    const from = space(at);
    if (from >= end) {
      at = from;
      return false;
    }
    const byte = buffer[from] ?? 0;
    switch (state) {
      case 'top':
        if (base + from < 3 && (byte === 0xef || byte === 0xbb || byte === 0xbf)) {
          at = from + 1;
          return true;
        }
        if (byte !== OPEN_BRACE) throw bad('expected one top-level object', from);
        at = from + 1;
        state = 'first';
        return true;
      case 'first':
        if (byte === CLOSE_BRACE) {
          at = from + 1;
          state = 'end';
          return true;
        }
        state = 'key';
        at = from;
        return true;
      case 'key': {
        if (byte !== QUOTE) throw bad('expected a key', from);
        const close = endOfString(from);
        if (close === MORE) return false;
        key = parsedKey(text(from, close), from);
        at = close;
        state = 'colon';
        return true;
      }
      case 'colon':
        if (byte !== COLON) throw bad('expected ":"', from);
        at = from + 1;
        state = 'value';
        return true;
      case 'value': {
        if (byte === OPEN_BRACKET) {
          at = from + 1;
          index = 0;
          state = 'first-element';
          if (skip?.(key, base + at)) {
            skippedFrom = base + at;
            depth = 1;
            inString = false;
            state = 'skipped';
          }
          return true;
        }
        const close = endOfValue(from);
        if (close === MORE) return false;
        if (close === from) throw bad('missing value', from);
        out.push({ key, index: null, text: text(from, close), at: base + from });
        at = close;
        state = 'after-value';
        return true;
      }
      case 'after-value':
        if (byte !== COMMA && byte !== CLOSE_BRACE) throw bad('expected "," or "}"', from);
        at = from + 1;
        state = byte === COMMA ? 'key' : 'end';
        return true;
      case 'first-element':
        at = from;
        state = byte === CLOSE_BRACKET ? 'after-element' : 'element';
        return true;
      case 'element': {
        const close = endOfValue(from);
        if (close === MORE) return false;
        if (close === from) throw bad('missing element', from);
        out.push({ key, index: index++, text: text(from, close), at: base + from });
        at = close;
        state = 'after-element';
        return true;
      }
      case 'after-element':
        if (byte !== COMMA && byte !== CLOSE_BRACKET) throw bad('expected "," or "]"', from);
        at = from + 1;
        state = 'element';
        if (byte === CLOSE_BRACKET) {
          // An empty array and the end of one look the same to the reader: a member that is there.
          out.push({ key, index: null, text: '[]', at: base + at });
          state = within ? 'end' : 'after-value';
        }
        return true;
      case 'end':
        if (!within) throw bad('text outside the top-level object', from);
        at = end;
        return false;
    }
  }

  function parsedKey(quoted: string, from: number): string {
    try {
      return String(JSON.parse(quoted));
    } catch {
      throw bad('a key that is no JSON', from);
    }
  }

  return {
    room() {
      // What is dealt with makes place; a value that is larger than the buffer makes it grow.
      if (at > 0) {
        buffer.copyWithin(0, at, end);
        base += at;
        end -= at;
        at = 0;
      }
      if (buffer.length - end < CHUNK) {
        const larger = Buffer.allocUnsafe(buffer.length * 2);
        buffer.copy(larger, 0, 0, end);
        buffer = larger;
      }
      return buffer.subarray(end, end + Math.max(CHUNK, buffer.length >> 1));
    },
    readFrom: () => base + end,
    take(bytes) {
      end += bytes;
      const out: JsonText[] = [];
      while (step(out));
      if (end - at > LONGEST) throw bad('a value of more than 512 MB');
      return out;
    },
    done: () => within !== undefined && state === 'end',
    finish() {
      if (state !== 'end') throw bad(state === 'top' ? 'expected one top-level object' : 'the file ends early', end);
    },
  };
}

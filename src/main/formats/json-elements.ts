import { AppError } from '../../shared/errors.ts';
import { readJsonTexts } from './json-texts.ts';

/** One member of a file's top-level object, or one element of a member that is an array. */
export interface JsonElement {
  readonly key: string;
  /** Place in the array, from 0; null where the member is not an array, and for an array's end. */
  readonly index: number | null;
  readonly value: unknown;
}

/**
 * Reads a JSON file whose top level is an object and yields its members one by one, parsed, arrays element by element: a
 * dataset larger than a JavaScript string (512 MB) is read with the memory of one element; see `readJsonTexts`.
 * Throws AppError: `io` (unreadable file), `invalid` (not JSON, or not an object; names the file and the byte).
 */
export async function* readJsonElements(path: string): AsyncGenerator<JsonElement> {
  for await (const batch of readJsonTexts(path)) {
    for (const { key, index, text, at } of batch) yield { key, index, value: parsed(path, key, text, at) };
  }
}

function parsed(path: string, key: string, text: string, at: number): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch (cause) {
    throw new AppError('invalid', `${path}: not JSON from byte ${at} on in "${key}"`, { path, byte: at, key }, cause);
  }
}

import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { AppError } from '../../shared/errors.ts';

import type { JsonText, JsonTextPart } from './json-text-parser.ts';
import { createJsonTextParser } from './json-text-parser.ts';

export type { JsonText } from './json-text-parser.ts';

export interface JsonTextOptions extends JsonTextPart {
  readonly signal?: AbortSignal | undefined;
  /** Bytes. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Reads a JSON file whose top level is an object and yields the texts of its members in batches, arrays element by element,
 * so that a dataset larger than a JavaScript string is read with the memory of its largest element. Structure is found on
 * bytes: every structural character is ASCII, so UTF-8 cannot hide one.
 * Throws AppError: `io` (unreadable file), `invalid` (no object, or its structure is broken; names the file and the byte),
 * `cancelled`.
 */
export async function* readJsonTexts(path: string, options: JsonTextOptions = {}): AsyncGenerator<JsonText[]> {
  let handle: FileHandle;
  let total: number;
  try {
    handle = await open(path, 'r');
  } catch (cause) {
    throw unreadable(path, cause);
  }
  try {
    total = (await handle.stat()).size;
    const parser = createJsonTextParser(path, options);
    for (let ended = false; !ended && !parser.done();) {
      if (options.signal?.aborted) throw new AppError('cancelled', `Reading ${path} was cancelled.`, { path });
      const room = parser.room();
      const { bytesRead } = await handle.read(room, 0, room.length, parser.readFrom());
      ended = bytesRead === 0;
      const batch = parser.take(bytesRead);
      options.onProgress?.(Math.min(total, parser.readFrom()), total);
      if (batch.length > 0) yield batch;
    }
    parser.finish();
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw unreadable(path, cause);
  } finally {
    await handle.close();
  }
}

function unreadable(path: string, cause: unknown): AppError {
  return new AppError('io', `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { path }, cause);
}

import { open } from 'node:fs/promises';
import { AppError } from '../../shared/errors.ts';
import { createBreath } from '../formats/breath.ts';
import type { JsonTextOptions } from '../formats/json-texts.ts';
import { readJsonTexts } from '../formats/json-texts.ts';
import type { NamedDetection } from './coco-rows.ts';
import { readDetection } from './coco-rows.ts';

const OPEN_BRACKET = 0x5b;

/**
 * Hands over the detections of a COCO results file (https://cocodataset.org/#format-results: a JSON array) one by one, with the
 * memory of one chunk: such files grow larger than a string can be.
 * Throws AppError `io`, `cancelled`, or `invalid` naming the file, and the record and key or the byte.
 */
export async function readResults(
  path: string,
  row: (detection: NamedDetection, index: number) => void,
  options: Pick<JsonTextOptions, 'signal' | 'onProgress'> & { readonly byName?: boolean } = {},
): Promise<void> {
  const within = { key: 'results', from: await firstElement(path) };
  const breath = createBreath();
  for await (const batch of readJsonTexts(path, { ...options, within })) {
    for (const { index, text, at } of batch) {
      if (breath.due()) await breath.take();
      if (index !== null) row(readDetection(valueOf(path, text, at), index, path, options.byName), index);
    }
  }
}

/** A value of a file that is read in pieces. Throws `invalid` naming the byte. */
export function valueOf(path: string, text: string, at: number): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch (cause) {
    throw new AppError('invalid', `${path}: not JSON from byte ${at} on`, { path, byte: at }, cause);
  }
}

/** The byte behind the bracket that begins the array. */
async function firstElement(path: string): Promise<number> {
  const head = Buffer.alloc(4096);
  let length: number;
  try {
    const file = await open(path, 'r');
    try {
      length = (await file.read(head, 0, head.length, 0)).bytesRead;
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new AppError('io', `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { path }, cause);
  }
  // Space and a byte order mark may stand before it.
  const at = head.subarray(0, length).findIndex((byte, i) => byte > 0x20 && !(i < 3 && byte >= 0xbb));
  if (at < 0 || head[at] !== OPEN_BRACKET) {
    throw new AppError('invalid', `${path} is not a COCO results file: expected an array of detections.`, { path });
  }
  return at + 1;
}

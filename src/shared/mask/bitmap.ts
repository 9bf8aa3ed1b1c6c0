import { AppError } from '../errors.ts';
import type { Box } from '../records.ts';

/** A binary image: row-major, one byte a pixel, 0 or 1. `data.length` is `width * height`. */
export interface Bitmap {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Run lengths are 32-bit signed in pycocotools, so an image has at most this many pixels. */
const MOST_PIXELS = 2 ** 31 - 1;

/** Throws `invalid`, naming both sides, unless they are whole, positive and within 2^31 - 1 pixels. */
export function checkSize(width: number, height: number): void {
  const whole = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0;
  if (!whole || width * height > MOST_PIXELS) {
    throw new AppError('invalid', `A mask of ${width}×${height} pixels is not possible.`, { width, height });
  }
}

/** An all-zero bitmap. Throws `invalid` for an impossible size. */
export function emptyBitmap(width: number, height: number): Bitmap {
  checkSize(width, height);
  return { width, height, data: new Uint8Array(width * height) };
}

export function cloneBitmap(bitmap: Bitmap): Bitmap {
  return { width: bitmap.width, height: bitmap.height, data: bitmap.data.slice() };
}

/** Number of set pixels. */
export function bitmapArea(bitmap: Bitmap): number {
  let area = 0;
  for (const value of bitmap.data) area += value;
  return area;
}

/** Smallest box around the set pixels, `[0, 0, 0, 0]` when there is none. */
export function bitmapBox(bitmap: Bitmap): Box {
  const { width, height, data } = bitmap;
  let left = width;
  let right = -1;
  let top = -1;
  let bottom = -1;
  for (let y = 0; y < height; y++) {
    const row = y * width;
    const first = data.indexOf(1, row);
    if (first < 0) break;
    if (first >= row + width) {
      // Jump to the row of the next set pixel; the loop adds the one.
      y = Math.floor(first / width) - 1;
      continue;
    }
    const last = data.lastIndexOf(1, row + width - 1);
    if (top < 0) top = y;
    bottom = y;
    left = Math.min(left, first - row);
    right = Math.max(right, last - row);
  }
  return top < 0 ? [0, 0, 0, 0] : [left, top, right - left + 1, bottom - top + 1];
}

/**
 * A copy of the pixels within a box of whole numbers; what lies outside the bitmap is 0.
 * Throws `invalid` for an impossible size.
 */
export function cropBitmap(bitmap: Bitmap, box: Box): Bitmap {
  const [x, y, width, height] = box;
  const out = emptyBitmap(width, height);
  pasteBitmap(out, bitmap, -x, -y);
  return out;
}

/** Copies `source` into `target` in place with its top left pixel at (x, y); what falls outside is dropped. */
export function pasteBitmap(target: Bitmap, source: Bitmap, x: number, y: number): void {
  const from = Math.max(0, -x);
  const to = Math.min(source.width, target.width - x);
  if (from >= to) return;
  for (let row = Math.max(0, -y); row < Math.min(source.height, target.height - y); row++) {
    const start = row * source.width;
    target.data.set(source.data.subarray(start + from, start + to), (row + y) * target.width + x + from);
  }
}

export function sameBitmap(a: Bitmap, b: Bitmap): boolean {
  return a.width === b.width && a.height === b.height && a.data.every((value, i) => value === b.data[i]);
}

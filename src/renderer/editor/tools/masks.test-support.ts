import { encodeRle } from '../../../shared/mask/rle.ts';
import type { Rle } from '../../../shared/records.ts';

/** A filled box on an image of 100 x 80. */
export function rleOfBox(x: number, y: number, width: number, height: number): Rle {
  const data = new Uint8Array(100 * 80);
  for (let v = y; v < y + height; v++) data.fill(1, v * 100 + x, v * 100 + x + width);
  return encodeRle({ width: 100, height: 80, data });
}

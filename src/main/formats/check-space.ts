import type { Geometry, Ring } from '../../shared/records.ts';
import type { Intervals } from './intervals.ts';
import { intervalsOfCounts, intervalsOfRing, unionOf, withoutOf } from './intervals.ts';

/**
 * The export check's own way from the project's geometry to pixels of the exported file, in either pixel space. Like
 * `intervals.ts` it shares nothing with what writes.
 */

/** An image as the check knows it. `width` and `height` are of the image as shown. */
export interface CheckedImage {
  readonly id: number;
  readonly path: string;
  readonly width: number;
  readonly height: number;
  /** EXIF, 1..8. */
  readonly orientation: number;
}

/**
 * Where a point (x, y) of the shown image lies in the file's own plane: (a·x + b·y + c·w, d·x + e·y + f·h) with w × h the size in
 * the file (EXIF 2.32, tag 0x0112).
 */
const TURNS: Readonly<Record<number, readonly [a: number, b: number, c: number, d: number, e: number, f: number]>> = {
  1: [1, 0, 0, 0, 1, 0],
  2: [-1, 0, 1, 0, 1, 0],
  3: [-1, 0, 1, 0, -1, 1],
  4: [1, 0, 0, 0, -1, 1],
  5: [0, 1, 0, 1, 0, 0],
  6: [0, 1, 0, -1, 0, 1],
  7: [0, -1, 1, -1, 0, 1],
  8: [0, -1, 1, 1, 0, 0],
};

/** Width and height that the file is to have for an image. */
export function sizeInFile(image: CheckedImage, raw: boolean): readonly [width: number, height: number] {
  return raw && image.orientation > 4 ? [image.height, image.width] : [image.width, image.height];
}

/** Pixels of a geometry in the file's pixel space. Throws `invalid` for runs that cannot be. */
export function expectedIntervals(geometry: Geometry, image: CheckedImage, raw: boolean): Intervals {
  const orientation = raw ? image.orientation : 1;
  const [width, height] = sizeInFile(image, raw);
  const [a, b, c, d, e, f] = TURNS[orientation] ?? [1, 0, 0, 0, 1, 0];
  const turned = (ring: Ring): number[] => {
    const out: number[] = [];
    for (let i = 0; i + 1 < ring.length; i += 2) {
      const x = ring[i] ?? NaN;
      const y = ring[i + 1] ?? NaN;
      out.push(a * x + b * y + c * width, d * x + e * y + f * height);
    }
    return out;
  };
  const filled = (ring: Ring): Intervals => intervalsOfRing(orientation === 1 ? ring : turned(ring), width, height);
  switch (geometry.kind) {
    case 'polygon':
      return unionOf(
        geometry.parts.map(({ outer, holes }) => (holes.length === 0 ? filled(outer) : withoutOf(filled(outer), holes.map(filled)))),
      );
    case 'box': {
      const [x, y, w, h] = geometry.box;
      return filled([x, y, x, y + h, x + w, y + h, x + w, y]);
    }
    case 'mask': {
      const mask = intervalsOfCounts(geometry.rle.counts, image.width, image.height);
      if (orientation === 1) return mask;
      const pixels: number[] = [];
      for (let i = 0; i + 1 < mask.length; i += 2) {
        for (let at = mask[i] ?? 0; at < (mask[i + 1] ?? 0); at++) {
          const x = Math.floor(at / image.height);
          const y = at % image.height;
          // By the pixel's centre.
          const [u = 0, v = 0] = turned([x + 0.5, y + 0.5]);
          pixels.push(Math.floor(u) * height + Math.floor(v));
        }
      }
      pixels.sort((p, q) => p - q);
      return joinedPixels(pixels);
    }
  }
}

/** Sorted pixel numbers as intervals. */
function joinedPixels(pixels: readonly number[]): number[] {
  const out: number[] = [];
  for (const at of pixels) {
    if (out.length > 0 && out.at(-1) === at) out[out.length - 1] = at + 1;
    else out.push(at, at + 1);
  }
  return out;
}

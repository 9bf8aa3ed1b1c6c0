/**
 * The ranges that instances and images are counted in. A range takes its lower bound and not its upper one, so that
 * every figure falls into exactly one, and the list of images behind a bar is exactly what the bar counted.
 */
export interface Range {
  readonly from: number;
  /** Null: no end. */
  readonly to: number | null;
}

/** COCO's three sizes, by area in pixels (cocoapi `cocoeval.py`: 32² and 96²). */
export const SIZES = [
  { name: 'small', from: 0, to: 32 ** 2 },
  { name: 'medium', from: 32 ** 2, to: 96 ** 2 },
  { name: 'large', from: 96 ** 2, to: null },
] as const;
export type SizeName = (typeof SIZES)[number]['name'];

/** The ranges between neighbouring bounds, the last one open. */
export function rangesOf(bounds: readonly number[]): Range[] {
  return bounds.map((from, i) => ({ from, to: bounds[i + 1] ?? null }));
}

/** Side of the square of the same area, pixels, by half octaves: 2^1.5 is the square root of 8. Bounds are areas, whole powers of two. */
export const AREA_RANGES: readonly Range[] = rangesOf([0, ...Array.from({ length: 18 }, (_, i) => 2 ** (i + 4))]);

/** Instances on an image. */
export const COUNT_RANGES: readonly Range[] = rangesOf([0, 1, 2, 3, 4, 5, 6, 8, 11, 16, 21, 51, 101]);

/** Width over height of an instance's box; symmetric about the square. */
export const RATIO_RANGES: readonly Range[] = rangesOf([0, 1 / 8, 1 / 4, 2 / 5, 2 / 3, 0.9, 10 / 9, 3 / 2, 5 / 2, 4, 8]);

/** Time spent on an image, milliseconds. */
export const TIME_RANGES: readonly Range[] = rangesOf([0, 5, 10, 20, 40, 60, 120, 300, 600].map((seconds) => seconds * 1000));

/** The heat map divides every image into so many columns and rows. */
export const HEAT_CELLS = 24;

/** A pause between two edits of an image counts as at most this much work. */
export const PAUSE_MS = 60_000;

/** Index of the range that a value is in. `ranges` begin where values do. */
export function rangeIndex(ranges: readonly Range[], value: number): number {
  let low = 0;
  let high = ranges.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (value >= (ranges[middle]?.from ?? Infinity)) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Cell of a heat map along one side, from a centre in pixels and the side's length; the last one takes the far edge. */
export function heatCell(centre: number, length: number): number {
  return Math.min(HEAT_CELLS - 1, Math.max(0, Math.floor((centre * HEAT_CELLS) / length)));
}

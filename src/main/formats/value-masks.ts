import { AppError } from '../../shared/errors.ts';
import { rasterizePatch } from '../../shared/mask/raster.ts';
import { countsToString } from '../../shared/mask/rle.ts';
import { runsArea, runsFromFlips } from '../../shared/mask/runs.ts';
import type { Geometry, Rle } from '../../shared/records.ts';

/** The pixels of one number of a map. */
export interface ValueMask {
  readonly rle: Rle;
  readonly area: number;
}

/** More different numbers than any map has; a photograph taken for one has more. */
const MOST_VALUES = 100_000;

/**
 * Every number of a map, with its mask, in ascending order. `values` is row-major. One pass over the pixels in the order
 * of COCO's runs: where the number changes, one mask ends and another begins.
 * Throws `unsupported` where the map has so many numbers that it is a photograph.
 */
export function valueMasks(values: ArrayLike<number>, width: number, height: number): Map<number, ValueMask> {
  const flips = new Map<number, number[]>();
  let before = -1;
  let list: number[] = [];
  for (let x = 0, at = 0; x < width; x++) {
    for (let y = 0, i = x; y < height; y++, i += width, at++) {
      const value = values[i] ?? 0;
      if (value === before) continue;
      if (before >= 0) list.push(at);
      const known = flips.get(value);
      if (known) list = known;
      else {
        if (flips.size >= MOST_VALUES) {
          throw new AppError('unsupported', `A map with more than ${MOST_VALUES} different numbers is a photograph, not a mask.`);
        }
        flips.set(value, (list = []));
      }
      list.push(at);
      before = value;
    }
  }
  const out = new Map<number, ValueMask>();
  for (const value of [...flips.keys()].sort((a, b) => a - b)) {
    const runs = runsFromFlips(flips.get(value) ?? [], width * height);
    out.set(value, { rle: { size: [height, width], counts: countsToString(runs) }, area: runsArea(runs) });
  }
  return out;
}

/** Which instance has each pixel, where one lies on another. */
export interface PaintedMap {
  /** Row-major: 0, or the instance's place in the list, from 1. */
  readonly ordinals: Uint16Array | Uint32Array;
  /** Pixels of each instance by itself, and what is left of them, in the order of the list. */
  readonly areas: readonly number[];
  readonly visible: readonly number[];
}

/**
 * Paints instances over each other, the last on top, by COCO's own fill. Throws `invalid` for geometry that does not
 * belong to an image of this size.
 */
export function paintInstances(geometries: readonly Geometry[], width: number, height: number): PaintedMap {
  const ordinals = geometries.length < 65_536 ? new Uint16Array(width * height) : new Uint32Array(width * height);
  const areas: number[] = [];
  const visible: number[] = [];
  geometries.forEach((geometry, n) => {
    const patch = rasterizePatch(geometry, width, height);
    let area = 0;
    if (patch) {
      const { bitmap } = patch;
      for (let y = 0, i = 0; y < bitmap.height; y++) {
        let at = (patch.y + y) * width + patch.x;
        for (let x = 0; x < bitmap.width; x++, i++, at++) {
          if (bitmap.data[i] !== 1) continue;
          area++;
          const under = ordinals[at] ?? 0;
          if (under > 0) visible[under - 1] = (visible[under - 1] ?? 0) - 1;
          ordinals[at] = n + 1;
        }
      }
    }
    areas.push(area);
    visible.push(area);
  });
  return { ordinals, areas, visible };
}

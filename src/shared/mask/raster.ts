import { AppError } from '../errors.ts';
import type { Box, Geometry, PolygonPart, Rle } from '../records.ts';
import type { Bitmap } from './bitmap.ts';
import { checkSize } from './bitmap.ts';
import { ringRuns } from './fill.ts';
import { countsToString, decodeRle, decodeRleWithin, rleToCounts } from './rle.ts';
import { combineRuns, runsBox } from './runs.ts';

/**
 * From any geometry to pixels, by one rule: rings by COCO's (see fill.ts), so that an exported polygon and our
 * mask agree; a part is its outer ring minus its holes; an instance is the union of its parts.
 * Everything is done on runs: cost goes with the perimeter, not with the image.
 */

/** The runs of an instance on an image of `width` × `height`. Throws `invalid` for a mask of another size. */
export function geometryRuns(geometry: Geometry, width: number, height: number): Uint32Array {
  checkSize(width, height);
  switch (geometry.kind) {
    case 'polygon':
      return partsRuns(geometry.parts, width, height);
    case 'box':
      return boxRuns(geometry.box, width, height);
    case 'mask': {
      const [h, w] = geometry.rle.size;
      if (h !== height || w !== width) {
        throw new AppError('invalid', `A mask of ${w}×${h} pixels does not fit an image of ${width}×${height}.`);
      }
      return rleToCounts(geometry.rle);
    }
  }
}

/** Union of the parts, each without its holes. Throws `invalid` for a ring of fewer than three points. */
export function partsRuns(parts: readonly PolygonPart[], width: number, height: number): Uint32Array {
  let all: Uint32Array | null = null;
  for (const part of parts) {
    let runs = ringRuns(part.outer, width, height);
    for (const hole of part.holes) runs = combineRuns(runs, ringRuns(hole, width, height), 'difference');
    all = all ? combineRuns(all, runs, 'union') : runs;
  }
  return all ?? Uint32Array.of(width * height);
}

/** A box by the rule of its four corners. A box without width or height has no pixel. */
function boxRuns([x, y, w, h]: Box, width: number, height: number): Uint32Array {
  return ringRuns([x, y, x, y + h, x + w, y + h, x + w, y], width, height);
}

/** The mask of an instance, holes and parts kept. Throws `invalid` as `geometryRuns`. */
export function geometryToRle(geometry: Geometry, width: number, height: number): Rle {
  if (geometry.kind === 'mask') {
    const [h, w] = geometry.rle.size;
    if (h === height && w === width) return geometry.rle;
  }
  return { size: [height, width], counts: countsToString(geometryRuns(geometry, width, height)) };
}

/** The full-size bitmap of an instance. Throws `invalid` as `geometryRuns`. */
export function rasterize(geometry: Geometry, width: number, height: number): Bitmap {
  return decodeRle(geometryToRle(geometry, width, height));
}

/** The same for parts alone: the inverse of `contour`. */
export function rasterizeParts(parts: readonly PolygonPart[], width: number, height: number): Bitmap {
  return rasterize({ kind: 'polygon', parts }, width, height);
}

/** A piece of an image's mask: its bitmap and where its top left pixel lies. */
export interface MaskPatch {
  readonly x: number;
  readonly y: number;
  readonly bitmap: Bitmap;
}

/** Only the pixels inside the instance's own box, or null when it has none. For painting and thumbnails. */
export function rasterizePatch(geometry: Geometry, width: number, height: number): MaskPatch | null {
  const runs = geometryRuns(geometry, width, height);
  const box = runsBox(runs, height);
  if (box[2] === 0) return null;
  const rle: Rle = { size: [height, width], counts: countsToString(runs) };
  return { x: box[0], y: box[1], bitmap: decodeRleWithin(rle, box) };
}

import type { Geometry, Rle } from '../../shared/records.ts';
import type { Bitmap } from '../../shared/mask/bitmap.ts';
import { geometryToRle } from '../../shared/mask/raster.ts';
import { mergeRle, rleArea, rleFromCounts, subtractRle } from '../../shared/mask/rle.ts';
import { runsFromFlips } from '../../shared/mask/runs.ts';
import { stampStroke } from '../../shared/mask/stamp.ts';
import type { Size } from './viewport.ts';

/**
 * The pixels under a brush stroke, clipped to the image. `points` is flat `x, y, ...` in image space,
 * one point being a dab. Work and memory go with the stroke's box, not with the image.
 */
export function strokeToRle(points: readonly number[], radius: number, image: Size): Rle {
  let minX = Infinity;
  let minY = Infinity;
  let maxX = -Infinity;
  let maxY = -Infinity;
  for (let i = 0; i + 1 < points.length; i += 2) {
    const x = points[i] ?? 0;
    const y = points[i + 1] ?? 0;
    minX = Math.min(minX, x);
    maxX = Math.max(maxX, x);
    minY = Math.min(minY, y);
    maxY = Math.max(maxY, y);
  }
  const left = Math.max(0, Math.floor(minX - radius) - 1);
  const top = Math.max(0, Math.floor(minY - radius) - 1);
  const right = Math.min(image.width, Math.ceil(maxX + radius) + 1);
  const bottom = Math.min(image.height, Math.ceil(maxY + radius) + 1);
  if (!(right > left && bottom > top)) return patchToRle({ width: 0, height: 0, data: new Uint8Array(0) }, 0, 0, image);
  const patch: Bitmap = { width: right - left, height: bottom - top, data: new Uint8Array((right - left) * (bottom - top)) };
  for (let i = 0; i + 1 < points.length; i += 2) {
    const x0 = (points[Math.max(0, i - 2)] ?? 0) - left;
    const y0 = (points[Math.max(1, i - 1)] ?? 0) - top;
    stampStroke(patch, x0, y0, (points[i] ?? 0) - left, (points[i + 1] ?? 0) - top, radius, 1);
  }
  return patchToRle(patch, left, top, image);
}

/** A small bitmap whose top left pixel lies at (left, top), as the RLE of the whole image. */
export function patchToRle(patch: Bitmap, left: number, top: number, image: Size): Rle {
  const flips: number[] = [];
  for (let x = 0; x < patch.width; x++) {
    const column = (left + x) * image.height;
    if (left + x < 0 || left + x >= image.width) continue;
    let before = 0;
    for (let y = Math.max(0, -top); y <= patch.height && top + y <= image.height; y++) {
      const now = y < patch.height && top + y < image.height ? (patch.data[y * patch.width + x] ?? 0) : 0;
      if (now !== before) flips.push(column + top + y);
      before = now;
    }
  }
  return rleFromCounts(runsFromFlips(flips, image.width * image.height), [image.height, image.width]);
}

/**
 * An instance with a stroke added to it or taken from it, as a mask; `null` where nothing is left, and
 * the very same geometry where the stroke changes no pixel.
 */
export function strokeApplied(geometry: Geometry, points: readonly number[], radius: number, add: boolean, image: Size): Geometry | null {
  const before = geometryToRle(geometry, image.width, image.height);
  const stroke = strokeToRle(points, radius, image);
  const after = add ? mergeRle([before, stroke], 'union') : subtractRle(before, stroke);
  if (after.counts === before.counts) return geometry;
  return rleArea(after) === 0 ? null : { kind: 'mask', rle: after };
}

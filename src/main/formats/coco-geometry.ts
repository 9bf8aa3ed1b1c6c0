import { AppError } from '../../shared/errors.ts';
import { rleFromCounts } from '../../shared/mask/rle.ts';
import type { Box, Geometry, Ring, Rle } from '../../shared/records.ts';

/**
 * The geometry that a COCO annotation says by itself (https://cocodataset.org/#format-data), in the pixel space of the
 * file. Only what needs no repair is understood; `readCoco` repairs the rest and keeps the repaired geometry beside the text.
 */

/** The keys of an annotation that geometry is read from; of unknown content. */
export interface CocoShape {
  readonly segmentation?: unknown;
  readonly bbox?: unknown;
}

/**
 * Polygons become one part each, masks keep their runs, an annotation without a segmentation is its box. A closing
 * point that repeats the first is left out: the mask is the same. Answers null for whatever is not as COCO wants it: a
 * ring that is no list of at least three x, y pairs, numbers that are none, runs that do not fill the size, a box that has no area.
 */
export function geometryOfShape(shape: CocoShape): Geometry | null {
  const { segmentation } = shape;
  if (segmentation === undefined || segmentation === null) return boxOf(shape.bbox);
  if (Array.isArray(segmentation)) return segmentation.length === 0 ? boxOf(shape.bbox) : polygonOf(segmentation);
  return maskOf(segmentation);
}

/**
 * The geometry of an annotation's very text.
 * Throws AppError `storage` where the text does not have one: only texts that had one are kept without it.
 */
export function geometryOfRecord(text: string): Geometry {
  let geometry: Geometry | null = null;
  try {
    geometry = geometryOfShape(JSON.parse(text) as CocoShape);
  } catch {
    // Said below.
  }
  if (geometry !== null) return geometry;
  throw new AppError('storage', `The text of an imported annotation is damaged: ${text.slice(0, 80)}.`);
}

function boxOf(value: unknown): Geometry | null {
  if (!Array.isArray(value) || value.length !== 4) return null;
  const [x, y, width, height] = value as unknown[];
  if (!isNumber(x) || !isNumber(y) || !isNumber(width) || !isNumber(height)) return null;
  const box: Box = [x, y, width, height];
  return width > 0 && height > 0 ? { kind: 'box', box } : null;
}

function polygonOf(rings: readonly unknown[]): Geometry | null {
  const parts: { outer: Ring; holes: readonly Ring[] }[] = [];
  for (const ring of rings) {
    if (!isRing(ring)) return null;
    parts.push({ outer: opened(ring), holes: [] });
  }
  return { kind: 'polygon', parts };
}

/** A flat list of at least three points, all finite. */
export function isRing(value: unknown): value is number[] {
  if (!Array.isArray(value) || value.length < 6 || value.length % 2 !== 0) return false;
  for (const number of value) if (!isNumber(number)) return false;
  return true;
}

/** A ring without a last point that repeats the first. */
export function opened(ring: number[]): Ring {
  const last = ring.length - 2;
  return last >= 6 && ring[0] === ring[last] && ring[1] === ring[last + 1] ? ring.slice(0, last) : ring;
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function maskOf(value: unknown): Geometry | null {
  if (typeof value !== 'object' || value === null) return null;
  const { size, counts } = value as { readonly size?: unknown; readonly counts?: unknown };
  if (!Array.isArray(size) || size.length !== 2) return null;
  const [height, width] = size as unknown[];
  if (!isNumber(height) || !isNumber(width)) return null;
  const sized: Rle['size'] = [height, width];
  if (typeof counts === 'string') return { kind: 'mask', rle: { size: sized, counts } };
  if (!Array.isArray(counts) || !counts.every(isNumber)) return null;
  try {
    return { kind: 'mask', rle: rleFromCounts(counts, sized) };
  } catch {
    return null;
  }
}

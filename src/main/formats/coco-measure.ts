import { measurePixels } from '../../shared/geometry/measure.ts';
import { ringArea } from '../../shared/geometry/polygon.ts';
import type { Box, Geometry } from '../../shared/records.ts';
import type { CocoShape } from './coco-geometry.ts';

/** COCO's `area` and `bbox` of an instance, in pixels of its image; the box is all 0 where there is no pixel. */
export interface PixelMeasure {
  readonly area: number;
  readonly box: Box;
}

/** A record whose own figures may be taken; of unknown content. */
export type MeasuredShape = CocoShape & { readonly area?: unknown };

/** Pixels that a box in the file may be from the outermost vertices. */
const BOX_APART = 1.5;

/**
 * What the record `shape` measures whose text alone means `geometry`, on an image of `width` × `height`: what it says of itself
 * where its outline agrees, as COCO's evaluation does (a dataset need not be drawn to be counted), else the filled pixels. The
 * reader of a dataset and whoever measures later both ask here, so that it makes no difference which of them did.
 * Throws AppError `invalid` as `geometryRuns`.
 */
export function measureShape(shape: MeasuredShape, geometry: Geometry, width: number, height: number): PixelMeasure {
  if (geometry.kind !== 'polygon') return measurePixels(geometry, width, height);
  return saidMeasure(shape, outlineArea(geometry), outlineBox(geometry)) ?? measurePixels(geometry, width, height);
}

/** `area` and `bbox` of a polygon's record that agree with its outline, else null. Outlines and pixels differ by some of the border. */
export function saidMeasure({ area, bbox }: MeasuredShape, outline: number, [left, top, wide, high]: Box): PixelMeasure | null {
  if (typeof area !== 'number' || !(area > 0) || !Array.isArray(bbox) || bbox.length !== 4) return null;
  const [x, y, width, height] = bbox as unknown[];
  if (typeof x !== 'number' || typeof y !== 'number' || typeof width !== 'number' || typeof height !== 'number') return null;
  if (Math.abs(outline - area) > 0.1 * area + 8) return null;
  const apart = Math.max(Math.abs(left - x), Math.abs(top - y), Math.abs(left + wide - x - width), Math.abs(top + high - y - height));
  return apart <= BOX_APART ? { area, box: [x, y, width, height] } : null;
}

/** Square pixels inside all outer rings, each for itself. */
export function outlineArea({ parts }: Extract<Geometry, { kind: 'polygon' }>): number {
  let area = 0;
  for (const { outer } of parts) area += Math.abs(ringArea(outer));
  return area;
}

/** The smallest box around all points of the outer rings; of infinite numbers without any. */
export function outlineBox({ parts }: Extract<Geometry, { kind: 'polygon' }>): Box {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { outer } of parts) {
    for (let i = 0; i + 1 < outer.length; i += 2) {
      const x = outer[i] ?? 0;
      const y = outer[i + 1] ?? 0;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      if (y > bottom) bottom = y;
    }
  }
  return [left, top, right - left, bottom - top];
}

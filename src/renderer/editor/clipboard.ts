import { geometryBox } from '../../shared/geometry/measure.ts';
import { intersectParts } from '../../shared/geometry/boolean.ts';
import { clampGeometry } from '../../shared/geometry/edit-vertex.ts';
import { translateGeometry } from '../../shared/geometry/polygon.ts';
import { decodeRleWithin, rleArea, rleBox } from '../../shared/mask/rle.ts';
import type { Annotation, Geometry } from '../../shared/records.ts';
import { patchToRle } from './strokes.ts';
import type { Size } from './viewport.ts';

export type Copied = Pick<Annotation, 'labelId' | 'geometry' | 'crowd'>;

/**
 * A geometry on an image that may have another size, moved by (dx, dy) or the other way where it would
 * leave; what still lies outside is cut off. Null when nothing is left. A mask keeps its pixels.
 */
export function placedOn(geometry: Geometry, dx: number, dy: number, image: Size): Geometry | null {
  const [x, y, width, height] = geometryBox(geometry);
  const shiftX = within(x, width, dx, image.width);
  const shiftY = within(y, height, dy, image.height);
  if (geometry.kind === 'mask') {
    const box = rleBox(geometry.rle);
    if (!box[2]) return null;
    const rle = patchToRle(decodeRleWithin(geometry.rle, box), box[0] + shiftX, box[1] + shiftY, image);
    return rleArea(rle) ? { kind: 'mask', rle } : null;
  }
  const moved = translateGeometry(geometry, shiftX, shiftY);
  const fits = x + shiftX >= 0 && y + shiftY >= 0 && x + shiftX + width <= image.width && y + shiftY + height <= image.height;
  if (fits) return moved;
  const clipped = moved.kind === 'box' ? clampGeometry(moved, image.width, image.height) : clipParts(moved, image);
  const [, , w, h] = clipped ? geometryBox(clipped) : [0, 0, 0, 0];
  return clipped && w > 0 && h > 0 ? clipped : null;
}

function clipParts(geometry: Geometry & { kind: 'polygon' | 'mask' }, image: Size): Geometry | null {
  if (geometry.kind === 'mask') return geometry;
  const frame = [{ outer: [0, 0, image.width, 0, image.width, image.height, 0, image.height], holes: [] }];
  const parts = intersectParts(geometry.parts, frame);
  return parts.length ? { kind: 'polygon', parts } : null;
}

/** The shift by `delta`, or by `-delta` where that stays inside, else the nearest one that does. */
function within(from: number, length: number, delta: number, available: number): number {
  const fits = (d: number): boolean => from + d >= 0 && from + length + d <= available;
  if (fits(delta)) return delta;
  if (fits(-delta)) return -delta;
  return Math.round(Math.max(-from, Math.min(available - length - from, delta)));
}

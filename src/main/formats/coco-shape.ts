import { simplifyParts } from '../../shared/geometry/simplify.ts';
import { ringLength, ringsOfParts } from '../../shared/geometry/polygon.ts';
import { contourOfRle } from '../../shared/mask/contour.ts';
import { geometryRuns, partsRuns } from '../../shared/mask/raster.ts';
import { countsToString } from '../../shared/mask/rle.ts';
import { runsArea, runsBox, runsOverlap } from '../../shared/mask/runs.ts';
import type { Box, Geometry, PolygonPart, Ring, Rle } from '../../shared/records.ts';
import type { Size } from './orientation.ts';

/** COCO's `segmentation`: polygons, flat x, y each, or compressed RLE. */
export type CocoSegmentation = readonly Ring[] | Rle;

export interface ShapeOptions {
  readonly segmentation: 'imported' | 'polygons' | 'rle';
  readonly simplifyPx: number;
}

/** What leaving out vertices of one instance did. `iou` is with what it was. */
export interface Simplified {
  readonly pointsBefore: number;
  readonly pointsAfter: number;
  readonly iou: number;
}

/** An instance as COCO writes it, in the pixel space of the export. */
export interface CocoShaped {
  readonly segmentation: CocoSegmentation;
  /** Pixels of the mask as it is written. */
  readonly area: number;
  readonly box: Box;
  readonly simplified: Simplified | null;
  /** Why it is not the polygon that was asked for, or null. */
  readonly notPolygon: 'has-hole' | 'is-crowd' | null;
}

/**
 * COCO's `segmentation` of an instance.
 *
 * - A crowd, and whatever has a hole, is compressed RLE: COCO polygons have no holes.
 * - A polygon without holes keeps the vertices the user set, to the last digit. Parts that overlap stay
 *   as they are: every reader takes the union of the polygons, and so do we.
 * - A box is its four corners.
 * - A mask without a hole is its exact outline along pixel edges, one polygon a part; filled again by
 *   COCO's rule it is the same mask, pixel by pixel.
 *
 * With `simplifyPx` polygons lose vertices; no part of them is lost, none has fewer than three points. An instance
 * without a pixel has area 0. Throws `invalid` for geometry that does not fit `size`.
 */
export function shapeOf(geometry: Geometry, crowd: boolean, size: Size, options: ShapeOptions): CocoShaped {
  const runs = geometryRuns(geometry, size.width, size.height);
  const rle = (): Rle => ({ size: [size.height, size.width], counts: countsToString(runs) });
  const plain = { area: runsArea(runs), box: runsBox(runs, size.height), simplified: null, notPolygon: null };
  if (crowd || options.segmentation === 'rle' || plain.area === 0) {
    return { ...plain, segmentation: rle(), notPolygon: crowd ? 'is-crowd' : null };
  }
  const parts = partsOf(geometry, rle);
  if (parts.some((part) => part.holes.length > 0)) return { ...plain, segmentation: rle(), notPolygon: 'has-hole' };
  if (options.simplifyPx === 0) return { ...plain, segmentation: parts.map((part) => part.outer) };
  const fewer = simplified(parts, options.simplifyPx, size);
  const after = partsRuns(fewer, size.width, size.height);
  const area = runsArea(after);
  const shared = runsOverlap(runs, after);
  const points = (of: readonly PolygonPart[]): number => ringsOfParts(of).reduce((sum, ring) => sum + ringLength(ring), 0);
  return {
    segmentation: fewer.map((part) => part.outer),
    area,
    box: runsBox(after, size.height),
    simplified: { pointsBefore: points(parts), pointsAfter: points(fewer), iou: shared / (plain.area + area - shared) },
    notPolygon: null,
  };
}

function partsOf(geometry: Geometry, rle: () => Rle): readonly PolygonPart[] {
  switch (geometry.kind) {
    case 'polygon':
      return geometry.parts;
    case 'box': {
      const [x, y, w, h] = geometry.box;
      return [{ outer: [x, y, x, y + h, x + w, y + h, x + w, y], holes: [] }];
    }
    case 'mask':
      return contourOfRle(rle());
  }
}

/** A part that would have no pixel left stays as it is. */
function simplified(parts: readonly PolygonPart[], tolerancePx: number, size: Size): readonly PolygonPart[] {
  const area = (part: PolygonPart): number => runsArea(partsRuns([part], size.width, size.height));
  return simplifyParts(parts, tolerancePx).map((part, i) => {
    const before = parts[i];
    return before && part !== before && area(part) === 0 && area(before) > 0 ? before : part;
  });
}

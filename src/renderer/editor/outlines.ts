import { geometryBox } from '../../shared/geometry/measure.ts';
import { pointInParts, ringArea } from '../../shared/geometry/polygon.ts';
import { simplifyParts } from '../../shared/geometry/simplify.ts';
import { contourOfRle } from '../../shared/mask/contour.ts';
import { rleArea } from '../../shared/mask/rle.ts';
import type { Box, Geometry, PolygonPart, Rle, Suggestion } from '../../shared/records.ts';
import type { ImagePoint } from './viewport.ts';

/**
 * Everything derived from a geometry is kept as long as the geometry itself: documents are immutable,
 * so a geometry that is the same object looks the same.
 */
const exact = new WeakMap<Geometry, readonly PolygonPart[]>();
const editable = new WeakMap<Geometry, readonly PolygonPart[] | null>();
const boxes = new WeakMap<Geometry, Box>();
const areas = new WeakMap<Geometry, number>();
const ofSuggestion = new WeakMap<Suggestion, Geometry>();
const ofRle = new WeakMap<Rle, Geometry>();

/** How far the editable outline of a mask may lie from its pixels, image pixels. */
const MASK_TOLERANCE = 1;

function cached<K extends WeakKey, V>(cache: WeakMap<K, V>, key: K, make: () => V): V {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const made = make();
  cache.set(key, made);
  return made;
}

/** A suggestion's mask as a geometry, the same object each time. */
export function suggestionGeometry(suggestion: Suggestion): Geometry {
  return cached(ofSuggestion, suggestion, () => ({ kind: 'mask', rle: suggestion.rle }));
}

/** A mask that is nobody's yet as a geometry, the same object each time. */
export function maskGeometry(rle: Rle): Geometry {
  return cached(ofRle, rle, () => ({ kind: 'mask', rle }));
}

/** Exact rings for painting; of a mask along its pixels' edges. */
export function outlineOf(geometry: Geometry): readonly PolygonPart[] {
  return cached(exact, geometry, () => {
    switch (geometry.kind) {
      case 'polygon':
        return geometry.parts;
      case 'mask':
        return contourOfRle(geometry.rle);
      case 'box': {
        const [x, y, w, h] = geometry.box;
        return [{ outer: [x, y, x + w, y, x + w, y + h, x, y + h], holes: [] }];
      }
    }
  });
}

/** Rings whose vertices can be edited: of a mask its contour, simplified by at most a pixel; null for a box. */
export function editableOutline(geometry: Geometry): readonly PolygonPart[] | null {
  return cached(editable, geometry, () => {
    if (geometry.kind === 'box') return null;
    return geometry.kind === 'polygon' ? geometry.parts : simplifyParts(outlineOf(geometry), MASK_TOLERANCE);
  });
}

/** Box of the geometry, image space. */
export function boxOf(geometry: Geometry): Box {
  return cached(boxes, geometry, () => geometryBox(geometry));
}

/** Area for comparing instances, square pixels: of a polygon by its rings, not its pixels. */
export function areaOf(geometry: Geometry): number {
  return cached(areas, geometry, () => {
    switch (geometry.kind) {
      case 'mask':
        return rleArea(geometry.rle);
      case 'box':
        return geometry.box[2] * geometry.box[3];
      case 'polygon':
        return geometry.parts.reduce(
          (sum, part) => sum + Math.abs(ringArea(part.outer)) - part.holes.reduce((holes, hole) => holes + Math.abs(ringArea(hole)), 0),
          0,
        );
    }
  });
}

export function contains(geometry: Geometry, at: ImagePoint): boolean {
  return pointInParts(outlineOf(geometry), at.x, at.y);
}

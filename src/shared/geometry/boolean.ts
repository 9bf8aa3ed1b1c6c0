import type { Paths64, PolyPath64 } from 'clipper2-ts';
import { Clipper, ClipType, FillRule, PolyTree64 } from 'clipper2-ts';
import { countsToString } from '../mask/rle.ts';
import { geometryRuns } from '../mask/raster.ts';
import type { RunOperation } from '../mask/runs.ts';
import { combineRuns, runsArea } from '../mask/runs.ts';
import type { Geometry, PolygonPart, Ring } from '../records.ts';
import { ringArea } from './polygon.ts';

/**
 * Boolean operations on polygon parts by Clipper2 (Vatti 1992), on whole numbers of 1/1024 pixel: halves,
 * quarters and whole pixels stay exact, and products of two coordinates stay exact in a double.
 */
const UNIT = 1024;

const CLIP_TYPE = { union: ClipType.Union, intersection: ClipType.Intersection, difference: ClipType.Difference } as const;

/** What is in any of the parts of `a` or `b`. */
export function unionParts(a: readonly PolygonPart[], b: readonly PolygonPart[]): PolygonPart[] {
  return combineParts(a, b, 'union');
}

/** What is in both. */
export function intersectParts(a: readonly PolygonPart[], b: readonly PolygonPart[]): PolygonPart[] {
  return combineParts(a, b, 'intersection');
}

/** What is in `a` and not in `b`. */
export function subtractParts(a: readonly PolygonPart[], b: readonly PolygonPart[]): PolygonPart[] {
  return combineParts(a, b, 'difference');
}

/**
 * Any of the three. The result's parts do not overlap; outer rings run clockwise on the screen, holes the
 * other way; it is empty when nothing is left. Rings that cross themselves are read even-odd, as COCO fills them.
 */
export function combineParts(a: readonly PolygonPart[], b: readonly PolygonPart[], operation: RunOperation): PolygonPart[] {
  const tree = new PolyTree64();
  Clipper.booleanOpWithPolyTree(CLIP_TYPE[operation], region(a), region(b), tree, FillRule.NonZero);
  const parts: PolygonPart[] = [];
  collect(tree, parts);
  return parts;
}

/**
 * Two instances combined on an image of `width` × `height`: as polygons when neither is a mask, else
 * pixel by pixel, so that a mask loses nothing. Null when nothing is left.
 * Throws `invalid` for a mask of another size.
 */
export function combineGeometries(a: Geometry, b: Geometry, operation: RunOperation, width: number, height: number): Geometry | null {
  const partsA = geometryParts(a);
  const partsB = geometryParts(b);
  if (partsA && partsB) {
    const parts = combineParts(partsA, partsB, operation);
    return parts.length > 0 ? { kind: 'polygon', parts } : null;
  }
  const runs = combineRuns(geometryRuns(a, width, height), geometryRuns(b, width, height), operation);
  return runsArea(runs) > 0 ? { kind: 'mask', rle: { size: [height, width], counts: countsToString(runs) } } : null;
}

/** The parts of a polygon, the four corners of a box, null for a mask. */
function geometryParts(geometry: Geometry): readonly PolygonPart[] | null {
  switch (geometry.kind) {
    case 'polygon':
      return geometry.parts;
    case 'box': {
      const [x, y, w, h] = geometry.box;
      return [{ outer: [x, y, x + w, y, x + w, y + h, x, y + h], holes: [] }];
    }
    case 'mask':
      return null;
  }
}

/** Parts as oriented paths whose non-zero filling is their union. */
function region(parts: readonly PolygonPart[]): Paths64 {
  return parts.flatMap((part) => {
    let paths = Clipper.booleanOp(ClipType.Union, [toPath(part.outer)], null, FillRule.EvenOdd);
    for (const hole of part.holes) paths = Clipper.booleanOp(ClipType.Difference, paths, [toPath(hole)], FillRule.EvenOdd);
    return paths;
  });
}

function toPath(ring: Ring): Paths64[number] {
  const path: Paths64[number] = [];
  for (let i = 0; i + 1 < ring.length; i += 2) {
    path.push({ x: Math.round((ring[i] ?? 0) * UNIT), y: Math.round((ring[i + 1] ?? 0) * UNIT) });
  }
  return path;
}

/** Clipper nests outer rings and holes by turns. */
function collect(node: PolyPath64, parts: PolygonPart[]): void {
  for (let i = 0; i < node.count; i++) {
    const child = node.child(i);
    const holes: Ring[] = [];
    for (let h = 0; h < child.count; h++) {
      const hole = child.child(h);
      const ring = toRing(hole, -1);
      if (ring) holes.push(ring);
      collect(hole, parts);
    }
    const outer = toRing(child, 1);
    if (outer) parts.push({ outer, holes });
  }
}

/** A ring of the wanted orientation (sign of its area), null when it has no area. */
function toRing(node: PolyPath64, sign: 1 | -1): Ring | null {
  const path = node.poly ?? [];
  const ring = path.flatMap(({ x, y }) => [x / UNIT, y / UNIT]);
  const area = ringArea(ring);
  if (area === 0) return null;
  if (Math.sign(area) === sign) return ring;
  return [...path].reverse().flatMap(({ x, y }) => [x / UNIT, y / UNIT]);
}

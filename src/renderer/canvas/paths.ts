import type { Geometry } from '../../shared/records.ts';
import { outlineOf } from '../editor/outlines.ts';

/** Paths in image space, kept as long as the geometry they were made from, for each of a few scales. */
const paths = new WeakMap<Geometry, Map<number, Path2D>>();

/** How far apart the points of a mask's path must lie, CSS pixels. */
const SPACING = 0.35;

/**
 * The outline of an instance; fill it `evenodd`, so that holes stay open. A mask follows its pixels, which
 * at a small `scale` are far more corners than can be seen, and take the longer to fill and stroke: those
 * too near to the last one are left out.
 */
export function pathOf(geometry: Geometry, scale = 1): Path2D {
  // Full down to 1 : 1, then one path for each halving.
  const level = geometry.kind === 'mask' && scale < 1 ? Math.ceil(Math.log2(scale)) : 0;
  const known = paths.get(geometry) ?? new Map<number, Path2D>();
  paths.set(geometry, known);
  const kept = known.get(level);
  if (kept) return kept;
  const apart = level < 0 ? SPACING / 2 ** level : 0;
  const path = new Path2D();
  for (const { outer, holes } of outlineOf(geometry)) {
    addRing(path, thinned(outer, apart));
    for (const hole of holes) addRing(path, thinned(hole, apart));
  }
  known.set(level, path);
  return path;
}

/** A ring without the points nearer than `apart` to the last one that is kept; as it is where too few would be left. */
export function thinned(ring: readonly number[], apart: number): readonly number[] {
  if (apart <= 1) return ring;
  const kept: number[] = [];
  let x = Infinity;
  let y = Infinity;
  for (let i = 0; i + 1 < ring.length; i += 2) {
    const px = ring[i] ?? 0;
    const py = ring[i + 1] ?? 0;
    if (Math.abs(px - x) < apart && Math.abs(py - y) < apart) continue;
    kept.push(px, py);
    x = px;
    y = py;
  }
  return kept.length >= 8 ? kept : ring;
}

function addRing(path: Path2D, ring: readonly number[]): void {
  path.moveTo(ring[0] ?? 0, ring[1] ?? 0);
  for (let i = 2; i + 1 < ring.length; i += 2) path.lineTo(ring[i] ?? 0, ring[i + 1] ?? 0);
  path.closePath();
}

/** A stroke's centre line; a single point is a dab. */
export function pathOfPoints(points: readonly number[]): Path2D {
  const path = new Path2D();
  path.moveTo(points[0] ?? 0, points[1] ?? 0);
  if (points.length === 2) path.lineTo(points[0] ?? 0, points[1] ?? 0);
  for (let i = 2; i + 1 < points.length; i += 2) path.lineTo(points[i] ?? 0, points[i + 1] ?? 0);
  return path;
}

import type { Geometry } from '../../shared/records.ts';
import { outlineOf } from '../editor/outlines.ts';

/** Paths in image space, kept as long as the geometry they were made from. */
const paths = new WeakMap<Geometry, Path2D>();

/** The outline of an instance; fill it `evenodd`, so that holes stay open. */
export function pathOf(geometry: Geometry): Path2D {
  const known = paths.get(geometry);
  if (known) return known;
  const path = new Path2D();
  for (const { outer, holes } of outlineOf(geometry)) {
    addRing(path, outer);
    for (const hole of holes) addRing(path, hole);
  }
  paths.set(geometry, path);
  return path;
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

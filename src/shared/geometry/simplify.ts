import { maskIou } from '../mask/rle.ts';
import { geometryToRle } from '../mask/raster.ts';
import type { PolygonPart, Ring } from '../records.ts';
import { haveCrossing, isSelfCrossing } from './crossing.ts';
import { mapRings, ringArea, ringLength, ringPoint, ringsOfParts } from './polygon.ts';

/** Below this a smaller tolerance would not remove a point worth removing. */
const LEAST_TOLERANCE_PX = 0.05;

/**
 * Fewer points for a closed ring: Ramer-Douglas-Peucker (Douglas & Peucker 1973) on the two chains
 * between the topmost-leftmost point and the one farthest from it. No point that goes lies farther than
 * `tolerancePx` from the edge that replaces it. A ring that did not cross itself does not afterwards:
 * where it would, or where nothing would be left, the tolerance is halved until it does not.
 * Returns the same ring when nothing goes.
 */
export function simplifyRing(ring: Ring, tolerancePx: number): Ring {
  if (ringLength(ring) <= 3 || !(tolerancePx > 0)) return ring;
  const crossed = isSelfCrossing(ring);
  for (let tolerance = tolerancePx; tolerance >= LEAST_TOLERANCE_PX; tolerance /= 2) {
    const candidate = reduce(ring, tolerance);
    if (candidate && (crossed || !isSelfCrossing(candidate))) return candidate.length < ring.length ? candidate : ring;
  }
  return ring;
}

/**
 * Every ring simplified, none crossing itself or another of its part: where they would cross, that part
 * is simplified less.
 */
export function simplifyParts(parts: readonly PolygonPart[], tolerancePx: number): PolygonPart[] {
  return parts.map((part) => {
    const crossed = haveCrossing(ringsOfParts([part]));
    for (let tolerance = tolerancePx; tolerance >= LEAST_TOLERANCE_PX; tolerance /= 2) {
      const [candidate] = mapRings([part], (ring) => simplifyRing(ring, tolerance));
      if (candidate && (crossed || !haveCrossing(ringsOfParts([candidate])))) return candidate;
    }
    return part;
  });
}

/** What simplifying costs, so that it can be shown before it is done. */
export interface Simplification {
  readonly parts: readonly PolygonPart[];
  readonly pointsBefore: number;
  readonly pointsAfter: number;
  /** The farthest that a point of the old outline lies from the new one, pixels. */
  readonly deviationPx: number;
  /** IoU of the filled shapes, 0..1. */
  readonly iou: number;
}

/** Simplifies parts on an image of `width` × `height` and measures the difference. */
export function measureSimplification(parts: readonly PolygonPart[], tolerancePx: number, width: number, height: number): Simplification {
  const simple = simplifyParts(parts, tolerancePx);
  const before = ringsOfParts(parts);
  const after = ringsOfParts(simple);
  const points = (rings: readonly Ring[]): number => rings.reduce((sum, ring) => sum + ringLength(ring), 0);
  return {
    parts: simple,
    pointsBefore: points(before),
    pointsAfter: points(after),
    deviationPx: before.reduce((worst, ring, i) => Math.max(worst, ringDeviation(ring, after[i] ?? ring)), 0),
    iou: maskIou(
      geometryToRle({ kind: 'polygon', parts }, width, height),
      geometryToRle({ kind: 'polygon', parts: simple }, width, height),
    ),
  };
}

/**
 * The farthest that a point of `ring` lies from the edge of `simple` that replaced it, pixels. `simple`'s
 * points are a subsequence of `ring`'s, as `simplifyRing` gives them.
 */
export function ringDeviation(ring: Ring, simple: Ring): number {
  const n = ringLength(ring);
  const kept: number[] = [];
  for (let i = 0, k = 0; i < n && k < ringLength(simple); i++) {
    if (ring[i * 2] === simple[k * 2] && ring[i * 2 + 1] === simple[k * 2 + 1]) {
      kept.push(i);
      k++;
    }
  }
  let worst = 0;
  kept.forEach((from, k) => {
    const to = kept[k + 1] ?? (kept[0] ?? 0) + n;
    for (let i = from + 1; i < to; i++) worst = Math.max(worst, distanceToEdge(ring, i, from, to));
  });
  return worst;
}

/** One pass; null when fewer than three points or no area would be left. Points keep their order. */
function reduce(ring: Ring, tolerance: number): Ring | null {
  const n = ringLength(ring);
  let first = 0;
  for (let i = 1; i < n; i++) {
    const [x, y] = ringPoint(ring, i);
    const [fx, fy] = ringPoint(ring, first);
    if (y < fy || (y === fy && x < fx)) first = i;
  }
  const [fx, fy] = ringPoint(ring, first);
  let far = first;
  let farthest = -1;
  for (let i = first; i < first + n; i++) {
    const [x, y] = ringPoint(ring, i);
    const distance = Math.hypot(x - fx, y - fy);
    if (distance > farthest) {
      farthest = distance;
      far = i;
    }
  }
  const keep = new Uint8Array(n);
  keep[first % n] = 1;
  keep[far % n] = 1;
  const chains: [number, number][] = [
    [first, far],
    [far, first + n],
  ];
  for (let chain = chains.pop(); chain; chain = chains.pop()) {
    const [from, to] = chain;
    let worst = tolerance;
    let at = -1;
    for (let i = from + 1; i < to; i++) {
      const distance = distanceToEdge(ring, i, from, to);
      if (distance > worst) {
        worst = distance;
        at = i;
      }
    }
    if (at < 0) continue;
    keep[at % n] = 1;
    chains.push([from, at], [at, to]);
  }
  const out: number[] = [];
  for (let i = 0; i < n; i++) if (keep[i]) out.push(...ringPoint(ring, i));
  return out.length >= 6 && ringArea(out) * ringArea(ring) > 0 ? out : null;
}

/** Distance of point `i` from the segment between points `from` and `to`, pixels. */
function distanceToEdge(ring: Ring, i: number, from: number, to: number): number {
  const [x, y] = ringPoint(ring, i);
  const [ax, ay] = ringPoint(ring, from);
  const [bx, by] = ringPoint(ring, to);
  const dx = bx - ax;
  const dy = by - ay;
  const length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length));
  return Math.hypot(x - ax - t * dx, y - ay - t * dy);
}

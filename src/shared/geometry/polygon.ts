import type { Box, Geometry, PolygonPart, Ring, Rle } from '../records.ts';
import { rleFromCounts, rleToCounts } from '../mask/rle.ts';

/** Pure functions on rings and geometries, image space throughout. */

/** A place on a ring's outline. */
export interface RingPoint {
  /** The edge from point `edge` to the next. */
  readonly edge: number;
  readonly x: number;
  readonly y: number;
  /** Distance from the asked point, pixels. */
  readonly distance: number;
}

/** Number of points of a ring. */
export function ringLength(ring: Ring): number {
  return ring.length >> 1;
}

/** Point `i` of a ring; `i` may be any whole number, it goes around. */
export function ringPoint(ring: Ring, i: number): readonly [x: number, y: number] {
  const n = ringLength(ring);
  const k = ((i % n) + n) % n;
  return [ring[k * 2] ?? 0, ring[k * 2 + 1] ?? 0];
}

/** Signed area, square pixels (shoelace): positive when the ring runs clockwise on the screen (y down). */
export function ringArea(ring: Ring): number {
  let twice = 0;
  let [px, py] = ringPoint(ring, -1);
  for (let i = 0; i + 1 < ring.length; i += 2) {
    const x = ring[i] ?? 0;
    const y = ring[i + 1] ?? 0;
    twice += px * y - x * py;
    px = x;
    py = y;
  }
  return twice / 2;
}

/** Box of the ring's points. All 0 for a ring without points. */
export function ringBox(ring: Ring): Box {
  if (ring.length < 2) return [0, 0, 0, 0];
  let left = Infinity;
  let top = Infinity;
  let right = -Infinity;
  let bottom = -Infinity;
  for (let i = 0; i + 1 < ring.length; i += 2) {
    const x = ring[i] ?? 0;
    const y = ring[i + 1] ?? 0;
    if (x < left) left = x;
    if (x > right) right = x;
    if (y < top) top = y;
    if (y > bottom) bottom = y;
  }
  return [left, top, right - left, bottom - top];
}

/** Even-odd rule; points on a left or top edge are inside, on a right or bottom edge outside. */
export function pointInRing(ring: Ring, x: number, y: number): boolean {
  let inside = false;
  let [px, py] = ringPoint(ring, -1);
  for (let i = 0; i + 1 < ring.length; i += 2) {
    const cx = ring[i] ?? 0;
    const cy = ring[i + 1] ?? 0;
    if (cy > y !== py > y && x < ((px - cx) * (y - cy)) / (py - cy) + cx) inside = !inside;
    px = cx;
    py = cy;
  }
  return inside;
}

/** Inside any part's outer ring and in none of that part's holes. */
export function pointInParts(parts: readonly PolygonPart[], x: number, y: number): boolean {
  return parts.some((part) => pointInRing(part.outer, x, y) && !part.holes.some((hole) => pointInRing(hole, x, y)));
}

/** The point of the outline nearest to (x, y). */
export function nearestOnRing(ring: Ring, x: number, y: number): RingPoint {
  let best: RingPoint = { edge: 0, x: ring[0] ?? 0, y: ring[1] ?? 0, distance: Infinity };
  for (let edge = 0; edge < ringLength(ring); edge++) {
    const [ax, ay] = ringPoint(ring, edge);
    const [bx, by] = ringPoint(ring, edge + 1);
    const dx = bx - ax;
    const dy = by - ay;
    const length = dx * dx + dy * dy;
    const t = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length));
    const px = ax + t * dx;
    const py = ay + t * dy;
    const distance = Math.hypot(px - x, py - y);
    if (distance < best.distance) best = { edge, x: px, y: py, distance };
  }
  return best;
}

/** All rings of the parts, outer first, in order. */
export function ringsOfParts(parts: readonly PolygonPart[]): Ring[] {
  return parts.flatMap((part) => [part.outer, ...part.holes]);
}

/** The same parts with every ring replaced. */
export function mapRings(parts: readonly PolygonPart[], change: (ring: Ring) => Ring): PolygonPart[] {
  return parts.map((part) => ({ outer: change(part.outer), holes: part.holes.map(change) }));
}

function translateRing(ring: Ring, dx: number, dy: number): Ring {
  return ring.map((value, i) => value + (i % 2 === 0 ? dx : dy));
}

/**
 * The instance moved by (dx, dy) pixels. Polygons and boxes move by any amount and may leave the image; a
 * mask moves by whole pixels (rounded), and what leaves the image is gone.
 */
export function translateGeometry(geometry: Geometry, dx: number, dy: number): Geometry {
  switch (geometry.kind) {
    case 'polygon':
      return { kind: 'polygon', parts: mapRings(geometry.parts, (ring) => translateRing(ring, dx, dy)) };
    case 'box': {
      const [x, y, w, h] = geometry.box;
      return { kind: 'box', box: [x + dx, y + dy, w, h] };
    }
    case 'mask':
      return { kind: 'mask', rle: translateRle(geometry.rle, Math.round(dx), Math.round(dy)) };
  }
}

/** Moves a mask by whole pixels on its runs; pixels that leave the image are lost. */
function translateRle(rle: Rle, dx: number, dy: number): Rle {
  if (dx === 0 && dy === 0) return rle;
  const [height, width] = rle.size;
  const counts = rleToCounts(rle);
  const moved: number[] = [];
  let written = 0;
  let at = 0;
  const put = (from: number, to: number): void => {
    const last = moved.length - 1;
    // Odd places hold ones: join what touches at a column's end.
    if (from === written && last > 0) moved[last] = (moved[last] ?? 0) + to - from;
    else moved.push(from - written, to - from);
    written = to;
  };
  counts.forEach((count, i) => {
    const end = at + count;
    if (i % 2 === 1) {
      for (let x = Math.floor(at / height); x * height < end; x++) {
        const from = Math.max(0, Math.max(at - x * height, 0) + dy);
        const to = Math.min(height, Math.min(end - x * height, height) + dy);
        if (from < to && x + dx >= 0 && x + dx < width) put((x + dx) * height + from, (x + dx) * height + to);
      }
    }
    at = end;
  });
  if (written < height * width) moved.push(height * width - written);
  return rleFromCounts(moved, rle.size);
}

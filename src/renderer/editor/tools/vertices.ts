import type { Polygon, RingRef, VertexRef } from '../../../shared/geometry/edit-vertex.ts';
import { listRings, moveVertices, nearestVertex, removeVertices } from '../../../shared/geometry/edit-vertex.ts';
import { ringLength, ringPoint } from '../../../shared/geometry/polygon.ts';
import type { PolygonPart } from '../../../shared/records.ts';
import type { Bounds, ImagePoint, Size } from '../viewport.ts';

/** An edge has a handle in its middle only where it is at least this long on screen, CSS pixels. */
const MIDPOINT_LEAST = 34;

export function sameVertex(a: VertexRef, b: VertexRef): boolean {
  return a.part === b.part && a.ring === b.ring && a.point === b.point;
}

export interface Midpoint extends RingRef {
  readonly edge: number;
  readonly x: number;
  readonly y: number;
}

/** The middles of the edges that are long enough to have a handle at this scale. */
export function midpoints(parts: readonly PolygonPart[], scale: number): Midpoint[] {
  const found: Midpoint[] = [];
  for (const { part, ring, points } of listRings(parts)) {
    for (let edge = 0; edge < ringLength(points); edge++) {
      const [x0, y0] = ringPoint(points, edge);
      const [x1, y1] = ringPoint(points, edge + 1);
      if (Math.hypot(x1 - x0, y1 - y0) * scale < MIDPOINT_LEAST) continue;
      found.push({ part, ring, edge, x: (x0 + x1) / 2, y: (y0 + y1) / 2 });
    }
  }
  return found;
}

export function midpointAt(parts: readonly PolygonPart[], at: ImagePoint, reach: number, scale: number): Midpoint | null {
  let best: Midpoint | null = null;
  let least = reach;
  for (const middle of midpoints(parts, scale)) {
    const distance = Math.hypot(middle.x - at.x, middle.y - at.y);
    if (distance > least) continue;
    best = middle;
    least = distance;
  }
  return best;
}

export function vertexAt(parts: readonly PolygonPart[], at: ImagePoint, reach: number): VertexRef | null {
  const found = nearestVertex(parts, at.x, at.y, reach);
  return found && { part: found.part, ring: found.ring, point: found.point };
}

export function verticesWithin(parts: readonly PolygonPart[], bounds: Bounds): VertexRef[] {
  return listRings(parts).flatMap(({ part, ring, points }) =>
    Array.from({ length: ringLength(points) }, (_, point) => ({ part, ring, point })).filter(({ point }) => {
      const [x, y] = ringPoint(points, point);
      return x >= bounds.minX && x <= bounds.maxX && y >= bounds.minY && y <= bounds.maxY;
    }),
  );
}

/**
 * The vertices moved together by (dx, dy), as far as all of them stay in the image: a vertex at the
 * border stops the others too, so that their shape is kept.
 */
export function movedWithin(polygon: Polygon, vertices: readonly VertexRef[], dx: number, dy: number, image: Size): Polygon {
  let left = -Infinity;
  let right = Infinity;
  let up = -Infinity;
  let down = Infinity;
  for (const { part, ring, points } of listRings(polygon.parts)) {
    for (const vertex of vertices) {
      if (vertex.part !== part || vertex.ring !== ring) continue;
      const [x, y] = ringPoint(points, vertex.point);
      left = Math.max(left, -x);
      right = Math.min(right, image.width - x);
      up = Math.max(up, -y);
      down = Math.min(down, image.height - y);
    }
  }
  return moveVertices(polygon, vertices, Math.min(right, Math.max(left, dx)), Math.min(down, Math.max(up, dy)));
}

/**
 * The polygon without these vertices. A hole or a part that would keep fewer than three points goes
 * entirely; the last outer ring does not: then null, and nothing is removed.
 */
export function withoutVertices(polygon: Polygon, vertices: readonly VertexRef[]): Polygon | null {
  const plain = removeVertices(polygon, vertices);
  if (plain) return plain;
  const parts: PolygonPart[] = [];
  polygon.parts.forEach((part, p) => {
    const keep = (ring: number, points: readonly number[]): readonly number[] | null => {
      const gone = new Set(vertices.filter((v) => v.part === p && v.ring === ring).map((v) => v.point));
      const left = gone.size ? points.filter((_, i) => !gone.has(i >> 1)) : points;
      return left.length >= 6 ? left : null;
    };
    const outer = keep(0, part.outer);
    if (!outer) return;
    parts.push({ outer, holes: part.holes.map((hole, h) => keep(h + 1, hole)).filter((hole) => hole !== null) });
  });
  return parts.length ? { kind: 'polygon', parts } : null;
}

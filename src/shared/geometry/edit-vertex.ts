import { AppError } from '../errors.ts';
import type { Geometry, PolygonPart, Ring } from '../records.ts';
import { mapRings, nearestOnRing, ringLength } from './polygon.ts';

/** A ring of a polygon geometry: `ring` 0 is the outer one of `part`, 1 and up are its holes. */
export interface RingRef {
  readonly part: number;
  readonly ring: number;
}

/** A point of a polygon geometry. */
export interface VertexRef extends RingRef {
  readonly point: number;
}

/** A place on an outline: on the edge from point `edge` to the next. */
export interface EdgeRef extends RingRef {
  readonly edge: number;
  readonly x: number;
  readonly y: number;
  readonly distance: number;
}

export type Polygon = Extract<Geometry, { kind: 'polygon' }>;

/** The ring that a reference names. Throws `not-found` when there is none. */
function ringAt(parts: readonly PolygonPart[], ref: RingRef): Ring {
  const part = parts[ref.part];
  const ring = ref.ring === 0 ? part?.outer : part?.holes[ref.ring - 1];
  if (!ring) throw new AppError('not-found', `There is no ring ${ref.ring} in part ${ref.part}.`, { part: ref.part, ring: ref.ring });
  return ring;
}

/** All rings with their references, outer rings first within their part. */
export function listRings(parts: readonly PolygonPart[]): (RingRef & { readonly points: Ring })[] {
  return parts.flatMap((p, part) => [p.outer, ...p.holes].map((points, ring) => ({ part, ring, points })));
}

/** The vertex nearest to (x, y) within `reachPx`, or null. */
export function nearestVertex(
  parts: readonly PolygonPart[],
  x: number,
  y: number,
  reachPx: number,
): (VertexRef & { readonly distance: number }) | null {
  let best: (VertexRef & { distance: number }) | null = null;
  for (const { part, ring, points } of listRings(parts)) {
    for (let point = 0; point < ringLength(points); point++) {
      const distance = Math.hypot((points[point * 2] ?? 0) - x, (points[point * 2 + 1] ?? 0) - y);
      if (distance <= (best?.distance ?? reachPx)) best = { part, ring, point, distance };
    }
  }
  return best;
}

/** The place on an outline nearest to (x, y) within `reachPx`, or null. */
export function nearestEdge(parts: readonly PolygonPart[], x: number, y: number, reachPx: number): EdgeRef | null {
  let best: EdgeRef | null = null;
  for (const { part, ring, points } of listRings(parts)) {
    const found = nearestOnRing(points, x, y);
    if (found.distance <= (best?.distance ?? reachPx)) best = { part, ring, ...found };
  }
  return best;
}

/** The vertices moved by (dx, dy) pixels. Throws `not-found` for one that is not there. */
export function moveVertices(geometry: Polygon, vertices: readonly VertexRef[], dx: number, dy: number): Polygon {
  return editRings(geometry, vertices, (ring, points) =>
    ring.map((value, i) => (points.has(i >> 1) ? value + (i % 2 === 0 ? dx : dy) : value)),
  );
}

/** A vertex moved to (x, y). Throws `not-found` when it is not there. */
export function placeVertex(geometry: Polygon, vertex: VertexRef, x: number, y: number): Polygon {
  return editRings(geometry, [vertex], (ring) => {
    const out = [...ring];
    out[vertex.point * 2] = x;
    out[vertex.point * 2 + 1] = y;
    return out;
  });
}

/** A new vertex at (x, y) on an edge; it becomes point `edge + 1` of its ring. Throws `not-found`. */
export function insertVertex(geometry: Polygon, at: Omit<EdgeRef, 'distance'>): Polygon {
  return editRings(geometry, [{ ...at, point: at.edge }], (ring) => {
    const cut = (at.edge + 1) * 2;
    return [...ring.slice(0, cut), at.x, at.y, ...ring.slice(cut)];
  });
}

/**
 * The geometry without these vertices, or null when a ring would be left with fewer than three: then
 * nothing may be removed. Throws `not-found` for a vertex that is not there.
 */
export function removeVertices(geometry: Polygon, vertices: readonly VertexRef[]): Polygon | null {
  const edited = editRings(geometry, vertices, (ring, points) => ring.filter((_, i) => !points.has(i >> 1)));
  return listRings(edited.parts).every(({ points }) => ringLength(points) >= 3) ? edited : null;
}

/** Rings that no vertex belongs to stay the same objects. */
function editRings(geometry: Polygon, vertices: readonly VertexRef[], edit: (ring: Ring, points: ReadonlySet<number>) => Ring): Polygon {
  const wanted = new Map<string, Set<number>>();
  for (const vertex of vertices) {
    const length = ringLength(ringAt(geometry.parts, vertex));
    if (!(vertex.point >= 0 && vertex.point < length)) {
      throw new AppError('not-found', `Ring ${vertex.ring} of part ${vertex.part} has ${length} points, no point ${vertex.point}.`, {
        part: vertex.part,
        ring: vertex.ring,
        point: vertex.point,
      });
    }
    const key = `${vertex.part}/${vertex.ring}`;
    wanted.set(key, (wanted.get(key) ?? new Set()).add(vertex.point));
  }
  const change = (ring: Ring, key: string): Ring => {
    const points = wanted.get(key);
    return points ? edit(ring, points) : ring;
  };
  const parts = geometry.parts.map((part, p) => ({
    outer: change(part.outer, `${p}/0`),
    holes: part.holes.map((hole, h) => change(hole, `${p}/${h + 1}`)),
  }));
  return { kind: 'polygon', parts };
}

/**
 * The geometry with every point of a polygon or corner of a box moved into the image; a mask is inside
 * already. A shape wholly outside collapses onto the border: ask `geometryArea` before keeping it.
 */
export function clampGeometry(geometry: Geometry, width: number, height: number): Geometry {
  const clampX = (x: number): number => Math.min(width, Math.max(0, x));
  const clampY = (y: number): number => Math.min(height, Math.max(0, y));
  switch (geometry.kind) {
    case 'mask':
      return geometry;
    case 'polygon':
      return { kind: 'polygon', parts: mapRings(geometry.parts, (ring) => ring.map((v, i) => (i % 2 === 0 ? clampX(v) : clampY(v)))) };
    case 'box': {
      const [x, y, w, h] = geometry.box;
      const left = clampX(x);
      const top = clampY(y);
      return { kind: 'box', box: [left, top, clampX(x + w) - left, clampY(y + h) - top] };
    }
  }
}

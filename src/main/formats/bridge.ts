import { nearestOnRing, pointInRing, ringArea } from '../../shared/geometry/polygon.ts';
import type { PolygonPart, Ring } from '../../shared/records.ts';

/**
 * Several rings as one, for formats in which an instance is one ring (YOLO, ISAT): each ring is reached over a bridge
 * without width, there and back between the two nearest vertices, as Ultralytics' converter joins the parts of a COCO
 * instance. Filled by the even-odd rule, as OpenCV's `fillPoly` and COCO do, the ring covers what the rings covered: a hole
 * stays a hole.
 */
export function joinRings(parts: readonly PolygonPart[]): Ring {
  const [first, ...others] = parts.flatMap((part) => [part.outer, ...part.holes]);
  let all = [...(first ?? [])];
  for (const ring of others) {
    const { at, from } = nearestVertices(all, ring);
    const turned = [...ring.slice(from), ...ring.slice(0, from)];
    all = [...all.slice(0, at + 2), ...turned, turned[0] ?? 0, turned[1] ?? 0, ...all.slice(at)];
  }
  return all;
}

/** Offsets of the two vertices that are nearest to each other, squared distance, first found on a tie. */
function nearestVertices(a: Ring, b: Ring): { readonly at: number; readonly from: number } {
  let best = { at: 0, from: 0 };
  let least = Infinity;
  for (let i = 0; i < a.length; i += 2) {
    const x = a[i] ?? 0;
    const y = a[i + 1] ?? 0;
    for (let j = 0; j < b.length; j += 2) {
      const dx = (b[j] ?? 0) - x;
      const dy = (b[j + 1] ?? 0) - y;
      const distance = dx * dx + dy * dy;
      if (distance >= least) continue;
      least = distance;
      best = { at: i, from: j };
    }
  }
  return best;
}

/**
 * The rings that were joined: the ring is cut wherever it goes along an edge and later back along the same. Rings inside an
 * odd number of others are holes. A ring without a bridge comes back as it is.
 */
export function splitRing(ring: Ring): PolygonPart[] {
  const rings = cut(ring);
  return rings.length === 1 ? [{ outer: ring, holes: [] }] : nest(rings);
}

function cut(ring: Ring): Ring[] {
  const whole: Ring[] = [];
  const left: Ring[] = [ring];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const pieces = cutOnce(next);
    if (pieces) left.push(...pieces);
    else whole.push(next);
  }
  return whole.reverse();
}

/** The two rings on both sides of a bridge, or null where there is none. */
function cutOnce(ring: Ring): [Ring, Ring] | null {
  const points = ring.length / 2;
  const edges = new Map<string, number>();
  const name = (i: number): string => `${ring[2 * i] ?? 0},${ring[2 * i + 1] ?? 0}`;
  for (let i = 0; i < points; i++) {
    const from = name(i);
    const to = name((i + 1) % points);
    const there = edges.get(`${to} ${from}`);
    if (there !== undefined) {
      // there: b→a, i: a→b. Between them lies a ring that begins and ends in `a`, around them one of `b`.
      const inner = ring.slice(2 * there + 2, 2 * i);
      const outer = [...ring.slice(2 * i + 2), ...ring.slice(0, 2 * there)];
      if (isArea(inner) && isArea(outer)) return [outer, inner];
    }
    edges.set(`${from} ${to}`, i);
  }
  return null;
}

/** Three points or more that enclose something: a spike is no ring. */
function isArea(ring: Ring): boolean {
  return ring.length >= 6 && ringArea(ring) !== 0;
}

function nest(rings: readonly Ring[]): PolygonPart[] {
  const parents = rings.map((ring, i) => rings.filter((other, j) => j !== i && lies(ring, other)));
  const parts = new Map<Ring, Ring[]>();
  rings.forEach((ring, i) => {
    if ((parents[i]?.length ?? 0) % 2 === 0) parts.set(ring, []);
  });
  rings.forEach((ring, i) => {
    if (parts.has(ring)) return;
    // The innermost of those it lies in: the one that lies in all the others.
    const owner = [...(parents[i] ?? [])].sort((a, b) => Math.abs(ringArea(a)) - Math.abs(ringArea(b))).find((parent) => parts.has(parent));
    if (owner) parts.get(owner)?.push(ring);
    else parts.set(ring, []);
  });
  return [...parts].map(([outer, holes]) => ({ outer, holes }));
}

/**
 * Whether a ring lies within another; vertices on its border count as within. A ring in a notch may have them all there, so a
 * point inside the ring decides as well.
 */
function lies(ring: Ring, other: Ring): boolean {
  if (Math.abs(ringArea(ring)) >= Math.abs(ringArea(other))) return false;
  for (let i = 0; i + 1 < ring.length; i += 2) {
    const x = ring[i] ?? 0;
    const y = ring[i + 1] ?? 0;
    if (!pointInRing(other, x, y) && nearestOnRing(other, x, y).distance > 1e-6) return false;
  }
  return pointInRing(other, ...pointWithin(ring));
}

/** A point inside a ring: halfway between its first two crossings of a level between two of its vertices. */
function pointWithin(ring: Ring): [number, number] {
  const levels = [...new Set(ring.filter((_, i) => i % 2 === 1))].sort((a, b) => a - b);
  const y = ((levels[0] ?? 0) + (levels[1] ?? 0)) / 2;
  const crossings: number[] = [];
  for (let i = 0; i < ring.length; i += 2) {
    const [x0, y0, x1, y1] = [0, 1, 2, 3].map((k) => ring[(i + k) % ring.length] ?? 0) as [number, number, number, number];
    if (y0 > y !== y1 > y) crossings.push(x0 + ((x1 - x0) * (y - y0)) / (y1 - y0));
  }
  crossings.sort((a, b) => a - b);
  return [((crossings[0] ?? 0) + (crossings[1] ?? 0)) / 2, y];
}

/** Whether two masks of one size are the same, as run lengths. */
export function sameRuns(a: Uint32Array, b: Uint32Array): boolean {
  return a.length === b.length && a.every((run, i) => run === b[i]);
}

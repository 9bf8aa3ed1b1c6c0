import { nearestOnRing, pointInRing, ringArea, ringBox } from '../../shared/geometry/polygon.ts';
import type { Box, PolygonPart, Ring } from '../../shared/records.ts';

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

/**
 * In one pass: the way so far is held, and where it goes back along an edge of it, what lies between the two is a ring of its
 * own and leaves the way.
 */
function cut(ring: Ring): Ring[] {
  const points = ring.length / 2;
  const at = (i: number): string => `${ring[2 * (i % points)] ?? 0},${ring[2 * (i % points) + 1] ?? 0}`;
  const way: number[] = [0];
  /** Edges of the way, by their two ends, with the place of the first. */
  const edges = new Map<string, number>();
  const rings: Ring[] = [];
  const ringOf = (indices: readonly number[]): number[] =>
    indices.flatMap((i) => [ring[2 * (i % points)] ?? 0, ring[2 * (i % points) + 1] ?? 0]);
  for (let i = 1; i <= points; i++) {
    const top = way.length - 1;
    const from = at(way[top] ?? 0);
    const to = at(i);
    const there = edges.get(`${to} ${from}`);
    const between = there === undefined ? [] : ringOf(way.slice(there + 1, top));
    if (there !== undefined && isArea(between)) {
      rings.push(between);
      for (let k = there; k < top; k++) edges.delete(`${at(way[k] ?? 0)} ${at(way[k + 1] ?? 0)}`);
      way.length = there + 1;
    } else {
      edges.set(`${from} ${to}`, top);
      way.push(i);
    }
  }
  // The last point is the first again.
  const rest = ringOf(way.slice(0, -1));
  if (rings.length === 0) return [ring];
  return isArea(rest) ? [rest, ...rings] : rings;
}

/** Three points or more that enclose something: a spike is no ring. */
function isArea(ring: Ring): boolean {
  return ring.length >= 6 && ringArea(ring) !== 0;
}

interface Measured {
  readonly ring: Ring;
  readonly area: number;
  readonly box: Box;
}

function nest(rings: readonly Ring[]): PolygonPart[] {
  const all = rings.map((ring): Measured => ({ ring, area: Math.abs(ringArea(ring)), box: ringBox(ring) }));
  const parents = all.map((inner) => all.filter((outer) => lies(inner, outer)));
  const parts = new Map<Measured, Ring[]>();
  all.forEach((each, i) => {
    if ((parents[i]?.length ?? 0) % 2 === 0) parts.set(each, []);
  });
  all.forEach((each, i) => {
    if (parts.has(each)) return;
    // The innermost of those it lies in.
    const owner = [...(parents[i] ?? [])].sort((a, b) => a.area - b.area).find((parent) => parts.has(parent));
    if (owner) parts.get(owner)?.push(each.ring);
    else parts.set(each, []);
  });
  return [...parts].map(([{ ring }, holes]) => ({ outer: ring, holes }));
}

/**
 * Whether a ring lies within another; vertices on its border count as within. A ring in a notch may have them all there, so a
 * point inside the ring decides as well.
 */
function lies(inner: Measured, outer: Measured): boolean {
  const [x0, y0, w0, h0] = inner.box;
  const [x1, y1, w1, h1] = outer.box;
  if (inner.area >= outer.area || x0 < x1 || y0 < y1 || x0 + w0 > x1 + w1 || y0 + h0 > y1 + h1) return false;
  const { ring } = inner;
  const other = outer.ring;
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

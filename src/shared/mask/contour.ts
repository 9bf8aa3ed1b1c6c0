import type { PolygonPart, Ring, Rle } from '../records.ts';
import { rleToCounts } from './rle.ts';

/**
 * The horizontal pixel edges of a mask, two for each vertical run of a column: `ys` holds their heights,
 * column by column from `first[x]` on, rising; the first of a run (an even place) lies above it and is
 * walked to the right, the second below it and is walked to the left, so that the mask is on the right hand.
 */
interface Edges {
  readonly left: number;
  readonly ys: Uint32Array;
  /** Where each column begins, and behind the last one the end. */
  readonly first: Uint32Array;
  /** Column of each edge, counted from `left`. */
  readonly columns: Uint32Array;
}

/**
 * The exact outline of a mask along pixel edges, in whole numbers: filling it again gives the same mask,
 * pixel by pixel. Pixels that meet only at a corner belong to different parts, and holes are connected over
 * corners (4-connected foreground, 8-connected background: Rosenfeld & Pfaltz 1966); so a ring may touch
 * itself at a corner but never crosses itself. Outer rings run clockwise on the screen (positive
 * `ringArea`), holes the other way; no point lies on the straight line between its neighbours. Parts are
 * ordered by their topmost, then leftmost pixel, the holes of a part likewise.
 *
 * Cracks are followed after Kovalevsky (1989), but from run to run: no pixel is looked at, so the time goes
 * with the number of runs, not with the area.
 */
export function contourOfRle(rle: Rle): PolygonPart[] {
  const edges = edgesOf(rle);
  const next = successors(edges);
  const { ys, columns } = edges;
  const ringOf = new Int32Array(ys.length).fill(-1);
  /** The topmost, then leftmost edge of each ring. */
  const starts: number[] = [];
  for (let edge = 0; edge < ys.length; edge++) {
    if (ringOf[edge] !== -1) continue;
    let start = edge;
    for (let at = edge; ringOf[at] === -1; at = next[at] ?? 0) {
      ringOf[at] = starts.length;
      if (isBefore(edges, at, start)) start = at;
    }
    starts.push(start);
  }
  const order = starts.map((_, ring) => ring);
  const startOf = (ring: number): number => starts[ring] ?? 0;
  order.sort((a, b) => (ys[startOf(a)] ?? 0) - (ys[startOf(b)] ?? 0) || (columns[startOf(a)] ?? 0) - (columns[startOf(b)] ?? 0));
  const parts: { outer: Ring; holes: Ring[] }[] = [];
  const partOf = new Int32Array(starts.length);
  for (const ring of order) {
    const start = startOf(ring);
    const points = ringFrom(edges, next, start);
    if (start % 2 === 0) {
      partOf[ring] = parts.length;
      parts.push({ outer: points, holes: [] });
    } else {
      // The run above a hole's topmost edge begins on a ring of the same part, which lies higher.
      const part = partOf[ringOf[start - 1] ?? 0] ?? 0;
      partOf[ring] = part;
      parts[part]?.holes.push(points);
    }
  }
  return parts;
}

/** Throws `invalid` as `rleToCounts`. */
function edgesOf(rle: Rle): Edges {
  const height = rle.size[0];
  const counts = rleToCounts(rle);
  const ys: number[] = [];
  const columns: number[] = [];
  let left = 0;
  let at = 0;
  for (let i = 0; i < counts.length; i++) {
    const end = at + (counts[i] ?? 0);
    if (i % 2 === 1 && end > at) {
      if (!ys.length) left = Math.floor(at / height);
      // A run may go on at the top of the next column.
      for (let x = Math.floor(at / height); x * height < end; x++) {
        ys.push(Math.max(0, at - x * height), Math.min(height, end - x * height));
        columns.push(x - left, x - left);
      }
    }
    at = end;
  }
  const width = (columns.at(-1) ?? -1) + 1;
  const first = new Uint32Array(width + 1);
  for (const column of columns) first[column + 1] = (first[column + 1] ?? 0) + 1;
  for (let x = 0; x < width; x++) first[x + 1] = (first[x + 1] ?? 0) + (first[x] ?? 0);
  return { left, ys: Uint32Array.from(ys), first, columns: Uint32Array.from(columns) };
}

function isBefore({ ys, columns }: Edges, a: number, b: number): boolean {
  const dy = (ys[a] ?? 0) - (ys[b] ?? 0);
  return dy < 0 || (dy === 0 && (columns[a] ?? 0) < (columns[b] ?? 0));
}

/**
 * For each edge the one that follows it on its ring, found where the edges of two neighbouring columns meet
 * on a vertical line. Where just one of the columns is mask, the line is an edge too: walked down with the
 * mask on the left of it, up with the mask on the right. At a corner where both columns change, the ring
 * turns to stay with the column that it goes along: pixels that touch at a corner are kept apart.
 */
function successors({ ys, first }: Edges): Uint32Array {
  const next = new Uint32Array(ys.length);
  const width = first.length - 1;
  for (let line = 0; line <= width; line++) {
    let l = line > 0 ? (first[line - 1] ?? 0) : 0;
    const lEnd = line > 0 ? (first[line] ?? 0) : 0;
    let r = line < width ? (first[line] ?? 0) : 0;
    const rEnd = line < width ? (first[line + 1] ?? 0) : 0;
    /** The edge at the upper end of the piece of the line that is an edge. */
    let upper = 0;
    while (l < lEnd || r < rEnd) {
      const ly = l < lEnd ? (ys[l] ?? 0) : Infinity;
      const ry = r < rEnd ? (ys[r] ?? 0) : Infinity;
      const left = ly <= ry ? l : -1;
      const right = ry <= ly ? r : -1;
      // Between the two edges of a run is mask.
      const leftAbove = l % 2 === 1;
      const rightAbove = r % 2 === 1;
      if (leftAbove !== rightAbove) {
        if (leftAbove) next[upper] = left === -1 ? right : left;
        else next[right === -1 ? left : right] = upper;
      } else if (left !== -1 && right !== -1) {
        // Straight on over the line.
        if (leftAbove) next[right] = left;
        else next[left] = right;
      }
      const leftBelow = leftAbove !== (left !== -1);
      const rightBelow = rightAbove !== (right !== -1);
      if (leftBelow !== rightBelow) upper = leftBelow ? (left === -1 ? right : left) : right === -1 ? left : right;
      if (left !== -1) l++;
      if (right !== -1) r++;
    }
  }
  return next;
}

/** The corners of a ring, beginning where its first edge ends. */
function ringFrom({ left, ys, columns }: Edges, next: Uint32Array, start: number): Ring {
  const ring: number[] = [];
  let edge = start;
  do {
    const following = next[edge] ?? start;
    const rightward = edge % 2 === 0;
    const y = ys[edge] ?? 0;
    const to = ys[following] ?? 0;
    const x = left + (columns[edge] ?? 0) + (rightward ? 1 : 0);
    if (to !== y) ring.push(x, y, x, to);
    edge = following;
  } while (edge !== start);
  return ring;
}

import { AppError } from '../../shared/errors.ts';

/**
 * Masks as sorted, disjoint half-open intervals of column-major pixel numbers (`x * height + y`), flat
 * `start0, end0, start1, end1, ...`. This is the export check's own way to read a segmentation. On
 * purpose it shares nothing with `src/shared/mask`: what one gets wrong, the other shows.
 */
export type Intervals = readonly number[];

/**
 * COCO's compressed RLE (the string of maskApi.c `rleToString`) as intervals. Every character holds
 * five bits, low ones first, bit 5 says that more follow; from the third run on, a run is stored as
 * the difference to the run two before it.
 * Throws `invalid` for a character or a sum of runs that cannot be.
 */
export function intervalsOfCounts(counts: string, width: number, height: number): number[] {
  const out: number[] = [];
  const lengths: number[] = [];
  let at = 0;
  let place = 0;
  while (at < counts.length) {
    let bits = 0;
    /** Weight of the next five bits; sums stay exact below 2^53. */
    let weight = 1;
    let code: number;
    do {
      code = counts.charCodeAt(at) - 48;
      if (Number.isNaN(code) || code < 0 || code > 63)
        throw new AppError('invalid', `RLE: character ${at} of ${counts.length} cannot be`, { at });
      bits += (code & 31) * weight;
      weight *= 32;
      if (weight > 2 ** 50) throw new AppError('invalid', `RLE: the run at character ${at} is too long`, { at });
      at++;
    } while ((code & 32) !== 0);
    // Two's complement of as many bits as were read.
    const stored = bits >= weight / 2 ? bits - weight : bits;
    const n = lengths.length;
    const length = n > 2 ? stored + (lengths[n - 2] ?? 0) : stored;
    if (length < 0) throw new AppError('invalid', `RLE: run ${n} is ${length}`, { run: n });
    lengths.push(length);
    if (n % 2 === 1 && length > 0) out.push(place, place + length);
    place += length;
  }
  if (place !== width * height) throw new AppError('invalid', `RLE: runs cover ${place} of ${width * height} pixels`, { covered: place });
  return joined(out);
}

/** Runs given as numbers (uncompressed RLE), starting with zeros. Throws `invalid` as above. */
export function intervalsOfRuns(runs: ArrayLike<number>, width: number, height: number): number[] {
  const out: number[] = [];
  let place = 0;
  for (let i = 0; i < runs.length; i++) {
    const length = runs[i] ?? 0;
    if (!Number.isInteger(length) || length < 0) throw new AppError('invalid', `RLE: run ${i} is ${length}`, { run: i });
    if (i % 2 === 1 && length > 0) out.push(place, place + length);
    place += length;
  }
  if (place !== width * height) throw new AppError('invalid', `RLE: runs cover ${place} of ${width * height} pixels`, { covered: place });
  return joined(out);
}

/**
 * One polygon ring, flat x, y in pixels, as intervals by COCO's raster rule (maskApi.c `rleFrPoly`):
 * vertices are put on a grid five times finer, edges are walked a grid step at a time, and where a
 * walk passes the middle of a pixel column it toggles the column from that height on. Here each
 * edge's crossing of each column is computed by itself instead of walking and sorting all steps.
 */
export function intervalsOfRing(ring: readonly number[], width: number, height: number): number[] {
  const toggles = new Map<number, number[]>();
  const points = ring.length >> 1;
  for (let i = 0; i < points; i++) {
    const j = (i + 1) % points;
    crossings(fine(ring[2 * i]), fine(ring[2 * i + 1]), fine(ring[2 * j]), fine(ring[2 * j + 1]), width, height, toggles);
  }
  const out: number[] = [];
  for (const column of [...toggles.keys()].sort((a, b) => a - b)) {
    const rows = (toggles.get(column) ?? []).sort((a, b) => a - b);
    if (rows.length % 2 === 1) rows.push(height);
    for (let k = 0; k + 1 < rows.length; k += 2) {
      const from = rows[k] ?? 0;
      const to = rows[k + 1] ?? 0;
      if (to > from) out.push(column * height + from, column * height + to);
    }
  }
  return joined(out);
}

const GRID = 5;

function fine(value: number | undefined): number {
  return Math.trunc(GRID * (value ?? 0) + 0.5);
}

/** Adds the row at which the edge (grid units) toggles each pixel column whose middle it passes. */
function crossings(xa: number, ya: number, xb: number, yb: number, width: number, height: number, toggles: Map<number, number[]>): void {
  const across = Math.abs(xb - xa);
  const down = Math.abs(yb - ya);
  if (across === 0) return;
  const flat = across >= down;
  // The reference walks flat edges to the right and steep ones down; rounding depends on it.
  const swap = flat ? xa > xb : ya > yb;
  const [x0, y0, x1, y1] = swap ? [xb, yb, xa, ya] : [xa, ya, xb, yb];
  const slope = flat ? (y1 - y0) / across : (x1 - x0) / down;
  const left = Math.min(xa, xb);
  const right = Math.max(xa, xb);
  // A column's middle lies between grid columns 5k+2 and 5k+3.
  const first = Math.max(0, Math.ceil((left - 2) / GRID));
  const last = Math.min(width - 1, Math.floor((right - 3) / GRID));
  for (let column = first; column <= last; column++) {
    const before = GRID * column + 2;
    const y = flat ? Math.min(rowAt(before), rowAt(before + 1)) : stepRow(before);
    const row = Math.ceil(Math.min(height, Math.max(0, (y + 0.5) / GRID - 0.5)));
    const rows = toggles.get(column);
    if (rows) rows.push(row);
    else toggles.set(column, [row]);
  }

  function rowAt(x: number): number {
    return Math.trunc(y0 + slope * (x - x0) + 0.5);
  }
  function columnAt(step: number): number {
    return Math.trunc(x0 + slope * step + 0.5);
  }
  /** Of a steep edge: the upper of the two neighbouring steps between which it leaves `x` for `x + 1`. */
  function stepRow(x: number): number {
    let low = 0;
    let high = down;
    const rising = slope > 0;
    // The last step still on the near side, by bisection: columns are monotone along the edge.
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      const near = rising ? columnAt(middle) <= x : columnAt(middle) > x;
      if (near) low = middle;
      else high = middle;
    }
    return y0 + low;
  }
}

/** What is in any of the masks. */
export function unionOf(masks: readonly Intervals[]): number[] {
  if (masks.length === 1 && masks[0]) return [...masks[0]];
  const pairs: [number, number][] = [];
  for (const mask of masks) for (let i = 0; i + 1 < mask.length; i += 2) pairs.push([mask[i] ?? 0, mask[i + 1] ?? 0]);
  pairs.sort((a, b) => a[0] - b[0]);
  return joined(pairs.flat());
}

/** What is in a mask and in none of the others. */
export function withoutOf(mask: Intervals, others: readonly Intervals[]): number[] {
  const gone = unionOf(others);
  const out: number[] = [];
  let j = 0;
  for (let i = 0; i + 1 < mask.length; i += 2) {
    let from = mask[i] ?? 0;
    const to = mask[i + 1] ?? 0;
    while (j + 1 < gone.length && (gone[j + 1] ?? 0) <= from) j += 2;
    for (let k = j; k + 1 < gone.length && (gone[k] ?? 0) < to; k += 2) {
      if ((gone[k] ?? 0) > from) out.push(from, gone[k] ?? 0);
      from = Math.max(from, gone[k + 1] ?? 0);
    }
    if (from < to) out.push(from, to);
  }
  return out;
}

/** Intervals sorted by their start, with those that touch or overlap made one. */
function joined(flat: readonly number[]): number[] {
  const out: number[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const start = flat[i] ?? 0;
    const end = flat[i + 1] ?? 0;
    const last = out.length - 1;
    if (last > 0 && start <= (out[last] ?? 0)) out[last] = Math.max(out[last] ?? 0, end);
    else out.push(start, end);
  }
  return out;
}

/** Number of pixels. */
export function areaOf(mask: Intervals): number {
  let area = 0;
  for (let i = 0; i + 1 < mask.length; i += 2) area += (mask[i + 1] ?? 0) - (mask[i] ?? 0);
  return area;
}

/** The box around the mask, `x, y, width, height` in whole pixels; all zero where it is empty. */
export function boxOf(mask: Intervals, height: number): [number, number, number, number] {
  let [x0, y0, x1, y1] = [Infinity, Infinity, -1, -1];
  for (let i = 0; i + 1 < mask.length; i += 2) {
    const start = mask[i] ?? 0;
    const last = (mask[i + 1] ?? 0) - 1;
    const from = Math.floor(start / height);
    const to = Math.floor(last / height);
    x0 = Math.min(x0, from);
    x1 = Math.max(x1, to);
    // An interval that goes on into the next column reaches the bottom of one and the top of the other.
    y0 = Math.min(y0, to > from ? 0 : start % height);
    y1 = Math.max(y1, to > from ? height - 1 : last % height);
  }
  return x1 < 0 ? [0, 0, 0, 0] : [x0, y0, x1 - x0 + 1, y1 - y0 + 1];
}

/** Intersection over union; two empty masks are equal (1). */
export function iouOf(a: Intervals, b: Intervals): number {
  let shared = 0;
  let i = 0;
  let j = 0;
  while (i + 1 < a.length && j + 1 < b.length) {
    const endA = a[i + 1] ?? 0;
    const endB = b[j + 1] ?? 0;
    shared += Math.max(0, Math.min(endA, endB) - Math.max(a[i] ?? 0, b[j] ?? 0));
    if (endA <= endB) i += 2;
    else j += 2;
  }
  const all = areaOf(a) + areaOf(b) - shared;
  return all === 0 ? 1 : shared / all;
}

import { AppError } from '../errors.ts';
import type { Ring } from '../records.ts';
import { runsFromFlips } from './runs.ts';

/**
 * How COCO fills a polygon (cocoapi `common/maskApi.c`, `rleFrPoly`): the boundary is drawn on a grid
 * five times finer; wherever it crosses the middle column of a pixel, the value flips from the first
 * pixel whose centre lies below. Only crossings are looked at, so cost goes with the perimeter.
 *
 * For rings of whole numbers (pixel corners) the rule is exact: a boundary at y = Y crosses at
 * (5Y + 0.5) / 5 - 0.5 = Y - 0.4, and flips at pixel Y, borders included. `contour` relies on it.
 */
const SCALE = 5;
/** Far outside any image; a bound on the work that one edge can ask for. */
const MOST = 1e7;

/**
 * The runs of one ring on an image. Throws `invalid` for fewer than three points or a coordinate that
 * is no finite number of a sensible size.
 */
export function ringRuns(ring: Ring, width: number, height: number): Uint32Array {
  const used = ringFlips(ring, width, height);
  return runsFromFlips(flips.subarray(0, used).sort(), width * height);
}

/**
 * Column-major positions at which the fill of the ring of now flips, and its points on the fine grid. Kept from one ring to the
 * next: there are millions, and each has hundreds. Positions fit, see `checkSize`.
 */
let flips = new Uint32Array(4096);
let fine = new Int32Array(512);

/** Fills `flips`, unsorted. Answers with their number. */
function ringFlips(ring: Ring, width: number, height: number): number {
  const points = ring.length >> 1;
  if (points < 3 || ring.length % 2 !== 0) {
    throw new AppError('invalid', `A ring has x, y pairs of at least three points; this one has ${ring.length} numbers.`);
  }
  if (fine.length < points * 2) fine = new Int32Array(points * 4);
  for (let i = 0; i < points * 2; i++) {
    const value = ring[i] ?? NaN;
    if (!(Math.abs(value) < MOST)) {
      throw new AppError('invalid', `Number ${i} of a ring is ${value}, which is no coordinate.`, { index: i });
    }
    fine[i] = Math.trunc(SCALE * value + 0.5);
  }
  let used = 0;
  for (let i = 0; i < points; i++) {
    const j = i + 1 < points ? i + 1 : 0;
    // An edge crosses each column once at most.
    if (flips.length < used + width + 1) flips = grown(flips, used + width + 1);
    used = edgeFlips(fine[i * 2] ?? 0, fine[i * 2 + 1] ?? 0, fine[j * 2] ?? 0, fine[j * 2 + 1] ?? 0, width, height, used);
  }
  return used;
}

function grown(array: Uint32Array<ArrayBuffer>, least: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(2 * least);
  larger.set(array);
  return larger;
}

/**
 * Crossings of one edge on the fine grid with the middles of pixel columns. An edge is drawn from its
 * lower end along its longer axis whatever its direction, so that a shared edge is the same for both
 * sides; successive points that differ in x are a crossing. Puts them into `flips` from `used` on, and answers with the next place.
 */
function edgeFlips(xs: number, ys: number, xe: number, ye: number, width: number, height: number, used: number): number {
  const dx = Math.abs(xe - xs);
  const dy = Math.abs(ye - ys);
  if (dx === 0) return used;
  const flat = dx >= dy;
  const flip = flat ? xs > xe : ys > ye;
  if (flip) [xs, ys, xe, ye] = [xe, ye, xs, ys];
  if (flat) {
    const slope = (ye - ys) / dx;
    // The two points of a step are at t and t + 1; its column is the left one's.
    const first = Math.max(0, firstMiddle(xs) - xs);
    for (let t = first; t < dx; t += SCALE) {
      const x = (xs + t - 2) / SCALE;
      if (x < 0) continue;
      if (x > width - 1) break;
      const a = Math.trunc(ys + slope * t + 0.5);
      const b = Math.trunc(ys + slope * (t + 1) + 0.5);
      flips[used++] = x * height + firstRow(Math.min(a, b), height);
    }
    return used;
  }
  // Every point of a steep edge need not be drawn: x goes one way, one step at a time at most, so that each middle is
  // crossed once, at a place that can be told beforehand and is then looked at with the very sum that a drawn point would have.
  const slope = (xe - xs) / dy;
  const at = (t: number): number => Math.trunc(xs + slope * t + 0.5);
  const rising = slope > 0;
  const least = Math.min(at(0), at(dy));
  const most = Math.min(Math.max(at(0), at(dy)) - 1, (width - 1) * SCALE + 2);
  for (let middle = firstMiddle(Math.max(0, least)); middle <= most; middle += SCALE) {
    /** The first point beyond the middle. */
    let t = Math.min(dy, Math.max(1, Math.ceil((middle + 0.5 - xs) / slope)));
    const beyond = (point: number): boolean => (rising ? at(point) > middle : at(point) <= middle);
    while (t > 1 && beyond(t - 1)) t--;
    while (t < dy && !beyond(t)) t++;
    flips[used++] = ((middle - 2) / SCALE) * height + firstRow(ys + t - 1, height);
  }
  return used;
}

/** The first fine x ≥ `x` that is two fifths into a pixel: between it and the next lies the pixel's middle. */
function firstMiddle(x: number): number {
  return x + ((((2 - x) % SCALE) + SCALE) % SCALE);
}

/** The first pixel row whose centre is below the fine y, within 0..height. */
function firstRow(fineY: number, height: number): number {
  const y = (fineY + 0.5) / SCALE - 0.5;
  return Math.ceil(Math.min(Math.max(y, 0), height));
}

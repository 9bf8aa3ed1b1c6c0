import type { Rgb } from './raster.ts';

/**
 * Intelligent scissors (Mortensen & Barrett, SIGGRAPH 1995). A step from a pixel to one of its eight neighbours
 * costs, with the paper's weights, 0.43 if the neighbour is no edge, 0.43 times how weak its gradient is, and 0.14
 * times how far the step strays from the edge's direction; by its length. The cheapest way from a seed to
 * every pixel is Dijkstra's, with the buckets of Dial (1969) the paper uses; ours stops as soon as the pixel asked for is
 * settled and goes on from there for the next, where OpenCV's expands the whole image for each seed.
 */

/** What the costs are made of, by pixel. */
export interface EdgeFeatures {
  readonly width: number;
  readonly height: number;
  /** 1 on an edge (a thin line), else 0. */
  readonly edge: Uint8Array;
  /** Gradient magnitude, 0..255, of the strongest channel. */
  readonly strength: Uint8Array;
  /** Direction of the gradient, 256 steps a full turn. */
  readonly direction: Uint8Array;
}

/** Costs are whole numbers: the paper's sum times 100, by the step's length. */
const EDGE = 43;
const STRENGTH = 43;
const DIRECTION = 14;
const MOST_COST = Math.ceil((EDGE + STRENGTH + DIRECTION) * Math.SQRT2) + 1;
const NEIGHBOURS = [
  [1, 0],
  [1, 1],
  [0, 1],
  [-1, 1],
  [-1, 0],
  [-1, -1],
  [0, -1],
  [1, -1],
] as const;

/**
 * The paper's f_D by gradient direction at a pixel and neighbour: the angle between the step and the edge there
 * (which is at right angles to the gradient), as a share of its largest value; 256 directions × 8 steps.
 */
const STRAYING = Float64Array.from({ length: 256 * 8 }, (_, i) => {
  const gradient = ((i >> 3) / 256) * 2 * Math.PI;
  const step = ((i & 7) * Math.PI) / 4;
  const along = Math.min(1, Math.abs(Math.cos(step - gradient - Math.PI / 2)));
  return Math.acos(along) / (Math.PI / 2);
});

/** Gradients of a picture by Sobel's operator, of its strongest channel; `edge` is left 0. */
export function gradients(image: Rgb): EdgeFeatures {
  const { width, height, data } = image;
  const strength = new Uint8Array(width * height);
  const direction = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const up = Math.max(0, y - 1) * width;
    const here = y * width;
    const down = Math.min(height - 1, y + 1) * width;
    for (let x = 0; x < width; x++) {
      const left = Math.max(0, x - 1);
      const right = Math.min(width - 1, x + 1);
      let best = -1;
      let bestX = 0;
      let bestY = 0;
      for (let c = 0; c < 3; c++) {
        const a = data[(up + left) * 3 + c]!;
        const b = data[(up + right) * 3 + c]!;
        const d = data[(down + left) * 3 + c]!;
        const e = data[(down + right) * 3 + c]!;
        const gx = b + 2 * data[(here + right) * 3 + c]! + e - a - 2 * data[(here + left) * 3 + c]! - d;
        const gy = d + 2 * data[(down + x) * 3 + c]! + e - a - 2 * data[(up + x) * 3 + c]! - b;
        const magnitude = gx * gx + gy * gy;
        if (magnitude > best) {
          best = magnitude;
          bestX = gx;
          bestY = gy;
        }
      }
      // Of a step edge Sobel answers 4 times its height.
      strength[here + x] = Math.min(255, Math.sqrt(best) / 4);
      direction[here + x] = Math.round((Math.atan2(bestY, bestX) / (2 * Math.PI)) * 256) & 255;
    }
  }
  return { width, height, edge: new Uint8Array(width * height), strength, direction };
}

/** The gradient magnitude that counts as the strongest: what all but one pixel in a hundred are below, at least 32. */
export function strongest(features: EdgeFeatures): number {
  const counts = new Uint32Array(256);
  for (const value of features.strength) counts[value] = counts[value]! + 1;
  let left = features.strength.length / 100;
  let value = 255;
  for (; value > 32 && left > 0; value--) left -= counts[value]!;
  return Math.max(32, value);
}

/** The ways from one seed, found as far as they were asked for. */
export interface Ways {
  /** Pixels from the seed to `target`, both included. Empty where none leads there (outside of `within`). */
  to(target: number): number[];
}

/**
 * Cheapest ways from the pixel `seed`. `within`: only these pixels may be used; null for all. `full`: the
 * gradient magnitude that costs nothing, see `strongest`.
 */
export function waysFrom(features: EdgeFeatures, seed: number, full: number, within: Uint8Array | null = null): Ways {
  const { width, height, edge, strength, direction } = features;
  const count = width * height;
  const cost = new Float64Array(count).fill(Infinity);
  const settled = new Uint8Array(count);
  /** Which neighbour the way comes from, as an index of `NEIGHBOURS`, by pixel. */
  const from = new Int8Array(count).fill(-1);
  const buckets: number[][] = Array.from({ length: MOST_COST + 1 }, () => []);
  let waiting = 1;
  let distance = 0;
  cost[seed] = 0;
  buckets[0]!.push(seed);

  function expand(pixel: number): void {
    const x = pixel % width;
    const y = (pixel - x) / width;
    const own = direction[pixel]! << 3;
    for (let n = 0; n < 8; n++) {
      const nx = x + NEIGHBOURS[n]![0];
      const ny = y + NEIGHBOURS[n]![1];
      if (nx < 0 || ny < 0 || nx >= width || ny >= height) continue;
      const next = ny * width + nx;
      if (settled[next] || (within && !within[next])) continue;
      const weak = 1 - Math.min(1, strength[next]! / full);
      const strays = (STRAYING[own + n]! + STRAYING[(direction[next]! << 3) + n]!) / 2;
      const local = (edge[next] ? 0 : EDGE) + STRENGTH * weak + DIRECTION * strays;
      const total = distance + Math.max(1, Math.round(n % 2 === 1 ? local * Math.SQRT2 : local));
      if (total >= cost[next]!) continue;
      cost[next] = total;
      from[next] = n;
      buckets[total % buckets.length]!.push(next);
      waiting++;
    }
  }

  function settle(target: number): void {
    while (waiting > 0 && !settled[target]) {
      const bucket = buckets[distance % buckets.length]!;
      const pixel = bucket.pop();
      if (pixel === undefined) {
        distance++;
        continue;
      }
      waiting--;
      if (settled[pixel] || cost[pixel] !== distance) continue;
      settled[pixel] = 1;
      expand(pixel);
    }
  }

  return {
    to(target) {
      settle(target);
      if (!settled[target]) return [];
      const way = [target];
      for (let at = target; at !== seed; way.push(at)) {
        const [dx, dy] = NEIGHBOURS[from[at]!]!;
        at -= dy * width + dx;
      }
      return way.reverse();
    },
  };
}

/** The strongest edge pixel within `radius` of one, or that pixel itself where nothing is stronger. */
export function snapTo(features: EdgeFeatures, x: number, y: number, radius: number): { x: number; y: number } {
  const { width, height, strength } = features;
  let best = { x, y };
  let bestValue = strength[y * width + x]!;
  const reach = Math.floor(radius);
  for (let sy = Math.max(0, y - reach); sy <= Math.min(height - 1, y + reach); sy++) {
    for (let sx = Math.max(0, x - reach); sx <= Math.min(width - 1, x + reach); sx++) {
      if ((sx - x) ** 2 + (sy - y) ** 2 > radius * radius) continue;
      const value = strength[sy * width + sx]!;
      if (value > bestValue) {
        bestValue = value;
        best = { x: sx, y: sy };
      }
    }
  }
  return best;
}

/** Noise fields over the plane: the grain, veins, weave and dirt of every surface and object. */

const UNIT = 1 / 4294967296;
const ACROSS = 0x27d4eb2d;
const DOWN = 0x165667b1;

/** A hash of a lattice point, in [0, 1). */
export function lattice(x: number, y: number, seed: number): number {
  return scramble(Math.imul(x, ACROSS) ^ Math.imul(y, DOWN) ^ seed) * UNIT;
}

/** 0..2^32 - 1. Source: the finaliser of MurmurHash3 (public domain). */
function scramble(h: number): number {
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Value noise in [0, 1) with a feature size of 1, quintic interpolation. */
export function noise(x: number, y: number, seed: number): number {
  const ix = Math.floor(x);
  const iy = Math.floor(y);
  const fx = x - ix;
  const fy = y - iy;
  const wx = fx * fx * fx * (fx * (fx * 6 - 15) + 10);
  const wy = fy * fy * fy * (fy * (fy * 6 - 15) + 10);
  // The four corners as `lattice` has them; products and scale are shared, as this is where drawing spends its time.
  const left = Math.imul(ix, ACROSS);
  const right = left + ACROSS;
  const upper = Math.imul(iy, DOWN) ^ seed;
  const lower = (Math.imul(iy, DOWN) + DOWN) ^ seed;
  const a = scramble(left ^ upper);
  const b = scramble(right ^ upper);
  const c = scramble(left ^ lower);
  const d = scramble(right ^ lower);
  const top = a + (b - a) * wx;
  return (top + (c + (d - c) * wx - top) * wy) * UNIT;
}

/** Fractal sum of `octaves` noises, each twice as fine and half as strong, scaled to [0, 1). */
export function fractal(x: number, y: number, seed: number, octaves: number): number {
  let sum = 0;
  let weight = 0.5;
  let total = 0;
  for (let octave = 0; octave < octaves; octave++) {
    sum += weight * noise(x, y, (seed + octave * 0x3c6ef372) | 0);
    total += weight;
    weight *= 0.5;
    // An irrational-looking offset keeps the lattices of the octaves from lining up.
    x = x * 2.03 + 17.13;
    y = y * 2.03 - 9.71;
  }
  return sum / total;
}

/** Ridges: 1 along the lines where the fractal noise crosses its middle, falling to 0 away from them. */
export function ridge(x: number, y: number, seed: number, octaves: number): number {
  return 1 - Math.abs(2 * fractal(x, y, seed, octaves) - 1);
}

/** Distance to the nearest jittered lattice point (Worley's F1), feature size 1. */
export function cells(x: number, y: number, seed: number): number {
  const ix = Math.floor(x);
  const iy = Math.floor(y);
  let best = 9;
  for (let dy = -1; dy <= 1; dy++) {
    for (let dx = -1; dx <= 1; dx++) {
      const px = ix + dx + lattice(ix + dx, iy + dy, seed) - x;
      const py = iy + dy + lattice(ix + dx, iy + dy, seed ^ 0x5bd1e995) - y;
      const distance = px * px + py * py;
      if (distance < best) best = distance;
    }
  }
  return Math.sqrt(best);
}

/** Hermite step from 0 at `low` to 1 at `high`. */
export function smoothstep(low: number, high: number, value: number): number {
  const t = clamp01((value - low) / (high - low));
  return t * t * (3 - 2 * t);
}

export function clamp01(value: number): number {
  return value < 0 ? 0 : value > 1 ? 1 : value;
}

export function lerp(a: number, b: number, t: number): number {
  return a + (b - a) * t;
}

import type { Bitmap } from '../mask/bitmap.ts';
import { signedDistance } from './distance.ts';
import { createLaplacian } from './matting-laplacian.ts';

/** Weight of the mask's own soft border against the image; it decides where the colours say nothing. */
const PRIOR = 0.002;
/** A model that says less than this, of 255, or that much below all, does not hesitate. */
const HESITANT = 12;
const MOST_STEPS = 150;
/** Of the first residual; below it alpha changes by less than what 8 bits show. */
const TOLERANCE = 1e-3;

/**
 * Alpha, 0..1, of the object that a mask roughly outlines. Outside of a band of `softPx` on both sides of
 * the mask's border it is exactly 1 or 0; within it the image's own colours decide (closed-form matting:
 * Levin, Lischinski & Weiss, "A closed-form solution to natural image matting", 2008, equations 12 and 15),
 * solved by conjugate gradients. `rgb` is interleaved 8 bit, of the mask's size. `softPx` 0 is the mask itself.
 * What the mask and its complement get sums up to 1 at every pixel.
 *
 * `soft`: what a salient model says of each pixel, 0..255, or null. Where it hesitates is unknown as well, and it takes
 * the place of the mask's own soft border.
 */
export function matte(rgb: Uint8Array, mask: Bitmap, softPx: number, soft: Uint8Array | null = null): Float32Array {
  const { data, width, height } = mask;
  const alpha = Float32Array.from(data);
  if (softPx <= 0) return alpha;
  const distance = signedDistance(mask);
  const unknown: number[] = [];
  for (let i = 0; i < alpha.length; i++) {
    const d = distance[i] ?? 0;
    const said = soft?.[i];
    if (Math.abs(d) >= softPx && (said === undefined || said <= HESITANT || said >= 255 - HESITANT)) continue;
    alpha[i] = said === undefined ? 0.5 + d / (2 * softPx) : said / 255;
    unknown.push(i);
  }
  if (unknown.length > 0) solve(alpha, Int32Array.from(unknown), rgb, width, height);
  return alpha;
}

/** (L + λ) α = λ prior on the unknown pixels, known ones fixed; `alpha` holds both and takes the answer. */
function solve(alpha: Float32Array, unknown: Int32Array, rgb: Uint8Array, width: number, height: number): void {
  const count = unknown.length;
  const laplacian = createLaplacian(rgb, width, height, unknown);
  const diagonal = laplacian.diagonal();
  const known = alpha.slice();
  for (const pixel of unknown) known[pixel] = 0;
  const x = new Float64Array(count);
  const right = new Float64Array(count);
  laplacian.apply(known, right);
  for (let i = 0; i < count; i++) {
    x[i] = alpha[unknown[i] ?? 0] ?? 0;
    right[i] = PRIOR * (x[i] ?? 0) - (right[i] ?? 0);
  }
  const whole = new Float32Array(alpha.length);
  const times = (vector: Float64Array, out: Float64Array): void => {
    for (let i = 0; i < count; i++) whole[unknown[i] ?? 0] = vector[i] ?? 0;
    laplacian.apply(whole, out);
    for (let i = 0; i < count; i++) out[i] = (out[i] ?? 0) + PRIOR * (vector[i] ?? 0);
  };
  conjugateGradients(times, right, x, (i) => (diagonal[i] ?? 0) + PRIOR);
  for (let i = 0; i < count; i++) alpha[unknown[i] ?? 0] = Math.min(1, Math.max(0, x[i] ?? 0));
}

/** Solves A x = right from `x` on, A symmetric and positive, preconditioned by its diagonal (Shewchuk 1994, B3). */
function conjugateGradients(
  times: (vector: Float64Array, out: Float64Array) => void,
  right: Float64Array,
  x: Float64Array,
  diagonal: (i: number) => number,
): void {
  const count = x.length;
  const product = new Float64Array(count);
  times(x, product);
  const residual = right.map((value, i) => value - (product[i] ?? 0));
  const direction = residual.map((value, i) => value / diagonal(i));
  let delta = dot(residual, direction);
  const enough = delta * TOLERANCE * TOLERANCE;
  for (let step = 0; step < MOST_STEPS && delta > enough && delta > 0; step++) {
    times(direction, product);
    const length = delta / dot(direction, product);
    let next = 0;
    for (let i = 0; i < count; i++) {
      x[i] = (x[i] ?? 0) + length * (direction[i] ?? 0);
      const left = (residual[i] ?? 0) - length * (product[i] ?? 0);
      residual[i] = left;
      next += (left * left) / diagonal(i);
    }
    const turn = next / delta;
    for (let i = 0; i < count; i++) direction[i] = (residual[i] ?? 0) / diagonal(i) + turn * (direction[i] ?? 0);
    delta = next;
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

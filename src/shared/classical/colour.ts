import type { Rgb } from './raster.ts';

/**
 * Colour as numbers whose distances mean something. All three spaces are scaled alike: black and white are
 * 100 apart, so that bandwidths and tolerances mean about the same in each.
 */

/** sRGB's transfer function (IEC 61966-2-1), by 8-bit value. */
const LINEAR = Float64Array.from({ length: 256 }, (_, value) => {
  const v = value / 255;
  return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
});

const STEPS = 8192;
/** CIE's f(t) for t from 0 to 1 (CIE 15:2004, 8.2.1.1): a cube root with a straight foot. */
const F = Float64Array.from({ length: STEPS + 2 }, (_, i) => {
  const t = i / STEPS;
  return t > (6 / 29) ** 3 ? Math.cbrt(t) : t / (3 * (6 / 29) ** 2) + 4 / 29;
});

function f(t: number): number {
  const at = t * STEPS;
  const i = Math.floor(at);
  const low = F[i]!;
  return low + (F[i + 1]! - low) * (at - i);
}

/** CIE L*a*b* (D65) of one 8-bit sRGB colour, written to `out` from `at` on. */
export function writeLab(r: number, g: number, b: number, out: Float32Array, at: number): void {
  const lr = LINEAR[r]!;
  const lg = LINEAR[g]!;
  const lb = LINEAR[b]!;
  const fx = f((0.4124564 * lr + 0.3575761 * lg + 0.1804375 * lb) / 0.95047);
  const fy = f(0.2126729 * lr + 0.7151522 * lg + 0.072175 * lb);
  const fz = f((0.0193339 * lr + 0.119192 * lg + 0.9503041 * lb) / 1.08883);
  out[at] = 116 * fy - 16;
  out[at + 1] = 500 * (fx - fy);
  out[at + 2] = 200 * (fy - fz);
}

/** L*, a*, b* of each pixel, interleaved. */
export function labOf(image: Rgb): Float32Array {
  const out = new Float32Array(image.data.length);
  for (let i = 0; i < out.length; i += 3) writeLab(image.data[i]!, image.data[i + 1]!, image.data[i + 2]!, out, i);
  return out;
}

/** R, G, B from 0 to 100, interleaved. */
export function scaledRgbOf(image: Rgb): Float32Array {
  const out = new Float32Array(image.data.length);
  for (let i = 0; i < out.length; i++) out[i] = image.data[i]! / 2.55;
  return out;
}

/**
 * HSV as a cone, so that hues near red lie near each other and greys have no hue: saturation × value as the
 * distance from the axis, hue as the angle, value along it, each up to 100.
 */
export function coneOf(image: Rgb): Float32Array {
  const out = new Float32Array(image.data.length);
  for (let i = 0; i < out.length; i += 3) {
    const r = image.data[i]!;
    const g = image.data[i + 1]!;
    const b = image.data[i + 2]!;
    const value = Math.max(r, g, b);
    const chroma = value - Math.min(r, g, b);
    let hue = 0;
    if (chroma > 0) {
      if (value === r) hue = (g - b) / chroma;
      else if (value === g) hue = 2 + (b - r) / chroma;
      else hue = 4 + (r - g) / chroma;
    }
    const angle = (hue * Math.PI) / 3;
    out[i] = (chroma / 2.55) * Math.cos(angle);
    out[i + 1] = (chroma / 2.55) * Math.sin(angle);
    out[i + 2] = value / 2.55;
  }
  return out;
}

/** `#RRGGBB` of 8-bit values. */
export function hexColour(r: number, g: number, b: number): string {
  return `#${[r, g, b].map((value) => Math.round(value).toString(16).padStart(2, '0')).join('')}`;
}

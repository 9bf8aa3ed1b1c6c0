import type { Random } from './random.ts';
import { lattice } from './noise.ts';

/**
 * Develops light into an 8-bit sRGB picture the way a small camera would: automatic exposure with a little error,
 * white balance that isn't quite right, a film-like shoulder, vignette, a slightly soft lens, sensor noise.
 * `light` is linear RGB (`width * height * 3`, changed in place); the answer is RGB, row-major, 3 bytes per pixel.
 */
export function develop(light: Float32Array, width: number, height: number, random: Random): Uint8Array {
  const exposure = meter(light) * Math.pow(2, random.range(-0.45, 0.35));
  const warmth = random.range(-0.07, 0.07);
  const tint = random.range(-0.025, 0.025);
  const gain = [exposure * (1 + warmth), exposure * (1 - tint), exposure * (1 - warmth)];
  const vignette = random.range(0.1, 0.4);
  const contrast = random.range(0.9, 1.12);
  const grain = random.range(0.004, 0.016);
  const seed = Math.floor(random.next() * 4294967296) | 0;
  const across = 4 / (width * width + height * height);
  const tone = toneTable(contrast);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const dx = x - width / 2;
      const dy = y - height / 2;
      const edge = (dx * dx + dy * dy) * across;
      const dim = 1 - vignette * edge * (0.6 + 0.4 * edge);
      for (let channel = 0; channel < 3; channel++) {
        const value = light[3 * i + channel]! * gain[channel]! * dim;
        light[3 * i + channel] = tone[Math.min(tone.length - 1, Math.floor(value * 1024))]!;
      }
    }
  }
  soften(light, width, height, random.range(0.05, 0.14));
  const out = new Uint8Array(width * height * 3);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      // Two uniforms make a triangle, close enough to a Gaussian; part of it is shared by the channels.
      const common = lattice(x, y, seed) + lattice(x, y, seed ^ 0x1234567) - 1;
      for (let channel = 0; channel < 3; channel++) {
        const own = lattice(x, y, seed + 17 + channel) - 0.5;
        const value = light[3 * i + channel]!;
        const noisy = value + grain * (1.6 * common + 1.2 * own) * (1.25 - value);
        const byte = Math.round(noisy * 255);
        out[3 * i + channel] = byte < 0 ? 0 : byte > 255 ? 255 : byte;
      }
    }
  }
  return out;
}

/** The factor that brings the mean log luminance to a mid grey. */
function meter(light: Float32Array): number {
  let sum = 0;
  let count = 0;
  for (let i = 0; i + 2 < light.length; i += 21) {
    sum += Math.log(0.02 + 0.2126 * light[i]! + 0.7152 * light[i + 1]! + 0.0722 * light[i + 2]!);
    count++;
  }
  const mean = Math.exp(sum / count);
  // Dark tables stay rather dark, white ones rather white: a camera corrects only part of the way.
  return Math.pow(0.29 / mean, 0.6);
}

/** Light 0..8 in steps of 1/1024 → display value 0..1: filmic curve (Hable's shape by Narkowicz), then sRGB. */
function toneTable(contrast: number): Float32Array {
  const table = new Float32Array(8192);
  for (let k = 0; k < table.length; k++) {
    const x = ((k + 0.5) / 1024) * 0.9;
    const filmic = Math.min(1, (x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14));
    const display = filmic <= 0.0031308 ? 12.92 * filmic : 1.055 * Math.pow(filmic, 1 / 2.4) - 0.055;
    const bent = 0.5 + (display - 0.5) * contrast;
    table[k] = bent < 0 ? 0 : bent > 1 ? 1 : bent;
  }
  return table;
}

/** A 3-tap blur in both directions; `share` is what each neighbour gives. */
function soften(picture: Float32Array, width: number, height: number, share: number): void {
  const keep = 1 - 2 * share;
  const stride = width * 3;
  for (let y = 0; y < height; y++) {
    const row = y * stride;
    for (let channel = 0; channel < 3; channel++) {
      let before = picture[row + channel]!;
      for (let x = 0; x < width; x++) {
        const i = row + 3 * x + channel;
        const here = picture[i]!;
        const after = x < width - 1 ? picture[i + 3]! : here;
        picture[i] = share * (before + after) + keep * here;
        before = here;
      }
    }
  }
  for (let i = 0; i < stride; i++) {
    let before = picture[i]!;
    for (let y = 0; y < height; y++) {
      const k = y * stride + i;
      const here = picture[k]!;
      const after = y < height - 1 ? picture[k + stride]! : here;
      picture[k] = share * (before + after) + keep * here;
      before = here;
    }
  }
}

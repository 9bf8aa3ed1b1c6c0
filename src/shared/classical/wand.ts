import type { WandParameters } from './questions.ts';
import { writeLab } from './colour.ts';
import type { Pause, Rgb } from './raster.ts';

/** A click in whole pixels of the picture; `tolerance` replaces that of the parameters. */
export interface WandSeed {
  readonly x: number;
  readonly y: number;
  readonly adds: boolean;
  readonly tolerance: number;
}

/** Pixels between two looks at whether somebody still waits. */
const STRIDE = 1 << 18;

/**
 * The pixels whose colour is within the tolerance of that under each click, one byte a pixel, 0 or 1. Clicks
 * work in their order: one adds its region, another takes its region away. With `distance: 'rgb'`,
 * contiguous, it is OpenCV's `floodFill` with a fixed range. The colour is that of the one pixel clicked.
 */
export function wand(
  image: Rgb,
  seeds: readonly WandSeed[],
  parameters: Omit<WandParameters, 'tolerance'>,
  pause: Pause = () => undefined,
): Uint8Array {
  const out = new Uint8Array(image.width * image.height);
  for (const seed of seeds) {
    const alike = likeness(image, seed.y * image.width + seed.x, seed.tolerance, parameters.distance);
    const value = seed.adds ? 1 : 0;
    if (parameters.contiguous) {
      const region = flood(image, seed, alike, parameters.connectivity, pause);
      if (seeds.length === 1 && seed.adds) return region;
      for (let i = 0; i < out.length; i++) if (region[i]) out[i] = value;
    } else {
      for (let i = 0; i < out.length; i++) {
        if (i % STRIDE === 0) pause();
        if (alike(i)) out[i] = value;
      }
    }
  }
  return out;
}

/** Whether a pixel is within the tolerance of the pixel `seed`. */
function likeness({ data }: Rgb, seed: number, tolerance: number, distance: WandParameters['distance']): (pixel: number) => boolean {
  const r = data[seed * 3]!;
  const g = data[seed * 3 + 1]!;
  const b = data[seed * 3 + 2]!;
  if (distance === 'rgb') {
    return (pixel) => {
      const at = pixel * 3;
      return Math.abs(data[at]! - r) <= tolerance && Math.abs(data[at + 1]! - g) <= tolerance && Math.abs(data[at + 2]! - b) <= tolerance;
    };
  }
  const lab = new Float32Array(6);
  writeLab(r, g, b, lab, 0);
  const most = tolerance * tolerance;
  // Neighbours are often of the very same colour.
  let lastColour = -1;
  let lastAnswer = false;
  return (pixel) => {
    const at = pixel * 3;
    const colour = (data[at]! << 16) | (data[at + 1]! << 8) | data[at + 2]!;
    if (colour === lastColour) return lastAnswer;
    writeLab(data[at]!, data[at + 1]!, data[at + 2]!, lab, 3);
    const dl = lab[3]! - lab[0]!;
    const da = lab[4]! - lab[1]!;
    const db = lab[5]! - lab[2]!;
    lastColour = colour;
    lastAnswer = dl * dl + da * da + db * db <= most;
    return lastAnswer;
  };
}

/** Seed fill by runs of a row (Smith 1979; Heckbert, Graphics Gems 1990): a run is filled, then its neighbours above and below are looked through. */
function flood({ width, height }: Rgb, seed: WandSeed, alike: (pixel: number) => boolean, connectivity: 4 | 8, pause: Pause): Uint8Array {
  const out = new Uint8Array(width * height);
  const reach = connectivity === 8 ? 1 : 0;
  const stack: number[] = [seed.y * width + seed.x];
  let steps = 0;
  for (let start = stack.pop(); start !== undefined; start = stack.pop()) {
    if (out[start] || !alike(start)) continue;
    const y = Math.floor(start / width);
    const row = y * width;
    let left = start;
    while (left > row && !out[left - 1] && alike(left - 1)) left--;
    let right = start;
    while (right + 1 < row + width && !out[right + 1] && alike(right + 1)) right++;
    out.fill(1, left, right + 1);
    steps += right - left + 1;
    if (steps > STRIDE) {
      steps = 0;
      pause();
    }
    const from = Math.max(row, left - reach) - row;
    const to = Math.min(row + width - 1, right + reach) - row;
    for (const next of [y - 1, y + 1]) {
      if (next < 0 || next >= height) continue;
      let open = false;
      for (let i = next * width + from; i <= next * width + to; i++) {
        const wanted = !out[i] && alike(i);
        if (wanted && !open) stack.push(i);
        open = wanted;
      }
    }
  }
  return out;
}

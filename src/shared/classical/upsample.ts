import type { LabelMap, Pause, Rgb, Window } from './raster.ts';
import { firstsOf } from './regions.ts';

/** Reach in the small map's pixels, and in 8-bit RGB. */
const SIGMA_SPACE = 1;
const SIGMA_COLOUR = 18;
/** Squared colour distances are looked up in steps of 16. */
const COLOUR_WEIGHTS = Float32Array.from({ length: (3 * 255 * 255) / 16 + 1 }, (_, i) =>
  Math.exp(-(i * 16) / (2 * SIGMA_COLOUR * SIGMA_COLOUR)),
);
/** So that a pixel unlike all its samples goes to the nearest. */
const LEAST_WEIGHT = 1e-4;

/**
 * A label map worked out on a small picture, decided again on the large one. Where the small map has one
 * label all around, that is it; near a border every sample votes for its label, more the nearer it is and
 * the more its colour is that of the pixel: joint bilateral upsampling (Kopf et al., SIGGRAPH 2007) of the
 * labels' indicator functions. `small` and `map` cover `window` of `large`; the answer has the window's size.
 * `radius`: samples on either side; 2 mends borders that are off by a pixel of the small map, 1 is three times as fast.
 */
export function upsample(map: LabelMap, small: Rgb, large: Rgb, window: Window, radius: 1 | 2, pause: Pause): LabelMap {
  const { width, height } = map;
  const taps = 2 * radius + 1;
  const plain = uniform(map, radius);
  const out = new Uint16Array(window.width * window.height);
  const columns = axis(window.width, width, radius);
  const rows = axis(window.height, height, radius);
  const votes = new Float64Array(taps * taps);
  const names = new Uint32Array(votes.length);
  for (let y = 0; y < window.height; y++) {
    if (y % 16 === 0) pause();
    const row = rows.cell[y]!;
    const weightsY = rows.weights.subarray(y * taps, (y + 1) * taps);
    for (let x = 0; x < window.width; x++) {
      const cell = row * width + columns.cell[x]!;
      if (plain[cell]) {
        const end = columns.first[columns.cell[x]! + 1]!;
        out.fill(map.data[cell]!, y * window.width + x, y * window.width + end);
        x = end - 1;
        continue;
      }
      const at = ((window.y + y) * large.width + window.x + x) * 3;
      const r = large.data[at]!;
      const g = large.data[at + 1]!;
      const b = large.data[at + 2]!;
      let known = 0;
      for (let dy = -radius; dy <= radius; dy++) {
        const sy = row + dy;
        if (sy < 0 || sy >= height) continue;
        const weightY = weightsY[dy + radius]!;
        for (let dx = -radius; dx <= radius; dx++) {
          const sx = columns.cell[x]! + dx;
          if (sx < 0 || sx >= width) continue;
          const sample = sy * width + sx;
          const dr = r - small.data[sample * 3]!;
          const dg = g - small.data[sample * 3 + 1]!;
          const db = b - small.data[sample * 3 + 2]!;
          const alike = COLOUR_WEIGHTS[(dr * dr + dg * dg + db * db) >> 4]! + LEAST_WEIGHT;
          const weight = weightY * columns.weights[x * taps + dx + radius]! * alike;
          const label = map.data[sample]!;
          let n = 0;
          while (n < known && names[n] !== label) n++;
          if (n === known) {
            names[n] = label;
            votes[n] = 0;
            known++;
          }
          votes[n] = votes[n]! + weight;
        }
      }
      let best = 0;
      for (let n = 1; n < known; n++) if (votes[n]! > votes[best]!) best = n;
      out[y * window.width + x] = names[best]!;
    }
  }
  return { width: window.width, height: window.height, data: out };
}

/** For each large pixel the small one it lies in, and the weights of the samples about that by their distance. */
function axis(large: number, small: number, radius: number): { cell: Int32Array; first: Int32Array; weights: Float64Array } {
  const taps = 2 * radius + 1;
  const first = firstsOf(small, large);
  const cell = new Int32Array(large);
  for (let i = 0; i < small; i++) cell.fill(i, first[i], first[i + 1]);
  const weights = new Float64Array(large * taps);
  for (let i = 0; i < large; i++) {
    const centre = ((i + 0.5) * small) / large;
    for (let d = -radius; d <= radius; d++) {
      const distance = cell[i]! + d + 0.5 - centre;
      weights[i * taps + d + radius] = Math.exp(-(distance * distance) / (2 * SIGMA_SPACE * SIGMA_SPACE));
    }
  }
  return { cell, first, weights };
}

/** 1 where all samples about a pixel have its label. Two passes: along rows, then along columns. */
function uniform({ width, height, data }: LabelMap, radius: number): Uint8Array {
  const alongRow = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      let same = 1;
      for (let sx = Math.max(0, x - radius); sx <= Math.min(width - 1, x + radius); sx++) if (data[y * width + sx] !== data[i]) same = 0;
      alongRow[i] = same;
    }
  }
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      let same = 1;
      for (let sy = Math.max(0, y - radius); sy <= Math.min(height - 1, y + radius); sy++) {
        const j = sy * width + x;
        if (!alongRow[j] || data[j] !== data[i]) same = 0;
      }
      out[i] = same;
    }
  }
  return out;
}

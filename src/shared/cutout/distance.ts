import type { Bitmap } from '../mask/bitmap.ts';

/**
 * Signed distance of every pixel's centre to the border of a mask, in pixels: positive inside, negative
 * outside, half a pixel next to the border. What lies beyond the bitmap is no border: an object that is cut by the
 * frame has no edge there. Infinite where there is no border at all. Exact, two passes of lower envelopes of
 * parabolas (Felzenszwalb & Huttenlocher, "Distance transforms of sampled functions", 2012).
 */
export function signedDistance(mask: Bitmap): Float32Array {
  const { width, height, data } = mask;
  const inside = squaredDistance(data, 0, width, height);
  const outside = squaredDistance(data, 1, width, height);
  const out = new Float32Array(width * height);
  for (let i = 0; i < out.length; i++) {
    out[i] = data[i] === 1 ? Math.sqrt(inside[i] ?? 0) - 0.5 : 0.5 - Math.sqrt(outside[i] ?? 0);
  }
  return out;
}

/** Squared distance of every pixel to the nearest one of value `target`. */
function squaredDistance(data: Uint8Array, target: number, width: number, height: number): Float64Array {
  const out = new Float64Array(width * height);
  // Down the columns the nearest is found by counting.
  for (let x = 0; x < width; x++) {
    let steps = Infinity;
    for (let y = 0, i = x; y < height; y++, i += width) {
      steps = data[i] === target ? 0 : steps + 1;
      out[i] = steps;
    }
    steps = Infinity;
    for (let y = height - 1, i = (height - 1) * width + x; y >= 0; y--, i -= width) {
      steps = data[i] === target ? 0 : steps + 1;
      const nearest = Math.min(steps, out[i] ?? 0);
      out[i] = nearest * nearest;
    }
  }
  const row = new Float64Array(width);
  const places = new Int32Array(width);
  const borders = new Float64Array(width + 1);
  for (let y = 0; y < height; y++) {
    const start = y * width;
    row.set(out.subarray(start, start + width));
    let last = -1;
    for (let q = 0; q < width; q++) {
      const height2 = row[q] ?? 0;
      if (height2 === Infinity) continue;
      let from = -Infinity;
      while (last >= 0) {
        const p = places[last] ?? 0;
        from = (height2 + q * q - ((row[p] ?? 0) + p * p)) / (2 * (q - p));
        if (from > (borders[last] ?? 0)) break;
        last--;
        from = -Infinity;
      }
      last++;
      places[last] = q;
      borders[last] = from;
    }
    if (last < 0) continue;
    for (let q = 0, k = 0; q < width; q++) {
      while (k < last && (borders[k + 1] ?? 0) < q) k++;
      const p = places[k] ?? 0;
      out[start + q] = (q - p) * (q - p) + (row[p] ?? 0);
    }
  }
  return out;
}

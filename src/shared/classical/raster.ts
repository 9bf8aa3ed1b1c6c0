/** Pictures and label maps that the classical methods work on. Row-major; index `y * width + x`. */

/** Interleaved 8-bit sRGB, three bytes a pixel. */
export interface Rgb {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** One region number a pixel; 0 belongs to none. Sixteen bits where there are few regions and many pixels. */
export interface LabelMap {
  readonly width: number;
  readonly height: number;
  readonly data: Uint16Array | Uint32Array;
}

/** A rectangle of whole pixels. */
export interface Window {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Called between pieces of work; throws where nobody waits for the answer any more. */
export type Pause = () => void;

/** The size of at most `maxPixels` with the same proportions; the size itself where it is small enough. */
export function boundedSize(width: number, height: number, maxPixels: number): { readonly width: number; readonly height: number } {
  const scale = Math.min(1, Math.sqrt(maxPixels / (width * height)));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/**
 * A window of a picture at another, smaller size: each pixel is the mean of those it covers, those at its
 * border by the part that it covers. Sizes up to the window's own; the same size is a copy.
 */
export function shrink(source: Rgb, window: Window, width: number, height: number, pause: Pause = () => undefined): Rgb {
  const data = new Uint8Array(width * height * 3);
  const stepX = window.width / width;
  const stepY = window.height / height;
  const sums = new Float64Array(width * 3);
  for (let y = 0; y < height; y++) {
    if (y % 64 === 0) pause();
    sums.fill(0);
    const top = y * stepY;
    const bottom = Math.min(window.height, (y + 1) * stepY);
    for (let sy = Math.floor(top); sy < bottom; sy++) {
      const weightY = Math.min(sy + 1, bottom) - Math.max(sy, top);
      const row = (window.y + sy) * source.width + window.x;
      for (let x = 0; x < width; x++) {
        const left = x * stepX;
        const right = Math.min(window.width, (x + 1) * stepX);
        let r = 0;
        let g = 0;
        let b = 0;
        for (let sx = Math.floor(left); sx < right; sx++) {
          const weight = Math.min(sx + 1, right) - Math.max(sx, left);
          const at = (row + sx) * 3;
          r += weight * source.data[at]!;
          g += weight * source.data[at + 1]!;
          b += weight * source.data[at + 2]!;
        }
        sums[x * 3] = sums[x * 3]! + weightY * r;
        sums[x * 3 + 1] = sums[x * 3 + 1]! + weightY * g;
        sums[x * 3 + 2] = sums[x * 3 + 2]! + weightY * b;
      }
    }
    const area = stepX * stepY;
    for (let i = 0; i < sums.length; i++) data[y * width * 3 + i] = Math.round(sums[i]! / area);
  }
  return { width, height, data };
}

/**
 * Bilinear resize of interleaved 8-bit RGB by taking samples: the two nearest pixels each way around the
 * centre of each new pixel, half-pixel centres, whatever the reduction (OpenCV's `INTER_LINEAR`, whose
 * fixed point of 11 bits this follows). Shrinking does not average; models whose authors prepared with
 * OpenCV (the YOLO family) are used to just this.
 */
export function sampleLinear(data: Uint8Array, width: number, height: number, toWidth: number, toHeight: number): Uint8Array {
  if (width === toWidth && height === toHeight) return data;
  const columns = taps(width, toWidth);
  const rows = taps(height, toHeight);
  const out = new Uint8Array(toWidth * toHeight * 3);
  const stride = width * 3;
  // Two rows of the source, already sampled sideways, of 19 bits each; consecutive rows share them.
  const lines = [new Int32Array(toWidth * 3), new Int32Array(toWidth * 3)] as const;
  const held = [-1, -1];
  const sideways = (row: number, slot: 0 | 1): void => {
    const line = lines[slot];
    for (let x = 0, o = 0; x < toWidth; x++) {
      const i = row * stride + (columns.first[x] ?? 0) * 3;
      const j = row * stride + (columns.second[x] ?? 0) * 3;
      const share = columns.share[x] ?? 0;
      const rest = ONE - share;
      line[o++] = (data[i] ?? 0) * rest + (data[j] ?? 0) * share;
      line[o++] = (data[i + 1] ?? 0) * rest + (data[j + 1] ?? 0) * share;
      line[o++] = (data[i + 2] ?? 0) * rest + (data[j + 2] ?? 0) * share;
    }
    held[slot] = row;
  };
  for (let y = 0, o = 0; y < toHeight; y++) {
    const top = rows.first[y] ?? 0;
    const bottom = rows.second[y] ?? 0;
    // Even rows in one line, odd ones in the other, so that the row that stays is not sampled again.
    const at = (top & 1) as 0 | 1;
    const below = (bottom & 1) as 0 | 1;
    if (held[at] !== top) sideways(top, at);
    if (held[below] !== bottom) sideways(bottom, below);
    const upper = lines[at];
    const lower = lines[below];
    const share = rows.share[y] ?? 0;
    const rest = ONE - share;
    // 8 + 11 + 11 bits: the sum stays below 2 ** 31.
    for (let x = 0; x < toWidth * 3; x++) out[o++] = ((upper[x] ?? 0) * rest + (lower[x] ?? 0) * share + HALF) >> SHIFT;
  }
  return out;
}

const ONE = 2048;
const SHIFT = 22;
const HALF = 1 << (SHIFT - 1);

interface Taps {
  readonly first: Int32Array;
  readonly second: Int32Array;
  /** Of the second, of 2048. */
  readonly share: Int32Array;
}

function taps(from: number, to: number): Taps {
  const first = new Int32Array(to);
  const second = new Int32Array(to);
  const share = new Int32Array(to);
  for (let i = 0; i < to; i++) {
    const at = Math.min(from - 1, Math.max(0, ((i + 0.5) * from) / to - 0.5));
    const before = Math.floor(at);
    first[i] = before;
    second[i] = Math.min(from - 1, before + 1);
    share[i] = Math.round((at - before) * ONE);
  }
  return { first, second, share };
}

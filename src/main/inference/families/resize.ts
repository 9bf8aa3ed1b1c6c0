/** 8-bit fixed point of Pillow's `Resample.c`: 32 bits less 8 for the pixel and 2 for the sum. */
const PRECISION_BITS = 22;
const HALF = 1 << (PRECISION_BITS - 1);

/**
 * Bilinear resize of interleaved 8-bit RGB, equal to Pillow's `Image.resize(size, BILINEAR)` byte for
 * byte (`libImaging/Resample.c`): a triangle filter as wide as the reduction, so that shrinking
 * averages (PyTorch's and OpenCV's bilinear do not), in two passes, columns first, each rounded to 8 bits.
 * Models whose authors prepared with Pillow (Detectron2, the ONNX model zoo) expect just this.
 */
export function resizeBilinear(data: Uint8Array, width: number, height: number, toWidth: number, toHeight: number): Uint8Array {
  const wide = toWidth === width ? data : resizeRows(data, width, height, toWidth);
  return toHeight === height ? wide : resizeColumns(wide, toWidth, height, toHeight);
}

interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `most` weights for each output pixel. */
  readonly weights: Int32Array;
  readonly most: number;
}

function triangle(from: number, to: number): Taps {
  const scale = from / to;
  const filterScale = Math.max(scale, 1);
  const support = filterScale;
  const most = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(to);
  const count = new Int32Array(to);
  const weights = new Int32Array(to * most);
  const exact = new Float64Array(most);
  for (let out = 0; out < to; out++) {
    const center = (out + 0.5) * scale;
    const start = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(from, Math.trunc(center + support + 0.5));
    let sum = 0;
    for (let i = start; i < end; i++) {
      const distance = Math.abs((i - center + 0.5) / filterScale);
      const weight = distance < 1 ? 1 - distance : 0;
      exact[i - start] = weight;
      sum += weight;
    }
    for (let i = 0; i < end - start; i++) {
      // Weights of a triangle are never negative, so rounding is adding a half.
      weights[out * most + i] = Math.trunc(0.5 + ((exact[i] ?? 0) / sum) * (1 << PRECISION_BITS));
    }
    first[out] = start;
    count[out] = end - start;
  }
  return { first, count, weights, most };
}

function resizeRows(data: Uint8Array, width: number, height: number, toWidth: number): Uint8Array {
  const { first, count, weights, most } = triangle(width, toWidth);
  const out = new Uint8Array(toWidth * height * 3);
  for (let y = 0, o = 0; y < height; y++) {
    for (let x = 0; x < toWidth; x++) {
      let [red, green, blue] = [HALF, HALF, HALF];
      let i = (y * width + (first[x] ?? 0)) * 3;
      const last = x * most + (count[x] ?? 0);
      for (let tap = x * most; tap < last; tap++, i += 3) {
        const weight = weights[tap] ?? 0;
        red += (data[i] ?? 0) * weight;
        green += (data[i + 1] ?? 0) * weight;
        blue += (data[i + 2] ?? 0) * weight;
      }
      // Weights add up to 1 within rounding, so that only 256 can come out too large; Pillow clips too.
      out[o++] = Math.min(255, red >> PRECISION_BITS);
      out[o++] = Math.min(255, green >> PRECISION_BITS);
      out[o++] = Math.min(255, blue >> PRECISION_BITS);
    }
  }
  return out;
}

function resizeColumns(data: Uint8Array, width: number, height: number, toHeight: number): Uint8Array {
  const { first, count, weights, most } = triangle(height, toHeight);
  const stride = width * 3;
  const out = new Uint8Array(stride * toHeight);
  const sums = new Int32Array(stride);
  // Row by row through the memory, not column by column: the sums of a row fit into the cache.
  for (let y = 0; y < toHeight; y++) {
    sums.fill(HALF);
    for (let tap = 0; tap < (count[y] ?? 0); tap++) {
      const weight = weights[y * most + tap] ?? 0;
      const row = ((first[y] ?? 0) + tap) * stride;
      for (let x = 0; x < stride; x++) sums[x] = (sums[x] ?? 0) + (data[row + x] ?? 0) * weight;
    }
    for (let x = 0; x < stride; x++) out[y * stride + x] = Math.min(255, (sums[x] ?? 0) >> PRECISION_BITS);
  }
  return out;
}

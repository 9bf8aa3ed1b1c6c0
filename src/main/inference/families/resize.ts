/** 8-bit fixed point of Pillow's `Resample.c`: 32 bits less 8 for the pixel and 2 for the sum. */
const PRECISION_BITS = 22;

/**
 * Bilinear resize of interleaved 8-bit pixels, equal to Pillow's `Image.resize(size, BILINEAR)` byte for
 * byte (`libImaging/Resample.c`): a triangle filter as wide as the reduction, so that shrinking
 * averages (PyTorch's and OpenCV's bilinear do not), in two passes, columns first, each rounded to 8 bits.
 * Models whose authors prepared with Pillow (Detectron2, the ONNX model zoo) expect just this.
 */
export function resizeBilinear(
  data: Uint8Array,
  width: number,
  height: number,
  channels: number,
  toWidth: number,
  toHeight: number,
): Uint8Array {
  const wide = toWidth === width ? data : resizeRows(data, width, height, channels, toWidth);
  return toHeight === height ? wide : resizeColumns(wide, toWidth, height, channels, toHeight);
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

function resizeRows(data: Uint8Array, width: number, height: number, channels: number, toWidth: number): Uint8Array {
  const { first, count, weights, most } = triangle(width, toWidth);
  const out = new Uint8Array(toWidth * height * channels);
  for (let y = 0, o = 0; y < height; y++) {
    const row = y * width * channels;
    for (let x = 0; x < toWidth; x++) {
      const from = row + (first[x] ?? 0) * channels;
      const taps = count[x] ?? 0;
      for (let c = 0; c < channels; c++) {
        let sum = 1 << (PRECISION_BITS - 1);
        for (let i = 0; i < taps; i++) sum += (data[from + i * channels + c] ?? 0) * (weights[x * most + i] ?? 0);
        out[o++] = clip(sum >> PRECISION_BITS);
      }
    }
  }
  return out;
}

function resizeColumns(data: Uint8Array, width: number, height: number, channels: number, toHeight: number): Uint8Array {
  const { first, count, weights, most } = triangle(height, toHeight);
  const stride = width * channels;
  const out = new Uint8Array(stride * toHeight);
  for (let y = 0, o = 0; y < toHeight; y++) {
    const from = (first[y] ?? 0) * stride;
    const taps = count[y] ?? 0;
    for (let x = 0; x < stride; x++) {
      let sum = 1 << (PRECISION_BITS - 1);
      for (let i = 0; i < taps; i++) sum += (data[from + i * stride + x] ?? 0) * (weights[y * most + i] ?? 0);
      out[o++] = clip(sum >> PRECISION_BITS);
    }
  }
  return out;
}

function clip(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

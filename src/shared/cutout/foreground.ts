/** Weights and rounds of the published implementation. */
const SMOOTH = 1e-5;
const EDGE = 1;
const SMALL_SIDE = 32;
const SMALL_ROUNDS = 10;
const ROUNDS = 2;

/**
 * The colour that the object itself has at each pixel, without what shines through of its old background: where
 * alpha is between 0 and 1 the photograph shows a mix of both, which would stay behind as a fringe. Coarse to
 * fine, each pixel's foreground and background solved together against its neighbours (Germer, Uelwer,
 * Conrad & Harmeling, "Fast multi-level foreground estimation", 2020, equations 3 to 6).
 * `rgb` interleaved 8 bit, `alpha` 0..1, row-major. Answers interleaved 8 bit; where alpha is 1 the pixel itself.
 */
export function foreground(rgb: Uint8Array, alpha: Float32Array, width: number, height: number): Uint8Array {
  let [w, h] = [1, 1];
  let front = Float32Array.from([128, 128, 128]);
  let back = Float32Array.from([128, 128, 128]);
  const levels = Math.ceil(Math.log2(Math.max(width, height, 2)));
  for (let level = 0; level <= levels; level++) {
    const nextW = Math.max(1, Math.round(width ** (level / levels)));
    const nextH = Math.max(1, Math.round(height ** (level / levels)));
    const small = nextW <= SMALL_SIDE && nextH <= SMALL_SIDE;
    front = resized(front, w, h, nextW, nextH, 3);
    back = resized(back, w, h, nextW, nextH, 3);
    [w, h] = [nextW, nextH];
    const image = resized(rgb, width, height, w, h, 3);
    const cover = resized(alpha, width, height, w, h, 1);
    for (let round = 0; round < (small ? SMALL_ROUNDS : ROUNDS); round++) relax(front, back, image, cover, w, h);
  }
  const out = rgb.slice();
  for (let i = 0; i < alpha.length; i++) {
    if ((alpha[i] ?? 0) >= 1) continue;
    for (let c = i * 3; c < i * 3 + 3; c++) out[c] = Math.round(front[c] ?? 0);
  }
  return out;
}

/** Nearest pixels, which the method needs no better than. */
function resized(
  from: Float32Array | Uint8Array,
  width: number,
  height: number,
  toWidth: number,
  toHeight: number,
  channels: number,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(toWidth * toHeight * channels);
  for (let y = 0, o = 0; y < toHeight; y++) {
    const row = Math.floor((y * height) / toHeight) * width;
    for (let x = 0; x < toWidth; x++) {
      const i = (row + Math.floor((x * width) / toWidth)) * channels;
      for (let c = 0; c < channels; c++, o++) out[o] = from[i + c] ?? 0;
    }
  }
  return out;
}

/** One round over all pixels, in place: each takes the best colours for what its neighbours have now. */
function relax(front: Float32Array, back: Float32Array, image: Float32Array, alpha: Float32Array, width: number, height: number): void {
  const sumFront = new Float64Array(3);
  const sumBack = new Float64Array(3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      const a = alpha[i] ?? 0;
      let weights = 0;
      sumFront.fill(0);
      sumBack.fill(0);
      for (let side = 0; side < 4; side++) {
        const nx = Math.min(width - 1, Math.max(0, x + (side === 0 ? -1 : side === 1 ? 1 : 0)));
        const ny = Math.min(height - 1, Math.max(0, y + (side === 2 ? -1 : side === 3 ? 1 : 0)));
        const j = ny * width + nx;
        const weight = SMOOTH + EDGE * Math.abs(a - (alpha[j] ?? 0));
        weights += weight;
        for (let c = 0; c < 3; c++) {
          sumFront[c] = (sumFront[c] ?? 0) + weight * (front[j * 3 + c] ?? 0);
          sumBack[c] = (sumBack[c] ?? 0) + weight * (back[j * 3 + c] ?? 0);
        }
      }
      const m00 = a * a + weights;
      const m01 = a * (1 - a);
      const m11 = (1 - a) * (1 - a) + weights;
      const determinant = m00 * m11 - m01 * m01;
      for (let c = 0; c < 3; c++) {
        const shown = image[i * 3 + c] ?? 0;
        const b0 = a * shown + (sumFront[c] ?? 0);
        const b1 = (1 - a) * shown + (sumBack[c] ?? 0);
        front[i * 3 + c] = Math.min(255, Math.max(0, (m11 * b0 - m01 * b1) / determinant));
        back[i * 3 + c] = Math.min(255, Math.max(0, (m00 * b1 - m01 * b0) / determinant));
      }
    }
  }
}

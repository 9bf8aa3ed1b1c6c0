/** Keeps a window of one colour solvable; in squares of 0..1 values. JPEG noise is about this. */
const EPSILON = 1e-5;
const WINDOW = 9;

/** The matting Laplacian of an image, restricted to rows of the unknown pixels. */
export interface Laplacian {
  /** `out[i]` becomes row `unknown[i]` of L times `values`, which has one for each pixel of the image. */
  apply(values: Float32Array, out: Float64Array): void;
  /** L's own diagonal at the unknown pixels. */
  diagonal(): Float64Array;
}

/**
 * L of Levin, Lischinski & Weiss 2008 for 3 × 3 windows, never written down: L times p is, summed over the
 * windows around a pixel, p minus what a line through the window's colours says it should be (their equation
 * 11; He, Sun & Tang, "Guided image filtering", 2013, section 3.4). For each window only the mean colour and the
 * inverse of its covariance are kept. Windows lie inside the image. `unknown`: pixel numbers, row-major.
 */
export function createLaplacian(rgb: Uint8Array, width: number, height: number, unknown: Int32Array): Laplacian {
  const indexOf = new Int32Array(width * height).fill(-1);
  unknown.forEach((pixel, i) => (indexOf[pixel] = i));
  const centres = windowsAround(unknown, width, height);
  const offsets = [-width - 1, -width, -width + 1, -1, 0, 1, width - 1, width, width + 1];
  /** Mean red, green, blue, then the inverse's xx, xy, xz, yy, yz, zz. */
  const kept = new Float64Array(centres.length * 9);
  centres.forEach((centre, k) => keepWindow(rgb, centre, offsets, kept, k * 9));

  return {
    apply(values, out) {
      out.fill(0);
      for (let k = 0, at = 0; k < centres.length; k++, at += 9) {
        const centre = centres[k] ?? 0;
        const mr = kept[at] ?? 0;
        const mg = kept[at + 1] ?? 0;
        const mb = kept[at + 2] ?? 0;
        let [mean, cr, cg, cb] = [0, 0, 0, 0];
        for (let o = 0; o < WINDOW; o++) {
          const pixel = centre + (offsets[o] ?? 0);
          const p = values[pixel] ?? 0;
          if (p === 0) continue;
          const c = pixel * 3;
          mean += p;
          cr += p * (rgb[c] ?? 0);
          cg += p * (rgb[c + 1] ?? 0);
          cb += p * (rgb[c + 2] ?? 0);
        }
        mean /= WINDOW;
        cr = cr / (WINDOW * 255) - mean * mr;
        cg = cg / (WINDOW * 255) - mean * mg;
        cb = cb / (WINDOW * 255) - mean * mb;
        const xy = kept[at + 4] ?? 0;
        const xz = kept[at + 5] ?? 0;
        const yz = kept[at + 7] ?? 0;
        const ar = (kept[at + 3] ?? 0) * cr + xy * cg + xz * cb;
        const ag = xy * cr + (kept[at + 6] ?? 0) * cg + yz * cb;
        const ab = xz * cr + yz * cg + (kept[at + 8] ?? 0) * cb;
        const base = mean - ar * mr - ag * mg - ab * mb;
        for (let o = 0; o < WINDOW; o++) {
          const pixel = centre + (offsets[o] ?? 0);
          const i = indexOf[pixel] ?? -1;
          if (i < 0) continue;
          const c = pixel * 3;
          const line = base + (ar * (rgb[c] ?? 0) + ag * (rgb[c + 1] ?? 0) + ab * (rgb[c + 2] ?? 0)) / 255;
          out[i] = (out[i] ?? 0) + (values[pixel] ?? 0) - line;
        }
      }
    },
    diagonal() {
      const out = new Float64Array(unknown.length);
      for (let k = 0, at = 0; k < centres.length; k++, at += 9) {
        for (let o = 0; o < WINDOW; o++) {
          const pixel = (centres[k] ?? 0) + (offsets[o] ?? 0);
          const i = indexOf[pixel] ?? -1;
          if (i < 0) continue;
          const r = (rgb[pixel * 3] ?? 0) / 255 - (kept[at] ?? 0);
          const g = (rgb[pixel * 3 + 1] ?? 0) / 255 - (kept[at + 1] ?? 0);
          const b = (rgb[pixel * 3 + 2] ?? 0) / 255 - (kept[at + 2] ?? 0);
          const inner =
            (kept[at + 3] ?? 0) * r * r +
            (kept[at + 6] ?? 0) * g * g +
            (kept[at + 8] ?? 0) * b * b +
            2 * ((kept[at + 4] ?? 0) * r * g + (kept[at + 5] ?? 0) * r * b + (kept[at + 7] ?? 0) * g * b);
          out[i] = (out[i] ?? 0) + 1 - (1 + inner) / WINDOW;
        }
      }
      return out;
    },
  };
}

/** The middles of all windows that hold an unknown pixel, in row order. */
function windowsAround(unknown: Int32Array, width: number, height: number): Int32Array {
  const wanted = new Uint8Array(width * height);
  let count = 0;
  for (const pixel of unknown) {
    const [px, py] = [pixel % width, Math.floor(pixel / width)];
    for (let y = Math.max(1, py - 1); y <= Math.min(height - 2, py + 1); y++) {
      for (let x = Math.max(1, px - 1); x <= Math.min(width - 2, px + 1); x++) {
        const i = y * width + x;
        if (wanted[i] === 0) count += 1;
        wanted[i] = 1;
      }
    }
  }
  const out = new Int32Array(count);
  for (let i = wanted.indexOf(1), n = 0; i >= 0; i = wanted.indexOf(1, i + 1)) out[n++] = i;
  return out;
}

/** Mean and inverse covariance (with ε / 9 on its diagonal) of a window's colours, 0..1. */
function keepWindow(rgb: Uint8Array, centre: number, offsets: readonly number[], kept: Float64Array, at: number): void {
  let [r, g, b, rr, rg, rb, gg, gb, bb] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  for (const offset of offsets) {
    const c = (centre + offset) * 3;
    const [x, y, z] = [(rgb[c] ?? 0) / 255, (rgb[c + 1] ?? 0) / 255, (rgb[c + 2] ?? 0) / 255];
    r += x;
    g += y;
    b += z;
    rr += x * x;
    rg += x * y;
    rb += x * z;
    gg += y * y;
    gb += y * z;
    bb += z * z;
  }
  r /= WINDOW;
  g /= WINDOW;
  b /= WINDOW;
  const more = EPSILON / WINDOW;
  rr = rr / WINDOW - r * r + more;
  rg = rg / WINDOW - r * g;
  rb = rb / WINDOW - r * b;
  gg = gg / WINDOW - g * g + more;
  gb = gb / WINDOW - g * b;
  bb = bb / WINDOW - b * b + more;
  const xx = gg * bb - gb * gb;
  const xy = rb * gb - rg * bb;
  const xz = rg * gb - rb * gg;
  const determinant = rr * xx + rg * xy + rb * xz;
  kept.set(
    [
      r,
      g,
      b,
      xx / determinant,
      xy / determinant,
      xz / determinant,
      (rr * bb - rb * rb) / determinant,
      (rg * rb - rr * gb) / determinant,
      (rr * gg - rg * rg) / determinant,
    ],
    at,
  );
}

/** The point deepest inside a region: the pixel farthest from everything that is not in it. */
export interface Deepest {
  /** Centre of the pixel, image space. */
  readonly x: number;
  readonly y: number;
  /** To the nearest pixel outside, centre to centre; 0 for an empty region. */
  readonly distance: number;
}

/**
 * By the exact Euclidean distance transform (Felzenszwalb & Huttenlocher 2012); what lies outside the image
 * counts as outside the region. `region` is row-major, 1 inside. The first in reading order where several
 * are as deep.
 */
export function deepest(region: Uint8Array, width: number, height: number): Deepest {
  const [w, h] = [width + 2, height + 2];
  // Distance to the nearest pixel outside within each column, with a border of pixels outside.
  const down = new Float64Array(w * h);
  for (let x = 1; x <= width; x++) {
    for (let y = 1, run = 0; y <= height; y++) {
      run = region[(y - 1) * width + x - 1] ? run + 1 : 0;
      down[y * w + x] = run;
    }
    for (let y = height, run = 0; y >= 1; y--) {
      run = region[(y - 1) * width + x - 1] ? run + 1 : 0;
      if (run < (down[y * w + x] ?? 0)) down[y * w + x] = run;
    }
  }
  let best = { x: 0, y: 0, squared: 0 };
  const at = new Int32Array(w);
  const bound = new Float64Array(w + 1);
  for (let y = 1; y <= height; y++) {
    const row = down.subarray(y * w, (y + 1) * w);
    if (row.every((value) => value === 0)) continue;
    const lift = (x: number): number => (row[x] ?? 0) ** 2 + x * x;
    // The lower envelope of one parabola for each column.
    let last = 0;
    at[0] = 0;
    bound[0] = -Infinity;
    bound[1] = Infinity;
    for (let x = 1; x < w; x++) {
      const meet = (k: number): number => (lift(x) - lift(at[k] ?? 0)) / (2 * (x - (at[k] ?? 0)));
      while (meet(last) <= (bound[last] ?? 0)) last--;
      bound[last + 1] = meet(last);
      last++;
      at[last] = x;
      bound[last + 1] = Infinity;
    }
    for (let x = 0, k = 0; x < w; x++) {
      while ((bound[k + 1] ?? Infinity) < x) k++;
      const from = at[k] ?? 0;
      const squared = (x - from) ** 2 + (row[from] ?? 0) ** 2;
      if (squared > best.squared) best = { x: x - 1, y: y - 1, squared };
    }
  }
  return { x: best.x + 0.5, y: best.y + 0.5, distance: Math.sqrt(best.squared) };
}

/** A click of the simulated annotator. */
export interface Click {
  readonly x: number;
  readonly y: number;
  readonly positive: boolean;
}

/**
 * Where an annotator clicks next: at the point deepest inside what is missing or what is too much, whichever
 * is deeper (Sofiiuk et al. 2022, the NoC protocol). Null where nothing is wrong.
 */
export function nextClick(truth: Uint8Array, mask: Uint8Array, width: number, height: number): Click | null {
  const missing = truth.map((value, i) => (value && !mask[i] ? 1 : 0));
  const excess = mask.map((value, i) => (value && !truth[i] ? 1 : 0));
  const [inside, outside] = [deepest(missing, width, height), deepest(excess, width, height)];
  if (inside.distance === 0 && outside.distance === 0) return null;
  const positive = inside.distance >= outside.distance;
  const { x, y } = positive ? inside : outside;
  return { x, y, positive };
}

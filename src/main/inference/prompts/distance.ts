/** Distance of each cell's centre to the border, positive inside; where there is none, as far as the window is wide. */
export function signedDistance(inside: Uint8Array, width: number, height: number): Float32Array {
  const [toOutside, toInside] = [squaredDistance(inside, width, height, 0), squaredDistance(inside, width, height, 1)];
  return Float32Array.from(inside, (value, i) => (value ? Math.sqrt(toOutside[i] ?? 0) - 0.5 : 0.5 - Math.sqrt(toInside[i] ?? 0)));
}

/** Squared Euclidean distance of each cell to the nearest with `target` (Felzenszwalb & Huttenlocher 2012). */
export function squaredDistance(cells: Uint8Array, width: number, height: number, target: 0 | 1): Float64Array {
  const far = width + height;
  const down = new Float64Array(width * height);
  for (let x = 0; x < width; x++) {
    for (let y = 0, run = far; y < height; y++) {
      run = cells[y * width + x] === target ? 0 : Math.min(far, run + 1);
      down[y * width + x] = run;
    }
    for (let y = height - 1, run = far; y >= 0; y--) {
      run = cells[y * width + x] === target ? 0 : Math.min(far, run + 1);
      if (run < (down[y * width + x] ?? 0)) down[y * width + x] = run;
    }
  }
  const squared = new Float64Array(width * height);
  const at = new Int32Array(width);
  const bound = new Float64Array(width + 1);
  for (let y = 0; y < height; y++) {
    const row = down.subarray(y * width, (y + 1) * width);
    const lift = (x: number): number => (row[x] ?? 0) ** 2 + x * x;
    const meet = (x: number, k: number): number => (lift(x) - lift(at[k] ?? 0)) / (2 * (x - (at[k] ?? 0)));
    let last = 0;
    at[0] = 0;
    bound[0] = -Infinity;
    bound[1] = Infinity;
    for (let x = 1; x < width; x++) {
      while (meet(x, last) <= (bound[last] ?? 0)) last--;
      bound[last + 1] = meet(x, last);
      last++;
      at[last] = x;
      bound[last + 1] = Infinity;
    }
    for (let x = 0, k = 0; x < width; x++) {
      while ((bound[k + 1] ?? Infinity) < x) k++;
      const from = at[k] ?? 0;
      squared[y * width + x] = (x - from) ** 2 + (row[from] ?? 0) ** 2;
    }
  }
  return squared;
}

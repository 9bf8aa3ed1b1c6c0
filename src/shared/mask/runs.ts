/**
 * Run lengths as numbers: column-major, alternating zeros and ones, beginning with zeros; they sum up
 * to `height * width`. After pycocotools' maskApi.c, function by function, in our own words.
 */

/** Number of ones. */
export function runsArea(counts: ArrayLike<number>): number {
  let area = 0;
  for (let i = 1; i < counts.length; i += 2) area += counts[i] ?? 0;
  return area;
}

/** `x, y, width, height` of the ones, all 0 when there is none (maskApi.c `rleToBbox`). */
export function runsBox(counts: ArrayLike<number>, height: number): [number, number, number, number] {
  let left = Infinity;
  let top = height;
  let right = -1;
  let bottom = -1;
  let at = 0;
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i] ?? 0;
    if (i % 2 === 1 && count > 0) {
      const first = Math.floor(at / height);
      const last = Math.floor((at + count - 1) / height);
      if (first < left) left = first;
      if (last > right) right = last;
      if (first < last) {
        top = 0;
        bottom = height - 1;
      } else {
        top = Math.min(top, at - first * height);
        bottom = Math.max(bottom, at + count - 1 - first * height);
      }
    }
    at += count;
  }
  return right < 0 ? [0, 0, 0, 0] : [left, top, right - left + 1, bottom - top + 1];
}

export type RunOperation = 'union' | 'intersection' | 'difference';

/** Combines two masks of one size; the result has no empty run but perhaps the first (maskApi.c `rleMerge`). */
export function combineRuns(a: ArrayLike<number>, b: ArrayLike<number>, operation: RunOperation): Uint32Array {
  const out = new Uint32Array(a.length + b.length + 1);
  let length = 0;
  let i = 0;
  let j = 0;
  let leftA = a[0] ?? 0;
  let leftB = b[0] ?? 0;
  let inA = false;
  let inB = false;
  let value = false;
  let run = 0;
  for (;;) {
    const step = Math.min(leftA, leftB);
    run += step;
    leftA -= step;
    leftB -= step;
    while (leftA === 0 && i + 1 < a.length) {
      leftA = a[++i] ?? 0;
      inA = !inA;
    }
    while (leftB === 0 && j + 1 < b.length) {
      leftB = b[++j] ?? 0;
      inB = !inB;
    }
    const done = leftA === 0 || leftB === 0;
    const now = operation === 'union' ? inA || inB : operation === 'intersection' ? inA && inB : inA && !inB;
    if (done || now !== value) {
      out[length++] = run;
      run = 0;
      value = now;
    }
    if (done) return out.slice(0, length);
  }
}

/** Ones that both masks have. */
export function runsOverlap(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let overlap = 0;
  let i = 0;
  let j = 0;
  let leftA = a[0] ?? 0;
  let leftB = b[0] ?? 0;
  for (;;) {
    const step = Math.min(leftA, leftB);
    if (i % 2 === 1 && j % 2 === 1) overlap += step;
    leftA -= step;
    leftB -= step;
    while (leftA === 0 && i + 1 < a.length) leftA = a[++i] ?? 0;
    while (leftB === 0 && j + 1 < b.length) leftB = b[++j] ?? 0;
    if (leftA === 0 || leftB === 0) return overlap;
  }
}

/**
 * Runs from the sorted column-major positions where the value flips, which may repeat (two flips at one
 * place cancel out). `total` is `height * width`; no position exceeds it.
 */
export function runsFromFlips(flips: ArrayLike<number>, total: number): Uint32Array {
  const out = new Uint32Array(flips.length + 1);
  let length = 0;
  let before = 0;
  for (let i = 0; i < flips.length; i++) {
    const at = flips[i] ?? 0;
    if (at >= total) break;
    if (at === flips[i + 1]) {
      i++;
      continue;
    }
    out[length++] = at - before;
    before = at;
  }
  out[length++] = total - before;
  return out.slice(0, length);
}

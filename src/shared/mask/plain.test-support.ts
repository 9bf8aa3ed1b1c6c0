/**
 * COCO's mask operations the slow way, pixel by pixel, from the published algorithm (cocoapi `common/maskApi.c`) and sharing
 * nothing with the ones that are tested and measured against it. Masks are a byte a pixel, 0 or 1, column by column.
 */
export interface PlainMask {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** `rleFrPoly`: every point of the boundary on the five times finer grid, then every neighbouring pair. */
export function plainPolygonRuns(ring: readonly number[], width: number, height: number): number[] {
  const fine = ring.map((value) => Math.trunc(5 * value + 0.5));
  const walk: [number, number][] = [];
  for (let i = 0; i + 1 < fine.length; i += 2) {
    const j = (i + 2) % fine.length;
    walk.push(...plainEdge(fine[i] ?? 0, fine[i + 1] ?? 0, fine[j] ?? 0, fine[j + 1] ?? 0));
  }
  const flips = new Map<number, number>();
  for (let k = 1; k < walk.length; k++) {
    const [u, v] = walk[k] ?? [0, 0];
    const [before, beforeV] = walk[k - 1] ?? [0, 0];
    if (u === before) continue;
    const x = ((u < before ? u : u - 1) + 0.5) / 5 - 0.5;
    if (x !== Math.floor(x) || x < 0 || x > width - 1) continue;
    const y = ((v < beforeV ? v : beforeV) + 0.5) / 5 - 0.5;
    const at = x * height + Math.ceil(Math.min(Math.max(y, 0), height));
    flips.set(at, (flips.get(at) ?? 0) + 1);
  }
  const sorted = [...flips].filter(([at, times]) => times % 2 === 1 && at < width * height).map(([at]) => at);
  sorted.sort((one, other) => one - other);
  return [...sorted, width * height].map((at, i) => at - (sorted[i - 1] ?? 0));
}

/** The same as pixels. */
export function plainPolygon(ring: readonly number[], width: number, height: number): PlainMask {
  return plainMask(plainPolygonRuns(ring, width, height), width, height);
}

function plainEdge(xs: number, ys: number, xe: number, ye: number): [number, number][] {
  const dx = Math.abs(xe - xs);
  const dy = Math.abs(ys - ye);
  const flip = (dx >= dy && xs > xe) || (dx < dy && ys > ye);
  if (flip) [xs, ys, xe, ye] = [xe, ye, xs, ys];
  const slope = dx >= dy ? (ye - ys) / dx : (xe - xs) / dy;
  const points: [number, number][] = [];
  for (let d = 0; d <= Math.max(dx, dy); d++) {
    const t = flip ? Math.max(dx, dy) - d : d;
    if (dx >= dy) points.push([t + xs, Math.trunc(ys + (dx === 0 ? 0 : slope * t) + 0.5)]);
    else points.push([Math.trunc(xs + slope * t + 0.5), t + ys]);
  }
  return points;
}

/** Runs as they are in uncompressed RLE: they begin with zeros. */
export function plainRuns({ pixels }: PlainMask): number[] {
  const runs: number[] = [];
  let value = 0;
  let run = 0;
  for (const pixel of pixels) {
    if (pixel !== value) {
      runs.push(run);
      run = 0;
      value = pixel;
    }
    run++;
  }
  return [...runs, run];
}

export function plainMask(runs: readonly number[], width: number, height: number): PlainMask {
  const pixels = new Uint8Array(width * height);
  let at = 0;
  runs.forEach((run, i) => {
    for (const end = at + run; at < end; at++) pixels[at] = i % 2;
  });
  return { width, height, pixels };
}

/** `rleToString`. */
export function plainString(runs: readonly number[]): string {
  let text = '';
  runs.forEach((run, i) => {
    let rest = i > 2 ? run - (runs[i - 2] ?? 0) : run;
    for (;;) {
      const bits = ((rest % 32) + 32) % 32;
      rest = Math.floor(rest / 32);
      const last = bits >= 16 ? rest === -1 : rest === 0;
      text += String.fromCharCode(48 + bits + (last ? 0 : 32));
      if (last) break;
    }
  });
  return text;
}

/** `rleFrString`. */
export function plainFromString(text: string): number[] {
  const runs: number[] = [];
  for (let i = 0; i < text.length;) {
    let value = 0;
    let unit = 1;
    for (;;) {
      const bits = text.charCodeAt(i++) - 48;
      value += (bits % 32) * unit;
      unit *= 32;
      if (bits >= 32) continue;
      if (bits >= 16) value -= unit;
      break;
    }
    runs.push(runs.length > 2 ? value + (runs[runs.length - 2] ?? 0) : value);
  }
  return runs;
}

export function plainArea({ pixels }: PlainMask): number {
  return pixels.reduce((sum, pixel) => sum + pixel, 0);
}

/** The same from runs, one pixel after the other, for photographs. */
export function plainMeasure(runs: readonly number[], height: number): { area: number; box: [number, number, number, number] } {
  let [minX, minY, maxX, maxY] = [Infinity, Infinity, -1, -1];
  let area = 0;
  let at = 0;
  runs.forEach((run, i) => {
    for (const end = at + run; at < end; at++) {
      if (i % 2 === 0) {
        at = end;
        break;
      }
      const x = Math.floor(at / height);
      const y = at - x * height;
      area++;
      if (x < minX) minX = x;
      if (x > maxX) maxX = x;
      if (y < minY) minY = y;
      if (y > maxY) maxY = y;
    }
  });
  return { area, box: maxX < 0 ? [0, 0, 0, 0] : [minX, minY, maxX - minX + 1, maxY - minY + 1] };
}

export function plainBox({ width, height, pixels }: PlainMask): [number, number, number, number] {
  let [minX, minY, maxX, maxY] = [width, height, -1, -1];
  pixels.forEach((pixel, i) => {
    if (pixel === 0) return;
    const x = Math.floor(i / height);
    const y = i % height;
    [minX, minY, maxX, maxY] = [Math.min(minX, x), Math.min(minY, y), Math.max(maxX, x), Math.max(maxY, y)];
  });
  return maxX < 0 ? [0, 0, 0, 0] : [minX, minY, maxX - minX + 1, maxY - minY + 1];
}

export function plainMerge(masks: readonly PlainMask[], intersect: boolean): PlainMask {
  const [first] = masks;
  if (!first) throw new Error('nothing to merge');
  const pixels = first.pixels.slice();
  for (const { pixels: other } of masks) {
    for (let i = 0; i < pixels.length; i++) {
      const [a, b] = [pixels[i] ?? 0, other[i] ?? 0];
      pixels[i] = intersect ? a & b : a | b;
    }
  }
  return { ...first, pixels };
}

/** Against a crowd: the share of the detection that lies inside. */
export function plainIou(detection: PlainMask, truth: PlainMask, crowd: boolean): number {
  let both = 0;
  let either = 0;
  detection.pixels.forEach((pixel, i) => {
    const other = truth.pixels[i] ?? 0;
    both += pixel * other;
    either += Math.max(pixel, other);
  });
  return both === 0 ? 0 : both / (crowd ? plainArea(detection) : either);
}

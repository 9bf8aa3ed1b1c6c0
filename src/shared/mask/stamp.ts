import type { Bitmap } from './bitmap.ts';

/** Pixels that an edit may have changed: `x0 <= x < x1`, `y0 <= y < y1`. Empty when `x1 <= x0`. */
export interface DirtyRect {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

const NOTHING_DIRTY: DirtyRect = { x0: 0, y0: 0, x1: 0, y1: 0 };

/** The smallest rectangle around both. */
function unionDirty(a: DirtyRect, b: DirtyRect): DirtyRect {
  if (a.x1 <= a.x0 || a.y1 <= a.y0) return b;
  if (b.x1 <= b.x0 || b.y1 <= b.y0) return a;
  return { x0: Math.min(a.x0, b.x0), y0: Math.min(a.y0, b.y0), x1: Math.max(a.x1, b.x1), y1: Math.max(a.y1, b.y1) };
}

/**
 * Paints a stroke with a round brush, in place: every pixel whose centre is at most `radius` from the
 * segment (x0, y0)-(x1, y1) becomes `value`. Image space; a segment of length 0 is a disc. The pixel that
 * holds the start point is always painted, so that the smallest brush paints one. Returns what it covered,
 * within the bitmap.
 */
export function stampStroke(bitmap: Bitmap, x0: number, y0: number, x1: number, y1: number, radius: number, value: 0 | 1): DirtyRect {
  const { width, height, data } = bitmap;
  const dx = x1 - x0;
  const dy = y1 - y0;
  const lengthSquared = dx * dx + dy * dy;
  const reach = radius * radius;
  const top = Math.max(0, Math.ceil(Math.min(y0, y1) - radius - 0.5));
  const bottom = Math.min(height, Math.floor(Math.max(y0, y1) + radius - 0.5) + 1);
  let dirty = NOTHING_DIRTY;
  for (let y = top; y < bottom; y++) {
    const span = rowSpan(y + 0.5);
    if (!span) continue;
    const from = Math.max(0, Math.ceil(span[0] - 0.5));
    const to = Math.min(width, Math.floor(span[1] - 0.5) + 1);
    if (from >= to) continue;
    data.fill(value, y * width + from, y * width + to);
    dirty = unionDirty(dirty, { x0: from, y0: y, x1: to, y1: y + 1 });
  }
  const px = Math.floor(x0);
  const py = Math.floor(y0);
  if (px >= 0 && py >= 0 && px < width && py < height) {
    data[py * width + px] = value;
    dirty = unionDirty(dirty, { x0: px, y0: py, x1: px + 1, y1: py + 1 });
  }
  return dirty;

  /** Where the line at height `cy` lies inside the capsule: the union of two discs and the band between. */
  function rowSpan(cy: number): readonly [number, number] | null {
    let from = Infinity;
    let to = -Infinity;
    for (const [ex, ey] of [
      [x0, y0],
      [x1, y1],
    ] as const) {
      const rest = reach - (cy - ey) * (cy - ey);
      if (rest < 0) continue;
      const half = Math.sqrt(rest);
      from = Math.min(from, ex - half);
      to = Math.max(to, ex + half);
    }
    if (lengthSquared > 0) {
      // The band: 0 <= along <= length² and |across| <= radius · length, both linear in x.
      const across = radius * Math.sqrt(lengthSquared);
      let low = -Infinity;
      let high = Infinity;
      const bound = (slope: number, offset: number, least: number, most: number): void => {
        if (slope === 0) {
          if (offset < least || offset > most) high = -Infinity;
          return;
        }
        const a = (least - offset) / slope;
        const b = (most - offset) / slope;
        low = Math.max(low, Math.min(a, b));
        high = Math.min(high, Math.max(a, b));
      };
      bound(dx, dy * (cy - y0) - dx * x0, 0, lengthSquared);
      bound(dy, -dx * (cy - y0) - dy * x0, -across, across);
      if (low <= high) {
        from = Math.min(from, low);
        to = Math.max(to, high);
      }
    }
    return from <= to ? [from, to] : null;
  }
}

/**
 * Sets, in place, every 0 that is not joined to the border by 0s over edges: holes become foreground.
 * `most` leaves larger holes alone (pixels; default all). Returns what it changed.
 */
export function floodFillHoles(bitmap: Bitmap, most = Infinity): DirtyRect {
  const { width, height, data } = bitmap;
  const seen = new Uint8Array(data.length);
  let dirty = NOTHING_DIRTY;
  for (let start = 0; start < data.length; start++) {
    if (data[start] || seen[start]) continue;
    const pixels = floodRegion(bitmap, start, seen);
    const open = pixels.some((i) => i < width || i >= (height - 1) * width || i % width === 0 || i % width === width - 1);
    if (open || pixels.length > most) continue;
    for (const i of pixels) {
      data[i] = 1;
      const x = i % width;
      const y = (i - x) / width;
      dirty = unionDirty(dirty, { x0: x, y0: y, x1: x + 1, y1: y + 1 });
    }
  }
  return dirty;
}

/** Indices of the pixels joined over edges to `start` and of its value; marks them in `seen`. */
export function floodRegion(bitmap: Bitmap, start: number, seen: Uint8Array): number[] {
  const { width, height, data } = bitmap;
  const value = data[start];
  const region = [start];
  seen[start] = 1;
  const visit = (i: number): void => {
    if (seen[i] || data[i] !== value) return;
    seen[i] = 1;
    region.push(i);
  };
  for (let k = 0; k < region.length; k++) {
    const i = region[k] ?? 0;
    const x = i % width;
    if (x > 0) visit(i - 1);
    if (x < width - 1) visit(i + 1);
    if (i >= width) visit(i - width);
    if (i < (height - 1) * width) visit(i + width);
  }
  return region;
}

import type { Box, Ring } from '../records.ts';

/**
 * How much of each pixel a shape covers, 0..1, row-major in a window of the image: drawing with smooth
 * edges where there is no canvas. All coordinates are image space.
 */
export interface Coverage {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** 8-bit RGB, row-major, changed in place. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

export type Rgb = readonly [red: number, green: number, blue: number];

/** `#RRGGBB` as three bytes. */
export function rgbOf(color: string): Rgb {
  const value = Number.parseInt(color.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

/** The whole pixels of `box`, grown by `margin`, that lie on an image of `width` × `height`; null where none does. */
function windowOf(box: Box, margin: number, width: number, height: number): Coverage | null {
  const left = Math.max(0, Math.floor(box[0] - margin));
  const top = Math.max(0, Math.floor(box[1] - margin));
  const right = Math.min(width, Math.ceil(box[0] + box[2] + margin));
  const bottom = Math.min(height, Math.ceil(box[1] + box[3] + margin));
  if (right <= left || bottom <= top) return null;
  return { x: left, y: top, width: right - left, height: bottom - top, data: new Float32Array((right - left) * (bottom - top)) };
}

function boundsOf(rings: readonly Ring[]): Box {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const ring of rings) {
    for (let i = 0; i + 1 < ring.length; i += 2) {
      const [x, y] = [ring[i] ?? 0, ring[i + 1] ?? 0];
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  return [left, top, right - left, bottom - top];
}

/**
 * Rings filled with exact area coverage, holes running the other way round. Each edge adds, to the pixels it passes, the signed area
 * to its right; summing along a row gives the coverage (Levien, "Inside the fastest font renderer in the
 * world", 2016). Null where nothing lies on the image of `width` × `height`.
 */
export function fillRings(rings: readonly Ring[], width: number, height: number): Coverage | null {
  const out = windowOf(boundsOf(rings), 1, width, height);
  if (!out) return null;
  for (const ring of rings) {
    for (let i = 0; i < ring.length; i += 2) {
      const j = (i + 2) % ring.length;
      addEdge(out, (ring[i] ?? 0) - out.x, (ring[i + 1] ?? 0) - out.y, (ring[j] ?? 0) - out.x, (ring[j + 1] ?? 0) - out.y);
    }
  }
  for (let y = 0; y < out.height; y++) {
    let sum = 0;
    for (let i = y * out.width; i < (y + 1) * out.width; i++) {
      sum += out.data[i] ?? 0;
      out.data[i] = Math.min(1, Math.abs(sum));
    }
  }
  return out;
}

function addEdge(out: Coverage, x0: number, y0: number, x1: number, y1: number): void {
  if (y0 === y1) return;
  const direction = y0 < y1 ? 1 : -1;
  const [topX, topY, endX, endY] = y0 < y1 ? [x0, y0, x1, y1] : [x1, y1, x0, y0];
  const slope = (endX - topX) / (endY - topY);
  const last = Math.min(out.height, Math.ceil(endY));
  for (let row = Math.max(0, Math.floor(topY)); row < last; row++) {
    const from = Math.max(row, topY);
    const to = Math.min(row + 1, endY);
    if (to <= from) continue;
    // Left of the window an edge covers the whole row, right of it nothing.
    const a = Math.min(out.width, Math.max(0, topX + (from - topY) * slope));
    const b = Math.min(out.width, Math.max(0, topX + (to - topY) * slope));
    const amount = direction * (to - from);
    const [left, right] = a < b ? [a, b] : [b, a];
    const first = Math.min(out.width - 1, Math.floor(left));
    const end = Math.max(first, Math.ceil(right) - 1);
    let before = 0;
    for (let x = first; x <= end; x++) {
      // Share of the edge's height that lies left of the pixel's middle line, integrated over the pixel.
      const inside = areaRightOf(left, right, x);
      add(out, row, x, amount * (inside - before));
      before = inside;
    }
    add(out, row, end + 1, amount * (1 - before));
  }
}

/** Mean, over a line from `left` to `right`, of the part of the pixels up to and with `x` that lies right of it. */
function areaRightOf(left: number, right: number, x: number): number {
  if (right - left < 1e-9) return Math.min(1, Math.max(0, x + 1 - left));
  // The pixel's own cover at place p of the line is clamp(x + 1 - p, 0, 1); its mean over p.
  const primitive = (p: number): number => {
    const t = x + 1 - p;
    if (t <= 0) return 0;
    return t >= 1 ? t - 0.5 : (t * t) / 2;
  };
  return (primitive(left) - primitive(right)) / (right - left);
}

function add(out: Coverage, row: number, x: number, value: number): void {
  if (x < 0 || x >= out.width) return;
  const i = row * out.width + x;
  out.data[i] = (out.data[i] ?? 0) + value;
}

/**
 * Closed rings drawn as lines of `lineWidth` with round joins, by each pixel's distance to them; with
 * `dash` `[on, off]` in pixels of length along the ring. Null where nothing lies on the image.
 */
export function strokeRings(
  rings: readonly Ring[],
  lineWidth: number,
  dash: readonly [on: number, off: number] | null,
  width: number,
  height: number,
): Coverage | null {
  const out = windowOf(boundsOf(rings), lineWidth / 2 + 1, width, height);
  if (!out) return null;
  const reach = lineWidth / 2;
  for (const ring of rings) {
    let travelled = 0;
    for (let i = 0; i < ring.length; i += 2) {
      const j = (i + 2) % ring.length;
      const [x0, y0, x1, y1] = [ring[i] ?? 0, ring[i + 1] ?? 0, ring[j] ?? 0, ring[j + 1] ?? 0];
      const length = Math.hypot(x1 - x0, y1 - y0);
      if (!dash) {
        addCapsule(out, x0, y0, x1, y1, reach);
        continue;
      }
      if (length === 0) continue;
      const period = dash[0] + dash[1];
      // Round ends reach half a line's width beyond the dash.
      const on = Math.max(0.01, dash[0] - lineWidth);
      for (let start = Math.floor(travelled / period) * period; start < travelled + length; start += period) {
        const from = Math.max(0, start - travelled) / length;
        const to = Math.min(length, start + on - travelled) / length;
        if (to > from) addCapsule(out, x0 + (x1 - x0) * from, y0 + (y1 - y0) * from, x0 + (x1 - x0) * to, y0 + (y1 - y0) * to, reach);
      }
      travelled += length;
    }
  }
  return out;
}

/** All within `reach` of a segment, fading over the last pixel. */
function addCapsule(out: Coverage, x0: number, y0: number, x1: number, y1: number, reach: number): void {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const squared = dx * dx + dy * dy;
  const margin = reach + 0.5;
  const left = Math.max(0, Math.floor(Math.min(x0, x1) - margin - out.x));
  const right = Math.min(out.width, Math.ceil(Math.max(x0, x1) + margin - out.x));
  const top = Math.max(0, Math.floor(Math.min(y0, y1) - margin - out.y));
  const bottom = Math.min(out.height, Math.ceil(Math.max(y0, y1) + margin - out.y));
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const [px, py] = [x + out.x + 0.5 - x0, y + out.y + 0.5 - y0];
      const along = squared === 0 ? 0 : Math.min(1, Math.max(0, (px * dx + py * dy) / squared));
      const cover = reach + 0.5 - Math.hypot(px - along * dx, py - along * dy);
      const i = y * out.width + x;
      if (cover > (out.data[i] ?? 0)) out.data[i] = Math.min(1, cover);
    }
  }
}

/** Lays a colour over the pixels, as much as is covered times `opacity` 0..1. */
export function tint(pixels: Pixels, cover: Coverage | null, color: Rgb, opacity = 1): void {
  if (!cover) return;
  const { data } = pixels;
  for (let y = 0; y < cover.height; y++) {
    let at = ((y + cover.y) * pixels.width + cover.x) * 3;
    for (let i = y * cover.width; i < (y + 1) * cover.width; i++, at += 3) {
      const alpha = (cover.data[i] ?? 0) * opacity;
      if (alpha > 0) blend(data, at, color, alpha);
    }
  }
}

export function blend(data: Uint8Array, at: number, color: Rgb, alpha: number): void {
  for (let c = 0; c < 3; c++) {
    const under = data[at + c] ?? 0;
    data[at + c] = Math.round(under + ((color[c] ?? 0) - under) * alpha);
  }
}

/** A rectangle with corners of `radius`, as a ring. */
export function roundedRing([x, y, width, height]: Box, radius: number): Ring {
  const r = Math.min(radius, width / 2, height / 2);
  const points: number[] = [];
  const corners = [
    [x + width - r, y + r, -Math.PI / 2],
    [x + width - r, y + height - r, 0],
    [x + r, y + height - r, Math.PI / 2],
    [x + r, y + r, Math.PI],
  ] as const;
  for (const [cx, cy, start] of corners) {
    for (let step = 0; step <= 8; step++) {
      const angle = start + (step / 8) * (Math.PI / 2);
      points.push(cx + r * Math.cos(angle), cy + r * Math.sin(angle));
    }
  }
  return points;
}

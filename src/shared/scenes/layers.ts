import type { Look } from './objects/object.ts';
import type { Surface } from './surfaces.ts';
import { emptySample } from './material.ts';
import { clamp01 } from './noise.ts';

/** Everything the light needs to know about each pixel. Row-major, `width * height` pixels. */
export interface Layers {
  readonly width: number;
  readonly height: number;
  /** Linear red, green, blue per pixel. */
  readonly albedo: Float32Array;
  /** Slope of the ground or object in x and y, per pixel. */
  readonly slope: Float32Array;
  /** Height over the table in pixels. */
  readonly level: Float32Array;
  /** Gloss, specular, metal per pixel (see Sample). */
  readonly finish: Float32Array;
  /** Index of the object seen at the pixel, -1 for the table: coverage of at least a half, topmost wins. */
  readonly owner: Int16Array;
}

/** An object laid on the table: centre and radius in pixels, turned by `angle` radians. */
export interface Placement {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly angle: number;
  /** Height in pixels of what it lies on. */
  readonly base: number;
  readonly look: Look;
}

/** Slopes are cut here: steeper than this a wall can't be seen from above. */
const STEEPEST = 2.6;

/** Layers of the bare table top. `unit` is the length in pixels that surfaces call 1. */
export function layTable(width: number, height: number, surface: Surface, unit: number): Layers {
  const count = width * height;
  const albedo = new Float32Array(count * 3);
  const slope = new Float32Array(count * 2);
  const level = new Float32Array(count);
  const finish = new Float32Array(count * 3);
  const owner = new Int16Array(count).fill(-1);
  const bump = new Float32Array(count);
  const sample = emptySample();
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      surface(x / unit, y / unit, sample);
      albedo[3 * i] = sample.red;
      albedo[3 * i + 1] = sample.green;
      albedo[3 * i + 2] = sample.blue;
      finish[3 * i] = sample.gloss;
      finish[3 * i + 1] = sample.specular;
      finish[3 * i + 2] = sample.metal;
      bump[i] = sample.height * unit;
    }
  }
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const left = x > 0 ? i - 1 : i;
      const right = x < width - 1 ? i + 1 : i;
      const up = y > 0 ? i - width : i;
      const down = y < height - 1 ? i + width : i;
      slope[2 * i] = 0.3 * (bump[right]! - bump[left]!);
      slope[2 * i + 1] = 0.3 * (bump[down]! - bump[up]!);
    }
  }
  return { width, height, albedo, slope, level, finish, owner };
}

/** The share of the pixel that an outline at `distance` pixels covers, 0..1. */
function coverage(distance: number): number {
  return clamp01(0.5 - distance);
}

/**
 * The pixels that an object covers by at least a half, before anything lies on it, as indexes into the picture.
 * Cheaper than drawing: used to decide whether an object stays.
 */
export function footprint(width: number, height: number, placement: Placement): Int32Array {
  const found: number[] = [];
  scratch.margin = -Infinity;
  walk(width, height, placement, (index, u, v) => {
    placement.look(u, v, scratch);
    if (scratch.distance * placement.radius <= 0) found.push(index);
  });
  return Int32Array.from(found);
}

const scratch = emptySample();

/** Lays one object over what is there; `id` becomes the owner of its pixels. */
export function layObject(layers: Layers, placement: Placement, id: number): void {
  const { width, height } = layers;
  const { radius } = placement;
  const box = bounds(width, height, placement);
  // One pixel of margin, so that slopes at the border have both neighbours.
  const w = box.right - box.left + 2;
  const h = box.bottom - box.top + 2;
  const heights = new Float32Array(w * h);
  const cover = new Float32Array(w * h);
  const colours = new Float32Array(w * h * 6);
  const cos = Math.cos(placement.angle) / radius;
  const sin = Math.sin(placement.angle) / radius;
  const sample = emptySample();
  // Half a pixel, where coverage ends, and a little for rounding.
  sample.margin = 0.51 / radius;
  for (let row = 0, k = 0; row < h; row++) {
    const dy = box.top - 1 + row + 0.5 - placement.y;
    for (let column = 0; column < w; column++, k++) {
      const dx = box.left - 1 + column + 0.5 - placement.x;
      sample.height = 0;
      placement.look(cos * dx + sin * dy, cos * dy - sin * dx, sample);
      heights[k] = sample.height * radius;
      cover[k] = coverage(sample.distance * radius);
      const c = 6 * k;
      colours[c] = sample.red;
      colours[c + 1] = sample.green;
      colours[c + 2] = sample.blue;
      colours[c + 3] = sample.gloss;
      colours[c + 4] = sample.specular;
      colours[c + 5] = sample.metal;
    }
  }
  for (let row = 1; row < h - 1; row++) {
    for (let column = 1; column < w - 1; column++) {
      const k = row * w + column;
      const alpha = cover[k]!;
      if (alpha <= 0) continue;
      const i = (box.top - 1 + row) * width + box.left - 1 + column;
      const here = heights[k]!;
      const sx = slopeBetween(cover, heights, k - 1, k, k + 1, here);
      const sy = slopeBetween(cover, heights, k - w, k, k + w, here);
      const c = 6 * k;
      for (let channel = 0; channel < 3; channel++) {
        const a = 3 * i + channel;
        layers.albedo[a]! += (colours[c + channel]! - layers.albedo[a]!) * alpha;
        layers.finish[a]! += (colours[c + 3 + channel]! - layers.finish[a]!) * alpha;
      }
      layers.slope[2 * i]! += (sx - layers.slope[2 * i]!) * alpha;
      layers.slope[2 * i + 1]! += (sy - layers.slope[2 * i + 1]!) * alpha;
      layers.level[i]! += (placement.base + here - layers.level[i]!) * alpha;
      if (alpha >= 0.5) layers.owner[i] = id;
    }
  }
}

/** Central difference that doesn't look beyond the outline, where the height means nothing. */
function slopeBetween(cover: Float32Array, heights: Float32Array, before: number, at: number, after: number, here: number): number {
  const hasBefore = cover[before]! > 0;
  const hasAfter = cover[after]! > 0;
  let slope = 0;
  if (hasBefore && hasAfter) slope = (heights[after]! - heights[before]!) / 2;
  else if (hasAfter) slope = heights[after]! - here;
  else if (hasBefore) slope = here - heights[before]!;
  return slope > STEEPEST ? STEEPEST : slope < -STEEPEST ? -STEEPEST : slope;
}

function bounds(width: number, height: number, placement: Placement): { left: number; top: number; right: number; bottom: number } {
  const reach = placement.radius * 1.12 + 2;
  return {
    left: Math.max(0, Math.floor(placement.x - reach)),
    top: Math.max(0, Math.floor(placement.y - reach)),
    right: Math.max(0, Math.min(width, Math.ceil(placement.x + reach))),
    bottom: Math.max(0, Math.min(height, Math.ceil(placement.y + reach))),
  };
}

function walk(width: number, height: number, placement: Placement, visit: (index: number, u: number, v: number) => void): void {
  const box = bounds(width, height, placement);
  const cos = Math.cos(placement.angle) / placement.radius;
  const sin = Math.sin(placement.angle) / placement.radius;
  for (let y = box.top; y < box.bottom; y++) {
    for (let x = box.left; x < box.right; x++) {
      const dx = x + 0.5 - placement.x;
      const dy = y + 0.5 - placement.y;
      visit(y * width + x, cos * dx + sin * dy, cos * dy - sin * dx);
    }
  }
}

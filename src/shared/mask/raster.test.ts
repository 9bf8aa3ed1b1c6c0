import { describe, expect, it } from 'vitest';
import type { PolygonPart, Ring } from '../records.ts';
import { seededRandom } from '../scenes/random.ts';
import { bitmapArea, bitmapBox, cropBitmap, sameBitmap } from './bitmap.ts';
import { geometryToRle, rasterize, rasterizeParts, rasterizePatch } from './raster.ts';
import { emptyRle, rleArea, rleFromPolygons } from './rle.ts';

/**
 * COCO's filling rule, drawn the slow way as an oracle: every point of the boundary on the five times
 * finer grid, then every neighbouring pair looked at.
 */
function fillSlowly(ring: Ring, width: number, height: number): Uint8Array {
  const points = ring.map((v) => Math.trunc(5 * v + 0.5));
  const walk: [number, number][] = [];
  for (let i = 0; i < points.length; i += 2) {
    const j = (i + 2) % points.length;
    const a: [number, number] = [points[i] ?? 0, points[i + 1] ?? 0];
    const b: [number, number] = [points[j] ?? 0, points[j + 1] ?? 0];
    const along = Math.abs(b[0] - a[0]) >= Math.abs(b[1] - a[1]) ? 0 : 1;
    const turned = a[along] > b[along];
    const [from, to] = turned ? [b, a] : [a, b];
    const steps = to[along] - from[along];
    const slope = steps === 0 ? 0 : (to[1 - along] ?? 0) - (from[1 - along] ?? 0);
    const edge: [number, number][] = [];
    for (let t = 0; t <= steps; t++) {
      const other = Math.trunc((from[1 - along] ?? 0) + (slope / (steps || 1)) * t + 0.5);
      edge.push(along === 0 ? [from[0] + t, other] : [other, from[1] + t]);
    }
    walk.push(...(turned ? edge.reverse() : edge));
  }
  const flips = new Uint8Array(width * height + 1);
  for (let k = 1; k < walk.length; k++) {
    const [u, v] = walk[k] ?? [0, 0];
    const [pu, pv] = walk[k - 1] ?? [0, 0];
    if (u === pu) continue;
    const x = (Math.min(u, u < pu ? u : u - 1) + 0.5) / 5 - 0.5;
    if (x !== Math.floor(x) || x < 0 || x > width - 1) continue;
    const y = Math.ceil(Math.min(Math.max((Math.min(v, pv) + 0.5) / 5 - 0.5, 0), height));
    flips[x * height + y] = (flips[x * height + y] ?? 0) ^ 1;
  }
  const data = new Uint8Array(width * height);
  let value = 0;
  for (let i = 0; i < width * height; i++) {
    value ^= flips[i] ?? 0;
    data[(i % height) * width + Math.floor(i / height)] = value;
  }
  return data;
}

describe('filling', () => {
  it('is COCO’s rule on random polygons, also outside the image and crossing themselves', () => {
    for (let seed = 0; seed < 300; seed++) {
      const random = seededRandom(seed);
      const width = random.integer(1, 30);
      const height = random.integer(1, 30);
      const whole = random.chance(0.3);
      const ring = Array.from({ length: 2 * random.integer(3, 9) }, () => {
        const value = random.range(-12, 42);
        return whole ? Math.round(value * 5) / 5 : value;
      });
      const bitmap = rasterizeParts([{ outer: ring, holes: [] }], width, height);
      expect([...bitmap.data], `seed ${seed}`).toEqual([...fillSlowly(ring, width, height)]);
    }
  });

  const square = (x: number, y: number, side: number): Ring => [x, y, x + side, y, x + side, y + side, x, y + side];

  it('keeps holes and parts', () => {
    const parts: PolygonPart[] = [
      { outer: square(0, 0, 10), holes: [square(2, 2, 6)] },
      { outer: square(4, 4, 2), holes: [] },
      { outer: square(12, 0, 3), holes: [] },
    ];
    expect(bitmapArea(rasterizeParts(parts, 20, 12))).toBe(100 - 36 + 4 + 9);
  });

  it('agrees with the exported polygon', () => {
    const ring: Ring = [3.3, 1.2, 17.8, 4.9, 14.1, 15.6, 6.6, 12.2];
    expect(geometryToRle({ kind: 'polygon', parts: [{ outer: ring, holes: [] }] }, 20, 18)).toEqual(rleFromPolygons([ring], [18, 20]));
  });

  it('fills boxes as their corners', () => {
    expect(rleArea(geometryToRle({ kind: 'box', box: [2, 3, 4, 5] }, 20, 20))).toBe(20);
    expect(rleArea(geometryToRle({ kind: 'box', box: [18, 18, 9, 9] }, 20, 20))).toBe(4);
    expect(rleArea(geometryToRle({ kind: 'box', box: [5, 5, 0, 8] }, 20, 20))).toBe(0);
  });

  it('passes a mask through and refuses one of another size', () => {
    const rle = emptyRle(6, 5);
    expect(geometryToRle({ kind: 'mask', rle }, 6, 5)).toBe(rle);
    expect(() => rasterize({ kind: 'mask', rle }, 5, 6)).toThrow(/6×5 pixels does not fit an image of 5×6/);
  });

  it('gives the patch of a large image without making the image', () => {
    const parts: PolygonPart[] = [{ outer: [5000.5, 3000, 5080, 3010.2, 5040, 3090], holes: [] }];
    const patch = rasterizePatch({ kind: 'polygon', parts }, 6000, 4000);
    if (!patch) throw new Error('there is a patch');
    const small = rasterizeParts([{ outer: [500.5, 300, 580, 310.2, 540, 390], holes: [] }], 600, 400);
    const box = bitmapBox(small);
    expect([patch.x, patch.y]).toEqual([box[0] + 4500, box[1] + 2700]);
    expect(sameBitmap(patch.bitmap, cropBitmap(small, box))).toBe(true);
    expect(rasterizePatch({ kind: 'box', box: [-9, -9, 3, 3] }, 60, 40)).toBeNull();
  });
});

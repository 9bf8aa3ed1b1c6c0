import { describe, expect, it } from 'vitest';
import { seededRandom } from '../scenes/random.ts';
import type { Rgb } from './raster.ts';
import type { EdgeFeatures } from './scissors.ts';
import { gradients, snapTo, strongest, waysFrom } from './scissors.ts';

const WIDTH = 100;
const HEIGHT = 80;

/** A disc of radius 28 about (50, 40), brighter than its surroundings, with noise. */
function disc(noise: number): Rgb {
  const random = seededRandom(11);
  const data = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let i = 0; i < WIDTH * HEIGHT; i++) {
    const inside = Math.hypot((i % WIDTH) + 0.5 - 50, Math.floor(i / WIDTH) + 0.5 - 40) < 28;
    data.fill(Math.round((inside ? 180 : 80) + random.range(-noise, noise)), i * 3, i * 3 + 3);
  }
  return { width: WIDTH, height: HEIGHT, data };
}

function at(x: number, y: number): number {
  return y * WIDTH + x;
}

/** Without a direction or an edge: only the gradient's strength counts. */
function flat(width: number, height: number, strength: (x: number, y: number) => number): EdgeFeatures {
  const values = Uint8Array.from({ length: width * height }, (_, i) => strength(i % width, Math.floor(i / width)));
  return { width, height, edge: new Uint8Array(values.length), strength: values, direction: new Uint8Array(values.length) };
}

describe('intelligent scissors', () => {
  it('follow a drawn edge within 1.5 px, noise or not', () => {
    for (const noise of [0, 20]) {
      const features = gradients(disc(noise));
      const ways = waysFrom(features, at(22, 40), strongest(features));
      for (const target of [at(50, 12), at(77, 40), at(50, 67)]) {
        const way = ways.to(target);
        expect(way[0]).toBe(at(22, 40));
        expect(way.at(-1)).toBe(target);
        for (const i of way) {
          const off = Math.abs(Math.hypot((i % WIDTH) + 0.5 - 50, Math.floor(i / WIDTH) + 0.5 - 40) - 28);
          expect(off).toBeLessThanOrEqual(1.5);
        }
      }
    }
  });

  it('make steps to neighbours only, and straight ones where nothing is to be seen', () => {
    const way = waysFrom(
      flat(30, 20, () => 0),
      0,
      100,
    ).to(15 * 30 + 15);
    expect(way).toHaveLength(16);
    way.forEach((i, n) => expect(i).toBe(n * 31));
  });

  it('find the same costs asked in any order, and nothing outside of where they may go', () => {
    const features = gradients(disc(20));
    const full = strongest(features);
    const there = waysFrom(features, at(22, 40), full);
    there.to(at(99, 79));
    const fresh = waysFrom(features, at(22, 40), full);
    expect(there.to(at(77, 40))).toHaveLength(fresh.to(at(77, 40)).length);
    const within = new Uint8Array(WIDTH * HEIGHT);
    within.fill(1, 0, WIDTH * 10);
    const ways = waysFrom(features, at(5, 5), full, within);
    expect(ways.to(at(5, 30))).toEqual([]);
    expect(ways.to(at(60, 5)).every((i) => i < WIDTH * 10)).toBe(true);
  });

  it('measure gradients as Sobel does: magnitude of a step, direction across it', () => {
    const step: Rgb = { width: 6, height: 3, data: Uint8Array.from({ length: 54 }, (_, i) => (Math.floor(i / 3) % 6 < 3 ? 40 : 90)) };
    const { strength, direction } = gradients(step);
    expect([...strength.subarray(6, 12)]).toEqual([0, 0, 50, 50, 0, 0]);
    expect(direction[8]).toBe(0);
    const down = gradients({ ...step, width: 3, height: 6, data: Uint8Array.from({ length: 54 }, (_, i) => (i < 27 ? 40 : 90)) });
    expect(down.direction[3 * 3 + 1]).toBe(64);
  });

  it('snap to the strongest edge nearby, and stay where there is none', () => {
    const features = flat(20, 20, (x, y) => (x === 12 && y === 9 ? 200 : x === 7 ? 90 : 0));
    expect(snapTo(features, 9, 9, 2)).toEqual({ x: 7, y: 9 });
    expect(snapTo(features, 9, 9, 4)).toEqual({ x: 12, y: 9 });
    expect(snapTo(features, 16, 2, 2)).toEqual({ x: 16, y: 2 });
  });
});

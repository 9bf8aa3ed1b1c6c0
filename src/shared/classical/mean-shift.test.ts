import { describe, expect, it } from 'vitest';
import { seededRandom } from '../scenes/random.ts';
import { meanShift, shiftModes } from './mean-shift.ts';
import type { Rgb } from './raster.ts';

/** A picture of `colour(x, y)` plus noise of ±`noise` on each channel. */
function picture(width: number, height: number, noise: number, colour: (x: number, y: number) => readonly [number, number, number]): Rgb {
  const random = seededRandom(7);
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    colour(i % width, Math.floor(i / width)).forEach((value, c) => {
      data[i * 3 + c] = Math.max(0, Math.min(255, Math.round(value + random.range(-noise, noise))));
    });
  }
  return { width, height, data };
}

const halves = (x: number): readonly [number, number, number] => (x < 20 ? [200, 60, 60] : [60, 60, 200]);
const usual = { spatial: 6, range: 10, smallest: 0.01 };

describe('mean shift', () => {
  it('cuts two flat halves exactly at their border', () => {
    const { data } = meanShift(picture(40, 30, 0, halves), usual);
    expect(new Set(data).size).toBe(2);
    data.forEach((label, i) => expect(label).toBe(data[i % 40 < 20 ? 0 : 39]));
  });

  it('sees through noise below its range', () => {
    const { data } = meanShift(picture(40, 30, 8, halves), usual);
    expect(new Set(data).size).toBe(2);
    const wrong = [...data].filter((label, i) => label !== data[i % 40 < 20 ? 41 : 38]).length;
    expect(wrong).toBe(0);
  });

  it('leaves no piece below the smallest, and all of them where that is 0', () => {
    const dot = picture(40, 30, 0, (x, y) => (x === 10 && y === 10 ? [60, 200, 60] : halves(x)));
    expect(new Set(meanShift(dot, usual).data).size).toBe(2);
    expect(new Set(meanShift(dot, { ...usual, smallest: 0 }).data).size).toBe(3);
  });

  it('makes fewer regions of a gradient the wider its range', () => {
    const ramp = picture(80, 20, 0, (x) => [x * 3, x * 3, x * 3]);
    const counts = [4, 12, 40].map((range) => new Set(meanShift(ramp, { spatial: 5, range, smallest: 0 }).data).size);
    expect(counts[0]).toBeGreaterThan(counts[1]!);
    expect(counts[1]).toBeGreaterThan(counts[2]!);
  });

  it('moves every colour towards the middle of its cluster (the density climbs)', () => {
    const noisy = picture(30, 30, 10, () => [120, 120, 120]);
    const modes = shiftModes(noisy, 8, 20);
    const spread = (values: Float32Array): number => {
      const light = [...values].filter((_, i) => i % 3 === 0);
      const mean = light.reduce((a, b) => a + b) / light.length;
      return Math.sqrt(light.reduce((sum, value) => sum + (value - mean) ** 2, 0) / light.length);
    };
    const before = shiftModes(noisy, 1, 0.001);
    expect(spread(modes)).toBeLessThan(spread(before) / 4);
  });
});

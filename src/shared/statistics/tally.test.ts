import { describe, expect, it } from 'vitest';
import { seededRandom } from '../scenes/random.ts';
import { AREA_RANGES, COUNT_RANGES, HEAT_CELLS, heatCell, PAUSE_MS, rangeIndex, RATIO_RANGES, SIZES, TIME_RANGES } from './ranges.ts';
import type { TallyInstance } from './tally.ts';
import { createTally, createTimeTally } from './tally.ts';

describe('ranges', () => {
  it('put every value into exactly the range whose bounds it lies between', () => {
    const random = seededRandom(5);
    for (const ranges of [SIZES, AREA_RANGES, COUNT_RANGES, RATIO_RANGES, TIME_RANGES]) {
      const values = [...ranges.map((range) => range.from), ...Array.from({ length: 300 }, () => random.next() ** 4 * 1e6)];
      for (const value of values) {
        const found = ranges.flatMap(({ from, to }, i) => (value >= from && (to === null || value < to) ? [i] : []));
        expect([rangeIndex(ranges, value)], `${value}`).toEqual(found);
      }
    }
  });

  it('keep the far edge of an image in its last cell', () => {
    expect([heatCell(0, 640), heatCell(639.9, 640), heatCell(640, 640), heatCell(320, 640)]).toEqual([
      0,
      HEAT_CELLS - 1,
      HEAT_CELLS - 1,
      12,
    ]);
  });
});

describe('a tally', () => {
  const at = (labelId: number, area: number, more: Partial<TallyInstance> = {}): TallyInstance => ({
    labelId,
    crowd: false,
    area,
    x: 0,
    y: 0,
    width: 10,
    height: 10,
    ...more,
  });

  it('counts images, instances, crowds and sizes by class', () => {
    const tally = createTally(null);
    tally.image(100, 100, [at(1, 1023), at(1, 1024), at(2, 9216, { crowd: true })]);
    tally.image(100, 100, []);
    tally.image(100, 100, [at(1, 9215.5)]);
    expect({ instances: tally.instances, annotated: tally.annotated, crowds: tally.crowds }).toEqual({
      instances: 4,
      annotated: 2,
      crowds: 1,
    });
    expect(tally.labels.get(1)).toEqual({ instances: 3, images: 2, crowds: 0, sizes: [1, 2, 0] });
    expect(tally.labels.get(2)).toEqual({ instances: 1, images: 1, crowds: 1, sizes: [0, 0, 1] });
    expect(tally.sizes().map((range) => range.count)).toEqual([1, 2, 1]);
    expect(tally.perImage().filter((range) => range.count > 0)).toEqual([
      { from: 0, to: 1, count: 1 },
      { from: 1, to: 2, count: 1 },
      { from: 3, to: 4, count: 1 },
    ]);
  });

  it('counts places by the centre of the box, and only one class where it is asked to', () => {
    const tally = createTally(2);
    tally.image(240, 480, [at(2, 5, { x: 230, y: 0, width: 10, height: 20 }), at(1, 5)]);
    tally.image(240, 480, [at(1, 5), at(2, 0, { width: 0, height: 0 })]);
    expect(tally.heat().flatMap((count, i) => (count > 0 ? [[i % HEAT_CELLS, Math.floor(i / HEAT_CELLS), count]] : []))).toEqual([
      [23, 0, 1],
    ]);
    expect([tally.instances, tally.annotated]).toEqual([2, 2]);
    expect(tally.labels.get(1)?.instances).toBe(2);
    expect(tally.ratios().filter((range) => range.count > 0)).toEqual([{ from: 2 / 5, to: 2 / 3, count: 1 }]);
  });
});

describe('time', () => {
  it('is that between changes, pauses capped, and by instance where a change added some', () => {
    const tally = createTimeTally();
    const changes: [imageId: number, atMs: number, added: number][] = [
      [1, 1_000, 5],
      [1, 5_000, 1],
      [1, 5_000 + 3 * PAUSE_MS, 2],
      [2, 0, 100],
      [3, 10_000, 0],
      [3, 9_000, 0],
      [3, 15_000, 0],
    ];
    for (const [imageId, atMs, added] of changes) tally.change({ imageId, atMs, added });
    const result = tally.result();
    expect(result).toMatchObject({ images: 2, totalMs: 4_000 + PAUSE_MS + 6_000, timedInstances: 3, medianMsPerInstance: PAUSE_MS / 2 });
    expect(result.perImage.filter((range) => range.count > 0).map(({ from, count }) => [from, count])).toEqual([
      [5_000, 1],
      [60_000, 1],
    ]);
  });

  it('says nothing where nothing is known', () => {
    expect(createTimeTally().result()).toMatchObject({ images: 0, totalMs: 0, medianMsPerInstance: null, timedInstances: 0 });
  });
});

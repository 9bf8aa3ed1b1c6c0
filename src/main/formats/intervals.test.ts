import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sharedHas, sharedPath } from '../../../test/shared-data.ts';
import { partsRuns } from '../../shared/mask/raster.ts';
import { countsToString } from '../../shared/mask/rle.ts';
import { areaOf, boxOf, intervalsOfCounts, intervalsOfRing, intervalsOfRuns, iouOf, unionOf } from './intervals.ts';

/** mulberry32: the same numbers in every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

describe('intervals of RLE', () => {
  it('reads a string worked out by hand', () => {
    // Column-major of [[0,0,1],[0,1,1]] is 0 0 | 0 1 | 1 1: runs 3, 3.
    expect(intervalsOfCounts('33', 3, 2)).toEqual([3, 6]);
    expect(areaOf([3, 6])).toBe(3);
    expect(boxOf([3, 6], 2)).toEqual([1, 0, 2, 2]);
  });

  it('reads long runs and negative differences', () => {
    const runs = [1000, 5, 70000, 3, 2, 40, 100000];
    const height = 317;
    const total = runs.reduce((a, b) => a + b, 0);
    const width = total / height;
    expect(intervalsOfCounts(countsToString(runs), width, height)).toEqual([1000, 1005, 71005, 71008, 71010, 71050]);
    expect(intervalsOfRuns(runs, width, height)).toEqual([1000, 1005, 71005, 71008, 71010, 71050]);
  });

  it('refuses runs that do not fit the image, and characters that cannot be', () => {
    expect(() => intervalsOfCounts('33', 3, 3)).toThrow('cover 6 of 9');
    expect(() => intervalsOfCounts('3 3', 3, 2)).toThrow('character');
    expect(() => intervalsOfCounts('3S', 3, 2)).toThrow('character');
    expect(() => intervalsOfRuns([3, -1, 4], 3, 2)).toThrow('run 1');
  });

  it('joins runs parted by an empty one', () => {
    expect(intervalsOfRuns([1, 2, 0, 2, 1], 3, 2)).toEqual([1, 5]);
  });
});

describe('interval sets', () => {
  it('unites, measures and compares', () => {
    expect(
      unionOf([
        [0, 3, 8, 9],
        [2, 5],
        [9, 12],
      ]),
    ).toEqual([0, 5, 8, 12]);
    expect(iouOf([0, 4], [2, 6])).toBe(2 / 6);
    expect(iouOf([], [])).toBe(1);
    expect(iouOf([0, 1], [])).toBe(0);
    expect(boxOf([], 10)).toEqual([0, 0, 0, 0]);
    // Rows 8..9 of column 0 and 0..1 of column 1.
    expect(boxOf([8, 12], 10)).toEqual([0, 0, 2, 10]);
  });
});

describe('intervals of a ring', () => {
  it('covers whole pixels of a ring along pixel edges', () => {
    expect(intervalsOfRing([1, 1, 3, 1, 3, 4, 1, 4], 5, 6)).toEqual([7, 10, 13, 16]);
  });

  it('agrees with the other implementation on 3,000 random rings, also outside the image', () => {
    const next = random(7);
    for (let round = 0; round < 3000; round++) {
      const width = 1 + Math.floor(next() * 60);
      const height = 1 + Math.floor(next() * 60);
      const points = 3 + Math.floor(next() * 9);
      const whole = next() < 0.3;
      const spread = next() < 0.5 ? 1 : 1.6;
      const ring: number[] = [];
      for (let i = 0; i < points; i++) {
        const x = width * (0.5 + spread * (next() - 0.5));
        const y = height * (0.5 + spread * (next() - 0.5));
        ring.push(whole ? Math.round(x) : x, whole ? Math.round(y) : y);
      }
      const other = intervalsOfRuns(partsRuns([{ outer: ring, holes: [] }], width, height), width, height);
      expect(intervalsOfRing(ring, width, height), JSON.stringify({ width, height, ring })).toEqual(other);
    }
  });
});

interface Golden {
  readonly id: number;
  readonly counts: string;
  readonly area: number;
  readonly bbox: readonly number[];
}

describe.skipIf(!sharedHas('golden/coco-tiny-val') || !sharedHas('data/coco/coco-tiny'))('against pycocotools', () => {
  it('has its pixels, area and box for every annotation of coco-tiny', () => {
    const golden = JSON.parse(readFileSync(sharedPath('golden/coco-tiny-val/masks.json'), 'utf8')) as Golden[];
    const file = JSON.parse(readFileSync(sharedPath('data/coco/coco-tiny/annotations/instances_val2017.json'), 'utf8')) as {
      images: { id: number; width: number; height: number }[];
      annotations: { id: number; image_id: number; segmentation: number[][] | { counts: number[] } }[];
    };
    const images = new Map(file.images.map((image) => [image.id, image]));
    const byId = new Map(file.annotations.map((annotation) => [annotation.id, annotation]));
    let rings = 0;
    for (const expected of golden) {
      const annotation = byId.get(expected.id);
      const image = images.get(annotation?.image_id ?? 0);
      if (!annotation || !image) throw new Error(`golden annotation ${expected.id} is not in the dataset`);
      const { width, height } = image;
      const { segmentation } = annotation;
      const mask = Array.isArray(segmentation)
        ? unionOf(segmentation.map((ring) => intervalsOfRing(ring, width, height)))
        : intervalsOfRuns(segmentation.counts, width, height);
      rings += Array.isArray(segmentation) ? segmentation.length : 0;
      expect(mask, `annotation ${expected.id}`).toEqual(intervalsOfCounts(expected.counts, width, height));
      expect(areaOf(mask)).toBe(expected.area);
      expect(boxOf(mask, height)).toEqual(expected.bbox);
    }
    expect(golden.length).toBe(file.annotations.length);
    expect(rings).toBeGreaterThan(100);
  });
});

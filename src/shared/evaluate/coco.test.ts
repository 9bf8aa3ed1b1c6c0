import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sharedHas, sharedPath } from '../../../test/shared-data.ts';
import type { Ring } from '../records.ts';
import { evaluateCoco } from './coco.ts';
import type { CocoDataset, CocoDetection, CocoTruth, OverlapKind } from './dataset.ts';
import { segmentationToRle } from './dataset.ts';

const square = (x: number, y: number, side: number): Ring => [x, y, x + side, y, x + side, y + side, x, y + side];

function truth(id: number, x: number, side: number, more: Partial<CocoTruth> = {}): CocoTruth {
  return {
    id,
    image_id: 1,
    category_id: 1,
    area: side * side,
    bbox: [x, 0, side, side],
    segmentation: [square(x, 0, side)],
    iscrowd: 0,
    ...more,
  };
}

function detection(x: number, side: number, score: number, more: Partial<CocoDetection> = {}): CocoDetection {
  return { image_id: 1, category_id: 1, score, bbox: [x, 0, side, side], segmentation: [square(x, 0, side)], ...more };
}

function dataset(...annotations: CocoTruth[]): CocoDataset {
  return {
    images: [
      { id: 1, width: 400, height: 200 },
      { id: 2, width: 400, height: 200 },
    ],
    categories: [
      { id: 1, name: 'nut' },
      { id: 5, name: 'bolt' },
    ],
    annotations,
  };
}

describe.each<OverlapKind>(['segm', 'bbox'])('COCO figures of %s by hand', (kind) => {
  const figures = (data: CocoDataset, found: CocoDetection[]) => evaluateCoco(data, found, kind).figures;

  it('are 1 for a perfect answer and -1 where nothing is to be found', () => {
    const result = evaluateCoco(dataset(truth(1, 0, 20), truth(2, 50, 20)), [detection(0, 20, 0.9), detection(50, 20, 0.8)], kind);
    expect(result.figures.AP50).toBeCloseTo(1, 12);
    expect(result.figures.APsmall).toBeCloseTo(1, 12);
    expect(result.figures).toMatchObject({ APmedium: -1, APlarge: -1, AR1: 0.5, AR10: 1 });
    expect(result.categories.map(({ categoryId, name, truths }) => [categoryId, name, truths])).toEqual([
      [1, 'nut', 2],
      [5, 'bolt', 0],
    ]);
    expect(result.categories[1]?.AP).toBe(-1);
  });

  it('are 0 for no answer', () => {
    expect(figures(dataset(truth(1, 0, 20)), [])).toMatchObject({ AP: 0, AP50: 0, AR100: 0 });
  });

  it('sample the precision at 101 recalls', () => {
    // Right, wrong, right of two: precision 1 up to recall 0.5 (51 points), then 2/3 (50 points).
    const found = [detection(0, 20, 0.9), detection(200, 20, 0.8), detection(50, 20, 0.7)];
    expect(figures(dataset(truth(1, 0, 20), truth(2, 50, 20)), found).AP50).toBeCloseTo((51 + (50 * 2) / 3) / 101, 12);
  });

  it('count an overlap from its threshold on', () => {
    // 20 × 20 against itself moved by 5: IoU 300 / 500 = 0.6, enough for 0.50, 0.55 and 0.60.
    const result = figures(dataset(truth(1, 0, 20)), [detection(5, 20, 0.9)]);
    expect(result.AP).toBeCloseTo(0.3, 12);
    expect(result.AP75).toBe(0);
    expect(result.AR100).toBeCloseTo(0.3, 12);
  });

  it('take each truth once', () => {
    // The second finds nothing left; it is below the first, so the precision at full recall stays 1.
    expect(figures(dataset(truth(1, 0, 20)), [detection(0, 20, 0.9), detection(0, 20, 0.8)]).AP).toBeCloseTo(1, 12);
    expect(figures(dataset(truth(1, 0, 20)), [detection(200, 20, 0.9), detection(0, 20, 0.8)]).AP).toBeCloseTo(0.5, 12);
  });

  it('forgive any number of answers inside a crowd', () => {
    const data = dataset(truth(1, 0, 20), truth(2, 100, 90, { iscrowd: 1 }));
    const found = [detection(110, 20, 0.95), detection(150, 20, 0.94), detection(0, 20, 0.9)];
    expect(figures(data, found).AP).toBeCloseTo(1, 12);
  });

  it('prefer a truth that counts to a crowd that fits better', () => {
    const data = dataset(truth(1, 0, 100, { iscrowd: 1 }), truth(2, 0, 20));
    expect(figures(data, [detection(3, 20, 0.9)]).AP50).toBeCloseTo(1, 12);
  });

  it('keep sizes apart', () => {
    const result = figures(dataset(truth(1, 0, 20), truth(2, 50, 40), truth(3, 100, 100)), [detection(50, 40, 0.9)]);
    expect([result.ARsmall, result.ARmedium, result.ARlarge]).toEqual([0, 1, 0]);
  });

  it('keep the order of the file for equal scores', () => {
    const data = dataset(truth(1, 0, 20));
    expect(figures(data, [detection(0, 20, 0.5), detection(200, 20, 0.5)]).AP).toBeCloseTo(1, 12);
    expect(figures(data, [detection(200, 20, 0.5), detection(0, 20, 0.5)]).AP).toBeCloseTo(0.5, 12);
  });

  it('do not match across images or categories', () => {
    const data = dataset(truth(1, 0, 20));
    expect(figures(data, [detection(0, 20, 0.9, { image_id: 2 })]).AP).toBe(0);
    expect(figures(data, [detection(0, 20, 0.9, { category_id: 5 })]).AP).toBe(0);
    expect(figures(data, [detection(0, 20, 0.9, { category_id: 77 })]).AP).toBe(0);
  });
});

describe('broken input', () => {
  const data = dataset(truth(1, 0, 20));
  const { segmentation: _mask, bbox: _box, ...nothing } = detection(0, 20, 0.9);
  it.each([
    ['an unknown image', detection(0, 20, 0.9, { image_id: 3 }), /Detection 0 is of image 3/],
    ['no score', detection(0, 20, NaN), /Detection 0 has no score/],
    ['neither mask nor box', nothing, /Detection 0 has no bbox/],
    ['a mask of another size', detection(0, 20, 0.9, { segmentation: { size: [4, 4], counts: [16] } }), /4×4 and 400×200 pixels/],
    [
      'broken counts',
      detection(0, 20, 0.9, { segmentation: { size: [200, 400], counts: '4' } }),
      /Detection 0 of image 1: .* cover 4 pixels/,
    ],
  ])('is refused by name: %s', (_, found, message) => {
    expect(() => evaluateCoco(data, [found], 'segm')).toThrow(message);
  });

  it('fills the boxes of results that have no masks, as loadRes does', () => {
    const { segmentation: _mask, ...boxed } = detection(0, 20, 0.9);
    expect(evaluateCoco(data, [boxed], 'segm').figures.AP).toBeCloseTo(1, 12);
  });

  it('never counts a truth of id 0 as found, as pycocotools does not', () => {
    expect(evaluateCoco(dataset(truth(0, 0, 20)), [detection(0, 20, 0.9)], 'bbox').figures).toMatchObject({ AP: 0, AR100: 0 });
    // It is taken all the same: the second detection finds nothing either.
    const both = dataset(truth(0, 0, 20), truth(1, 50, 20));
    expect(evaluateCoco(both, [detection(50, 20, 0.9), detection(0, 20, 0.8), detection(0, 20, 0.7)], 'bbox').figures.AR100).toBe(0.5);
  });

  it('reads all three kinds of segmentation alike', () => {
    const image = { id: 1, width: 3, height: 2 };
    const compressed = segmentationToRle([[0, 0, 2, 0, 2, 2, 0, 2]], image);
    expect(segmentationToRle({ size: [2, 3], counts: [0, 4, 2] }, image)).toEqual(compressed);
    expect(segmentationToRle(compressed, image)).toEqual(compressed);
  });
});

interface Golden {
  readonly stats: Record<string, number>;
  readonly perCategoryAP: Record<string, number>;
}

describe.skipIf(!sharedHas('golden'))('pycocotools', () => {
  const cases = [
    ['coco-tiny-val', 'coco-tiny/annotations/instances_val2017.json'],
    ['nuclei', 'nuclei/instances.json'],
  ].flatMap(([name = '', file = '']) => (['segm', 'bbox'] as const).map((kind) => [name, kind, file] as const));

  it.each(cases)('agrees on every figure of %s, %s', (name, kind, file) => {
    const golden = JSON.parse(readFileSync(sharedPath(`golden/${name}/evaluation.json`), 'utf8')) as Record<OverlapKind, Golden>;
    const data = JSON.parse(readFileSync(sharedPath(`data/coco/${file}`), 'utf8')) as CocoDataset;
    const found = JSON.parse(readFileSync(sharedPath(`golden/${name}/detections.json`), 'utf8')) as CocoDetection[];
    const result = evaluateCoco(data, found, kind);
    const near = (value: number): unknown => expect.closeTo(value, 10);
    const { stats, perCategoryAP } = golden[kind];
    expect(Object.keys(stats)).toHaveLength(12);
    expect(result.figures).toEqual(Object.fromEntries(Object.entries(stats).map(([key, value]) => [key, near(value)])));
    const own = Object.fromEntries(result.categories.map(({ categoryId, AP }) => [String(categoryId), AP]));
    expect(own).toEqual(Object.fromEntries(Object.entries(perCategoryAP).map(([key, value]) => [key, near(value)])));
  });
});

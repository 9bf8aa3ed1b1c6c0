import { beforeAll, describe, expect, it } from 'vitest';
import type { ParsedQuestion } from '../../shared/classical/questions.ts';
import { questionSchema } from '../../shared/classical/questions.ts';
import type { Rgb } from '../../shared/classical/raster.ts';
import { wand } from '../../shared/classical/wand.ts';
import { AppError } from '../../shared/errors.ts';
import { decodeRle } from '../../shared/mask/rle.ts';
import { drawScene } from '../../shared/scenes/index.ts';
import { drawn, pictureOf } from '../../../test/drawn-picture.ts';
import { kmeans } from './kmeans.ts';
import type { OpenCv } from './opencv.ts';
import { openCv, scoped } from './opencv.ts';
import type { Segmented, Segmenter } from './segment.ts';
import { createSegmenter } from './segment.ts';

let cv: OpenCv;
let segmenter: Segmenter;
const go = (): void => undefined;

beforeAll(async () => {
  [cv] = await openCv();
  segmenter = createSegmenter(cv);
});

function parsed(question: unknown): ParsedQuestion {
  return questionSchema.parse(question);
}

function iou(found: Uint8Array, truth: Uint8Array): number {
  let both = 0;
  let any = 0;
  truth.forEach((value, i) => {
    if (value && found[i]) both++;
    if (value || found[i]) any++;
  });
  return both / any;
}

function maskOf(segmented: Segmented, index = 0): Uint8Array {
  return decodeRle(segmented.instances[index]!.rle).data;
}

/** Three bands of 40, 30 and 20 columns. */
const bands = (x: number): readonly [number, number, number] => (x < 40 ? [210, 60, 60] : x < 70 ? [60, 200, 60] : [60, 60, 210]);

describe('K-means', () => {
  const question = { method: 'kmeans', parameters: { k: 3, smallest: 0 } };

  it.each(['rgb', 'lab', 'hsv'])('finds flat colours exactly in %s, the largest first', (space) => {
    const { instances } = segmenter.segment(
      pictureOf(drawn(90, 50, 0, bands)),
      parsed({ ...question, parameters: { k: 3, space } }),
      false,
      go,
    );
    expect(instances.map(({ label, box }) => [label, ...box])).toEqual([
      ['cluster 1', 0, 0, 40, 50],
      ['cluster 2', 40, 0, 30, 50],
      ['cluster 3', 70, 0, 20, 50],
    ]);
    expect(instances.map(({ color }) => color)).toEqual(['#d23c3c', '#3cc83c', '#3c3cd2']);
  });

  it('says the same whatever the seed, under noise too, and every pixel belongs to one cluster', () => {
    const picture = pictureOf(drawn(90, 50, 25, bands));
    const answers = [1, 2, 77].map((seed) => segmenter.segment(picture, parsed({ ...question, parameters: { k: 3, seed } }), false, go));
    expect(answers[1]!.instances).toEqual(answers[0]!.instances);
    expect(answers[2]!.instances).toEqual(answers[0]!.instances);
    const covered = new Uint8Array(90 * 50);
    answers[0]!.instances.forEach((_, index) => maskOf(answers[0]!, index).forEach((value, i) => (covered[i]! += value)));
    expect(new Set(covered)).toEqual(new Set([1]));
  });

  it('reaches the least sum of squares that can be had: no pixel is nearer to another centre', () => {
    const image = drawn(60, 60, 40, (x, y) => [x * 4, y * 4, 128]);
    const { map } = kmeans(cv, image, { k: 5, space: 'rgb', position: 0, attempts: 3, seed: 1, smallest: 0, regions: 'clusters' }, go);
    const sums = Array.from({ length: 6 }, () => [0, 0, 0, 0]);
    map.data.forEach((label, i) => {
      for (let c = 0; c < 3; c++) sums[label]![c]! += image.data[i * 3 + c]!;
      sums[label]![3]! += 1;
    });
    const centres = sums.slice(1).map(([r, g, b, n]) => [r! / n!, g! / n!, b! / n!]);
    let misplaced = 0;
    map.data.forEach((label, i) => {
      const distances = centres.map((centre) => Math.hypot(...centre.map((value, c) => value - image.data[i * 3 + c]!)));
      if (Math.min(...distances) < distances[label - 1]! - 1) misplaced++;
    });
    expect(misplaced / map.data.length).toBeLessThan(0.01);
  });

  it('tells places apart where place counts, pieces where asked, and the foreground by the border', () => {
    const twoDots = drawn(100, 60, 0, (x, y) =>
      Math.hypot(x - 25, y - 30) < 12 || Math.hypot(x - 75, y - 30) < 10 ? [220, 200, 40] : [40, 60, 90],
    );
    const picture = pictureOf(twoDots);
    const pieces = segmenter.segment(picture, parsed({ method: 'kmeans', parameters: { k: 2, regions: 'pieces' } }), false, go);
    expect(pieces.instances.map(({ label }) => label)).toEqual(['cluster 1', 'cluster 2', 'cluster 2']);
    const foreground = segmenter.segment(picture, parsed({ method: 'kmeans', parameters: { k: 7, regions: 'foreground' } }), false, go);
    expect(foreground.instances.map(({ label }) => label)).toEqual(['foreground']);
    expect(
      iou(
        maskOf(foreground),
        Uint8Array.from({ length: 6000 }, (_, i) => (twoDots.data[i * 3] === 220 ? 1 : 0)),
      ),
    ).toBe(1);
    const byPlace = segmenter.segment(picture, parsed({ method: 'kmeans', parameters: { k: 2, position: 1, smallest: 0.05 } }), false, go);
    const flat = pictureOf(drawn(100, 40, 0, () => [90, 90, 90]));
    expect(
      segmenter
        .segment(flat, parsed({ method: 'kmeans', parameters: { k: 2, position: 1 } }), false, go)
        .instances.map(({ box }) => box[2]),
    ).toEqual([50, 50]);
    expect(byPlace.instances).toHaveLength(2);
  });

  it('bears a picture of fewer colours than clusters', () => {
    const { instances } = segmenter.segment(pictureOf(drawn(30, 30, 0, () => [9, 9, 9])), parsed(question), false, go);
    expect(instances).toHaveLength(1);
    expect(instances[0]!.box).toEqual([0, 0, 30, 30]);
  });
});

describe('GrabCut', () => {
  it('cuts an object out of a drawn photograph from a loose box: IoU of 0.9 or more', () => {
    const ious: number[] = [];
    for (const seed of [3, 8, 21]) {
      const scene = drawScene(seed, { width: 480, height: 360 });
      const object = [...scene.objects].sort((a, b) => sum(b.mask) - sum(a.mask))[0]!;
      const picture = pictureOf({ width: scene.width, height: scene.height, data: new Uint8Array(scene.rgb) });
      const answer = segmenter.segment(picture, parsed({ method: 'grabcut', box: loose(object.mask, 480, 360) }), false, go);
      ious.push(iou(maskOf(answer), object.mask));
    }
    expect(Math.max(...ious)).toBeGreaterThanOrEqual(0.9);
    ious.sort((a, b) => a - b);
    expect(ious[1]).toBeGreaterThanOrEqual(0.9);
  });

  it('obeys strokes, and goes on from the cut before', () => {
    // Two squares of one colour in a box: only the strokes know which is meant.
    const image = drawn(160, 100, 6, (x, y) =>
      y > 30 && y < 70 && ((x > 30 && x < 65) || (x > 95 && x < 130)) ? [200, 160, 40] : [50, 70, 110],
    );
    const picture = pictureOf(image);
    const box = [15, 15, 130, 70];
    const both = maskOf(segmenter.segment(picture, parsed({ method: 'grabcut', box }), false, go));
    expect([both[50 * 160 + 48], both[50 * 160 + 112]]).toEqual([1, 1]);
    const strokes = [{ points: [97, 32, 128, 32, 128, 68, 97, 68, 97, 50, 128, 50], width: 24, mark: 0 }];
    const one = maskOf(segmenter.segment(picture, parsed({ method: 'grabcut', box, strokes }), false, go));
    expect([one[50 * 160 + 48], one[50 * 160 + 112]]).toEqual([1, 0]);
  });

  it('names what is missing', () => {
    const picture = pictureOf(drawn(40, 30, 0, () => [1, 2, 3]));
    expect(() => segmenter.segment(picture, parsed({ method: 'grabcut', box: [0, 0, 40, 30] }), false, go)).toThrow(/see background/);
    expect(() => segmenter.segment(picture, parsed({ method: 'grabcut', box: null }), false, go)).toThrow(/box around the object/);
    expect(() => segmenter.segment(picture, parsed({ method: 'grabcut', box: [50, 50, 10, 10] }), false, go)).toThrow(/outside/);
  });
});

describe('watershed', () => {
  const strokes = [
    { points: [10, 10, 10, 40], width: 4, mark: 1 },
    { points: [60, 25], width: 6, mark: 2 },
    { points: [85, 5, 85, 45], width: 4, mark: 0 },
  ];

  it('meets at the edges between the strokes, and leaves no line between the pools', () => {
    const answer = segmenter.segment(
      pictureOf(drawn(90, 50, 0, bands)),
      parsed({ method: 'watershed', strokes, parameters: { smooth: 0 } }),
      false,
      go,
    );
    expect(answer.instances.map(({ mark, box }) => [mark, ...box])).toEqual([
      [1, 0, 0, 40, 50],
      [2, 40, 0, 30, 50],
    ]);
  });

  it('needs two marks', () => {
    const one = parsed({ method: 'watershed', strokes: strokes.slice(0, 1) });
    expect(() => segmenter.segment(pictureOf(drawn(90, 50, 0, bands)), one, false, go)).toThrow(/two marks/);
  });
});

describe('magic wand', () => {
  it('equals OpenCV’s flood fill with a fixed range, over edges and over corners', () => {
    const image = drawn(80, 60, 30, (x, y) => [x * 2, y * 3, 100]);
    for (const connectivity of [4, 8] as const) {
      for (const [x, y] of [
        [40, 30],
        [0, 0],
        [79, 59],
      ] as const) {
        const ours = wand(image, [{ x, y, adds: true, tolerance: 35 }], { contiguous: true, connectivity, distance: 'rgb' });
        expect([...ours]).toEqual([...filled(image, x, y, 35, connectivity)]);
        expect(sum(ours)).toBeGreaterThan(5);
      }
    }
  });
});

describe('large images', () => {
  it('are worked on at a bounded size, and have their borders decided at full size', () => {
    const inside = (x: number, y: number): boolean => (x - 900) ** 2 / 620 ** 2 + (y - 700) ** 2 / 420 ** 2 < 1;
    const image = drawn(1800, 1400, 10, (x, y) => (inside(x, y) ? [200, 120, 60] : [60, 90, 110]));
    const truth = Uint8Array.from({ length: 1800 * 1400 }, (_, i) => (inside(i % 1800, Math.floor(i / 1800)) ? 1 : 0));
    const picture = pictureOf(image);
    const questions = [
      { method: 'kmeans', parameters: { regions: 'foreground' } },
      { method: 'grabcut', box: [230, 240, 1340, 920] },
      {
        method: 'watershed',
        strokes: [
          { points: [900, 700], width: 80, mark: 1 },
          { points: [40, 40, 1760, 40], width: 30, mark: 0 },
        ],
      },
      { method: 'wand', clicks: [{ x: 900, y: 700, adds: true }], parameters: { tolerance: 30 } },
    ];
    for (const question of questions) {
      const draft = segmenter.segment(picture, parsed(question), true, go);
      expect(draft.instances[0]!.rle.size).toEqual([1400, 1800]);
      expect(iou(maskOf(draft), truth), question.method).toBeGreaterThan(0.99);
      const answer = segmenter.segment(picture, parsed(question), false, go);
      expect(answer.instances[0]!.rle.size).toEqual([1400, 1800]);
      if (question.method !== 'wand') expect(answer.work.width).toBeLessThan(1300);
      expect(iou(maskOf(answer), truth), question.method).toBeGreaterThan(0.998);
    }
  });

  it('are given up between two steps', () => {
    let left = 3;
    const pause = (): void => {
      if (left-- === 0) throw new AppError('cancelled', 'The question was given up.');
    };
    const picture = pictureOf(drawn(600, 400, 30, bands));
    expect(() => segmenter.segment(picture, parsed({ method: 'mean-shift' }), false, pause)).toThrow('given up');
  });
});

function sum(mask: Uint8Array): number {
  return mask.reduce((total, value) => total + value, 0);
}

/** The mask's box with a tenth of its size more on each side. */
function loose(mask: Uint8Array, width: number, height: number): [number, number, number, number] {
  let [left, top, right, bottom] = [width, height, 0, 0];
  mask.forEach((value, i) => {
    if (!value) return;
    left = Math.min(left, i % width);
    right = Math.max(right, (i % width) + 1);
    top = Math.min(top, Math.floor(i / width));
    bottom = Math.max(bottom, Math.floor(i / width) + 1);
  });
  const dx = (right - left) * 0.1;
  const dy = (bottom - top) * 0.1;
  return [left - dx, top - dy, right - left + 2 * dx, bottom - top + 2 * dy];
}

/** OpenCV's flood fill into a mask alone. */
function filled(image: Rgb, x: number, y: number, tolerance: number, connectivity: 4 | 8): Uint8Array {
  const { width, height } = image;
  return scoped((keep) => {
    const picture = keep(new cv.Mat(height, width, cv.CV_8UC3));
    picture.data.set(image.data);
    const mask = keep(new cv.Mat(height + 2, width + 2, cv.CV_8UC1));
    mask.data.fill(0);
    const range = new cv.Scalar(tolerance, tolerance, tolerance);
    const flags = connectivity | cv.FLOODFILL_FIXED_RANGE | (1 << 17) | (1 << 8);
    cv.floodFill(picture, mask, new cv.Point(x, y), new cv.Scalar(0), new cv.Rect(0, 0, 0, 0), range, range, flags);
    const out = new Uint8Array(width * height);
    for (let row = 0; row < height; row++)
      out.set(mask.data.slice((row + 1) * (width + 2) + 1, (row + 1) * (width + 2) + 1 + width), row * width);
    return out;
  });
}

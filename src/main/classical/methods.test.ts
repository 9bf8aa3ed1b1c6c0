import { beforeAll, describe, expect, it } from 'vitest';
import type { ParsedQuestion } from '../../shared/classical/questions.ts';
import { questionSchema } from '../../shared/classical/questions.ts';
import type { Rgb } from '../../shared/classical/raster.ts';
import { wand } from '../../shared/classical/wand.ts';
import { AppError } from '../../shared/errors.ts';
import { decodeRle } from '../../shared/mask/rle.ts';
import { drawScene } from '../../shared/scenes/index.ts';
import { seededRandom } from '../../shared/scenes/random.ts';
import { edgeFeatures } from './edges.ts';
import { kmeans } from './kmeans.ts';
import type { OpenCv } from './opencv.ts';
import { openCv, scoped } from './opencv.ts';
import { createScissors } from './path.ts';
import type { Picture } from './picture.ts';
import { createPicture } from './picture.ts';
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

function pictureOf(image: Rgb): Picture {
  return createPicture(image, image.width, image.height);
}

function drawn(width: number, height: number, noise: number, colour: (x: number, y: number) => readonly [number, number, number]): Rgb {
  const random = seededRandom(5);
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    colour(i % width, Math.floor(i / width)).forEach((value, c) => {
      data[i * 3 + c] = Math.max(0, Math.min(255, Math.round(value + random.range(-noise, noise))));
    });
  }
  return { width, height, data };
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
    const { instances } = segmenter.segment(pictureOf(drawn(90, 50, 0, bands)), parsed({ ...question, parameters: { k: 3, space } }), go);
    expect(instances.map(({ label, box }) => [label, ...box])).toEqual([
      ['cluster 1', 0, 0, 40, 50],
      ['cluster 2', 40, 0, 30, 50],
      ['cluster 3', 70, 0, 20, 50],
    ]);
    expect(instances.map(({ color }) => color)).toEqual(['#d23c3c', '#3cc83c', '#3c3cd2']);
  });

  it('says the same whatever the seed, under noise too, and every pixel belongs to one cluster', () => {
    const picture = pictureOf(drawn(90, 50, 25, bands));
    const answers = [1, 2, 77].map((seed) => segmenter.segment(picture, parsed({ ...question, parameters: { k: 3, seed } }), go));
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
    const pieces = segmenter.segment(picture, parsed({ method: 'kmeans', parameters: { k: 2, regions: 'pieces' } }), go);
    expect(pieces.instances.map(({ label }) => label)).toEqual(['cluster 1', 'cluster 2', 'cluster 2']);
    const foreground = segmenter.segment(picture, parsed({ method: 'kmeans', parameters: { k: 7, regions: 'foreground' } }), go);
    expect(foreground.instances.map(({ label }) => label)).toEqual(['foreground']);
    expect(
      iou(
        maskOf(foreground),
        Uint8Array.from({ length: 6000 }, (_, i) => (twoDots.data[i * 3] === 220 ? 1 : 0)),
      ),
    ).toBe(1);
    const byPlace = segmenter.segment(picture, parsed({ method: 'kmeans', parameters: { k: 2, position: 1, smallest: 0.05 } }), go);
    const flat = pictureOf(drawn(100, 40, 0, () => [90, 90, 90]));
    expect(
      segmenter.segment(flat, parsed({ method: 'kmeans', parameters: { k: 2, position: 1 } }), go).instances.map(({ box }) => box[2]),
    ).toEqual([50, 50]);
    expect(byPlace.instances).toHaveLength(2);
  });

  it('bears a picture of fewer colours than clusters', () => {
    const { instances } = segmenter.segment(pictureOf(drawn(30, 30, 0, () => [9, 9, 9])), parsed(question), go);
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
      const answer = segmenter.segment(picture, parsed({ method: 'grabcut', box: loose(object.mask, 480, 360) }), go);
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
    const both = maskOf(segmenter.segment(picture, parsed({ method: 'grabcut', box }), go));
    expect([both[50 * 160 + 48], both[50 * 160 + 112]]).toEqual([1, 1]);
    const strokes = [{ points: [97, 32, 128, 32, 128, 68, 97, 68, 97, 50, 128, 50], width: 24, mark: 0 }];
    const one = maskOf(segmenter.segment(picture, parsed({ method: 'grabcut', box, strokes }), go));
    expect([one[50 * 160 + 48], one[50 * 160 + 112]]).toEqual([1, 0]);
  });

  it('names what is missing', () => {
    const picture = pictureOf(drawn(40, 30, 0, () => [1, 2, 3]));
    expect(() => segmenter.segment(picture, parsed({ method: 'grabcut', box: [0, 0, 40, 30] }), go)).toThrow(/see background/);
    expect(() => segmenter.segment(picture, parsed({ method: 'grabcut', box: null }), go)).toThrow(/box around the object/);
    expect(() => segmenter.segment(picture, parsed({ method: 'grabcut', box: [50, 50, 10, 10] }), go)).toThrow(/outside/);
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
      go,
    );
    expect(answer.instances.map(({ mark, box }) => [mark, ...box])).toEqual([
      [1, 0, 0, 40, 50],
      [2, 40, 0, 30, 50],
    ]);
  });

  it('needs two marks', () => {
    const one = parsed({ method: 'watershed', strokes: strokes.slice(0, 1) });
    expect(() => segmenter.segment(pictureOf(drawn(90, 50, 0, bands)), one, go)).toThrow(/two marks/);
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

describe('intelligent scissors', () => {
  it('follow the same edge as OpenCV’s own tool', () => {
    const image = drawn(120, 100, 12, (x, y) => (Math.hypot(x - 60, y - 50) < 35 ? [190, 150, 90] : [70, 90, 120]));
    const off = (x: number, y: number): number => Math.abs(Math.hypot(x - 60, y - 50) - 35);
    const { points } = createScissors(cv)(pictureOf(image), [25, 50], [60, 15], 4, go);
    const theirs = opencvPath(image, 25, 50, 60, 15);
    expect(theirs.length).toBeGreaterThan(30);
    for (const [x, y] of theirs) expect(off(x, y)).toBeLessThanOrEqual(2);
    for (let i = 0; i < points.length; i += 2) expect(off(points[i]! - 0.5, points[i + 1]! - 0.5)).toBeLessThanOrEqual(1.5);
    expect(Math.abs(points.length / 2 - theirs.length)).toBeLessThan(8);
  });

  it('decide the way again at full size on a large image', () => {
    const image = drawn(2400, 1600, 6, (x, y) => (Math.hypot(x - 1200, y - 800) < 600 ? [190, 150, 90] : [70, 90, 120]));
    const picture = pictureOf(image);
    const { points, stepPx } = createScissors(cv)(picture, [602, 800], [1200, 198], 6, go);
    expect(stepPx).toBe(1);
    let worst = 0;
    for (let i = 0; i < points.length; i += 2)
      worst = Math.max(worst, Math.abs(Math.hypot(points[i]! - 1200.5, points[i + 1]! - 800.5) - 600));
    expect(worst).toBeLessThanOrEqual(1.5);
    for (let i = 2; i < points.length; i += 2) {
      expect(Math.max(Math.abs(points[i]! - points[i - 2]!), Math.abs(points[i + 1]! - points[i - 1]!))).toBe(1);
    }
  });

  it('see edges between colours of one brightness', () => {
    const image = drawn(60, 40, 0, (x) => (x < 30 ? [200, 60, 60] : [60, 131, 60]));
    const { edge } = edgeFeatures(cv, image);
    for (let y = 2; y < 38; y++) expect([...edge.subarray(y * 60 + 28, y * 60 + 32)]).toContain(1);
    expect(sum(edge)).toBeLessThan(60);
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
      const answer = segmenter.segment(picture, parsed(question), go);
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
    expect(() => segmenter.segment(picture, parsed({ method: 'mean-shift' }), pause)).toThrow('given up');
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

/** The way of OpenCV's own tool, pixel by pixel. */
function opencvPath(image: Rgb, fromX: number, fromY: number, toX: number, toY: number): [number, number][] {
  return scoped((keep) => {
    const picture = keep(new cv.Mat(image.height, image.width, cv.CV_8UC3));
    picture.data.set(image.data);
    const tool = keep(new cv.segmentation_IntelligentScissorsMB());
    tool.setEdgeFeatureCannyParameters(32, 100, 3, false);
    tool.applyImage(picture);
    tool.buildMap(new cv.Point(fromX, fromY));
    const contour = keep(new cv.Mat());
    tool.getContour(new cv.Point(toX, toY), contour);
    return Array.from({ length: contour.rows }, (_, i) => [contour.data32S[i * 2]!, contour.data32S[i * 2 + 1]!]);
  });
}

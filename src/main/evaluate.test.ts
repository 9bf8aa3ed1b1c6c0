import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { NO_INFERENCE } from '../../test/no-inference.ts';
import { sharedHas, sharedPath } from '../../test/shared-data.ts';
import { evaluationLines } from './evaluate.ts';
import { evaluateModel } from './evaluate-model.ts';
import { evaluateCocoFiles } from './evaluation/coco-files.ts';
import type { Inference, Prediction } from './inference/inference.ts';
import { AppError } from '../shared/errors.ts';
import { encodeRle } from '../shared/mask/rle.ts';

const folder = mkdtempSync(join(tmpdir(), 'maskloop-evaluate-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, value: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(value));
  return path;
}

const square = (x: number): number[] => [x, 2, x + 4, 2, x + 4, 6, x, 6];
const TRUTH = {
  images: [{ id: 1, file_name: 'a/one.png', width: 20, height: 10 }],
  categories: [{ id: 5, name: 'cup' }],
  annotations: [
    { id: 11, image_id: 1, category_id: 5, area: 16, bbox: [2, 2, 4, 4], iscrowd: 0, segmentation: [square(2)] },
    { id: 12, image_id: 1, category_id: 5, area: 16, bbox: [12, 2, 4, 4], iscrowd: 0, segmentation: [square(12)] },
  ],
};

describe('evaluateCocoFiles', () => {
  it('finds half of two squares', async () => {
    const results = [{ image_id: 1, category_id: 5, score: 0.9, segmentation: [square(2)] }];
    const { segm: evaluation } = await evaluateCocoFiles(file('truth.json', TRUTH), file('results.json', results));
    if (!evaluation) throw new Error('every annotation has a mask');
    // Precision is 1 up to recall 0.5: 51 of the 101 recall points.
    expect(evaluation.figures.AP).toBeCloseTo(51 / 101, 12);
    expect(evaluation.figures.AR100).toBe(0.5);
    const lines = evaluationLines(evaluation);
    expect(lines).toHaveLength(15);
    expect(lines[1]).toMatch(/^ AP +0\.505 +Average Precision IoU=0\.50:0\.95 area=all +maxDets=100$/);
    expect(lines[14]).toMatch(/^ cup +0\.505 +0\.505 +2$/);
  });

  it.each([
    ['a key of the wrong kind', { annotations: [{ ...TRUTH.annotations[0], area: 'big' }] }, /annotation 11: "area"/],
    ['a missing key', { annotations: [{ id: 12, image_id: 1, category_id: 5, area: 1 }] }, /annotation 12: "bbox"/],
    ['an id twice', { annotations: [TRUTH.annotations[0], TRUTH.annotations[0]] }, /annotation 11 is there twice/],
    ['an unknown image', { annotations: [{ ...TRUTH.annotations[0], image_id: 9 }] }, /annotation 11: there is no image 9/],
    ['an unknown category', { annotations: [{ ...TRUTH.annotations[0], category_id: 9 }] }, /annotation 11: there is no category 9/],
    ['no images', { images: undefined }, /no "images"/],
  ])('refuses a truth with %s, by name', async (_, change, message) => {
    const path = file('bad.json', { ...TRUTH, ...change });
    await expect(evaluateCocoFiles(path, file('none.json', []))).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(message) as string,
    });
  });

  it('refuses results that are not what they should be, by place', async () => {
    const path = file('truth.json', TRUTH);
    await expect(evaluateCocoFiles(path, file('bad.json', { not: 'an array' }))).rejects.toMatchObject({ code: 'invalid' });
    const results = [
      { image_id: 1, category_id: 5, score: 1, bbox: [0, 0, 1, 1] },
      { image_id: 1, category_id: 5, bbox: [0, 0, 1, 1] },
    ];
    await expect(evaluateCocoFiles(path, file('bad.json', results))).rejects.toMatchObject({
      message: expect.stringContaining('detection number 1: "score"') as string,
    });
    await expect(evaluateCocoFiles(path, join(folder, 'missing.json'))).rejects.toMatchObject({ code: 'io' });
  });
});

interface GoldenFigures {
  readonly stats: Readonly<Record<string, number>>;
  readonly perCategoryAP: Readonly<Record<string, number>>;
}

describe.each([
  ['coco-tiny-val', 'coco-tiny/annotations/instances_val2017.json'],
  ['nuclei', 'nuclei/instances.json'],
])('against pycocotools: %s', (golden, truth) => {
  it.skipIf(!sharedHas(`golden/${golden}`) || !sharedHas(`data/coco/${truth}`)).each(['segm', 'bbox'] as const)(
    'has its figures, %s',
    async (kind) => {
      const expected = (
        JSON.parse(readFileSync(sharedPath(`golden/${golden}/evaluation.json`), 'utf8')) as Record<typeof kind, GoldenFigures>
      )[kind];
      const found = (await evaluateCocoFiles(sharedPath(`data/coco/${truth}`), sharedPath(`golden/${golden}/detections.json`)))[kind];
      if (!found) throw new Error('every annotation has a mask');
      const figures: Readonly<Record<string, number>> = { ...found.figures };
      for (const [name, value] of Object.entries(expected.stats)) expect(figures[name], name).toBeCloseTo(value, 9);
      for (const [id, value] of Object.entries(expected.perCategoryAP)) {
        expect(found.categories.find((category) => category.categoryId === Number(id))?.AP, `category ${id}`).toBeCloseTo(value, 9);
      }
    },
  );
});

describe('evaluateModel', () => {
  const data = new Uint8Array(200);
  for (let y = 2; y < 6; y++) data.fill(1, y * 20 + 2, y * 20 + 6);
  const found: Prediction = {
    modelId: 'm',
    modelVersion: '2',
    width: 20,
    height: 10,
    provider: 'cpu',
    instances: [
      { label: 'cup', score: 0.8, box: [2, 2, 4, 4], rle: encodeRle({ width: 20, height: 10, data }) },
      { label: 'spoon', score: 0.9, box: [2, 2, 4, 4], rle: encodeRle({ width: 20, height: 10, data }) },
    ],
    decodeMs: 1,
    prepareMs: 1,
    runMs: 10,
    finishMs: 1,
    totalMs: 13,
  };
  /** The port as the engine answers it; the engine itself has tests of its own. */
  const port = (predict: Inference['predict'], labels = ['cup', 'spoon']): Inference => ({
    ...NO_INFERENCE,
    models: () =>
      Promise.resolve([
        {
          id: 'm',
          name: 'M',
          version: '2',
          family: 'mask-rcnn',
          variant: null,
          labels,
          license: 'MIT',
          bytes: 1,
          minScore: 0.5,
          problem: null,
          state: 'ready',
          origin: 'bundled',
          about: '',
          permissive: true,
          neverRun: false,
          sources: [],
        },
      ]),
    predict,
  });
  const options = { imageFolder: folder, modelId: 'm' };

  it('matches classes by name and counts what it finds', async () => {
    const asked: string[] = [];
    const inference = port((request) => {
      asked.push(request.path);
      return Promise.resolve(found);
    });
    const evaluation = await evaluateModel(inference, { ...options, truthPath: file('truth.json', TRUTH) });
    expect(asked).toEqual([join(folder, 'a', 'one.png')]);
    expect(evaluation).toMatchObject({ modelVersion: '2', provider: 'cpu', meanRunMs: 10, meanTotalMs: 13, failures: [] });
    expect(evaluation.results.map((result) => result.category_id)).toEqual([5]);
    expect(evaluation.segm.figures.AP).toBeCloseTo(51 / 101, 12);
    expect(evaluation.bbox.figures.AP).toBeCloseTo(51 / 101, 12);
  });

  it('goes on past an image that cannot be decoded, and counts its truths as missed', async () => {
    const truth = { ...TRUTH, images: [...TRUTH.images, { id: 2, file_name: 'broken.jpg', width: 20, height: 10 }] };
    const inference = port((request) =>
      request.path.endsWith('broken.jpg') ? Promise.reject(new AppError('unsupported', 'not a JPEG')) : Promise.resolve(found),
    );
    const evaluation = await evaluateModel(inference, { ...options, truthPath: file('two.json', truth) });
    expect(evaluation.failures).toEqual([{ path: 'broken.jpg', reason: 'not a JPEG' }]);
    expect(evaluation.segm.images).toBe(2);
  });

  it('refuses what would give a wrong figure', async () => {
    const inference = port(() => Promise.resolve({ ...found, width: 21 }));
    const truthPath = file('truth.json', TRUTH);
    await expect(evaluateModel(inference, { ...options, truthPath })).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('21×10') as string,
    });
    await expect(
      evaluateModel(
        port(() => Promise.resolve(found), ['dog']),
        { ...options, truthPath },
      ),
    ).rejects.toMatchObject({ code: 'invalid' });
    await expect(evaluateModel(inference, { ...options, modelId: 'other', truthPath })).rejects.toMatchObject({ code: 'not-found' });
    const twice = file('twice.json', {
      ...TRUTH,
      categories: [
        { id: 5, name: 'cup' },
        { id: 6, name: 'cup' },
      ],
    });
    await expect(evaluateModel(inference, { ...options, truthPath: twice })).rejects.toMatchObject({
      message: expect.stringContaining('"cup" is category 5 and category 6') as string,
    });
    const out = file('out.json', { ...TRUTH, images: [{ id: 1, file_name: '../secret.png', width: 20, height: 10 }] });
    await expect(evaluateModel(inference, { ...options, truthPath: out })).rejects.toMatchObject({
      message: expect.stringContaining('leads out') as string,
    });
  });
});

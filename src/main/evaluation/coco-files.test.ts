import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { evaluateCoco } from '../../shared/evaluate/coco.ts';
import type { CocoDataset, CocoDetection } from '../../shared/evaluate/dataset.ts';
import { rleFromPolygons, rleToCounts } from '../../shared/mask/rle.ts';
import { seededRandom } from '../../shared/scenes/random.ts';
import { evaluateCocoFiles } from './coco-files.ts';
import { readResults } from './results-rows.ts';
import type { SpooledObject } from './spool.ts';
import { createSpool } from './spool.ts';

const folder = mkdtempSync(join(tmpdir(), 'maskloop-coco-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, value: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
}

const square = (x: number): number[] => [x, 2, x + 4, 2, x + 4, 6, x, 6];
const TRUTH = {
  images: [{ id: 1, file_name: 'one.png', width: 20, height: 10 }],
  categories: [{ id: 5, name: 'cup' }],
  annotations: [{ id: 11, image_id: 1, category_id: 5, area: 16, bbox: [2, 2, 4, 4], iscrowd: 0, segmentation: [square(2)] }],
};
const RESULTS = [{ image_id: 1, category_id: 5, score: 0.9, bbox: [2, 2, 4, 4], segmentation: [square(2)] }];

/** A dataset of many images with results that are partly right, all from one seed. */
function generated(seed: number): { truth: CocoDataset; results: CocoDetection[] } {
  const random = seededRandom(seed);
  const images = Array.from({ length: 40 }, (_, i) => ({ id: 1000 - 7 * i, file_name: `${i}.png`, width: 60, height: 50 }));
  const categories = [3, 1, 8].map((id) => ({ id, name: `class ${id}` }));
  const annotations: CocoDataset['annotations'][number][] = [];
  const results: CocoDetection[] = [];
  for (const image of images) {
    for (let i = random.integer(0, 5); i > 0; i--) {
      const [x, y, w, h] = [random.integer(0, 40), random.integer(0, 35), random.integer(3, 20), random.integer(3, 15)];
      const ring = [x, y, x + w, y, x + w, y + h, x, y + h];
      const rle = rleFromPolygons([ring], [image.height, image.width]);
      const form = random.integer(0, 2);
      annotations.push({
        id: annotations.length + 1,
        image_id: image.id,
        category_id: categories[random.integer(0, 2)]?.id ?? 1,
        area: w * h * random.range(0.5, 80),
        bbox: [x, y, w, h],
        iscrowd: random.chance(0.1) ? 1 : 0,
        segmentation: form === 0 ? [ring] : form === 1 ? rle : { size: rle.size, counts: [...rleToCounts(rle)] },
      });
      for (let j = random.integer(0, 3); j > 0; j--) {
        const dx = random.integer(-2, 2);
        const moved = [x + dx, y, x + dx + w, y, x + dx + w, y + h, x + dx, y + h];
        const score = random.integer(0, 10) / 10;
        const category = categories[random.chance(0.8) ? 0 : random.integer(0, 2)]?.id ?? 1;
        const segmentation = rleFromPolygons([moved], [image.height, image.width]);
        results.push({ image_id: image.id, category_id: category, score, bbox: [x + dx, y, w, h], segmentation });
      }
    }
  }
  return { truth: { images, categories, annotations }, results };
}

it('gives the figures that the same data have in memory, whatever the order of the files', async () => {
  for (let seed = 0; seed < 4; seed++) {
    const { truth, results } = generated(seed);
    // Annotations before the images that they need; results as some tools indent them.
    const truthPath = file(`truth-${seed}.json`, {
      annotations: truth.annotations,
      info: { note: '"annotations":[' },
      categories: truth.categories,
      images: truth.images,
    });
    const found = await evaluateCocoFiles(truthPath, file(`results-${seed}.json`, JSON.stringify(results, null, 2)));
    for (const kind of ['bbox', 'segm'] as const) expect(found[kind], `seed ${seed}`).toEqual(evaluateCoco(truth, results, kind));
  }
});

it('takes files as they are found: string ids, a crowd as a boolean, no area, no box, no iscrowd', async () => {
  const { area: _area, bbox: _bbox, iscrowd: _crowd, ...bare } = TRUTH.annotations[0]!;
  const odd = {
    images: [{ ...TRUTH.images[0], id: '1' }],
    categories: [{ id: '5', name: 'cup' }],
    annotations: [
      { ...bare, id: '11', image_id: '1', category_id: '5' },
      { ...bare, id: 12, iscrowd: true, segmentation: [square(12), [1, 1, 2, 2]] },
    ],
  };
  const { bbox, segm } = await evaluateCocoFiles(file('odd.json', odd), file('results.json', RESULTS));
  expect(bbox.figures.AP).toBeCloseTo(1, 12);
  expect(segm?.figures.AP).toBeCloseTo(1, 12);
  expect(segm?.categories[0]?.truths).toBe(1);
});

it('has no figures by masks where a truth has none, and says so', async () => {
  const boxes = { ...TRUTH, annotations: TRUTH.annotations.map((annotation) => ({ ...annotation, segmentation: [] })) };
  const { bbox, segm, notes } = await evaluateCocoFiles(file('boxes.json', boxes), file('results.json', RESULTS));
  expect(bbox.figures.AP).toBeCloseTo(1, 12);
  expect(segm).toBeNull();
  expect(notes.join(' ')).toContain('1 of 1 annotations');
});

it.each([
  ['a score that is no number', [{ ...RESULTS[0], score: 'high' }], /detection number 0: "score"/],
  ['an unknown image', [{ ...RESULTS[0], image_id: 9 }], /detection number 0: there is no image 9/],
  ['a box of three numbers', [{ ...RESULTS[0], bbox: [1, 2, 3] }], /detection number 0: "bbox"/],
  ['a box in the first and none later', [RESULTS[0], { ...RESULTS[0], bbox: null }], /detection number 1: "bbox" is missing/],
  ['counts that do not fit', [{ ...RESULTS[0], segmentation: { size: [10, 20], counts: '4' } }], /image 1: .* cover 4 pixels/],
  ['a mask of another size', [{ ...RESULTS[0], segmentation: { size: [4, 4], counts: [16] } }], /4×4 and 20×10 pixels/],
  ['no array', { results: [] }, /expected an array/],
  ['a cut', JSON.stringify(RESULTS).slice(0, -9), /ends early|not JSON/],
  ['a comma too many', '[{"image_id":1,},]', /not JSON|missing/],
])('refuses results with %s, by name', async (_, results, message) => {
  await expect(evaluateCocoFiles(file('truth.json', TRUTH), file('bad.json', results))).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringMatching(message) as string,
  });
});

it('compares boxes only where only they are asked for, with the same figures', async () => {
  const { truth, results } = generated(3);
  const [truthFile, resultsFile] = [file('boxes-truth.json', truth), file('boxes-results.json', results)];
  const whole = await evaluateCocoFiles(truthFile, resultsFile);
  const boxes = await evaluateCocoFiles(truthFile, resultsFile, { boxesOnly: true });
  expect(whole.segm).not.toBeNull();
  expect(boxes).toEqual({ ...whole, segm: null });
  // A mask is still measured where the file leaves that to the reader.
  const bare = { ...truth, annotations: truth.annotations.map(({ area: _area, bbox: _box, ...rest }) => rest) };
  const measured = await evaluateCocoFiles(file('bare-truth.json', bare), resultsFile);
  expect((await evaluateCocoFiles(file('bare-truth.json', bare), resultsFile, { boxesOnly: true })).bbox).toEqual(measured.bbox);
});

it('is cancelled while it reads', async () => {
  const signal = AbortSignal.abort();
  await expect(evaluateCocoFiles(file('truth.json', TRUTH), file('results.json', RESULTS), { signal })).rejects.toMatchObject({
    code: 'cancelled',
  });
});

it('hears while it compares that it is cancelled', async () => {
  const images = Array.from({ length: 8000 }, (_, i) => ({ ...TRUTH.images[0], id: i + 1 }));
  const annotations = images.map(({ id }) => ({ ...TRUTH.annotations[0], id, image_id: id }));
  const results = images.map(({ id }) => ({ ...RESULTS[0], image_id: id }));
  const abort = new AbortController();
  let compared = 0;
  const onProgress = (stage: string, done: number): void => {
    if (stage !== 'comparing') return;
    if (compared === 0) setImmediate(() => abort.abort());
    compared = done;
  };
  const paths = [file('many.json', { ...TRUTH, images, annotations }), file('many-results.json', results)] as const;
  await expect(evaluateCocoFiles(...paths, { signal: abort.signal, onProgress })).rejects.toMatchObject({ code: 'cancelled' });
  expect(compared > 0 && compared < images.length).toBe(true);
});

it('reads an empty list of results: nothing was found', async () => {
  const rows: unknown[] = [];
  await readResults(file('none.json', ' \n[ ]\n'), (row) => rows.push(row));
  expect(rows).toEqual([]);
  const { bbox } = await evaluateCocoFiles(file('truth.json', TRUTH), file('none.json', '[]'));
  expect(bbox.figures).toMatchObject({ AP: 0, AR100: 0, APlarge: -1 });
});

it('takes every object up again from its heap, in order, also from the disk', () => {
  const random = seededRandom(5);
  const spool = createSpool(200 << 20);
  const put: SpooledObject[] = [];
  try {
    expect(spool.heaps).toBeGreaterThan(4);
    for (let place = 0; place < 3000; place++) {
      const object: SpooledObject = {
        kind: random.chance(0.5) ? 'truth' : 'detection',
        image: random.integer(0, 50),
        category: random.integer(0, 4_000_000_000),
        place,
        crowd: random.chance(0.3),
        counts: random.chance(0.9),
        score: random.next(),
        area: random.range(0, 1e9),
        box: [random.next(), -random.next(), 1 / 3, 1e-300],
        // So large that not all of them are held.
        rle: random.chance(0.2) ? null : { size: [random.integer(1, 4e9), 7], counts: 'mask'.repeat(random.integer(0, 16_000)) },
      };
      put.push(object);
      spool.put(object);
    }
    for (let heap = 0; heap < spool.heaps; heap++) {
      expect(spool.take(heap)).toEqual(put.filter(({ image }) => image % spool.heaps === heap));
      expect(spool.take(heap)).toEqual([]);
    }
  } finally {
    spool.close();
  }
});

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { adding, annotation, rectangle, seed, temporaryFolder } from '../../test/store-fixtures.ts';
import { readCocoResults } from './formats/coco-reader.ts';
import { writeResults } from './results.ts';
import type { Store } from './store/store.ts';
import { openStore } from './store/store.ts';

const folder = temporaryFolder();
let files = 0;
const open = (): Store => openStore(join(folder, `results-${++files}.db`));

it('writes everything that a run proposed, with the names that match it to any truth', async () => {
  const store = open();
  const { imageIds, labelId } = seed(store);
  const [a = 0, b = 0] = imageIds;
  // The first suggestion repeats this instance: it is not asked about, but it was proposed.
  store.documents.apply(a, 0, adding(annotation('there', labelId, { geometry: { kind: 'mask', rle: rectangle(2, 3, 10, 5) } })));
  const run = store.runs.start('model', '1', [a, b]);
  const made = (
    score: number,
  ): { labelId: number; score: number; box: [number, number, number, number]; rle: ReturnType<typeof rectangle> } => ({
    labelId,
    score,
    box: [2, 3, 10.25, 5],
    rle: rectangle(2, 3, 10, 5),
  });
  store.runs.finishImage(run.id, a, [made(0.25), made(0.75)]);
  store.runs.finishImage(run.id, b, [made(0.5)]);
  expect(store.documents.load(a).suggestions).toEqual([]);

  const file = join(folder, 'results.json');
  expect(await writeResults(store, run.id, file)).toEqual({ file, images: 2, results: 3 });
  const name = (id: number): string => store.images.get(id).path;
  const result = (id: number, score: number): object => ({
    image_id: id,
    category_id: labelId,
    segmentation: rectangle(2, 3, 10, 5),
    score,
    bbox: [2, 3, 10.25, 5],
    file_name: name(id),
    category_name: store.labels.list()[0]?.name,
  });
  const written = JSON.parse(readFileSync(file, 'utf8')) as { image_id: number }[];
  expect(written.filter((one) => one.image_id === a)).toEqual([result(a, 0.75), result(a, 0.25)]);
  expect(written.filter((one) => one.image_id === b)).toEqual([result(b, 0.5)]);
  expect((await readCocoResults(file)).map(({ score }) => score).sort()).toEqual([0.25, 0.5, 0.75]);
});

it('writes an empty array of a run that found nothing, and over an older file', async () => {
  const store = open();
  const { imageIds } = seed(store);
  const run = store.runs.start('model', '1', imageIds);
  for (const id of imageIds) store.runs.finishImage(run.id, id, []);
  const file = join(folder, 'results.json');
  expect(await writeResults(store, run.id, file)).toEqual({ file, images: imageIds.length, results: 0 });
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual([]);
});

it('names the file that cannot be written and leaves nothing of it', async () => {
  const store = open();
  const { imageIds } = seed(store);
  const run = store.runs.start('model', '1', imageIds);
  const before = readdirSync(folder);
  await expect(writeResults(store, run.id, join(folder, 'nowhere', 'results.json'))).rejects.toMatchObject({
    code: 'io',
    message: expect.stringMatching(/nowhere.results\.json cannot be written/) as string,
  });
  await expect(writeResults(store, run.id + 1, join(folder, 'none.json'))).rejects.toMatchObject({ code: 'not-found' });
  // A folder cannot take the file's name.
  await expect(writeResults(store, run.id, folder)).rejects.toMatchObject({ code: 'io' });
  expect(readdirSync(folder)).toEqual(before);
});

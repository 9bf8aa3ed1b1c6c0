import { join } from 'node:path';
import { expect, it } from 'vitest';
import { adding, annotation, rectangle, seed, temporaryFolder } from '../../../test/store-fixtures.ts';
import { openStore } from './store.ts';

const folder = temporaryFolder();

it('keeps what classifiers proposed apart from what a person said', () => {
  const store = openStore(join(folder, 'tags.db'));
  const { imageIds, labelId: mug } = seed(store);
  const [imageId = 0, other = 0] = imageIds;
  const cup = store.labels.create('cup', null).id;
  const first = store.runs.start('classifier', '1', [imageId]);
  store.runs.finishImage(first.id, imageId, null);
  store.tags.propose(first.id, imageId, [
    { labelId: mug, score: 0.7 },
    { labelId: cup, score: 0.2 },
  ]);
  expect(store.tags.of(imageId)).toEqual([
    { labelId: mug, score: 0.7, state: null },
    { labelId: cup, score: 0.2, state: null },
  ]);
  store.tags.set(imageId, cup, 'accepted');
  store.tags.set(imageId, mug, 'rejected');

  const second = store.runs.start('classifier', '2', [imageId]);
  store.tags.propose(second.id, imageId, [{ labelId: mug, score: 0.9 }]);
  expect(store.tags.of(imageId)).toEqual([
    { labelId: cup, score: null, state: 'accepted' },
    { labelId: mug, score: 0.9, state: 'rejected' },
  ]);
  store.tags.set(imageId, cup, null);
  store.tags.set(imageId, mug, null);
  expect(store.tags.of(imageId)).toEqual([{ labelId: mug, score: 0.9, state: null }]);
  expect(store.tags.of(other)).toEqual([]);
  expect(() => store.tags.set(imageId, 99, 'accepted')).toThrow('There is no class 99.');
  expect(() => store.tags.of(77)).toThrow('There is no image 77 in this project.');
  store.close();
});

it('leaves the instances that another model proposed in view', () => {
  const store = openStore(join(folder, 'view.db'));
  const { imageIds, labelId } = seed(store);
  const [imageId = 0] = imageIds;
  const found = store.runs.start('detector', '1', [imageId]);
  store.runs.finishImage(found.id, imageId, [{ labelId, score: 0.8, box: [2, 3, 10, 5], rle: rectangle(2, 3, 10, 5) }]);
  const tagged = store.runs.start('classifier', '1', [imageId]);
  store.runs.finishImage(tagged.id, imageId, null);
  expect(store.documents.load(imageId).suggestions).toHaveLength(1);
  expect(store.runs.get(tagged.id)).toMatchObject({ finished: 1, suggestions: 0 });
  store.close();
});

it('counts instances and open suggestions by image and class', () => {
  const store = openStore(join(folder, 'counts.db'));
  const { imageIds, labelId: mug } = seed(store, 3);
  const [a = 0, b = 0] = imageIds;
  const cup = store.labels.create('cup', null).id;
  store.documents.apply(a, 0, adding(annotation('1', mug), annotation('2', mug), annotation('3', cup)));
  const run = store.runs.start('model', '1', [a, b]);
  const proposal = (
    labelId: number,
    score: number,
    x: number,
  ): { labelId: number; score: number; box: [number, number, number, number]; rle: ReturnType<typeof rectangle> } => ({
    labelId,
    score,
    box: [x, 3, 5, 5],
    rle: rectangle(x, 3, 5, 5),
  });
  store.runs.finishImage(run.id, b, [proposal(mug, 0.9, 2), proposal(mug, 0.4, 12), proposal(cup, 0.6, 22)]);
  expect(store.counts.byImage(0.5)).toEqual([
    { imageId: a, labelId: mug, annotations: 2, suggestions: 0 },
    { imageId: a, labelId: cup, annotations: 1, suggestions: 0 },
    { imageId: b, labelId: mug, annotations: 0, suggestions: 1 },
    { imageId: b, labelId: cup, annotations: 0, suggestions: 1 },
  ]);
  expect(store.counts.byImage(0).find((count) => count.imageId === b && count.labelId === mug)?.suggestions).toBe(2);
  store.close();
});

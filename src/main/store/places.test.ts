import { join } from 'node:path';
import { expect, it } from 'vitest';
import { rectangle, scanned, temporaryFolder } from '../../../test/store-fixtures.ts';
import { EMPTY_DIFF } from '../../shared/diff.ts';
import type { ListFilter } from './images.ts';
import { openStore } from './store.ts';

const folder = temporaryFolder();
const ALL: ListFilter = { search: '', states: [] };

it('finds the place of an image in the list as it is filtered', () => {
  const store = openStore(join(folder, 'place.db'));
  const ids = store.images.add(['img10.jpg', 'img2.jpg', 'other/img1.jpg', 'img1.jpg'].map((path) => scanned(path)));
  const [ten = 0, two = 0, other = 0, one = 0] = ids;
  const rows = store.images.page({ ...ALL, offset: 0, limit: 10 }).rows.map((row) => row.id);
  for (const id of ids) expect(store.images.place(id, ALL)).toBe(rows.indexOf(id));
  expect([one, two, ten].map((id) => store.images.place(id, { search: 'img1', states: [] }))).toEqual([0, null, 1]);
  store.images.setState([two], 'done');
  expect([one, two, ten, other].map((id) => store.images.place(id, { search: '', states: ['done'] }))).toEqual([null, 0, null, null]);
  expect(() => store.images.place(99, ALL)).toThrow(expect.objectContaining({ code: 'not-found' }));
  store.close();
});

it('goes to the next image with suggestions to decide on, both ways and within the filter', () => {
  const store = openStore(join(folder, 'pending.db'));
  const ids = store.images.add(['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg'].map((path) => scanned(path)));
  const [, b = 0, , d = 0] = ids;
  const labelId = store.labels.create('mug', null).id;
  const run = store.runs.start('model', '1', [b, d]);
  for (const id of [b, d]) store.runs.finishImage(run.id, id, [{ labelId, score: 0.9, box: [2, 3, 10, 5], rle: rectangle(2, 3, 10, 5) }]);

  const found = (from: number, step: 1 | -1, filter = ALL): readonly (number | undefined)[] => {
    const next = store.images.nextPending(from, step, filter);
    return [next?.index, next?.row.id];
  };
  expect(found(-1, 1)).toEqual([1, b]);
  expect(found(1, 1)).toEqual([3, d]);
  expect(found(3, 1)).toEqual([undefined, undefined]);
  expect(found(4, -1)).toEqual([3, d]);
  expect(found(3, -1)).toEqual([1, b]);
  expect(found(1, -1)).toEqual([undefined, undefined]);
  expect(found(-1, 1, { search: 'd', states: [] })).toEqual([0, d]);

  expect(found(-1, 1, { ...ALL, minScore: 0.95 })).toEqual([undefined, undefined]);
  expect(store.images.page({ ...ALL, minScore: 0.95, offset: 0, limit: 4 }).rows.map((row) => row.pending)).toEqual([0, 0, 0, 0]);
  expect(store.images.page({ ...ALL, minScore: 0.9, offset: 0, limit: 4 }).rows.map((row) => row.pending)).toEqual([0, 1, 0, 1]);
  store.images.setState([d], 'done');
  expect(found(1, 1)).toEqual([undefined, undefined]);
  store.images.setState([d], 'in-progress');

  const [suggestion] = store.documents.load(b).suggestions;
  store.documents.apply(b, 0, { ...EMPTY_DIFF, decided: [{ suggestionId: suggestion?.id ?? 0, from: null, to: 'rejected' }] });
  expect(found(-1, 1)).toEqual([3, d]);
  store.close();
});

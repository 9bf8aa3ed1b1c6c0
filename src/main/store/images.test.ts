import { join } from 'node:path';
import { expect, it } from 'vitest';
import { adding, annotation, containing, rectangle, scanned, seed, temporaryFolder } from '../../../test/store-fixtures.ts';
import { MISSING_REASON } from './images.ts';
import type { Store } from './store.ts';
import { openStore } from './store.ts';

const folder = temporaryFolder();
let files = 0;
const open = (): Store => openStore(join(folder, `images-${++files}.db`));
const ALL = { search: '', states: [] } as const;

it('lists in natural order, folder by folder, and pages, searches and filters', () => {
  const store = open();
  const names = ['img10.jpg', 'IMG2.jpg', 'b/1.jpg', 'a/2.jpg', 'img1.jpg', 'Über/ÄRGER 3.png', 'img002.jpg', 'a/10.jpg', 'a b/1.jpg'];
  store.images.add(names.map((name) => scanned(name)));
  const list = (offset: number, limit: number, search = ''): string[] =>
    store.images.page({ offset, limit, search, states: [] }).rows.map((r) => r.path);
  const order = ['a/2.jpg', 'a/10.jpg', 'a b/1.jpg', 'b/1.jpg', 'img1.jpg', 'IMG2.jpg', 'img002.jpg', 'img10.jpg', 'Über/ÄRGER 3.png'];
  expect(list(0, 100)).toEqual(order);
  expect(list(3, 2)).toEqual(order.slice(3, 5));
  expect(list(0, 100, 'ärger')).toEqual(['Über/ÄRGER 3.png']);
  expect(list(0, 100, '%')).toEqual([]);
  const [first = 0, second = 0] = store.images.ids(false);
  store.images.setState([first, second], 'done');
  expect(store.images.page({ offset: 0, limit: 1, search: '', states: ['done'] })).toMatchObject({ total: 2, rows: [{ path: 'a/2.jpg' }] });
  expect(store.images.page({ offset: 0, limit: 9, search: '10', states: ['done', 'skipped'] })).toMatchObject({ total: 1 });
  expect(store.images.ids(true)).toHaveLength(names.length - 2);
  expect(store.images.summary()).toEqual({ images: 9, broken: 0, done: 2, annotations: 0 });
  expect(() => store.images.setState([first, 999], 'new')).toThrow(expect.objectContaining({ code: 'not-found' }));
  expect(store.images.get(first).state).toBe('done');
  store.close();
});

it('finds an image in the filtered list, and the next one to review from anywhere', () => {
  const store = open();
  const { imageIds, labelId } = seed(store, 6);
  const [, b = 0, , d = 0, e = 0, f = 0] = imageIds;
  const run = store.runs.start('model', '1', imageIds);
  const one = { labelId, score: 0.5, box: [0, 0, 3, 3], rle: rectangle(0, 0, 3, 3) } as const;
  for (const id of imageIds) store.runs.finishImage(run.id, id, id === b || id === e ? [one] : []);
  store.images.setState([d, f], 'skipped');
  const shown = { search: '', states: ['predicted'] } as const;
  expect(store.images.place(e, ALL)).toBe(4);
  expect(store.images.place(e, shown)).toBe(3);
  expect(store.images.place(d, shown)).toBeNull();
  const next = (from: number, step: 1 | -1, filter: Parameters<Store['images']['place']>[1] = ALL): unknown => {
    const found = store.images.nextPending(from, step, filter);
    return found && [found.index, found.row.path];
  };
  expect(next(-1, 1)).toEqual([1, 'b.jpg']);
  expect(next(1, 1)).toEqual([4, 'e.jpg']);
  expect(next(4, 1)).toBeNull();
  expect(next(6, 1)).toBeNull();
  expect(next(6, -1)).toEqual([4, 'e.jpg']);
  expect(next(4, -1)).toEqual([1, 'b.jpg']);
  expect(next(1, -1)).toBeNull();
  expect(next(-1, -1)).toBeNull();
  expect(next(1, 1, shown)).toEqual([3, 'e.jpg']);
  store.close();
});

it('keeps instances whatever happens to the file, and mends when the file comes back', () => {
  const store = open();
  const { imageIds, labelId } = seed(store, 2);
  const [edited = 0, untouched = 0] = imageIds;
  store.documents.apply(edited, 0, adding(annotation('one', labelId)));
  const before = store.images.get(edited);

  store.images.refresh(edited, scanned('a.jpg', { sha256: 'other', width: 100, height: 100, modifiedMs: 2 }));
  expect(store.images.get(edited)).toMatchObject({ width: 64, height: 48, annotations: 1, error: containing('64×48') });
  store.images.refresh(edited, scanned('a.jpg', { modifiedMs: 3 }));
  expect(store.images.get(edited)).toEqual(before);

  store.images.refresh(edited, scanned('a.jpg', { sha256: 'other', width: 0, height: 0, error: 'cut off' }));
  expect(store.images.get(edited)).toMatchObject({ width: 64, error: 'cut off', annotations: 1 });
  store.images.refresh(edited, scanned('a.jpg', { sha256: 'brighter' }));
  expect(store.images.get(edited)).toMatchObject({ error: null, note: containing('changed'), sha256: 'brighter' });

  store.images.markMissing([edited]);
  expect(store.images.get(edited)).toMatchObject({ error: MISSING_REASON, annotations: 1 });
  store.images.move(edited, 'sub/a.jpg', 9);
  expect(store.images.get(edited)).toMatchObject({ path: 'sub/a.jpg', error: null, annotations: 1 });

  store.images.refresh(untouched, scanned('b.jpg', { sha256: 'other', width: 7, height: 5 }));
  expect(store.images.get(untouched)).toMatchObject({ width: 7, height: 5, error: null, note: null });
  expect(store.verify().ok).toBe(true);
  store.close();
});

it('does not show suggestions made from other pixels', () => {
  const store = open();
  const { imageIds, labelId } = seed(store, 1);
  const [imageId = 0] = imageIds;
  const run = store.runs.start('model', '1', imageIds);
  store.runs.finishImage(run.id, imageId, [{ labelId, score: 0.5, box: [0, 0, 3, 3], rle: rectangle(0, 0, 3, 3) }]);
  expect(store.images.get(imageId)).toMatchObject({ state: 'predicted', pending: 1 });
  store.images.refresh(imageId, scanned('a.jpg', { sha256: 'other' }));
  expect(store.images.get(imageId)).toMatchObject({ state: 'new', pending: 0 });
  expect(store.documents.load(imageId).suggestions).toEqual([]);
  store.close();
});

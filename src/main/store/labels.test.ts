import { join } from 'node:path';
import { expect, it } from 'vitest';
import { adding, annotation, seed, temporaryFolder } from '../../../test/store-fixtures.ts';
import { EMPTY_DIFF } from '../../shared/diff.ts';
import { classColor } from '../../shared/palette.ts';
import type { Store } from './store.ts';
import { openStore } from './store.ts';

const folder = temporaryFolder();
let files = 0;
const open = (): Store => openStore(join(folder, `labels-${++files}.db`));

it('gives colours, keys 1 to 9 and places in order, ids from 1', () => {
  const store = open();
  const { labels } = store;
  const made = Array.from({ length: 11 }, (_, i) => labels.create(`class ${i}`, null));
  expect(made.map((l) => l.id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  expect(made.map((l) => l.hotkey)).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9', null, null]);
  expect(made.map((l) => l.color)).toEqual(made.map((_, i) => classColor(i)));
  expect(made.map((l) => l.position)).toEqual(made.map((_, i) => i));
  store.close();
});

it('refuses equal names, case-sensitively, also on renaming', () => {
  const store = open();
  const { labels } = store;
  labels.create('mug', null);
  const other = labels.create('Mug', '#123456');
  expect(other.color).toBe('#123456');
  expect(() => labels.create('mug', null)).toThrow(expect.objectContaining({ code: 'conflict' }));
  expect(() => labels.update({ id: other.id, name: 'mug' })).toThrow(expect.objectContaining({ code: 'conflict' }));
  expect(labels.update({ id: other.id, name: 'Mug' }).name).toBe('Mug');
  store.close();
});

it('moves a key to the class that was given it last, and a class to its place', () => {
  const store = open();
  const { labels } = store;
  const [a, b, c] = [labels.create('a', null), labels.create('b', null), labels.create('c', null)];
  labels.update({ id: c.id, hotkey: '1' });
  expect(labels.list().map((l) => l.hotkey)).toEqual([null, '2', '1']);
  labels.update({ id: c.id, position: 0 });
  expect(labels.list().map((l) => [l.id, l.position])).toEqual([
    [c.id, 0],
    [a.id, 1],
    [b.id, 2],
  ]);
  store.close();
});

it('does not remove a class in use, never uses an id twice, and brings a class back with undo', () => {
  const store = open();
  const { imageIds, labelId } = seed(store);
  const [imageId = 0] = imageIds;
  const one = annotation('one', labelId);
  store.documents.apply(imageId, 0, adding(one));
  expect(() => store.labels.remove(labelId)).toThrow(/is used by 1 instances/);
  store.documents.apply(imageId, 1, { ...EMPTY_DIFF, removed: [one] });
  store.labels.remove(labelId);
  expect(store.labels.list()).toEqual([]);
  const next = store.labels.create('mug', null);
  expect(next.id).toBe(labelId + 1);
  expect(store.documents.undo(imageId, 2).revived).toBe(true);
  expect(store.labels.get(labelId).name).toBe('mug (2)');
  expect(store.documents.load(imageId).annotations).toEqual([one]);
  expect(store.verify().ok).toBe(true);
  store.close();
});

it('counts instances, images and undecided suggestions of the newest run', () => {
  const store = open();
  const { imageIds, labelId } = seed(store);
  const [first = 0, second = 0] = imageIds;
  store.documents.apply(first, 0, adding(annotation('one', labelId), annotation('two', labelId)));
  store.documents.apply(second, 0, adding(annotation('three', labelId)));
  expect(store.labels.counts()).toEqual([{ labelId, annotations: 3, pending: 0, images: 2 }]);
  store.close();
});

it('knows a model class by its former name, unless another has that name now', () => {
  const store = open();
  const { labels } = store;
  const id = labels.ensure(['mug']).get('mug') ?? 0;
  labels.update({ id, name: 'cup' });
  expect(labels.ensure(['mug', 'spoon'])).toEqual(
    new Map([
      ['mug', id],
      ['spoon', 2],
    ]),
  );
  labels.update({ id, name: 'Tasse' });
  expect(labels.ensure(['cup', 'mug'])).toEqual(
    new Map([
      ['cup', id],
      ['mug', id],
    ]),
  );
  const own = labels.create('mug', null);
  expect(labels.ensure(['mug']).get('mug')).toBe(own.id);
  labels.remove(own.id);
  labels.remove(id);
  expect(labels.ensure(['mug']).get('mug')).toBe(4);
  store.close();
});

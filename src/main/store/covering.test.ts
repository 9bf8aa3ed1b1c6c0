import { join } from 'node:path';
import { expect, it } from 'vitest';
import { adding, annotation, rectangle, seed, temporaryFolder } from '../../../test/store-fixtures.ts';
import { EMPTY_DIFF } from '../../shared/diff.ts';
import type { Decision, Rle } from '../../shared/records.ts';
import type { Store } from './store.ts';
import { openStore } from './store.ts';

const folder = temporaryFolder();
let files = 0;
const LAMP = rectangle(2, 3, 20, 10);
const LIGHT = rectangle(40, 20, 10, 10);

function open(): { store: Store; imageId: number; mug: number; spoon: number } {
  const store = openStore(join(folder, `covering-${++files}.db`));
  const { imageIds, labelId } = seed(store);
  return { store, imageId: imageIds[0] ?? 0, mug: labelId, spoon: store.labels.create('spoon', null).id };
}

/** Runs a model that proposes these masks; answers with the ids that somebody is asked about, here and in the lists. */
function predict(store: Store, imageId: number, labelId: number, rles: readonly Rle[], version = '1'): number[] {
  const run = store.runs.start('model', version, [imageId]);
  store.runs.finishImage(
    run.id,
    imageId,
    rles.map((rle, i) => ({ labelId, score: 0.9 - i / 10, box: [0, 0, 1, 1] as const, rle })),
  );
  return asked(store, imageId);
}

function asked(store: Store, imageId: number): number[] {
  const { suggestions, decisions } = store.documents.load(imageId);
  const open = suggestions.filter((s) => decisions[s.id] === undefined).map((s) => s.id);
  expect(store.images.get(imageId).pending).toBe(open.length);
  expect(store.labels.counts().reduce((sum, count) => sum + count.pending, 0)).toBe(open.length);
  expect(store.images.nextPending(-1, 1, { search: '', states: [] })?.row.id).toBe(open.length > 0 ? imageId : undefined);
  return open;
}

function decide(store: Store, imageId: number, suggestionId: number, to: Decision): void {
  const { revision, suggestions } = store.documents.load(imageId);
  const suggestion = suggestions.find((s) => s.id === suggestionId);
  if (!suggestion) throw new Error(`no suggestion ${suggestionId}`);
  const decided = [{ suggestionId, from: null, to }];
  const { labelId, rle } = suggestion;
  const made = annotation(String(suggestionId), labelId, { geometry: { kind: 'mask', rle }, origin: 'accepted', suggestionId });
  store.documents.apply(imageId, revision, to === 'rejected' ? { ...EMPTY_DIFF, decided } : { ...adding(made), decided });
}

it('does not ask again about what was accepted or rejected when a model runs again', () => {
  const { store, imageId, mug } = open();
  expect(predict(store, imageId, mug, [LAMP, LIGHT])).toEqual([1, 2]);
  decide(store, imageId, 1, 'accepted');
  decide(store, imageId, 2, 'rejected');
  const before = store.documents.load(imageId);
  expect(predict(store, imageId, mug, [LAMP, LIGHT, rectangle(50, 2, 5, 5)])).toEqual([5]);
  const after = store.documents.load(imageId);
  expect(after.annotations).toEqual(before.annotations);
  expect(after.revision).toBe(before.revision);
  expect(store.runs.list()[0]).toMatchObject({ suggestions: 3 });
  expect(store.verify()).toMatchObject({ ok: true });
  store.close();
});

it('asks about a rejected one again when another version of the model proposes it, not about an accepted one', () => {
  const { store, imageId, mug } = open();
  predict(store, imageId, mug, [LAMP, LIGHT]);
  decide(store, imageId, 1, 'accepted');
  decide(store, imageId, 2, 'rejected');
  expect(predict(store, imageId, mug, [LAMP, LIGHT], '2')).toEqual([4]);
  store.close();
});

it('compares masks of one class: IoU 0.7 with an instance, 0.9 with a rejected suggestion', () => {
  const { store, imageId, mug, spoon } = open();
  store.documents.apply(imageId, 0, adding(annotation('drawn', mug, { geometry: { kind: 'box', box: [2, 3, 20, 10] } })));
  // 14 and 13 of the 20 columns: IoU 0.7 and 0.65.
  expect(predict(store, imageId, mug, [rectangle(2, 3, 14, 10), rectangle(2, 3, 13, 10)])).toEqual([2]);
  expect(predict(store, imageId, spoon, [LAMP])).toEqual([3]);
  decide(store, imageId, 3, 'rejected');
  // 18 and 17 of the 20 columns.
  expect(predict(store, imageId, spoon, [rectangle(2, 3, 18, 10), rectangle(2, 3, 17, 10)])).toEqual([5]);
  store.close();
});

it('asks again when the instance or the decision is taken back, and not after a redo', () => {
  const { store, imageId, mug } = open();
  predict(store, imageId, mug, [LAMP]);
  decide(store, imageId, 1, 'accepted');
  expect(predict(store, imageId, mug, [LAMP])).toEqual([]);
  store.documents.undo(imageId, 1);
  expect(asked(store, imageId)).toEqual([2]);
  store.documents.redo(imageId, 2);
  expect(asked(store, imageId)).toEqual([]);
  store.close();
});

it('is not put off by decisions on a picture of another size', () => {
  const { store, imageId, mug } = open();
  predict(store, imageId, mug, [LAMP]);
  decide(store, imageId, 1, 'rejected');
  expect(predict(store, imageId, mug, [rectangle(2, 3, 20, 10, 32, 24)])).toEqual([2]);
  store.close();
});

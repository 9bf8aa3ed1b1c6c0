import { join } from 'node:path';
import { expect, it } from 'vitest';
import { adding, annotation, rectangle, seed, temporaryFolder } from '../../../test/store-fixtures.ts';
import { EMPTY_DIFF } from '../../shared/diff.ts';
import type { NewSuggestion } from './suggestion-rows.ts';
import type { Store } from './store.ts';
import { openStore } from './store.ts';

const folder = temporaryFolder();
let files = 0;
const open = (): Store => openStore(join(folder, `runs-${++files}.db`));

function suggestion(labelId: number, score: number): NewSuggestion {
  return { labelId, score, box: [2, 3, 10.5, 5], rle: rectangle(2, 3, 10, 5) };
}

it('keeps what the model was told', () => {
  const store = open();
  const { imageIds } = seed(store);
  const told = store.runs.start('model', '1', imageIds, { regions: 'class', least: 3, whole: true });
  expect(store.runs.get(told.id).options).toEqual({ regions: 'class', least: 3, whole: true });
  expect(store.runs.start('model', '1', imageIds).options).toEqual({});
  expect(store.runs.list().map((run) => run.options)).toEqual([{}, told.options]);
});

it('shows the newest run and whatever was decided on before, never touching instances', () => {
  const store = open();
  const { imageIds, labelId } = seed(store);
  const [imageId = 0] = imageIds;
  const first = store.runs.start('model', '1', [imageId]);
  store.runs.finishImage(first.id, imageId, [suggestion(labelId, 0.4), suggestion(labelId, 0.9)]);
  expect(store.images.get(imageId)).toMatchObject({ state: 'predicted', pending: 2, revision: 0 });
  const [best, other] = store.documents.load(imageId).suggestions;
  expect(best).toEqual({ id: 2, runId: first.id, labelId, score: 0.9, box: [2, 3, 10.5, 5], rle: rectangle(2, 3, 10, 5) });
  const accepted = annotation('one', labelId, { origin: 'accepted', suggestionId: 2 });
  store.documents.apply(imageId, 0, { ...adding(accepted), decided: [{ suggestionId: 2, from: null, to: 'accepted' }] });
  expect(store.images.get(imageId)).toMatchObject({ state: 'in-progress', pending: 1 });

  const second = store.runs.start('model', '2', [imageId]);
  store.runs.finishImage(second.id, imageId, [suggestion(labelId, 0.7)]);
  const document = store.documents.load(imageId);
  expect(document.suggestions.map((s) => s.id)).toEqual([2, 3]);
  expect(document.decisions).toEqual({ 2: 'accepted' });
  expect(document.annotations).toEqual([accepted]);
  expect(document.revision).toBe(1);
  expect(store.images.get(imageId).state).toBe('in-progress');

  // The superseded one is still there: a decision brings it back, undo takes it away again.
  store.documents.apply(imageId, 1, { ...EMPTY_DIFF, decided: [{ suggestionId: other?.id ?? 0, from: null, to: 'rejected' }] });
  expect(store.documents.load(imageId).suggestions.map((s) => s.id)).toEqual([2, 3, 1]);
  store.documents.undo(imageId, 2);
  expect(store.documents.load(imageId).suggestions.map((s) => s.id)).toEqual([2, 3]);
  expect(store.verify()).toMatchObject({ ok: true, problems: [] });
  store.close();
});

it('refuses decisions on suggestions of another image, and ones that were decided meanwhile', () => {
  const store = open();
  const { imageIds, labelId } = seed(store);
  const [imageId = 0, other = 0] = imageIds;
  const run = store.runs.start('model', '1', imageIds);
  store.runs.finishImage(run.id, imageId, [suggestion(labelId, 0.4)]);
  const decide = (id: number, base: number): unknown =>
    store.documents.apply(id, base, { ...EMPTY_DIFF, decided: [{ suggestionId: 1, from: null, to: 'rejected' }] });
  expect(() => decide(other, 0)).toThrow(expect.objectContaining({ code: 'not-found' }));
  decide(imageId, 0);
  expect(() => decide(imageId, 1)).toThrow(expect.objectContaining({ code: 'conflict' }));
  store.close();
});

it('knows after a crash which images a run has done, and calls it interrupted', () => {
  const store = open();
  const { imageIds, labelId } = seed(store, 4);
  const [a = 0, b = 0, c = 0, d = 0] = imageIds;
  const run = store.runs.start('model', '1', [d, c, b, a]);
  store.runs.finishImage(run.id, a, [suggestion(labelId, 0.4)]);
  store.runs.failImage(run.id, b, 'cut off');
  store.runs.setProvider(run.id, 'cpu');
  store.close();
  const again = openStore(store.file);
  expect(again.runs.get(run.id)).toMatchObject({ state: 'interrupted', total: 4, finished: 2, failed: 1, suggestions: 1, provider: 'cpu' });
  expect(again.runs.pending(run.id)).toEqual([c, d]);
  expect(again.runs.failures(run.id)).toEqual([{ imageId: b, path: 'b.jpg', reason: 'cut off' }]);
  again.close();
});

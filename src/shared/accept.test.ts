import { expect, it } from 'vitest';
import { acceptAbove } from './accept.ts';
import { apply } from './diff.ts';
import type { ImageDocument, Rle, Suggestion } from './records.ts';

const rle: Rle = { size: [2, 2], counts: '04' };

function suggestion(id: number, score: number): Suggestion {
  return { id, runId: 1, labelId: 3, score, box: [0, 0, 2, 2], rle };
}

const document: ImageDocument = {
  imageId: 1,
  revision: 4,
  width: 2,
  height: 2,
  annotations: [
    { id: 'drawn-by-hand', labelId: 1, geometry: { kind: 'mask', rle }, z: 7, crowd: false, origin: 'drawn', suggestionId: null },
  ],
  suggestions: [suggestion(10, 0.9), suggestion(11, 0.5), suggestion(12, 0.49), suggestion(13, 0.95)],
  decisions: { 13: 'rejected' },
  undoable: 1,
  redoable: 0,
};

it('accepts what is undecided and sure enough, the surest on top, above what was there', () => {
  let made = 0;
  const diff = acceptAbove(document, 0.5, () => `new-${++made}`);
  expect(diff.added.map(({ suggestionId, z, origin, geometry }) => ({ suggestionId, z, origin, geometry }))).toEqual([
    { suggestionId: 11, z: 8, origin: 'accepted', geometry: { kind: 'mask', rle } },
    { suggestionId: 10, z: 9, origin: 'accepted', geometry: { kind: 'mask', rle } },
  ]);
  const after = apply(document, diff);
  expect(after.annotations).toHaveLength(3);
  expect(after.decisions).toEqual({ 10: 'accepted', 11: 'accepted', 13: 'rejected' });
});

it('finds nothing to accept the second time', () => {
  let made = 0;
  const once = apply(
    document,
    acceptAbove(document, 0, () => `new-${++made}`),
  );
  expect(acceptAbove({ ...document, ...once }, 0, () => 'never')).toEqual({ added: [], removed: [], updated: [], decided: [] });
});

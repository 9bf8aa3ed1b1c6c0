import { describe, expect, it } from 'vitest';
import { apply, reverse } from '../../shared/diff.ts';
import { geometryToRle } from '../../shared/mask/raster.ts';
import type { Annotation, ImageDocument, Suggestion } from '../../shared/records.ts';
import { placedOn } from './clipboard.ts';
import { instanceColor } from '../../shared/views/view.ts';
import { accept, changeOf, raise, reject, remove, reshape, setCrowd } from './edits.ts';
import { fitted, isDone, reconciled, withDiff } from './rebase.ts';

const SQUARE = { kind: 'box', box: [1, 2, 3, 4] } as const;
const RLE = geometryToRle({ kind: 'box', box: [2, 2, 5, 5] }, 20, 10);
const suggestion = (id: number): Suggestion => ({ id, runId: 1, labelId: 3, score: 0.9, box: [2, 2, 5, 5], rle: RLE });
const annotation = (id: string, z: number, more: Partial<Annotation> = {}): Annotation => ({
  id,
  labelId: 1,
  geometry: SQUARE,
  z,
  crowd: false,
  origin: 'drawn',
  suggestionId: null,
  ...more,
});
const base: ImageDocument = {
  imageId: 1,
  revision: 4,
  width: 20,
  height: 10,
  annotations: [annotation('a', 1), annotation('b', 2), annotation('c', 2, { origin: 'accepted', suggestionId: 9 })],
  suggestions: [suggestion(5), suggestion(6), suggestion(9)],
  decisions: { 9: 'accepted' },
  undoable: 0,
  redoable: 0,
};
let made = 0;
const newId = (): string => `new-${++made}`;

describe('edits', () => {
  it('do nothing to what is not there or decided already', () => {
    expect(accept(base, [suggestion(9)], newId)).toBeNull();
    expect(reject(base, 9)).toBeNull();
    expect(reject(base, 77)).toBeNull();
    expect(remove(base, { kind: 'annotation', id: 'x' })).toBeNull();
    expect(reshape(base, { kind: 'suggestion', id: 9 }, { labelId: 2 }, newId)).toBeNull();
    expect(changeOf(base, { kind: 'add', geometry: SQUARE }, null, newId)).toBeNull();
    expect(setCrowd(base, 'a', false)).toBeNull();
  });

  it('come back exactly when reversed', () => {
    const changes = [
      accept(base, [suggestion(5), suggestion(6)], newId),
      reject(base, 5),
      remove(base, { kind: 'annotation', id: 'c' }),
      reshape(base, { kind: 'annotation', id: 'c' }, { labelId: 2 }, newId),
      reshape(base, { kind: 'suggestion', id: 5 }, { geometry: SQUARE }, newId),
      raise(base, 'a', 1),
    ];
    for (const change of changes) {
      if (!change) throw new Error('a change was expected');
      const after = apply(base, change.diff);
      expect(after).not.toEqual({ annotations: base.annotations, decisions: base.decisions });
      expect(apply(after, reverse(change.diff))).toEqual({ annotations: base.annotations, decisions: base.decisions });
    }
  });

  it('change places with the neighbour, also where both have one z', () => {
    const order = (id: string, step: 1 | -1): string => {
      const change = raise(base, id, step);
      return change
        ? apply(base, change.diff)
            .annotations.map((a) => a.id)
            .join('')
        : 'same';
    };
    expect(order('a', 1)).toBe('bac');
    expect(order('b', 1)).toBe('acb');
    expect(order('c', -1)).toBe('acb');
    expect(order('b', -1)).toBe('bac');
    expect(order('c', 1)).toBe('same');
    expect(order('a', -1)).toBe('same');
  });
});

describe('rebase', () => {
  it('knows what is done already', () => {
    const change = reshape(base, { kind: 'suggestion', id: 5 }, { geometry: SQUARE }, newId);
    if (!change) throw new Error('a change was expected');
    expect(isDone(base, change.diff)).toBe(false);
    const sent = JSON.parse(JSON.stringify(withDiff(base, change.diff))) as ImageDocument;
    expect(isDone(sent, change.diff)).toBe(true);
  });

  it('bends a diff until it fits, keeping what the user made', () => {
    const moved = annotation('a', 1, { geometry: { kind: 'box', box: [9, 9, 1, 1] } });
    const gone = { ...base, annotations: base.annotations.slice(1), decisions: { 9: 'rejected', 5: 'rejected' } as const };
    const diff = {
      added: [annotation('b', 2)],
      removed: [annotation('a', 1)],
      updated: [[annotation('a', 1), moved]],
      decided: [{ suggestionId: 5, from: null, to: 'accepted' }],
    } as const;
    const after = withDiff(gone, fitted(gone, diff));
    expect(after.annotations.find((a) => a.id === 'a')).toEqual(moved);
    expect(after.decisions[5]).toBe('accepted');
  });

  it('keeps the objects of what did not change', () => {
    const fresh = JSON.parse(
      JSON.stringify({ ...base, annotations: [...base.annotations.slice(0, 2), annotation('c', 3)] }),
    ) as ImageDocument;
    const next = reconciled(base, fresh);
    expect(next.annotations[0]).toBe(base.annotations[0]);
    expect(next.annotations[2]).not.toBe(base.annotations[2]);
    expect(next.suggestions[1]).toBe(base.suggestions[1]);
    const decided = withDiff(base, reject(base, 5)?.diff ?? { added: [], removed: [], updated: [], decided: [] });
    expect(decided.annotations).toBe(base.annotations);
  });
});

describe('placing a copy', () => {
  it('moves the other way at the border and cuts what does not fit', () => {
    expect(placedOn({ kind: 'box', box: [15, 5, 4, 4] }, 3, 0, { width: 20, height: 10 })).toEqual({ kind: 'box', box: [12, 5, 4, 4] });
    expect(placedOn({ kind: 'box', box: [0, 0, 30, 8] }, 0, 0, { width: 20, height: 10 })).toEqual({ kind: 'box', box: [0, 0, 20, 8] });
    expect(
      placedOn({ kind: 'polygon', parts: [{ outer: [0, 0, 30, 0, 30, 8, 0, 8], holes: [] }] }, 0, 0, { width: 20, height: 10 }),
    ).toMatchObject({ kind: 'polygon' });
  });

  it('keeps the pixels of a mask on an image of another size', () => {
    const mask = { kind: 'mask', rle: RLE } as const;
    expect(placedOn(mask, 0, 0, { width: 40, height: 30 })).toEqual({
      kind: 'mask',
      rle: geometryToRle({ kind: 'box', box: [2, 2, 5, 5] }, 40, 30),
    });
    expect(placedOn(mask, 3, 1, { width: 20, height: 10 })).toEqual({
      kind: 'mask',
      rle: geometryToRle({ kind: 'box', box: [5, 3, 5, 5] }, 20, 10),
    });
  });
});

describe('instance colours', () => {
  it('are stable and apart for suggestions of one image', () => {
    const colours = Array.from({ length: 30 }, (_, i) => instanceColor(`suggestion:${i + 100}`));
    expect(new Set(colours).size).toBe(30);
    expect(instanceColor('suggestion:100')).toBe(colours[0]);
    expect(instanceColor('5f0c')).toMatch(/^#[0-9A-F]{6}$/);
  });
});

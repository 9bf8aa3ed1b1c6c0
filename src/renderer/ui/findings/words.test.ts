import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../shared/formats.ts';
import { findingsIn } from './question.ts';
import { reasonText, withoutName } from './words.ts';

const finding = (id: string, message: string, more: Partial<Finding> = {}): Finding => {
  return { kind: 'kept', what: 'annotation', reason: 'area-differs', id, message, ...more };
};

describe('the words of a report', () => {
  it('say a reason as people read it', () => {
    expect(reasonText('ring-too-short')).toBe('Ring too short');
    expect(reasonText('rle-size')).toBe('RLE size');
  });

  it('do not say the name of a record twice, and leave other sentences as they are', () => {
    expect(withoutName(finding('101', 'Annotation 101: its area says 5.'))).toBe('Its area says 5.');
    expect(withoutName(finding('10', 'Annotation 101: its area says 5.'))).toBe('Annotation 101: its area says 5.');
    expect(withoutName(finding('gone.jpg', 'gone.jpg: it is not in the folder.', { what: 'image' }))).toBe(
      'gone.jpg: it is not in the folder.',
    );
  });
});

describe('findings that are all here', () => {
  const all = [finding('1', 'one'), finding('2', 'Two', { kind: 'refused', reason: 'no-shape' }), finding('12', 'three')];
  const nothing = { kind: null, reason: null, search: '', offset: 0, limit: 10 };

  it('are found by kind and reason, by id or words whatever their case, a page at a time', () => {
    expect(findingsIn(all, nothing).total).toBe(3);
    expect(findingsIn(all, { ...nothing, kind: 'refused', reason: 'no-shape' }).rows.map(({ id }) => id)).toEqual(['2']);
    expect(findingsIn(all, { ...nothing, search: '2' }).rows.map(({ id }) => id)).toEqual(['2', '12']);
    expect(findingsIn(all, { ...nothing, search: 'two' }).total).toBe(1);
    expect(findingsIn(all, { ...nothing, offset: 1, limit: 1 })).toEqual({ total: 3, offset: 1, rows: [all[1]] });
  });
});

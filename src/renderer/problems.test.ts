import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../shared/errors.ts';
import { TELLINGS, subjectOf } from './problems.ts';

describe('telling problems', () => {
  it('has a headline and a next step for every code', () => {
    for (const code of ERROR_CODES) {
      expect(TELLINGS[code].headline).not.toBe('');
      expect(TELLINGS[code].next).toMatch(/\.$/);
    }
  });

  it('names what the error is about, unless the message does', () => {
    expect(subjectOf({ path: 'a/b.jpg' }, 'The image is cut off.')).toBe('a/b.jpg');
    expect(subjectOf({ path: 'a/b.jpg' }, 'The image a/b.jpg is cut off.')).toBeNull();
    expect(subjectOf({ imageId: 7 }, 'There is no such image.')).toBe('imageId 7');
    expect(subjectOf({ reason: 'x', file: null }, 'Oh.')).toBeNull();
  });
});

import { describe, expect, it } from 'vitest';
import { parseNames, parseSize } from './inspect-names.ts';

describe('class names in metadata', () => {
  it.each([
    ["{0: 'person', 1: 'bicycle'}", ['person', 'bicycle']],
    [`{0: "driver's seat", 1: 'a\\'b'}`, ["driver's seat", "a'b"]],
    ['{"0": "cat", "1": "dog"}', ['cat', 'dog']],
    ["{1: 'b', 0: 'a',}", ['a', 'b']],
    ["['a', 'b, c']", ['a', 'b, c']],
    ['("x", "y")', ['x', 'y']],
    ['cup, plate ,spoon', ['cup', 'plate', 'spoon']],
  ])('%s', (text, names) => expect(parseNames(text)).toEqual(names));

  it.each(["{0: 'a', 2: 'b'}", "{0: 'a', 0: 'b'}", '{0: 1, 1: print(1)}', "{0: 'a'", "['a', 'b'] + x", '', 'one', '{0: None}'])(
    'are not made up of %j',
    (text) => expect(parseNames(text)).toBeNull(),
  );

  it('and sizes', () => {
    expect(parseSize('[640, 480]')).toEqual([640, 480]);
    expect(parseSize('640')).toBeNull();
  });
});

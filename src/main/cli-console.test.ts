import { expect, it } from 'vitest';
import { visible } from './cli-console.ts';

it('shows control characters of file names instead of sending them to the terminal', () => {
  expect(visible('red \x1b[31m, bell \x07, erase \x9b2J, line\nbreak, tab\t.')).toBe(
    'red \\x1b[31m, bell \\x07, erase \\x9b2J, line\\x0abreak, tab\\x09.',
  );
  expect(visible('Löffel 名前 😀.jpg')).toBe('Löffel 名前 😀.jpg');
});

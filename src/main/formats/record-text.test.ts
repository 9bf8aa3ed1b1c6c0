import { expect, it } from 'vitest';
import { memberText, textMembers, withMembers } from './record-text.ts';

const text = '{ "id" : 0,"n\\"}":[{"a":"]}\\\\"}, 1.50],\n "s": "x, {\\"y\\"}" ,"e": {}, "area":1e3}';

it('finds members and leaves their values as they stand', () => {
  const members = textMembers(text);
  expect(members.map(({ key }) => key)).toEqual(['id', 'n"}', 's', 'e', 'area']);
  expect(members.map(({ from, to }) => text.slice(from, to))).toEqual(['0', '[{"a":"]}\\\\"}, 1.50]', '"x, {\\"y\\"}"', '{}', '1e3']);
  expect(memberText(text, members, 'area')).toBe('1e3');
  expect(memberText(text, members, 'no')).toBeNull();
});

it('replaces values, adds what is missing and touches nothing else', () => {
  const changed = withMembers(
    text,
    textMembers(text),
    new Map([
      ['id', '7'],
      ['new', '[1]'],
      ['area', '1000'],
    ]),
  );
  expect(changed).toBe('{ "id" : 7,"n\\"}":[{"a":"]}\\\\"}, 1.50],\n "s": "x, {\\"y\\"}" ,"e": {}, "area":1000, "new": [1]}');
  expect(withMembers('{ }', textMembers('{ }'), new Map([['id', '1']]))).toBe('{"id": 1 }');
});

it('takes the last of a key that is there twice, and replaces both', () => {
  const twice = '{"id":1,"id":2}';
  expect(memberText(twice, textMembers(twice), 'id')).toBe('2');
  expect(JSON.parse(withMembers(twice, textMembers(twice), new Map([['id', '3']])))).toEqual({ id: 3 });
});

it('refuses what is no whole object', () => {
  for (const bad of ['', '[1]', '{"a":1', '{"a" 1}', '{"a":[1}', '{"a'])
    expect(() => textMembers(bad), bad).toThrow('No whole JSON object');
});

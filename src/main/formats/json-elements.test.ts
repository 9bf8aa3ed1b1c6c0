import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readJsonElements } from './json-elements.ts';

const folder = mkdtempSync(join(tmpdir(), 'maskloop-json-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function read(text: string): Promise<[string, number | null, unknown][]> {
  const path = join(folder, 'file.json');
  writeFileSync(path, text);
  const out: [string, number | null, unknown][] = [];
  for await (const { key, index, value } of readJsonElements(path)) out.push([key, index, value]);
  return out;
}

describe('readJsonElements', () => {
  it('yields members whole and arrays by element, with their end', async () => {
    const rows = await read(
      '\ufeff {"info": {"a": [1, {"b": "}]"}]}, "list" : [1, "two, \\"]}", {"x": [[]]}, [ ], null], "none": [], "n": -1.5e3, "s": "\\\\"}\n',
    );
    expect(rows).toEqual([
      ['info', null, { a: [1, { b: '}]' }] }],
      ['list', 0, 1],
      ['list', 1, 'two, "]}'],
      ['list', 2, { x: [[]] }],
      ['list', 3, []],
      ['list', 4, null],
      ['list', null, []],
      ['none', null, []],
      ['n', null, -1500],
      ['s', null, '\\'],
    ]);
    expect(await read('{}')).toEqual([]);
  });

  it('keeps text whole over the borders of what is read at once', async () => {
    const values = Array.from({ length: 3000 }, (_, i) => `${'ä€😀"\\,[]{}'.repeat(20)}${i}`);
    const rows = await read(JSON.stringify({ [values[0] ?? '']: 1, values }));
    expect(rows[0]).toEqual([values[0], null, 1]);
    expect(rows.slice(1, -1).map((row) => row[2])).toEqual(values);
  });

  it.each([
    '',
    '[1]',
    '{"a": 1',
    '{"a": [1, 2',
    '{"a": [1,, 2]}',
    '{"a": [1, ]}',
    '{"a"}',
    '{"a": }',
    '{"a": 1} x',
    'x {"a": 1}',
    '{"a": [1}]',
    '{a: 1}',
    '{"a": 01}',
    '"text"',
    '{"a": "b}',
  ])('refuses %j, naming the file', async (text) => {
    await expect(read(text)).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('file.json') as string });
  });

  it('names a file that is not there', async () => {
    const missing = join(folder, 'missing.json');
    await expect(readJsonElements(missing).next()).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining('missing.json') as string,
    });
  });
});

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeAnnotations } from './uploads.ts';

const BATCH = '0123456789abcdef';

describe('annotations that a browser sends', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'maskloop-uploads-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const send = (path: string, text: string, announced = text.length, batch = BATCH): Promise<string> =>
    takeAnnotations(folder, batch, path, Readable.from([Buffer.from(text)]), announced);

  it('lie together as in the folder that was dropped', async () => {
    const first = await send('set/data.yaml', 'names: [a]');
    const second = await send('set/labels/train/1.txt', '0 0.5 0.5 1 1');
    expect(first).toBe(join(folder, `annotations-${BATCH}`, 'set', 'data.yaml'));
    expect(second).toBe(join(folder, `annotations-${BATCH}`, 'set', 'labels', 'train', '1.txt'));
    expect(readFileSync(second, 'utf8')).toBe('0 0.5 0.5 1 1');
  });

  it.each(['../outside.json', 'a/../../b.json', 'a\\b.json', 'C:/x.json', 'set/./a.json', 'photo.jpg', '/etc/a.json', ''])(
    'refuses the path %j',
    async (path) => {
      await expect(send(path, '{}')).rejects.toMatchObject({ code: 'invalid' });
    },
  );

  it('refuses a batch that leads elsewhere, and a file that ends too early', async () => {
    await expect(send('a.json', '{}', 2, '../../etc')).rejects.toMatchObject({ code: 'invalid' });
    await expect(send('a.json', '{}', 9)).rejects.toMatchObject({ code: 'io' });
    await expect(send('a.json', '{}', 1)).rejects.toMatchObject({ code: 'invalid' });
    // Nothing of it stays: the same name can be sent again.
    expect(await send('a.json', '{}')).toContain('a.json');
  });
});

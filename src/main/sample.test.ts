import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { temporaryFolder } from '../../test/store-fixtures.ts';
import { drawScene, SAMPLE_SCENES } from '../shared/scenes/index.ts';
import { encodeJpeg, readHeader } from './inference/pixels.ts';
import { writeSample } from './sample.ts';

// Drawing is a second or two of pure computation a picture, more on a busy machine.
vi.setConfig({ testTimeout: 180_000 });

it('draws the pictures that are not there, as the generator does, and leaves the others alone', async () => {
  const folder = temporaryFolder();
  const drawn = SAMPLE_SCENES.slice(3, 5);
  const kept = SAMPLE_SCENES.filter((scene) => !drawn.includes(scene));
  for (const { name } of kept) writeFileSync(join(folder, name), 'mine');
  const told: number[] = [];
  const files = await writeSample(folder, (done) => told.push(done));
  expect(files).toEqual(SAMPLE_SCENES.map(({ name }) => join(folder, name)));
  expect(readdirSync(folder).sort()).toEqual(SAMPLE_SCENES.map(({ name }) => name));
  expect(told).toEqual([22, 23, 24]);
  for (const { name } of kept) expect(readFileSync(join(folder, name), 'utf8')).toBe('mine');
  for (const { name, width, height } of drawn)
    expect(await readHeader(join(folder, name))).toMatchObject({ width, height, format: 'jpeg' });
  const [{ name, seed, width, height } = { name: '', seed: 0, width: 0, height: 0 }] = drawn;
  const expected = await encodeJpeg({ width, height, data: drawScene(seed, { width, height }).rgb }, 92);
  expect(readFileSync(join(folder, name)).equals(expected)).toBe(true);
});

it('stops when asked to, and leaves no half picture', async () => {
  const folder = temporaryFolder();
  const abort = new AbortController();
  const writing = writeSample(folder, (done) => done > 0 && abort.abort(), abort.signal);
  await expect(writing).rejects.toMatchObject({ name: 'AbortError' });
  const names = readdirSync(folder);
  expect(names.length).toBeGreaterThan(0);
  expect(names.length).toBeLessThan(SAMPLE_SCENES.length);
  expect(names.every((name) => name.endsWith('.jpg'))).toBe(true);
});

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { drawn } from '../../test/drawn-picture.ts';
import { NO_INFERENCE } from '../../test/no-inference.ts';
import { makeStudio } from '../../test/make-studio.ts';
import { temporaryFolder } from '../../test/store-fixtures.ts';
import type { CallInput, CallName, CallOutput, EventName } from '../shared/contract.ts';
import { rleArea } from '../shared/mask/rle.ts';
import { callStudio } from './dispatch.ts';
import { encodePng } from './inference/pixels.ts';
import type { Studio } from './studio.ts';

const root = temporaryFolder();
const folder = join(root, 'photos');
let studio: Studio;
const told: { name: EventName; payload: unknown }[] = [];

const call = <N extends CallName>(name: N, input: CallInput<N>): Promise<CallOutput<N>> => callStudio(studio, name, input);

beforeAll(async () => {
  mkdirSync(folder);
  const image = drawn(120, 80, 8, (x, y) => (Math.hypot(x - 60, y - 40) < 25 ? [220, 180, 40] : [50, 70, 110]));
  writeFileSync(join(folder, '1.png'), await encodePng(image.data, 120, 80, 3));
  const noise = drawn(400, 300, 120, () => [128, 128, 128]);
  writeFileSync(join(folder, '2.png'), await encodePng(noise.data, 400, 300, 3));
  writeFileSync(join(folder, '3.png'), 'torn');
  studio = makeStudio(NO_INFERENCE, join(root, 'app'));
  studio.onEvent((name, payload) => told.push({ name, payload }));
  await call('project.open', { folder });
});
afterAll(() => studio.close());

const disc = Math.PI * 25 * 25;

it('previews a method without keeping anything', async () => {
  expect((await call('classical.open', { imageId: 1 })).work).toEqual({ width: 120, height: 80 });
  const preview = await call('classical.preview', { imageId: 1, question: { method: 'kmeans', parameters: { regions: 'foreground' } } });
  expect(preview).toMatchObject({ imageId: 1, method: 'kmeans', width: 120, height: 80 });
  expect(Math.abs(rleArea(preview.instances[0]!.rle) - disc)).toBeLessThan(30);
  expect((await call('document.load', { imageId: 1 })).suggestions).toEqual([]);
  expect(await call('runs.list', {})).toEqual([]);
});

it('answers the newest question, and the one before fails with cancelled', async () => {
  await call('classical.open', { imageId: 2 });
  const slow = call('classical.preview', { imageId: 2, question: { method: 'mean-shift', parameters: { spatial: 40, range: 40 } } });
  const failed = expect(slow).rejects.toMatchObject({ code: 'cancelled' });
  const newest = await call('classical.preview', { imageId: 1, question: { method: 'grabcut', box: [25, 5, 70, 70] } });
  await failed;
  expect(Math.abs(rleArea(newest.instances[0]!.rle) - disc)).toBeLessThan(60);
  const given = call('classical.preview', { imageId: 2, question: { method: 'mean-shift', parameters: { spatial: 40, range: 40 } } });
  const up = expect(given).rejects.toMatchObject({ code: 'cancelled' });
  await call('classical.cancel', {});
  await up;
});

it('keeps a proposal as a run that is done, with its parameters, under a class or the method’s own names', async () => {
  const run = await call('classical.propose', { imageId: 1, question: { method: 'kmeans', parameters: { k: 2 } }, label: null });
  expect(run).toMatchObject({
    modelId: 'kmeans',
    modelVersion: '1',
    state: 'done',
    total: 1,
    finished: 1,
    suggestions: 2,
    provider: 'cpu',
    msLeft: null,
  });
  expect(run.options).toMatchObject({ k: 2, space: 'lab' });
  expect((await call('labels.list', {})).map(({ name }) => name)).toEqual(['cluster 1', 'cluster 2']);
  const wand = { method: 'wand', clicks: [{ x: 60, y: 40, adds: true }], parameters: { tolerance: 20 } } as const;
  await call('classical.propose', { imageId: 1, question: wand, label: 'lemon' });
  const document = await call('document.load', { imageId: 1 });
  expect(document.suggestions).toHaveLength(1);
  expect(document.revision).toBe(0);
  const labels = await call('labels.list', {});
  expect(labels.find(({ id }) => id === document.suggestions[0]!.labelId)?.name).toBe('lemon');
  expect((await call('images.get', { imageId: 1 })).state).toBe('predicted');
  expect(told.filter(({ name }) => name === 'suggestions.changed').map(({ payload }) => payload)).toEqual([{ imageId: 1 }, { imageId: 1 }]);
  expect(told.some(({ name }) => name === 'run.progress')).toBe(true);
});

it('finds a path along an edge', async () => {
  const { points, stepPx } = await call('classical.path', { imageId: 1, from: [36, 40], to: [60, 14], snap: 4 });
  expect(stepPx).toBe(1);
  expect(points.length).toBeGreaterThan(40);
  for (let i = 0; i < points.length; i += 2)
    expect(Math.abs(Math.hypot(points[i]! - 60.5, points[i + 1]! - 40.5) - 25)).toBeLessThanOrEqual(2);
});

it('refuses what makes no sense, naming it', async () => {
  await expect(call('classical.open', { imageId: 3 })).rejects.toMatchObject({ code: 'unsupported', detail: { path: '3.png' } });
  await expect(call('classical.open', { imageId: 99 })).rejects.toMatchObject({ code: 'not-found' });
  const question = { method: 'kmeans', parameters: { k: 99 } } as const;
  await expect(call('classical.preview', { imageId: 1, question })).rejects.toMatchObject({ code: 'invalid' });
});

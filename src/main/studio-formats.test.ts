import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { all, call, folder, studio, told } from '../../test/studio-fixture.ts';
import { FORMAT_IDS } from '../shared/formats.ts';
import type { Geometry } from '../shared/records.ts';
import { dispatch } from './dispatch.ts';
import { readPlace } from './formats/interop.test-support.ts';

let out: string;

beforeEach(async () => {
  out = `${folder}-out`;
  await call('project.open', { folder });
  await studio.scanned();
});

async function draw(imageId: number, labelId: number, geometry: Geometry, z = 0): Promise<void> {
  const { revision } = await call('document.load', { imageId });
  const annotation = { id: crypto.randomUUID(), labelId, geometry, z, crowd: false, origin: 'drawn' as const, suggestionId: null };
  await call('document.apply', { imageId, base: revision, diff: { added: [annotation], updated: [], removed: [], decided: [] } });
}

it('lists every format, read and written, with what it cannot hold', async () => {
  const formats = await call('formats.list', {});
  expect(formats.map(({ id }) => id).sort()).toEqual([...FORMAT_IDS].sort());
  for (const format of formats) expect(format).toMatchObject({ reads: true, writes: true });
  expect(formats.filter(({ id }) => id !== 'coco').every(({ limits }) => limits.length > 0)).toBe(true);
});

it('writes the project in another format, its images beside it, and tells how far it is', async () => {
  const { rows } = await call('images.list', all);
  const [first, second] = rows;
  if (!first || !second) throw new Error('There are images.');
  const nut = await call('labels.create', { name: 'nut' });
  await draw(first.id, nut.id, { kind: 'box', box: [2, 3, 4, 5] });
  await draw(second.id, nut.id, { kind: 'polygon', parts: [{ outer: [1.25, 1, 8.5, 1, 8.5, 6.75], holes: [] }] });
  await call('images.setState', { imageIds: [second.id], state: 'done' });

  const report = await call('export.dataset', { format: 'labelme', out });
  expect(report).toMatchObject({ format: 'labelme', images: 4, annotations: 2, readBack: { minIou: 1, annotationsCompared: 2, lost: 0 } });
  const { instances } = await readPlace('labelme', out, out);
  expect(instances.map(({ geometry }) => geometry)).toEqual([
    { kind: 'box', box: [2, 3, 4, 5] },
    { kind: 'polygon', parts: [{ outer: [1.25, 1, 8.5, 1, 8.5, 6.75], holes: [] }] },
  ]);
  expect(await readFile(join(out, first.path))).toEqual(await readFile(join(folder, first.path)));
  expect(told.some(({ name }) => name === 'export.progress')).toBe(true);

  const done = await call('export.dataset', { format: 'yolo-seg', out, states: ['done'] });
  expect(done).toMatchObject({ images: 1, annotations: 1 });
  expect(existsSync(join(out, 'labels.txt'))).toBe(false);
});

it('does one export at a time, and leaves COCO to its own call', async () => {
  const both = await Promise.all([
    dispatch(studio, 'export.dataset', { format: 'isat', out }),
    dispatch(studio, 'export.dataset', { format: 'isat', out: `${out}-2` }),
  ]);
  expect(both).toMatchObject([{ ok: true }, { ok: false, error: { code: 'conflict' } }]);
  expect(await dispatch(studio, 'export.dataset', { format: 'coco', out: `${out}-3` })).toMatchObject({
    ok: false,
    error: { code: 'unsupported' },
  });
});

it('brings class maps in as one instance a class, or one for each piece where that is asked for', async () => {
  const [first] = (await call('images.list', all)).rows;
  if (!first) throw new Error('There are images.');
  const mug = await call('labels.create', { name: 'mug' });
  await draw(first.id, mug.id, { kind: 'box', box: [2, 3, 4, 5] });
  await draw(first.id, mug.id, { kind: 'box', box: [20, 30, 4, 5] }, 1);
  await call('export.dataset', { format: 'class-masks', out, images: 'leave' });
  const read = async (regions: 'class' | 'components'): Promise<number> => {
    const plan = await call('import.read', { place: out, format: 'class-masks', regions });
    return plan.instances.taken;
  };
  expect([await read('class'), await read('components')]).toEqual([1, 2]);
});

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { adding, annotation, containing } from '../../../test/store-fixtures.ts';
import { all, call, folder, root, studio, told } from '../../../test/studio-fixture.ts';
import type { Geometry } from '../../shared/records.ts';

let out: string;
let round = 0;

const ring: Geometry = { kind: 'polygon', parts: [{ outer: [4, 4, 30, 4, 30, 28, 4, 28], holes: [[10, 10, 16, 10, 16, 16]] }] };
const shares = [
  { name: 'train', share: 50 },
  { name: 'val', share: 25 },
  { name: 'test', share: 25 },
];
const coco = z.object({
  images: z.array(z.object({ id: z.number(), file_name: z.string() })),
  annotations: z.array(z.looseObject({ image_id: z.number(), category_id: z.number(), iscrowd: z.number() })),
});
const read = (...path: string[]): unknown => JSON.parse(readFileSync(join(out, ...path), 'utf8'));

/** Four done images with an instance of each of two classes, one a crowd. */
beforeEach(async () => {
  out = join(root, `bundle-${++round}`);
  await call('project.open', { folder });
  await studio.scanned();
  const lamp = await call('labels.create', { name: 'lamp' });
  const light = await call('labels.create', { name: 'light' });
  const { rows } = await call('images.list', all);
  for (const { id } of rows) {
    const diff = adding(annotation(`a${id}`, lamp.id), annotation(`b${id}`, light.id, { geometry: ring, crowd: id === 1 }));
    await call('document.apply', { imageId: id, base: 0, diff });
  }
  await call('images.setState', { imageIds: rows.map(({ id }) => id), state: 'done' });
});

it('writes a dataset by splits with its images, classes and scripts, read back and compared', async () => {
  await call('splits.make', { kind: 'random', parts: shares });
  const report = await call('bundle.write', { out });
  expect(report.parts.map(({ split, images, annotations }) => [split, images, annotations])).toEqual([
    ['train', 2, 4],
    ['val', 1, 2],
    ['test', 1, 2],
  ]);
  expect(report).toMatchObject({ splitsMade: null, copied: 4, linked: 0, skipped: [] });
  expect(report.verified).toMatchObject({ annotationsCompared: 8, minIou: 1 });
  const categories = z.object({ categories: z.array(z.object({ id: z.number(), name: z.string(), index: z.number() })) });
  const { categories: classes } = categories.parse(read('categories.json'));
  expect(classes.map(({ name, index }) => [name, index])).toEqual([
    ['lamp', 1],
    ['light', 2],
  ]);
  const seen: string[] = [];
  for (const split of ['train', 'val', 'test']) {
    const { images, annotations } = coco.parse(read('dataset', 'annotations', `${split}.json`));
    for (const { file_name: name } of images) {
      seen.push(name);
      expect(readFileSync(join(out, 'dataset', 'images', name))).toEqual(readFileSync(join(folder, name)));
    }
    for (const one of annotations) {
      expect(images.map(({ id }) => id)).toContain(one.image_id);
      expect(classes.map(({ id }) => id)).toContain(one.category_id);
      expect(one.iscrowd).toBe(one.image_id === 1 && one.category_id === classes[1]?.id ? 1 : 0);
    }
  }
  expect(seen.sort()).toEqual(['1.jpg', '2.jpg', '3.jpg', '4.jpg']);
  expect(readdirSync(out).sort()).toEqual(
    ['README.md', 'bundle.json', 'bundle_data.py', 'bundle_model.py', 'bundle_score.py', 'categories.json', 'dataset'].concat([
      'detectron2.yaml',
      'requirements.txt',
      'train_detectron2.py',
      'train_torchvision.py',
    ]),
  );
  expect([...report.files].map((name) => name.replace('/', '')).sort()).toEqual(readdirSync(out).sort());
  expect(read('bundle.json')).toMatchObject({ format: 1, pixel_space: 'oriented', splits: { test: { images: 1, annotations: 2 } } });
  expect(told.filter(({ name }) => name === 'bundle.progress').length).toBeGreaterThan(0);
});

it('divides by class where nobody did, says so, and keeps to that', async () => {
  const first = await call('bundle.write', { out });
  expect(first.splitsMade).toContain('divided by class');
  const splits = await call('splits.get', {});
  expect(splits?.options.kind).toBe('class');
  const again = await call('bundle.write', { out, overwrite: true });
  expect(again.splitsMade).toBeNull();
  expect(again.parts).toEqual(first.parts);
});

it('has the project’s own ids and records, whatever an import brought: also where ids of two files are the same', async () => {
  const { rows } = await call('images.list', all);
  for (const [k, { path }] of rows.slice(0, 2).entries()) {
    const place = join(root, `from-elsewhere-${round}-${k}.json`);
    const image = { id: 900, file_name: path, width: 80, height: 60, camera: 'theirs' };
    const made = { id: 7, image_id: 900, category_id: 3, segmentation: [[4, 4, 30, 4, 30, 28]], iscrowd: 0, theirs: 1.5 };
    writeFileSync(
      place,
      JSON.stringify({ info: { theirs: 1 }, images: [image], annotations: [made], categories: [{ id: 3, name: 'nut' }] }),
    );
    const { id } = await call('import.read', { place, format: 'coco' });
    await call('import.commit', { id, onConflict: 'add' });
  }
  await call('images.setState', { imageIds: rows.map(({ id }) => id), state: 'done' });
  await call('splits.make', { kind: 'random', parts: shares });
  const report = await call('bundle.write', { out });
  expect(report.verified.annotationsCompared).toBe(10);
  const seen = new Map<string, number>();
  const nut = (await call('labels.list', {})).find(({ name }) => name === 'nut')?.id;
  let nuts = 0;
  for (const split of ['train', 'val', 'test']) {
    const text = readFileSync(join(out, 'dataset', 'annotations', `${split}.json`), 'utf8');
    expect(text).not.toContain('theirs');
    const { images, annotations } = coco.parse(JSON.parse(text));
    for (const { id, file_name: name } of images) seen.set(name, id);
    nuts += annotations.filter(({ category_id: id }) => id === nut).length;
  }
  expect(nuts).toBe(2);
  expect(seen).toEqual(new Map(rows.map(({ path, id }) => [path, id])));
});

it('two bundles of the same project are the same bytes', async () => {
  await call('splits.make', { kind: 'random', parts: shares });
  await call('bundle.write', { out });
  const other = `${out}-2`;
  await call('bundle.write', { out: other, images: 'link' });
  for (const name of ['bundle.json', 'README.md', 'categories.json', join('dataset', 'annotations', 'train.json')]) {
    expect(readFileSync(join(other, name), 'utf8')).toBe(readFileSync(join(out, name), 'utf8'));
  }
});

it('takes done images only, unless it is told otherwise', async () => {
  await call('splits.make', { kind: 'random', parts: shares });
  const { rows } = await call('images.list', { ...all, behind: { split: 'train' } });
  const left = rows[0];
  await call('images.setState', { imageIds: [left?.id ?? 0], state: 'in-progress' });
  const report = await call('bundle.write', { out });
  expect(report.parts[0]).toMatchObject({ split: 'train', images: 1 });
  expect(report.skipped).toEqual([{ path: left?.path, reason: containing('in-progress'), asked: true }]);
  expect(existsSync(join(out, 'dataset', 'images', left?.path ?? ''))).toBe(false);
  const every = await call('bundle.write', { out, overwrite: true, states: [] });
  expect(every.parts[0]).toMatchObject({ images: 2 });
});

it('says of each class what training will suffer from', async () => {
  await call('labels.create', { name: 'never' });
  await call('splits.make', { kind: 'random', parts: shares });
  const { warnings } = await call('bundle.write', { out });
  expect(warnings).toContainEqual(containing('“never” has no instance'));
  expect(warnings).toContainEqual(containing('“lamp” has only 2 in “train”'));
});

it('refuses a folder with other files, replaces a bundle only when asked, and leaves what was trained there', async () => {
  await call('splits.make', { kind: 'random', parts: shares });
  mkdirSync(out);
  writeFileSync(join(out, 'notes.txt'), 'mine');
  await expect(call('bundle.write', { out })).rejects.toMatchObject({ code: 'conflict' });
  expect(readdirSync(out)).toEqual(['notes.txt']);
  const own = join(out, 'bundle');
  await call('bundle.write', { out: own });
  mkdirSync(join(own, 'runs'));
  writeFileSync(join(own, 'runs', 'model.onnx'), 'weights');
  await expect(call('bundle.write', { out: own })).rejects.toMatchObject({ code: 'conflict', message: containing('bundle already') });
  await call('bundle.write', { out: own, overwrite: true });
  expect(readFileSync(join(own, 'runs', 'model.onnx'), 'utf8')).toBe('weights');
});

it('refuses a project without instances to learn, or with nothing held out, and leaves nothing', async () => {
  await call('splits.make', { kind: 'random', parts: [{ name: 'train', share: 1 }] });
  await expect(call('bundle.write', { out })).rejects.toMatchObject({ code: 'invalid', message: containing('how good') });
  await call('splits.clear', {});
  await call('splits.make', { kind: 'random', parts: [{ name: 'a', share: 1 }] });
  await expect(call('bundle.write', { out })).rejects.toMatchObject({ code: 'invalid', message: containing('train') });
  const { rows } = await call('images.list', all);
  await call('images.setState', { imageIds: rows.map(({ id }) => id), state: 'new' });
  await call('splits.clear', {});
  await call('splits.make', { kind: 'random', parts: shares });
  await expect(call('bundle.write', { out })).rejects.toMatchObject({ code: 'invalid', message: containing('done') });
  expect(existsSync(out)).toBe(false);
});

it('divides nothing for a bundle that is not written', async () => {
  mkdirSync(out);
  writeFileSync(join(out, 'notes.txt'), 'mine');
  await expect(call('bundle.write', { out })).rejects.toMatchObject({ code: 'conflict' });
  expect(await call('splits.get', {})).toBeNull();
});

it('is cancelled in the middle and leaves the folder as it was', async () => {
  await call('splits.make', { kind: 'random', parts: shares });
  let cancelled = false;
  studio.onEvent((name) => {
    if (name !== 'bundle.progress' || cancelled) return;
    cancelled = true;
    void call('bundle.cancel', {});
  });
  await expect(call('bundle.write', { out })).rejects.toMatchObject({ code: 'cancelled' });
  expect(existsSync(out)).toBe(false);
});

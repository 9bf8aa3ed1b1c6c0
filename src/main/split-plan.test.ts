import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { call, folder, start, studio } from '../../test/studio-fixture.ts';
import { brightPhoto } from '../../test/bright-inference.ts';
import { annotation } from '../../test/store-fixtures.ts';
import { EMPTY_DIFF } from '../shared/diff.ts';

const PARTS = [
  { name: 'train', share: 50 },
  { name: 'val', share: 50 },
];

/** Opens the folder and draws one instance on each image. */
async function annotate(): Promise<number[]> {
  await call('project.open', { folder });
  const label = await call('labels.create', { name: 'cup' });
  const { rows } = await call('images.list', { offset: 0, limit: 100 });
  for (const row of rows) {
    await call('document.apply', { imageId: row.id, base: 0, diff: { ...EMPTY_DIFF, added: [annotation(`on-${row.path}`, label.id)] } });
  }
  return rows.map((row) => row.id);
}

describe('splits', () => {
  it('are proposed, made, frozen, and kept over a restart', async () => {
    await annotate();
    expect(await call('splits.get', {})).toBeNull();
    const proposed = await call('splits.preview', { kind: 'class', parts: PARTS });
    expect(proposed.parts.map(({ name, images, instances }) => [name, images, instances])).toEqual([
      ['train', 2, 2],
      ['val', 2, 2],
    ]);
    expect(await call('splits.get', {})).toBeNull();
    const made = await call('splits.make', { kind: 'class', parts: PARTS });
    expect({ ...made, madeAtMs: null }).toEqual(proposed);
    await expect(call('splits.make', { kind: 'random' })).rejects.toMatchObject({ code: 'conflict' });
    const inTrain = (await call('images.list', { offset: 0, limit: 10, behind: { split: 'train' } })).rows.map((row) => row.id);
    expect(inTrain).toHaveLength(2);

    await studio.close();
    start();
    await call('project.open', { folder });
    expect(await call('splits.get', {})).toEqual({ ...made, groups: null });
    expect((await call('images.list', { offset: 0, limit: 10, behind: { split: 'train' } })).rows.map((row) => row.id)).toEqual(inTrain);
    await call('splits.clear', {});
    expect(await call('splits.get', {})).toBeNull();
  });

  it('never move an image when new ones are added', async () => {
    const before = await annotate();
    await call('splits.make', { kind: 'random', parts: PARTS, seed: 3 });
    const where = async (split: string | null): Promise<number[]> =>
      (await call('images.list', { offset: 0, limit: 100, behind: { split } })).rows.map((row) => row.id);
    const [train, val] = [await where('train'), await where('val')];
    for (let i = 0; i < 3; i++) writeFileSync(join(folder, `late-${i}.jpg`), await brightPhoto(100 + i));
    await call('project.open', { folder });
    await studio.scanned();
    const late = (await call('images.list', { offset: 0, limit: 100, search: 'late' })).rows.map((row) => row.id);
    expect(late).toHaveLength(3);
    expect(await where(null)).toEqual(late);
    await call('images.setState', { imageIds: late, state: 'done' });
    await expect(call('splits.addNew', { to: 'nowhere' })).rejects.toMatchObject({ code: 'invalid' });
    const report = await call('splits.addNew', { to: 'train' });
    expect(report.parts.map((part) => part.images)).toEqual([train.length + 3, val.length]);
    expect((await where('train')).sort()).toEqual([...train, ...late].sort());
    expect(await where('val')).toEqual(val);
    expect([...train, ...val].sort()).toEqual([...before].sort());
    expect((await call('splits.get', {}))?.intact).toBe(true);
  });

  it('keep what a pattern, a folder or the eye says belongs together in one part', async () => {
    const ids = await annotate();
    const all = { parts: PARTS, images: 'all' } as const;
    // Of 1.jpg to 4.jpg the first two; the others stand for themselves.
    const first = await call('splits.preview', { ...all, kind: 'pattern', pattern: '^[12](.jpg)$' });
    expect(first.groups).toMatchObject({ count: 3, listed: [{ name: '.jpg', images: 2, imageIds: ids.slice(0, 2) }] });
    const folders = await call('splits.preview', { ...all, kind: 'folder' });
    expect(folders.groups).toMatchObject({ count: 1, listed: [{ name: '.', images: 4 }] });
    expect(folders.parts.map((part) => part.images).sort()).toEqual([0, ids.length]);
    await expect(call('splits.preview', { ...all, kind: 'pattern', pattern: '(' })).rejects.toThrow('no regular expression');
    await expect(call('splits.preview', { ...all, kind: 'pattern' })).rejects.toThrow('empty');
    const near = await call('splits.preview', { ...all, kind: 'near-duplicate' });
    // The same picture in four shades.
    expect(near.groups).toMatchObject({ count: 1, plain: 0, listed: [{ images: 4 }] });
    expect(near.parts.map((part) => part.images).sort()).toEqual([0, 4]);
  });

  it('say what is missing where nothing can be divided, and count in the window as on the disk', async () => {
    await call('project.open', { folder });
    await expect(call('splits.preview', { kind: 'class' })).rejects.toThrow('Annotate some first');
    await expect(call('splits.addNew', { to: null })).rejects.toMatchObject({ code: 'not-found' });
    const report = await call('statistics.get', {});
    expect(report).toMatchObject({ images: 4, annotated: 0, instances: 0, splits: [{ name: null, images: 4, instances: 0 }] });
    const both = await Promise.allSettled([call('statistics.get', {}), call('statistics.get', {})]);
    expect(both.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});

describe('statistics of an import', () => {
  it('take areas and boxes that agree with the outline from the file, measure the others, and count no work', async () => {
    await call('project.open', { folder });
    const square = (id: number, area: number, box: number[]): object => ({
      id,
      image_id: id,
      category_id: 1,
      segmentation: [[10, 10, 20, 10, 20, 20, 10, 20]],
      area,
      bbox: box,
      iscrowd: 0,
    });
    const place = join(folder, 'instances.json');
    const dataset = {
      images: [1, 2, 3].map((id) => ({ id, file_name: `${id}.jpg`, width: 80, height: 60 })),
      annotations: [square(1, 104.5, [10, 10, 10, 10]), square(2, 1500, [10, 10, 10, 10]), square(3, 100, [0, 0, 60, 60])],
      categories: [{ id: 1, name: 'cup' }],
    };
    writeFileSync(place, JSON.stringify(dataset));
    const plan = await call('import.read', { place, format: 'coco' });
    await call('import.commit', { id: plan.id });
    const report = await call('statistics.get', {});
    expect(report).toMatchObject({ instances: 3, time: { images: 0, totalMs: 0 } });
    // The second file's area and the third one's box are no measures of the square.
    expect(report.sizes.map((size) => size.count)).toEqual([3, 0, 0]);
    expect(report.heat.cells.filter((count) => count > 0)).toEqual([3]);
    const exact = (area: number): Promise<number> =>
      call('images.list', { offset: 0, limit: 10, behind: { area: { from: area, to: area + 0.001 } } }).then((page) => page.total);
    expect([await exact(104.5), await exact(100), await exact(1500)]).toEqual([1, 2, 0]);
  });
});

describe('the split of an imported dataset', () => {
  it('is taken over, and frozen, where the images are not divided yet', async () => {
    await call('project.open', { folder });
    const yolo = join(`${folder}-app`, 'yolo');
    for (const [name, part] of [
      ['1', 'train'],
      ['2', 'train'],
      ['3', 'val'],
    ] as const) {
      for (const kind of ['images', 'labels']) mkdirSync(join(yolo, kind, part), { recursive: true });
      copyFileSync(join(folder, `${name}.jpg`), join(yolo, 'images', part, `${name}.jpg`));
      writeFileSync(join(yolo, 'labels', part, `${name}.txt`), '0 0.1 0.1 0.5 0.1 0.5 0.5 0.1 0.5\n');
    }
    writeFileSync(join(yolo, 'data.yaml'), 'train: images/train\nval: images/val\nnc: 1\nnames: [cup]\n');
    const plan = await call('import.read', { place: yolo, format: 'yolo-seg' });
    expect(plan.splits).toEqual([
      { name: 'train', images: 2, applied: 2, kept: 0 },
      { name: 'val', images: 1, applied: 1, kept: 0 },
    ]);
    await call('import.commit', { id: plan.id });
    const split = await call('splits.get', {});
    expect(split).toMatchObject({ options: { kind: 'imported' }, intact: true, unassigned: 1 });
    expect(split?.parts.map(({ name, images, instances }) => [name, images, instances])).toEqual([
      ['train', 2, 2],
      ['val', 1, 1],
    ]);
    await expect(call('splits.make', { kind: 'random' })).rejects.toMatchObject({ code: 'conflict' });
    await call('splits.clear', {});
    await expect(call('splits.preview', { kind: 'imported' })).rejects.toMatchObject({ code: 'invalid' });
  });
});

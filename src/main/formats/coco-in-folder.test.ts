import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sharedHas, sharedPath } from '../../../test/shared-data.ts';
import { temporaryFolder } from '../../../test/store-fixtures.ts';
import { readCoco } from './coco-in.ts';
import { collect } from './dataset.test-support.ts';

const root = temporaryFolder();
let folders = 0;

interface Made {
  readonly images?: readonly (readonly [id: number | string, file: string])[];
  readonly categories?: readonly (readonly [id: number, name: string])[];
  readonly annotations?: readonly (readonly [id: number, image: number | string, category: number])[];
  readonly more?: Record<string, unknown>;
}

function folderOf(files: Readonly<Record<string, Made>>, folders_: readonly string[] = []): string {
  const folder = join(root, String(++folders));
  for (const name of folders_) mkdirSync(join(folder, name), { recursive: true });
  for (const [file, { images = [], categories = [[1, 'mug']], annotations = [], more = {} }] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    const value = {
      ...more,
      images: images.map(([id, file_name]) => ({ id, file_name, width: 80, height: 60 })),
      categories: categories.map(([id, name]) => ({ id, name })),
      annotations: annotations.map(([id, image_id, category_id]) => ({
        id,
        image_id,
        category_id,
        bbox: [1, 1, 5, 5],
        area: 25,
        iscrowd: 0,
      })),
    };
    writeFileSync(join(folder, file), JSON.stringify(value));
  }
  return folder;
}

async function read(folder: string): Promise<ReturnType<typeof collect>> {
  const sink = collect();
  await readCoco.read(folder, sink, { images: folder, sizeOf: () => Promise.resolve(null) });
  return sink;
}

const reasons = ({ findings }: ReturnType<typeof collect>): string[] =>
  findings.map(({ kind, reason }) => `${kind} ${reason}`).filter((reason) => reason !== 'kept no-segmentation');

describe('a folder with a COCO file for each split', () => {
  it('is one dataset: COCO’s own names, keys that are equal without a word', async () => {
    const categories = [
      [1, 'mug'],
      [2, 'pot'],
    ] as const;
    const folder = folderOf(
      {
        'annotations/instances_train2017.json': {
          images: [
            [1, 'a.jpg'],
            [2, 'b.jpg'],
          ],
          categories,
          annotations: [
            [10, 1, 1],
            [11, 2, 2],
          ],
          more: { info: { year: 1 } },
        },
        'annotations/instances_val2017.json': {
          images: [[3, 'c.jpg']],
          categories,
          annotations: [[12, 3, 2]],
          more: { info: { year: 1 } },
        },
        'annotations/captions_val2017.json': { images: [[3, 'c.jpg']], annotations: [[12, 3, 1]] },
      },
      ['train2017', 'val2017'],
    );
    expect(await readCoco.detect(folder)).toBeGreaterThan(0.5);
    const dataset = await read(folder);
    expect(dataset.images.map(({ key, path, split }) => [key, path, split])).toEqual([
      [1, 'train2017/a.jpg', 'train'],
      [2, 'train2017/b.jpg', 'train'],
      [3, 'val2017/c.jpg', 'val'],
    ]);
    expect(dataset.categories.map(({ key, name }) => [key, name])).toEqual(categories);
    expect(dataset.instances.map(({ key, number, imageKey, categoryKey }) => [key, number, imageKey, categoryKey])).toEqual([
      [1, 10, 1, 1],
      [2, 11, 2, 2],
      [3, 12, 3, 2],
    ]);
    expect(reasons(dataset)).toEqual([]);
  });

  it('is one dataset: Roboflow’s folders, whose ids begin anew in each; categories go by name', async () => {
    const dataset = await read(
      folderOf({
        'train/_annotations.coco.json': {
          images: [
            [0, 'a.jpg'],
            [1, 'b.jpg'],
          ],
          categories: [
            [1, 'mug'],
            [2, 'pot'],
          ],
          annotations: [
            [1, 0, 1],
            [2, 1, 2],
          ],
        },
        'valid/_annotations.coco.json': {
          images: [
            [0, 'a.jpg'],
            [1, 'd.jpg'],
          ],
          categories: [
            [1, 'pot'],
            [2, 'mug'],
          ],
          annotations: [
            [1, 0, 1],
            [2, 1, 2],
          ],
          more: { info: { year: 2 } },
        },
        'test/_annotations.coco.json': {
          images: [['x', 'e.jpg']],
          categories: [
            [1, 'mug'],
            [2, 'jug'],
          ],
          annotations: [[1, 'x', 2]],
          more: { info: { year: 3 } },
        },
      }),
    );
    expect(dataset.images.map(({ path, split }) => [path, split])).toEqual([
      ['train/a.jpg', 'train'],
      ['train/b.jpg', 'train'],
      ['valid/a.jpg', 'val'],
      ['valid/d.jpg', 'val'],
      ['test/e.jpg', 'test'],
    ]);
    expect(new Set(dataset.images.map(({ key }) => key)).size).toBe(5);
    // One file that is made of them must tell the two `a.jpg` apart.
    expect(dataset.images.map(({ source }) => (JSON.parse(source ?? '{}') as { file_name: string }).file_name)).toEqual([
      'a.jpg',
      'b.jpg',
      'valid/a.jpg',
      'd.jpg',
      'e.jpg',
    ]);
    const pathOf = new Map(dataset.images.map(({ key, path }) => [key, path]));
    const nameOf = new Map(dataset.categories.map(({ key, name }) => [key, name]));
    expect(dataset.instances.map(({ imageKey, categoryKey, number }) => [pathOf.get(imageKey), nameOf.get(categoryKey), number])).toEqual([
      ['train/a.jpg', 'mug', 1],
      ['train/b.jpg', 'pot', 2],
      ['valid/a.jpg', 'pot', null],
      ['valid/d.jpg', 'mug', null],
      ['test/e.jpg', 'jug', null],
    ]);
    expect(reasons(dataset)).toEqual([
      'repaired file-name-repeats',
      'repaired category-id-differs',
      'repaired category-id-differs',
      'repaired image-ids-repeat',
      'repaired annotation-ids-repeat',
      'kept file-key-differs',
      'repaired category-name-differs',
      'repaired annotation-ids-repeat',
    ]);
  });

  it('takes an image that is in two of them once, and its annotations too', async () => {
    const dataset = await read(
      folderOf({
        'train.json': {
          images: [
            [1, 'a.jpg'],
            [2, 'b.jpg'],
          ],
          annotations: [
            [1, 1, 1],
            [2, 2, 1],
          ],
        },
        'val.json': {
          images: [
            [2, 'b.jpg'],
            [3, 'c.jpg'],
          ],
          annotations: [
            [2, 2, 1],
            [3, 3, 1],
          ],
        },
      }),
    );
    expect(dataset.images.map(({ path, split }) => [path, split])).toEqual([
      ['a.jpg', 'train'],
      ['b.jpg', 'train'],
      ['c.jpg', 'val'],
    ]);
    expect(dataset.instances.map(({ number, imageKey }) => [number, imageKey])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
    expect(reasons(dataset)).toEqual(['kept image-in-several-files', 'refused annotation-twice']);
  });

  it('is nothing where names do not say what belongs together, or one of the files is broken', async () => {
    await expect(read(folderOf({ 'a.json': { images: [[1, 'a.jpg']] }, 'b.json': { images: [[1, 'b.jpg']] } }))).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(/a\.json, b\.json/) as unknown,
    });
    await expect(read(folderOf({ 'train.json': {}, 'trainval.json': {} }))).rejects.toMatchObject({ code: 'invalid' });
    const folder = folderOf({ 'train.json': { images: [[1, 'a.jpg']] }, 'val.json': { images: [[2, 'b.jpg']] } });
    writeFileSync(join(folder, 'val.json'), '{"images": [{"id": 1, "file_name": "b.jpg"}], "categories": [], "annotations": [{"id"');
    await expect(read(folder)).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('val.json') as unknown });
  });

  it('reads what an export by split wrote: images in no split have none', async () => {
    const dataset = await read(
      folderOf({ 'annotations/train.json': { images: [[1, 'a.jpg']] }, 'annotations/unassigned.json': { images: [[2, 'b.jpg']] } }),
    );
    expect(dataset.images.map(({ path, split }) => [path, split])).toEqual([
      ['a.jpg', 'train'],
      ['b.jpg', null],
    ]);
  });
});

describe.skipIf(!sharedHas('data/coco/coco-tiny'))('the 160 photographs of COCO', () => {
  it('are one dataset of two files, without a finding', async () => {
    const folder = sharedPath('data/coco/coco-tiny');
    const dataset = await read(folder);
    const counts = new Map<string | null, number>();
    for (const { split } of dataset.images) counts.set(split, (counts.get(split) ?? 0) + 1);
    expect([...counts]).toEqual([
      ['train', 80],
      ['val', 80],
    ]);
    expect(dataset.images.every(({ path, split }) => path.startsWith(`${split}2017/`))).toBe(true);
    expect(dataset.categories).toHaveLength(80);
    const merging = ['category', 'ids-repeat', 'file-key', 'several-files', 'annotation-twice'];
    expect(dataset.findings.filter(({ reason }) => merging.some((word) => reason.includes(word)))).toEqual([]);
    expect(new Set(dataset.instances.map(({ number }) => number)).size).toBe(dataset.instances.length);
  });
});

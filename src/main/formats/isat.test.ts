import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { geometryToRle } from '../../shared/mask/raster.ts';
import { rleArea } from '../../shared/mask/rle.ts';
import { collect } from './dataset.test-support.ts';
import { imageFiles } from './folder.ts';
import { ISAT } from './isat.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskloop-isat-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const square = (x: number, y: number, side: number): number[][] => [
  [x, y],
  [x + side, y],
  [x + side, y + side],
  [x, y + side],
];

async function read(objects: readonly object[], classes: string | null = null): Promise<ReturnType<typeof collect>> {
  const info = { description: 'ISAT', folder: '/home/somebody/images', name: 'a.jpg', width: 20, height: 20, depth: 3, note: 'a table' };
  await writeFile(join(folder, 'a.json'), JSON.stringify({ info, objects }));
  if (classes !== null) await writeFile(join(folder, 'isat.yaml'), classes);
  const sink = collect();
  await ISAT.reader.read(folder, sink, { images: folder, files: imageFiles(['a.jpg']), sizeOf: () => Promise.resolve(null) });
  return sink;
}

const object = (category: string, group: number, layer: number, segmentation: number[][], more: object = {}): object => ({
  category,
  group,
  segmentation,
  area: 4,
  layer,
  bbox: [0, 0, 1, 1],
  iscrowd: false,
  note: '',
  ...more,
});

describe('reading', () => {
  it('takes polygons of one group, class and crowd mark as one instance, in the order of layers; group 0 is none', async () => {
    const { instances, categories } = await read(
      [
        object('nut', 1, 3, square(0, 0, 4)),
        object('fig', 2, 1, square(2, 2, 4)),
        object('nut', 1, 4, square(10, 0, 4)),
        object('nut', 1, 5, square(15, 0, 4), { iscrowd: 1 }),
        object('nut', 0, 6, square(0, 10, 2)),
        object('nut', 0, 7, square(4, 10, 2)),
      ],
      "label:\n- color: '#000000'\n  name: __background__\n- color: '#ef2929'\n  name: fig\n- color: '#fcaf3e'\n  name: never\n",
    );
    expect(categories.map(({ name, color }) => [name, color])).toEqual([
      ['fig', '#ef2929'],
      ['never', '#fcaf3e'],
      ['nut', null],
    ]);
    expect(
      instances.map(({ categoryKey, crowd, geometry }) => [categoryKey, crowd, geometry.kind === 'polygon' ? geometry.parts.length : 0]),
    ).toEqual([
      [1, false, 1],
      [3, false, 2],
      [3, true, 1],
      [3, false, 1],
      [3, false, 1],
    ]);
  });

  it('cuts the background out of the layers below it, and only of those', async () => {
    const { instances, findings, categories } = await read([
      object('table', 1, 1, square(0, 0, 10)),
      object('__background__', 0, 2, square(2, 2, 4)),
      object('cup', 2, 3, square(3, 3, 2)),
    ]);
    expect(categories.map(({ name }) => name)).toEqual(['table', 'cup']);
    expect(instances.map(({ geometry }) => rleArea(geometryToRle(geometry, 20, 20)))).toEqual([84, 4]);
    expect(findings.map(({ kind, id, reason }) => `${kind} ${id} ${reason}`)).toEqual(['repaired a.json#0 background-cut']);
  });

  it('says of every object that it cannot take why, and refuses classes that are none', async () => {
    const { findings, instances } = await read([
      object('nut', 1, 1, [
        [1, 1],
        [2, 2],
      ]),
      object('nut', 2, 1, square(0, 0, 4), { shape_type: 'point' }),
      object('nut', 3, 1, square(500, 0, 4)),
      { category: 'nut' },
    ]);
    expect(instances).toEqual([]);
    expect(findings.map(({ id, reason }) => `${id} ${reason}`)).toEqual([
      'a.json#0 ring-too-short',
      'a.json#1 shape-without-area',
      'a.json#2 geometry-impossible',
      'a.json#3 not-as-expected',
    ]);
    await expect(read([], 'label: nut\n')).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('isat.yaml') as string,
    });
    await expect(read([], 'label: [\n')).rejects.toMatchObject({ code: 'invalid' });
  });
});

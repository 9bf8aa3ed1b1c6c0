import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeRle } from '../../shared/mask/rle.ts';
import type { SourceText } from './dataset.ts';
import { collect } from './dataset.test-support.ts';
import { imageFiles } from './folder.ts';
import { LABELME } from './labelme.ts';
import type { MadeProject } from './projects.test-support.ts';
import { sourceOf } from './projects.test-support.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskloop-labelme-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const triangle = [
  [1, 1],
  [8.25, 1],
  [8.25, 6.5],
];

async function read(value: unknown, place = folder): Promise<ReturnType<typeof collect>> {
  await writeFile(join(folder, 'a.json'), typeof value === 'string' ? value : JSON.stringify(value));
  const sink = collect();
  await LABELME.reader.read(place, sink, { images: folder, files: imageFiles(['a.jpg']), sizeOf: () => Promise.resolve(null) });
  return sink;
}

const file = (shapes: readonly object[], more: object = {}): object => ({
  version: '5.5.0',
  flags: {},
  shapes,
  imagePath: 'a.jpg',
  imageData: null,
  imageHeight: 10,
  imageWidth: 12,
  ...more,
});

describe('reading', () => {
  it('takes shapes of one class and group as one instance, others apart', async () => {
    const { instances, categories } = await read(
      file([
        { label: 'nut', points: triangle, group_id: 1, shape_type: 'polygon' },
        {
          label: 'nut',
          points: [
            [9, 8],
            [11, 10],
          ],
          group_id: 1,
          shape_type: 'rectangle',
        },
        { label: 'fig', points: triangle, group_id: 1, shape_type: 'polygon' },
        { label: 'nut', points: triangle, group_id: null, shape_type: 'polygon' },
        { label: 'nut', points: triangle },
      ]),
    );
    expect(categories.map(({ name }) => name)).toEqual(['nut', 'fig']);
    expect(instances.map(({ categoryKey, geometry }) => [categoryKey, geometry.kind === 'polygon' ? geometry.parts.length : 0])).toEqual([
      [1, 2],
      [2, 1],
      [1, 1],
      [1, 1],
    ]);
    expect(instances[0]?.geometry).toEqual({
      kind: 'polygon',
      parts: [
        { outer: [1, 1, 8.25, 1, 8.25, 6.5], holes: [] },
        { outer: [9, 8, 11, 8, 11, 10, 9, 10], holes: [] },
      ],
    });
  });

  it('puts a mask where its box begins, and unites it with the rest of its group', async () => {
    const mask = Buffer.from(encode({ width: 2, height: 2, data: Uint8Array.of(1, 0, 1, 1), channels: 1, depth: 8 })).toString('base64');
    const shape = {
      label: 'nut',
      points: [
        [3.9, 4.2],
        [4.9, 5.2],
      ],
      shape_type: 'mask',
      mask,
    };
    const { instances } = await read(
      file([
        shape,
        { ...shape, group_id: 7 },
        {
          label: 'nut',
          points: [
            [0, 0],
            [1, 1],
          ],
          shape_type: 'rectangle',
          group_id: 7,
        },
      ]),
    );
    const pixels = instances.map(({ geometry }) => {
      if (geometry.kind !== 'mask') throw new Error('It is a mask.');
      return [...decodeRle(geometry.rle).data.entries()].filter(([, value]) => value === 1).map(([i]) => [i % 12, Math.floor(i / 12)]);
    });
    const own = [
      [3, 4],
      [3, 5],
      [4, 5],
    ];
    expect(pixels[0]).toEqual(own);
    expect(pixels[1]).toEqual([[0, 0], ...own]);
  });

  it("reads X-AnyLabeling's four corners, turned boxes, Windows' paths, and keeps what it does not know", async () => {
    const corners = [
      [2, 2],
      [6, 2],
      [6, 5],
      [2, 5],
    ];
    const turned = [
      [4, 1],
      [7, 4],
      [4, 7],
      [1, 4],
    ];
    const { instances, images, findings } = await read(
      file(
        [
          {
            label: 'nut',
            points: corners,
            shape_type: 'rectangle',
            score: 0.5,
            difficult: true,
            attributes: { ripe: 'yes' },
            kie_linking: [],
          },
          { label: 'nut', points: turned, shape_type: 'rotation', direction: 0.78 },
        ],
        { imagePath: '..\\images\\a.jpg', text: 'two nuts' },
      ),
    );
    expect(images[0]).toMatchObject({ path: 'a.jpg', width: 12, height: 10 });
    expect(JSON.parse(images[0]?.source ?? '')).toEqual({ version: '5.5.0', flags: {}, text: 'two nuts' });
    expect(instances[0]?.geometry).toEqual({ kind: 'box', box: [2, 2, 4, 3] });
    expect(instances[1]?.geometry).toEqual({ kind: 'polygon', parts: [{ outer: turned.flat(), holes: [] }] });
    expect(JSON.parse(instances[0]?.source ?? '')).toMatchObject({
      shapes: [{ score: 0.5, difficult: true, attributes: { ripe: 'yes' } }],
    });
    expect(findings.map(({ kind, id, reason }) => `${kind} ${id} ${reason}`)).toEqual(['repaired a.json#1 rotated-box-as-polygon']);
  });

  it('says of every shape that it cannot take why', async () => {
    const { findings, instances } = await read(
      file([
        { label: 'nut', points: triangle.slice(0, 2), shape_type: 'polygon' },
        { label: 'nut', points: [[1, 1]], shape_type: 'point' },
        {
          label: 'nut',
          points: [
            [1, 1],
            [1, 5],
          ],
          shape_type: 'rectangle',
        },
        {
          label: 'nut',
          points: [
            [1, 1],
            [2, 5],
          ],
          shape_type: 'mask',
          mask: 'bm8gcG5n',
        },
        { label: 'nut', points: triangle, shape_type: 'cuboid' },
        { label: 'nut', points: [['x', 1]], shape_type: 'polygon' },
        { points: triangle, shape_type: 'polygon' },
        {
          label: 'nut',
          points: [
            [1, 1],
            [900, 1],
            [1, 6],
          ],
          shape_type: 'polygon',
        },
        { label: '', points: triangle, shape_type: 'polygon' },
      ]),
    );
    expect(findings.map(({ kind, id, reason }) => `${kind} ${id} ${reason}`)).toEqual([
      'refused a.json#0 ring-too-short',
      'refused a.json#1 shape-without-area',
      'refused a.json#2 box-without-area',
      'refused a.json#3 mask-damaged',
      'refused a.json#4 shape-unknown',
      'refused a.json#5 not-as-expected',
      'refused a.json#6 not-as-expected',
      'refused a.json#7 geometry-impossible',
      'repaired  class-without-name',
    ]);
    expect(instances).toHaveLength(1);
  });

  it('refuses a file that is not JSON, and a single one that is not its own; in a folder the latter is told', async () => {
    await expect(read('{"shapes": [')).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('a.json') as string });
    await expect(read({ images: [] }, join(folder, 'a.json'))).rejects.toMatchObject({ code: 'invalid' });
    const { findings } = await read({ images: [] });
    expect(findings.map(({ id, reason }) => `${id} ${reason}`)).toEqual(['a.json not-this-format']);
  });
});

it('writes again what a shape said beyond class and place, with the group it had', async () => {
  const shapes = [
    { label: 'nut', points: triangle, group_id: 5, description: 'ripe', difficult: true, shape_type: 'polygon', flags: { good: true } },
    {
      label: 'nut',
      points: [
        [9, 8],
        [11, 8],
        [11, 10],
      ],
      group_id: 5,
      description: 'its rest',
      shape_type: 'polygon',
      flags: {},
    },
  ];
  const { instances, images } = await read(file(shapes, { flags: { checked: true } }));
  const text = (source: string | null | undefined): SourceText => ({
    format: 'labelme',
    text: source ?? '',
    untouched: true,
    raw: false,
    renumbered: false,
  });
  const [instance] = instances;
  if (!instance) throw new Error('There is an instance.');
  const project: MadeProject = {
    folder: '/nowhere',
    labels: [{ id: 1, name: 'nut', color: '#4477AA', hotkey: null, position: 0 }],
    images: [
      {
        id: 1,
        path: 'a.jpg',
        width: 12,
        height: 10,
        orientation: 1,
        bytes: 1,
        sha256: '',
        state: 'done',
        revision: 1,
        error: null,
        annotations: 1,
        pending: 0,
      },
    ],
    documents: new Map([
      [
        1,
        [
          {
            number: 1,
            annotation: {
              id: 'annotation-1',
              labelId: 1,
              geometry: instance.geometry,
              z: 0,
              crowd: true,
              origin: 'imported',
              suggestionId: null,
            },
          },
        ],
      ],
    ]),
    texts: new Map([
      ['annotation 1', text(instance.source)],
      ['image 1', text(images[0]?.source)],
    ]),
  };
  const out = join(folder, 'out');
  await LABELME.writer?.write(sourceOf(project), out, { images: 'leave' }, () => undefined).catch((thrown: unknown) => thrown);
  const written = JSON.parse(await readFile(join(out, 'a.json'), 'utf8')) as { shapes: object[]; flags: object };
  expect(written.flags).toEqual({ checked: true });
  expect(written.shapes).toEqual([
    { ...shapes[0], flags: { good: true, iscrowd: true }, mask: null },
    { ...shapes[1], flags: { iscrowd: true }, mask: null },
  ]);
});

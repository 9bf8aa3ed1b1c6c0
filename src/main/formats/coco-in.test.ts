import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sharedHas, sharedPath } from '../../../test/shared-data.ts';
import { temporaryFolder } from '../../../test/store-fixtures.ts';
import { geometryOfRecord } from './coco-geometry.ts';
import { readCoco } from './coco-in.ts';
import { collect } from './dataset.test-support.ts';

const folder = temporaryFolder();
let files = 0;

async function readText(text: string): Promise<ReturnType<typeof collect>> {
  const path = join(folder, `file-${++files}.json`);
  writeFileSync(path, text);
  return readFile(path);
}

async function readFile(path: string): Promise<ReturnType<typeof collect>> {
  const sink = collect();
  await readCoco.read(path, sink, { images: folder, sizeOf: () => Promise.resolve(null) });
  return sink;
}

const IMAGE = '{"id": 5, "file_name": "a.jpg", "width": 64, "height": 48}';
const CATEGORY = '{"id": 2, "name": "mug"}';
const SQUARE = '"segmentation": [[10, 10, 20, 10, 20, 20, 10, 20]], "area": 100, "bbox": [10, 10, 10, 10]';
const place = '"image_id": 5, "category_id": 2';

/** A file with these annotations, each the text of its members. */
function file(annotations: readonly string[], images: readonly string[] = [IMAGE], categories: readonly string[] = [CATEGORY]): string {
  return `{"images": [${images.join(',')}], "annotations": [${annotations.map((a) => `{${a}}`).join(', ')}], "categories": [${categories.join(',')}]}`;
}

/** Findings as `kind reason id`. */
function found({ findings }: ReturnType<typeof collect>): string[] {
  return findings.map(({ kind, reason, id }) => `${kind} ${reason} ${id}`);
}

describe('COCO as it is found', () => {
  it('keeps every record as its text says it, and files in the usual order of their keys', async () => {
    const text =
      '"id": 7, "area": 1e2, "segmentation": [[10.50, 10, 20, 10, 20, 20]], "bbox": [10.5,10,9.5, 10.0], "mine": {"deep": [0.10]}, ' +
      place;
    const read = await readText(`{"info": {"year":  2e3}, "licenses": [ {"id": 1} , 2], ${file([text]).slice(1)}`);
    expect(read.instances).toMatchObject([
      { key: 1, number: 7, imageKey: 5, categoryKey: 2, crowd: false, inSource: true, source: `{${text}}` },
    ]);
    expect(read.instances[0]?.geometry).toEqual(geometryOfRecord(`{${text}}`));
    expect(read.images).toMatchObject([{ key: 5, path: 'a.jpg', width: 64, height: 48, source: IMAGE, inSource: true }]);
    expect(read.others).toEqual([
      { key: 'info', source: '{"year":  2e3}' },
      { key: 'licenses', source: '[ {"id": 1} , 2]' },
      ...['images', 'annotations', 'categories'].map((key) => ({ key, source: '[]' })),
    ]);
    expect(found(read)).toEqual(['kept area-differs 7']);
  });

  it('reads annotations that come before what they refer to', async () => {
    const read = await readText(
      `{"annotations": [{"id": 1, ${SQUARE}, ${place}}], "categories": [${CATEGORY}], "images": [${IMAGE}], "z": 1}`,
    );
    expect([read.instances.length, found(read)]).toEqual([1, []]);
    expect(read.others.map((other) => other.key)).toEqual(['annotations', 'categories', 'images', 'z']);
  });

  it('tells apart ids that differ beyond the digits of a double, and gives numbers only where they fit', async () => {
    const ids = ['9007199254740993', '9007199254740992', '"9"', '9', '-3', '4503599627370496'];
    const annotations = ids.map((id, i) => `"id": ${id}, "segmentation": [[${i}, 1, 9, 1, 9, 9]], ${place}`);
    const read = await readText(file(annotations));
    expect(read.instances.map((i) => i.number)).toEqual([null, null, null, 9, null, null]);
    expect(read.instances).toHaveLength(6);
  });

  it('takes an annotation that is there twice once, and two that share an id as two', async () => {
    const other = SQUARE.replace('[10, 10, 20', '[11, 10, 20');
    const read = await readText(
      file([`"id": 1, ${SQUARE}, ${place}`, `"id": 1, ${SQUARE}, ${place}`, `"id": 1, ${other}, ${place}`, `"id": 2, ${SQUARE}, ${place}`]),
    );
    expect(read.instances.map((i) => i.number)).toEqual([1, null, 2]);
    expect(found(read)).toEqual(['refused annotation-twice 1', 'repaired id-twice 1', 'kept annotation-repeated 2']);
  });

  it('refuses what refers to nothing, and finds ids of the other kind', async () => {
    const read = await readText(
      file([
        `"id": 1, ${SQUARE}, "image_id": 6, "category_id": 2`,
        `"id": 2, ${SQUARE}, "image_id": "5", "category_id": "2"`,
        `"id": 3, ${SQUARE}, "image_id": 5`,
      ]),
    );
    expect(found(read)).toEqual(['refused image-unknown 1', 'refused category-unknown 3']);
    expect(read.instances.map((i) => i.imageKey)).toEqual([5]);
  });

  it('says what is odd about images and categories', async () => {
    const images = [
      '{"id": 0, "file_name": "a.jpg", "width": 64, "height": 48}',
      '{"id": "x", "file_name": "sub\\\\b.jpg", "width": 64, "height": 48}',
      '{"id": 3, "file_name": "../../c.jpg"}',
      '{"id": 4, "coco_url": "http://images.org/val/d.jpg", "width": 64, "height": 48}',
      '{"id": 4, "file_name": "e.jpg"}',
      '{"id": 9, "width": 64}',
      '7',
    ];
    const categories = [
      '{"id": 0, "name": "things", "supercategory": "none"}',
      '{"id": 1, "name": "cup", "supercategory": "things"}',
      '{"id": 2, "name": "cup"}',
      '{"id": 3}',
    ];
    const read = await readText(file([`"id": 1, ${SQUARE}, "image_id": "x", "category_id": 1`], images, categories));
    expect(read.images.map((i) => [i.path, i.width, i.inSource])).toEqual([
      ['a.jpg', 64, true],
      ['sub/b.jpg', 64, true],
      ['c.jpg', null, false],
      ['val/d.jpg', 64, false],
    ]);
    expect(new Set(read.images.map((i) => i.key)).size).toBe(4);
    expect(found(read)).toEqual([
      'repaired path-changed "x"',
      'repaired path-changed 3',
      'repaired size-missing 3',
      'repaired file-name-missing 4',
      'repaired path-changed 4',
      'refused id-twice 4',
      'refused file-name-missing 9',
      'refused no-record number 6 of the list',
      'kept category-id-zero 0',
      'repaired name-missing 3',
      'kept supercategory-as-category 0',
      'kept name-repeated 2',
    ]);
  });

  it('reads boxes of a whole file from their centre where only that fits', async () => {
    const box = (id: number, x: number, y: number): string => `"id": ${id}, "bbox": [${x}, ${y}, 20, 20], "area": 400, ${place}`;
    const centred = await readText(file([box(1, 12, 12), box(2, 50, 30), box(3, 20, 20)]));
    expect(centred.instances.map((i) => i.geometry)).toMatchObject([
      { box: [2, 2, 20, 20] },
      { box: [40, 20, 20, 20] },
      { box: [10, 10, 20, 20] },
    ]);
    expect(found(centred)).toContain('repaired box-is-centre 3');
    const corners = await readText(file([box(1, 12, 12), box(2, 50, 30), box(3, 2, 2)]));
    expect(corners.instances.map((i) => i.geometry)).toMatchObject([
      { box: [12, 12, 20, 20] },
      { box: [50, 30, 20, 20] },
      { box: [2, 2, 20, 20] },
    ]);
  });

  it('takes the first of what is there twice, and annotations of both lists', async () => {
    const annotation = (id: number): string => `{"id": ${id}, ${SQUARE.replace('[10, 10, 20', `[${id}, 10, 20`)}, ${place}}`;
    const lists = `"annotations": [${annotation(8)}], "annotations": [${annotation(9)}]`;
    const read = await readText(
      `{"info": 1, "info": [2, 3], "licenses": [4, 5], "licenses": [6], "images": [${IMAGE}], ${lists}, "categories": [${CATEGORY}]}`,
    );
    expect(read.others.slice(0, 2)).toEqual([
      { key: 'info', source: '1' },
      { key: 'licenses', source: '[4, 5]' },
    ]);
    expect(read.instances.map((i) => i.number)).toEqual([8, 9]);
    expect(found(read).filter((line) => line.includes('key-twice'))).toHaveLength(3);
  });

  it('mentions keypoints once, and takes the rest', async () => {
    const read = await readText(file([`"id": 1, "keypoints": [1, 2, 2], "num_keypoints": 1, ${SQUARE}, ${place}`]));
    expect(read.findings.map((f) => [f.what, f.reason])).toEqual([['file', 'keypoints']]);
    expect(read.instances).toHaveLength(1);
  });

  const broken: readonly [name: string, text: string, code: string, says: string][] = [
    ['a results file', '[{"image_id": 1}]', 'invalid', 'results'],
    ['a captions file', file([`"id": 1, "caption": "a mug", ${place}`]), 'unsupported', 'captions'],
    ['a panoptic file', file(['"image_id": 5, "segments_info": [], "file_name": "a.png"']), 'unsupported', 'panoptic'],
    ['no categories', `{"images": [${IMAGE}], "annotations": []}`, 'invalid', '"categories"'],
    ['a list that is none', `{"images": {}, "annotations": [], "categories": []}`, 'invalid', '"images"'],
    ['a file that was cut off', file([`"id": 1, ${SQUARE}, ${place}`]).slice(0, 150), 'invalid', 'ends early'],
    ['a record that is no JSON', file([`"id": 01, ${SQUARE}, ${place}`]), 'invalid', 'byte'],
    ['text', 'hello', 'invalid', 'object'],
    ['nothing', '', 'invalid', 'object'],
  ];
  it.each(broken)('refuses %s, naming the file', async (_, text, code, says) => {
    const reading = readText(text);
    await expect(reading).rejects.toMatchObject({ code });
    await expect(reading).rejects.toThrow(says);
    await expect(reading).rejects.toThrow(`file-${files}.json`);
  });

  it('is told from other files, and found in a folder', async () => {
    const path = join(folder, 'one', 'annotations');
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'instances.json'), file([`"id": 1, ${SQUARE}, ${place}`]));
    expect(await readCoco.detect(join(path, 'instances.json'))).toBe(1);
    expect(await readCoco.detect(join(folder, 'one'))).toBeGreaterThan(0.5);
    expect((await readFile(join(folder, 'one'))).instances).toHaveLength(1);
    writeFileSync(join(path, 'second.json'), file([]));
    await expect(readFile(join(folder, 'one'))).rejects.toThrow('choose one of annotations/instances.json, annotations/second.json');
    writeFileSync(join(path, 'labelme.json'), '{"version": "5", "shapes": [], "imagePath": "a.jpg"}');
    expect(await readCoco.detect(join(path, 'labelme.json'))).toBe(0);
    expect(await readCoco.detect(join(folder, 'nowhere'))).toBe(0);
  });

  it('stops when it is given up', async () => {
    const path = join(folder, 'stopped.json');
    writeFileSync(path, file([`"id": 1, ${SQUARE}, ${place}`]));
    const reading = readCoco.read(path, collect(), { images: folder, sizeOf: () => Promise.resolve(null), signal: AbortSignal.abort() });
    await expect(reading).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe.skipIf(!sharedHas('data/coco'))('COCO files of others', () => {
  it.each([
    ['data/coco/nuts/trainval.json', 18, 165, []],
    ['data/coco/nuclei/instances.json', 14, 661, []],
    ['data/coco/coco-tiny/annotations/instances_train2017.json', 80, 705, ['area-differs']],
    ['data/coco/coco-tiny/annotations/instances_val2017.json', 80, 815, ['area-differs', 'ring-crosses-itself']],
    [
      'data/coco/facade/_annotations.coco.json',
      20,
      658,
      ['area-differs', 'category-id-zero', 'id-zero', 'name-repeated', 'supercategory-as-category'],
    ],
    ['data/coco/car-damage/_annotations.coco.json', 60, 174, ['area-differs', 'category-id-zero', 'id-zero', 'supercategory-as-category']],
    [
      'data/interop/coco-bbox-only-rbc/_annotations.coco.json',
      10,
      221,
      ['category-id-zero', 'id-zero', 'no-segmentation', 'supercategory-as-category'],
    ],
  ] as const)('%s is taken whole', async (path, images, instances, reasons) => {
    const read = await readFile(sharedPath(path));
    expect([read.images.length, read.instances.length]).toEqual([images, instances]);
    expect([...new Set(read.findings.map((f) => f.reason))].sort()).toEqual(reasons);
    expect(read.findings.filter((f) => f.kind === 'refused')).toEqual([]);
    for (const { inSource, source, geometry } of read.instances) {
      expect(inSource).toBe(true);
      expect(geometryOfRecord(source ?? '')).toEqual(geometry);
    }
  });
});

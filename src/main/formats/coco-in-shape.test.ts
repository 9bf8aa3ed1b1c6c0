import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/store-fixtures.ts';
import { geometryOfRecord } from './coco-geometry.ts';
import { readCoco } from './coco-in.ts';
import { collect } from './dataset.test-support.ts';

const folder = temporaryFolder();
const SQUARE = '"segmentation": [[10, 10, 20, 10, 20, 20, 10, 20]], "area": 100, "bbox": [10, 10, 10, 10]';

/** Reads a file of one image of 64×48 with one annotation, given by the text of its members. */
async function readOne(annotation: string): Promise<ReturnType<typeof collect>> {
  const path = join(folder, 'one.json');
  const images = '[{"id": 5, "file_name": "a.jpg", "width": 64, "height": 48}]';
  const text = `{"images": ${images}, "annotations": [{${annotation}, "image_id": 5, "category_id": 2}], "categories": [{"id": 2, "name": "mug"}]}`;
  writeFileSync(path, text);
  const sink = collect();
  await readCoco.read(path, sink, { images: folder, sizeOf: () => Promise.resolve(null) });
  return sink;
}

describe('an annotation of COCO', () => {
  const bitmap = '"segmentation": {"size": [48, 64], "counts": ';
  const cases: readonly [name: string, annotation: string, findings: readonly string[], geometry: unknown][] = [
    ['compressed runs', `"id": 1, ${bitmap}"0d0001000d001"}, "area": 1, "bbox": [0, 0, 1, 1]`, ['refused rle-broken 1'], null],
    ['runs as numbers', `"id": 1, ${bitmap}[48, 3, 3021]}, "area": 3, "bbox": [1, 0, 1, 3]`, [], { kind: 'mask' }],
    ['runs that do not fill the image', `"id": 1, ${bitmap}[48, 3, 3]}`, ['refused rle-broken 1'], null],
    [
      'runs in a list',
      `"id": 1, "segmentation": [{"size": [48, 64], "counts": [0, 3, 3069]}]`,
      ['repaired rles-merged 1', 'kept area-missing 1', 'kept box-missing 1'],
      { kind: 'mask' },
    ],
    ['a crowd as a flag', `"id": 1, "iscrowd": true, ${SQUARE}`, [], { kind: 'polygon' }],
    ['a crowd as text', `"id": 1, "iscrowd": "1", ${SQUARE}`, ['repaired crowd-not-flag 1'], { kind: 'polygon' }],
    [
      'no area and no box',
      '"id": 1, "segmentation": [[1, 1, 9, 1, 9, 9]]',
      ['kept area-missing 1', 'kept box-missing 1'],
      { kind: 'polygon' },
    ],
    [
      'only a box',
      '"id": 1, "segmentation": [], "area": 12, "bbox": [1, 2, 3, 4]',
      ['kept no-segmentation 1'],
      { kind: 'box', box: [1, 2, 3, 4] },
    ],
    ['an area of something else', `"id": 1, ${SQUARE.replace('"area": 100', '"area": 140')}`, ['kept area-differs 1'], { kind: 'polygon' }],
    [
      'a box of its centre',
      `"id": 1, ${SQUARE.replace('[10, 10, 10, 10]', '[15, 15, 10, 10]')}`,
      ['kept box-is-centre 1'],
      { kind: 'polygon' },
    ],
    [
      'a box of something else',
      `"id": 1, ${SQUARE.replace('[10, 10, 10, 10]', '[1, 1, 2, 2]')}`,
      ['kept box-differs 1'],
      { kind: 'polygon' },
    ],
    [
      'a ring of two points beside another',
      `"id": 1, ${SQUARE.replace('[[', '[[1, 1, 5, 5], [')}`,
      ['repaired ring-too-short 1'],
      { kind: 'polygon' },
    ],
    [
      'only a ring of two points',
      '"id": 1, "segmentation": [[1, 1, 5, 5]], "area": 9, "bbox": [1, 1, 4, 4]',
      ['repaired ring-too-short 1', 'repaired segmentation-broken 1'],
      { kind: 'box' },
    ],
    [
      'a ring of two points and a box of nothing',
      '"id": 1, "segmentation": [[1, 1, 1, 5]], "area": 0, "bbox": [1, 1, 0, 4]',
      ['repaired ring-too-short 1', 'refused box-empty 1'],
      null,
    ],
    ['nothing at all', '"id": 1, "keypoints": [1, 2, 2]', ['refused no-shape 1'], null],
    [
      'a ring that crosses itself',
      '"id": 1, "segmentation": [[1, 1, 21, 21, 21, 1, 1, 21]], "area": 200, "bbox": [1, 1, 20, 20]',
      ['kept ring-crosses-itself 1'],
      { kind: 'polygon' },
    ],
    [
      'a ring that is not in a list',
      '"id": 1, "segmentation": [1, 1, 9, 1, 9, 9], "area": 32, "bbox": [1, 1, 8, 8]',
      ['repaired ring-not-nested 1'],
      { kind: 'polygon' },
    ],
    [
      'points instead of numbers',
      '"id": 1, "segmentation": [[[1, 1], [9, 1], [9, 9]]], "area": 32, "bbox": [1, 1, 8, 8]',
      ['repaired points-not-flat 1'],
      { kind: 'polygon' },
    ],
    [
      'an odd number',
      '"id": 1, "segmentation": [[1, 1, 9, 1, 9, 9, 3]], "area": 32, "bbox": [1, 1, 8, 8]',
      ['repaired ring-odd 1'],
      { kind: 'polygon' },
    ],
    [
      'NaN in a number',
      `"id": 1, ${SQUARE.replace('"area": 100', '"area": NaN')}`,
      ['repaired not-a-number 1', 'kept area-missing 1'],
      { kind: 'polygon' },
    ],
    [
      'Infinity in a ring',
      '"id": 1, "segmentation": [[1, 1, 9, 1, 9, 9, -Infinity, 4]], "area": 32, "bbox": [1, 1, 8, 8]',
      ['repaired not-a-number 1', 'repaired point-not-finite 1'],
      { kind: 'polygon' },
    ],
    ['no id', SQUARE, ['repaired id-missing number 0 of the list'], { kind: 'polygon' }],
    ['an id of 0', `"id": 0, ${SQUARE}`, ['repaired id-zero 0'], { kind: 'polygon' }],
    ['an id that is text', `"id": "a-1", ${SQUARE}`, [], { kind: 'polygon' }],
    ['an id of 30 digits', `"id": 123456789012345678901234567890, ${SQUARE}`, [], { kind: 'polygon' }],
    [
      'points a little outside',
      '"id": 1, "segmentation": [[50, 10, 70, 10, 70, 20, 50, 20]], "area": 200, "bbox": [50, 10, 20, 10]',
      ['kept outside-image 1'],
      { kind: 'polygon' },
    ],
    [
      'points far away',
      '"id": 1, "segmentation": [[50, 10, 700, 10, 700, 20, 50, 20]], "area": 6500, "bbox": [50, 10, 650, 10]',
      ['refused far-outside 1'],
      null,
    ],
    [
      'a box from its other corner',
      '"id": 1, "bbox": [9, 9, -4, -4]',
      ['repaired box-negative 1', 'kept no-segmentation 1'],
      { kind: 'box', box: [5, 5, 4, 4] },
    ],
  ];
  it.each(cases)('%s', async (_, annotation, findings, geometry) => {
    const read = await readOne(annotation);
    expect(read.findings.map(({ kind, reason, id }) => `${kind} ${reason} ${id}`)).toEqual(findings);
    expect(read.instances.map((i) => i.geometry)).toMatchObject(geometry === null ? [] : [geometry]);
    const [one] = read.instances;
    if (one?.inSource) expect(geometryOfRecord(one.source ?? '')).toEqual(one.geometry);
    else if (one) expect(JSON.parse(one.source ?? '')).toBeTypeOf('object');
  });
});

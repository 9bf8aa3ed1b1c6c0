import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encode } from 'fast-png';
import { decodeRle } from '../../shared/mask/rle.ts';
import type { Geometry, ImageRecord, Label } from '../../shared/records.ts';
import { encodeIndexedPng } from '../render-indexed.ts';
import { createStaging } from '../store/staging.ts';
import { CLASS_MASKS } from './class-masks.ts';
import { collect } from './dataset.test-support.ts';
import type { Finding, Format } from './dataset.ts';
import { imageFiles } from './folder.ts';
import { INSTANCE_MASKS } from './instance-masks.ts';
import { readPngNumbers } from './png-numbers.ts';
import { sourceOf } from './projects.test-support.ts';
import type { MadeProject } from './projects.test-support.ts';
import { vocColor, vocPalette } from './voc-colors.ts';
import { vocIndex } from './voc-maps.ts';
import { VOC } from './voc.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskloop-maps-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function put(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), content);
}

async function read(format: Format, files: readonly string[] = []): Promise<ReturnType<typeof collect>> {
  const sink = collect();
  await format.reader.read(folder, sink, { images: folder, files: imageFiles(files), sizeOf: () => Promise.resolve(null) });
  return sink;
}

const box = (x: number, y: number, w: number, h: number): string =>
  `<bndbox><xmin>${x}</xmin><ymin>${y}</ymin><xmax>${x + w}</xmax><ymax>${y + h}</ymax></bndbox>`;
const reasons = (findings: readonly Finding[]): string[] => findings.map(({ kind, id, reason }) => `${kind} ${id} ${reason}`);
const rows = (geometry: Geometry | undefined): string[] => {
  const bitmap = geometry?.kind === 'mask' ? decodeRle(geometry.rle) : { width: 1, height: 0, data: new Uint8Array(0) };
  return Array.from({ length: bitmap.height }, (_, y) => [...bitmap.data.subarray(y * bitmap.width, (y + 1) * bitmap.width)].join(''));
};

function project(labels: readonly string[], annotations: readonly { labelId: number; geometry: Geometry; crowd?: boolean }[]): MadeProject {
  const image: ImageRecord = {
    id: 1,
    path: 'a.jpg',
    width: 6,
    height: 4,
    orientation: 1,
    bytes: 1,
    sha256: '',
    state: 'done',
    revision: 1,
    error: null,
    annotations: annotations.length,
    pending: 0,
  };
  const document = annotations.map(({ labelId, geometry, crowd = false }, z) => ({
    number: z + 11,
    annotation: { id: String(z), labelId, geometry, z, crowd, origin: 'drawn' as const, suggestionId: null },
  }));
  return {
    folder,
    labels: labels.map((name, position): Label => ({ id: position + 1, name, color: '#4477AA', hotkey: null, position })),
    images: [image],
    documents: new Map([[1, document]]),
  };
}

async function write(format: Format, made: MadeProject): Promise<Finding[]> {
  const findings: Finding[] = [];
  await format.writer?.write(sourceOf(made), folder, { images: 'leave' }, (finding) => void findings.push(finding));
  return findings;
}

const square = (x: number, y: number, side: number): Geometry => ({
  kind: 'polygon',
  parts: [{ outer: [x, y, x + side, y, x + side, y + side, x, y + side], holes: [] }],
});

describe('Pascal VOC', () => {
  it("knows VOC's colours both ways", () => {
    expect([1, 2, 15, 255].map(vocColor)).toEqual([
      [128, 0, 0],
      [0, 128, 0],
      [192, 128, 128],
      [224, 224, 192],
    ]);
    for (const index of [0, 1, 77, 255, 256, 70_000]) {
      const [r, g, b] = vocColor(index);
      expect(vocIndex(r + 256 * g + 65_536 * b)).toBe(index);
    }
  });

  it('gives the n-th object the pixels of number n, the class of the file, and nobody the border', async () => {
    const names = ['dog', 'cat', 'person'];
    const objects = [box(1, 1, 1, 3), box(4, 1, 2, 1), box(1, 1, 5, 3)].map(
      (bndbox, i) => `<object><name>${names[i] ?? ''}</name><difficult>${i}</difficult>${bndbox}</object>`,
    );
    await put('Annotations/a.xml', `<annotation><folder>VOC2012</folder><filename>a.jpg</filename>${objects.join('')}</annotation>`);
    const object = [1, 1, 255, 2, 2, 2, 1, 1, 255, 2, 2, 2, 1, 1, 0, 255, 255, 255, 1, 1, 0, 0, 0, 0];
    const classes = object.map((value) => [0, 12, 8][value] ?? 255);
    await put('SegmentationObject/a.png', encodeIndexedPng(Uint8Array.from(object), 6, 4, vocPalette()));
    await put('SegmentationClass/a.png', encodeIndexedPng(Uint8Array.from(classes), 6, 4, vocPalette()));
    const { instances, categories, findings } = await read(VOC, ['JPEGImages/a.jpg']);
    expect(categories.map(({ name }) => name)).toEqual(names);
    expect(instances.map(({ geometry }) => geometry.kind)).toEqual(['mask', 'mask', 'box']);
    expect(rows(instances[0]?.geometry)).toEqual(['110000', '110000', '110000', '110000']);
    expect(rows(instances[1]?.geometry)).toEqual(['000111', '000111', '000000', '000000']);
    expect(instances[2]?.source).toBe('{"difficult":"2"}');
    expect(reasons(findings).every((each) => each.startsWith('kept'))).toBe(true);
  });

  it('says what is wrong with a file, an object or a map, and reads the rest', async () => {
    const good = `<object><name>dog</name>${box(1, 1, 3, 2)}</object>`;
    await put(
      'Annotations/a.xml',
      `<annotation><filename>a.jpg</filename><object><name>cat</name></object><object>${box(1, 1, 2, 2)}</object>${good}</annotation>`,
    );
    await put('Annotations/b.xml', '<annotation><filename>b.jpg</filename><object>');
    await put('Annotations/c.xml', '<annotations/>');
    await put('SegmentationClass/d.png', Buffer.from('not a picture'));
    const { instances, findings } = await read(VOC);
    expect(instances).toHaveLength(1);
    expect(reasons(findings).filter((each) => each.startsWith('refused'))).toEqual([
      'refused a.jpg object 1 box-unclear',
      'refused a.jpg object 2 class-missing',
      'refused Annotations/b.xml file-unreadable',
      'refused Annotations/c.xml not-this-format',
      'refused SegmentationClass/d.png map-unreadable',
    ]);
  });

  it('writes what VOC said of an object again', async () => {
    await put(
      'Annotations/a.xml',
      `<annotation><folder>VOC2007</folder><filename>a.jpg</filename><size><width>6</width><height>4</height><depth>1</depth></size><object><name>dog</name><pose>Left</pose><truncated>1</truncated>${box(1, 1, 2, 2)}<part><name>head</name>${box(1, 1, 1, 1)}</part></object></annotation>`,
    );
    const staging = createStaging('voc', join(folder, 'staging'));
    await VOC.reader.read(folder, staging, {
      images: folder,
      files: imageFiles(['JPEGImages/a.jpg']),
      sizeOf: () => Promise.resolve(null),
    });
    const out = join(folder, 'out');
    await mkdir(out);
    await VOC.writer?.write(staging.source({ projectName: 'p', folder }), out, { images: 'leave' }, () => undefined);
    staging.close();
    const text = await readFile(join(out, 'Annotations/a.xml'), 'utf8');
    expect(text).toContain('<folder>VOC2007</folder>');
    expect(text).toContain('<pose>Left</pose>\n    <truncated>1</truncated>');
    expect(text).toContain('<part>\n      <name>head</name>');
    expect(text).toContain('<xmin>1</xmin>\n      <ymin>1</ymin>\n      <xmax>3</xmax>');
    expect(text).toContain('<depth>1</depth>');
  });

  it('tells of whatever is covered, and has the palette of its label map', async () => {
    const findings = await write(
      VOC,
      project(
        ['dog', 'dog 2'],
        [
          { labelId: 1, geometry: square(0, 0, 3) },
          { labelId: 2, geometry: square(1, 1, 3) },
          { labelId: 1, geometry: square(2, 2, 1) },
          { labelId: 1, geometry: { kind: 'box', box: [0.5, 0.25, 2, 3] } },
          { labelId: 2, geometry: square(2, 2, 1) },
        ],
      ),
    );
    expect(reasons(findings)).toEqual(['lost 13 covered', 'lost 11 covered', 'lost 12 covered']);
    expect(findings[1]?.message).toContain('4 of 9 pixels');
    const classes = readPngNumbers(await readFile(join(folder, 'SegmentationClass/a.png')), 'a.png');
    expect(classes.kind).toBe('indexed');
    // Both classes are #4477AA: the second gets another, for readers go by colour.
    expect(new Set(classes.palette.map((color) => color.join())).size).toBe(3);
    expect(await readFile(join(folder, 'labelmap.txt'), 'utf8')).toContain(`dog 2:${(classes.palette[2] ?? []).join()}::`);
    expect(await readFile(join(folder, 'ImageSets/Segmentation/trainval.txt'), 'utf8')).toBe('a\n');
  });
});

describe('class masks', () => {
  it('takes numbers by the list of classes, and the first line for a class where it is one', async () => {
    await put('masks/a.png', encode({ width: 3, height: 1, channels: 1, depth: 8, data: Uint8Array.of(0, 1, 255) }));
    await put('classes.txt', 'sky\nroad\n');
    const { instances, categories, images, findings } = await read(CLASS_MASKS, ['images/a.jpg', 'other/a.jpg']);
    expect(images[0]?.path).toBe('images/a.jpg');
    expect(categories.map(({ name }) => name)).toEqual(['sky', 'road']);
    expect(instances.map(({ geometry }) => rows(geometry))).toEqual([['100'], ['010']]);
    expect(reasons(findings)).toHaveLength(1);
  });

  it('takes colours by the list of colours, and gives a class without a name one', async () => {
    const colors = [
      [64, 128, 64],
      [0, 0, 0],
      [9, 8, 7],
    ];
    await put('masks/a.png', encode({ width: 3, height: 1, channels: 3, data: Uint8Array.from(colors.flat()) }));
    await put('label_colors.txt', '64 128 64\tAnimal\n0 0 0 Void\n');
    const { categories, findings } = await read(CLASS_MASKS, ['images/a.png']);
    expect(categories.map(({ name, color }) => [name, color])).toEqual([
      ['Animal', '#408040'],
      ['#090807', null],
    ]);
    expect(findings.map(({ reason }) => reason)).toContain('class-without-name');
  });

  it('writes numbers of classes, crowds under the others, merges what has one class, and says so', async () => {
    const findings = await write(
      CLASS_MASKS,
      project(
        ['a', 'b'],
        [
          { labelId: 2, geometry: square(0, 0, 2) },
          { labelId: 1, geometry: square(1, 1, 2), crowd: true },
          { labelId: 1, geometry: square(2, 2, 2) },
        ],
      ),
    );
    expect(reasons(findings)).toEqual(['lost 12 covered', 'lost 12 crowd', 'lost masks instances-merged']);
    const { values } = readPngNumbers(await readFile(join(folder, 'masks/a.png')), 'a.png');
    expect([...values]).toEqual([2, 2, 0, 0, 0, 0, 2, 2, 1, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0]);
  });
});

describe('instance masks', () => {
  it('writes the annotation numbers as ids of segments', async () => {
    const findings = await write(
      INSTANCE_MASKS,
      project(
        ['a', 'b'],
        [
          { labelId: 2, geometry: square(0, 0, 2), crowd: true },
          { labelId: 1, geometry: { kind: 'box', box: [3, 0, 2, 2] } },
        ],
      ),
    );
    expect(reasons(findings)).toEqual(['kept 12 box-as-pixels']);
    const json = JSON.parse(await readFile(join(folder, 'annotations/panoptic.json'), 'utf8')) as Record<string, unknown>;
    expect(json['annotations']).toEqual([
      {
        image_id: 1,
        file_name: 'a.png',
        segments_info: [
          { id: 11, category_id: 2, area: 4, bbox: [0, 0, 2, 2], iscrowd: 1 },
          { id: 12, category_id: 1, area: 4, bbox: [3, 0, 2, 2], iscrowd: 0 },
        ],
      },
    ]);
    const { values } = readPngNumbers(await readFile(join(folder, 'annotations/panoptic/a.png')), 'a.png');
    expect([...values.subarray(0, 6)]).toEqual([11, 11, 0, 12, 12, 0]);
  });

  it('takes plain 16-bit numbers for instances of one class', async () => {
    await put('instances/a.png', encode({ width: 3, height: 1, channels: 1, depth: 16, data: Uint16Array.of(0, 1, 2500) }));
    const { categories, instances } = await read(INSTANCE_MASKS, ['images/a.jpg']);
    expect(categories.map(({ name }) => name)).toEqual(['object']);
    expect(instances.map(({ geometry }) => rows(geometry))).toEqual([['010'], ['001']]);
  });

  it('says which segments have no pixels, and which pixels no segment', async () => {
    const segments = [
      { id: 5, category_id: 1, area: 3, iscrowd: 0 },
      { id: 6, category_id: 1 },
    ];
    const json = {
      images: [{ id: 1, file_name: 'a.jpg', width: 3, height: 1 }],
      annotations: [
        { image_id: 1, file_name: 'a.png', segments_info: segments },
        { image_id: 2, file_name: 'b.png', segments_info: [] },
      ],
      categories: [{ id: 1, name: 'x', isthing: 1 }],
    };
    await put('panoptic_val2017.json', JSON.stringify(json));
    await put('panoptic_val2017/a.png', encode({ width: 3, height: 1, channels: 3, data: Uint8Array.of(5, 0, 0, 5, 0, 0, 7, 0, 0) }));
    const { images, instances, findings } = await read(INSTANCE_MASKS, ['a.jpg']);
    expect(images[0]?.split).toBe('val');
    expect(instances).toHaveLength(1);
    expect(reasons(findings)).toEqual([
      'repaired a.jpg segment 5 area-differs',
      'refused a.jpg segment 6 no-pixel',
      'refused a.jpg segment 7 segment-not-listed',
      'refused 2 image-missing',
    ]);
  });
});

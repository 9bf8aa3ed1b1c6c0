import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { CocoExportInput } from '../shared/calls/coco-export.ts';
import { rasterize } from '../shared/mask/raster.ts';
import { decodeRle, encodeRle, rleFromPolygons } from '../shared/mask/rle.ts';
import type { Annotation, Geometry, ImageRecord, Label, Rle } from '../shared/records.ts';
import type { ExportSource, NumberedAnnotation } from './export.ts';
import { exportCoco } from './export.ts';

const root = mkdtempSync(join(tmpdir(), 'maskloop-export-'));
afterAll(() => rmSync(root, { recursive: true }));
let out = '';
let round = 0;
beforeEach(() => {
  out = join(root, `out-${++round}`, 'coco');
});

const options = (more: Partial<CocoExportInput> = {}): CocoExportInput => ({
  out,
  includeEmpty: true,
  pixelSpace: 'oriented',
  states: [],
  ...more,
});

const LABELS: Label[] = [
  { id: 3, name: 'cup', color: '#F2A93B', hotkey: null, position: 1 },
  { id: 7, name: 'Löffel "klein"', color: '#56B4E9', hotkey: '1', position: 0 },
];

function image(id: number, path: string, more: Partial<ImageRecord> = {}): ImageRecord {
  const known = { width: 40, height: 30, orientation: 1, bytes: 1, sha256: 'ab', state: 'done', revision: 1, error: null } as const;
  return { id, path, ...known, annotations: 0, pending: 0, ...more };
}

function annotation(number: number, geometry: Geometry, more: Partial<Annotation> = {}): NumberedAnnotation {
  return {
    number,
    annotation: { id: `annotation-${number}`, labelId: 3, geometry, z: 0, crowd: false, origin: 'drawn', suggestionId: null, ...more },
  };
}

function mask(draw: (x: number, y: number) => boolean, width = 40, height = 30): Geometry {
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) if (draw(x, y)) data[y * width + x] = 1;
  return { kind: 'mask', rle: encodeRle({ width, height, data }) };
}

const ring = (x: number, y: number): boolean => {
  const distance = Math.hypot(x - 15, y - 12);
  return distance < 9 && distance > 4;
};
const blob = (x: number, y: number): boolean => Math.hypot(x - 10, (y - 12) * 1.4) < 7.3 || (x > 30 && y > 20 && (x + y) % 9 !== 0);

function source(images: ImageRecord[], documents: Record<number, NumberedAnnotation[]>, labels = LABELS): ExportSource {
  return {
    projectName: 'Tables',
    folder: root,
    labels,
    imageCount: images.length,
    images: () => images,
    document: (id) => documents[id] ?? [],
  };
}

interface CocoFile {
  info: object;
  licenses: object[];
  categories: { id: number; name: string }[];
  images: { id: number; file_name: string; width: number; height: number }[];
  annotations: {
    id: number;
    image_id: number;
    category_id: number;
    segmentation: number[][] | Rle;
    area: number;
    bbox: number[];
    iscrowd: number;
  }[];
}
const written = (): CocoFile => JSON.parse(readFileSync(join(out, 'annotations.json'), 'utf8')) as CocoFile;

function pixels(segmentation: number[][] | Rle, width = 40, height = 30): Uint8Array {
  return decodeRle(Array.isArray(segmentation) ? rleFromPolygons(segmentation, [height, width]) : segmentation).data;
}

describe('exportCoco', () => {
  it('writes categories in order, every image, and each kind of geometry as COCO wants it', async () => {
    const vertices = [1.25, 2.5, 20.12345678901234, 3, 18 / 7, 25.1];
    const holed: Geometry = { kind: 'polygon', parts: [{ outer: [2, 2, 20, 2, 20, 20, 2, 20], holes: [[5, 5, 5, 9, 9, 9, 9, 5]] }] };
    const documents = {
      5: [
        annotation(12, mask(ring)),
        annotation(
          4,
          {
            kind: 'polygon',
            parts: [
              { outer: vertices, holes: [] },
              { outer: [10, 5, 30, 5, 30, 20], holes: [] },
            ],
          },
          { labelId: 7 },
        ),
        annotation(9, mask(blob)),
        annotation(10, { kind: 'box', box: [3.4, 2.6, 10.2, 5] }),
        annotation(11, holed),
        annotation(30, mask(blob), { crowd: true }),
      ],
    };
    const report = await exportCoco(source([image(2, 'a/1.jpg'), image(5, 'b/1.jpg')], documents), options());
    const file = written();
    expect(file.categories).toEqual([
      { id: 7, name: 'Löffel "klein"', supercategory: '' },
      { id: 3, name: 'cup', supercategory: '' },
    ]);
    expect(file.images).toEqual([
      { id: 2, file_name: 'a/1.jpg', width: 40, height: 30 },
      { id: 5, file_name: 'b/1.jpg', width: 40, height: 30 },
    ]);
    expect(file.annotations.map((a) => a.id)).toEqual([4, 9, 10, 11, 12, 30]);
    expect(file.annotations.map((a) => (Array.isArray(a.segmentation) ? 'polygon' : 'rle'))).toEqual([
      'polygon',
      'polygon',
      'polygon',
      'rle',
      'rle',
      'rle',
    ]);
    expect(file.annotations.map((a) => a.iscrowd)).toEqual([0, 0, 0, 0, 0, 1]);
    expect(file.annotations[0]).toMatchObject({ image_id: 5, category_id: 7, segmentation: [vertices, [10, 5, 30, 5, 30, 20]] });
    for (const { number, annotation: of } of documents[5]) {
      const found = file.annotations.find((a) => a.id === number);
      const expected = rasterize(of.geometry, 40, 30).data;
      expect(pixels(found?.segmentation ?? []), `annotation ${number}`).toEqual(expected);
      expect(found?.area).toBe(expected.reduce((sum, value) => sum + value, 0));
    }
    expect(file.annotations[4]?.bbox).toEqual([7, 4, 17, 17]);
    expect(report).toMatchObject({
      images: 2,
      emptyImages: 1,
      annotations: 6,
      polygons: 3,
      rles: 3,
      crowds: 1,
      pixelSpace: 'oriented',
      skipped: [],
    });
    expect(report.categories).toEqual([
      { id: 7, name: 'Löffel "klein"', annotations: 1 },
      { id: 3, name: 'cup', annotations: 5 },
    ]);
    expect(report.verified).toEqual({ annotationsCompared: 6, textsEqual: 0, minIou: 1, maxAreaDifference: 0, maxBoxDifference: 0 });
    expect(readdirSync(out).sort()).toEqual(['annotations.json', 'export-report.json']);
    expect(JSON.parse(readFileSync(join(out, 'export-report.json'), 'utf8'))).toEqual(report);
  });

  it('writes the same bytes again, over the older export', async () => {
    const project = source([image(1, 'x.png')], { 1: [annotation(1, mask(ring)), annotation(2, mask(blob))] });
    await exportCoco(project, options());
    const first = readFileSync(join(out, 'annotations.json'));
    await exportCoco(project, options());
    expect(readFileSync(join(out, 'annotations.json')).equals(first)).toBe(true);
    expect(readdirSync(out)).toHaveLength(2);
  });

  it('names everything it leaves out and why', async () => {
    const images = [
      image(1, 'broken.jpg', { error: 'not a JPEG', width: 0, height: 0 }),
      image(2, 'new.jpg', { state: 'new' }),
      image(3, 'empty.jpg'),
      image(4, 'good.jpg'),
      image(5, 'outside.jpg'),
    ];
    const documents = {
      4: [
        annotation(1, mask(ring)),
        annotation(
          2,
          mask(() => false),
        ),
      ],
      5: [annotation(3, { kind: 'box', box: [100, 100, 5, 5] })],
    };
    const report = await exportCoco(source(images, documents), options({ includeEmpty: false, states: ['done'] }));
    expect(written().images.map((i) => i.id)).toEqual([4]);
    expect(written().annotations.map((a) => a.id)).toEqual([1]);
    expect(report.skipped).toEqual([
      { path: 'broken.jpg', reason: 'cannot be read: not a JPEG' },
      { path: 'new.jpg', reason: 'its state is new, not done', asked: true },
      { path: 'good.jpg', reason: 'annotation 2 covers no pixel' },
      { path: 'outside.jpg', reason: 'annotation 3 covers no pixel' },
      { path: 'empty.jpg', reason: 'has no annotation', asked: true },
      { path: 'outside.jpg', reason: 'has no annotation', asked: true },
    ]);
  });

  it('writes an empty project', async () => {
    const report = await exportCoco(source([], {}, []), options());
    expect(written()).toMatchObject({ licenses: [], categories: [], images: [], annotations: [] });
    expect(report.verified.annotationsCompared).toBe(0);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('turns everything back to raw pixels, EXIF orientation %i', async (orientation) => {
    const documents = { 1: [annotation(1, mask(ring)), annotation(2, mask(blob)), annotation(3, { kind: 'box', box: [1, 2, 8, 3] })] };
    const report = await exportCoco(source([image(1, 'turned.jpg', { orientation })], documents), options({ pixelSpace: 'raw' }));
    const turned = orientation >= 5;
    expect(report.pixelSpace).toBe('raw');
    expect(written().images[0]).toMatchObject(turned ? { width: 30, height: 40 } : { width: 40, height: 30 });
    const box = written().annotations[2]?.bbox ?? [];
    expect(box.slice(2)).toEqual(turned ? [3, 8] : [8, 3]);
    expect(written().annotations.map((a) => a.area)).toEqual(
      documents[1].map(({ annotation: a }) => rasterize(a.geometry, 40, 30).data.reduce((s, v) => s + v, 0)),
    );
  });

  it('refuses to write none of the images that there are, saying why, and leaves the older export', async () => {
    await exportCoco(source([image(1, 'a.jpg')], {}), options());
    const before = readFileSync(join(out, 'annotations.json'), 'utf8');
    await expect(exportCoco(source([image(1, 'a.jpg'), image(2, 'b.jpg')], {}), options({ states: ['skipped'] }))).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(/none of 2 images is taken\. The first: a\.jpg: its state is .*, not skipped/) as string,
    });
    expect(readFileSync(join(out, 'annotations.json'), 'utf8')).toBe(before);
  });

  it('refuses a project that changes between writing and checking, and leaves the older export', async () => {
    const images = [image(1, 'x.jpg')];
    await exportCoco(source(images, { 1: [annotation(1, mask(blob))] }), options());
    const before = readFileSync(join(out, 'annotations.json'));
    let reads = 0;
    const shifting: ExportSource = {
      ...source(images, {}),
      // One pixel less the second time it is read.
      document: () =>
        [
          annotation(
            1,
            mask((x, y) => blob(x, y) && (reads > 0 || x !== 10 || y !== 12)),
          ),
        ].filter(() => reads++ >= 0),
    };
    await expect(exportCoco(shifting, options())).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringContaining('x.jpg: annotation 1') as string,
    });
    expect(readFileSync(join(out, 'annotations.json')).equals(before)).toBe(true);
    expect(readdirSync(out)).toHaveLength(2);
  });

  it('names an annotation whose class or mask cannot be', async () => {
    const images = [image(1, 'x.jpg')];
    const small = mask(() => true, 4, 4);
    await expect(exportCoco(source(images, { 1: [annotation(8, small)] }), options())).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('x.jpg: annotation 8') as string,
    });
    const stranger = annotation(9, mask(blob), { labelId: 99 });
    await expect(exportCoco(source(images, { 1: [stranger] }), options())).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringContaining('class 99') as string,
    });
    expect(existsSync(out)).toBe(false);
  });

  it('leaves nothing when cancelled in the middle', async () => {
    const images = Array.from({ length: 50 }, (_, i) => image(i + 1, `${i}.jpg`));
    const stop = new AbortController();
    const running = exportCoco(
      source(images, { 1: [annotation(1, mask(blob))] }),
      options(),
      stop.signal,
      ({ done }) => done === 20 && stop.abort(),
    );
    await expect(running).rejects.toMatchObject({ code: 'cancelled' });
    expect(existsSync(join(root, `out-${round}`))).toBe(false);
  });

  it('removes what a killed export left, and nothing else', async () => {
    mkdirSync(out, { recursive: true });
    const put = (name: string, ageS: number): void => {
      writeFileSync(join(out, name), 'x');
      utimesSync(join(out, name), Date.now() / 1000 - ageS, Date.now() / 1000 - ageS);
    };
    for (const [name, ageS] of [
      ['.maskloop-export-0123abcd.tmp', 7200],
      ['.maskloop-export-4567cdef.tmp', 60],
    ] as const) {
      mkdirSync(join(out, name));
      put(join(name, 'annotations.json'), ageS);
      utimesSync(join(out, name), Date.now() / 1000 - 7200, Date.now() / 1000 - 7200);
    }
    put('notes.tmp', 7200);
    await exportCoco(source([], {}), options());
    expect(readdirSync(out).sort()).toEqual(['.maskloop-export-4567cdef.tmp', 'annotations.json', 'export-report.json', 'notes.tmp']);
  });

  it('moves the rest of an export that a crash interrupted between its files', async () => {
    await exportCoco(source([image(1, 'x.jpg')], { 1: [annotation(1, mask(blob))] }), options());
    const ready = join(out, '.maskloop-export-0123abcd.ready');
    mkdirSync(join(ready, 'annotations'), { recursive: true });
    writeFileSync(join(ready, 'annotations', 'val.json'), 'new');
    writeFileSync(join(ready, 'export-report.json'), '{"files":["annotations/train.json","annotations/val.json"]}');
    const report = await exportCoco(source([], {}), options());
    expect(readFileSync(join(out, 'annotations', 'val.json'), 'utf8')).toBe('new');
    expect(existsSync(ready)).toBe(false);
    expect(report.findings).toMatchObject([{ kind: 'kept', what: 'file', id: 'annotations/val.json', reason: 'older-file' }]);
  });

  it('names a target that is a file', async () => {
    const path = join(root, 'taken');
    writeFileSync(path, 'mine');
    await expect(exportCoco(source([], {}), options({ out: path }))).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining('taken') as string,
    });
    expect(readFileSync(path, 'utf8')).toBe('mine');
  });
});

it.skipIf(process.platform !== 'linux')('says at once where no folder can be made', async () => {
  await expect(exportCoco(source([], {}), options({ out: '/proc/nope/coco' }))).rejects.toMatchObject({
    code: 'io',
    detail: { out: '/proc/nope/coco' },
  });
});

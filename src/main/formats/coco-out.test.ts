import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ExportReport } from '../../shared/answers.ts';
import type { CocoExportInput } from '../../shared/calls/coco-export.ts';
import { encodeRle } from '../../shared/mask/rle.ts';
import type { Annotation, Geometry, ImageRecord } from '../../shared/records.ts';
import { exportCoco } from '../export.ts';
import { checkCoco } from './coco-check.ts';
import type { CocoOptions } from './coco.ts';
import { writeCoco } from './coco.ts';
import type { CocoSource } from './coco-source.ts';
import type { Touch } from './coco-source.test-support.ts';
import { cocoFileSource } from './coco-source.test-support.ts';
import type { OrderedAnnotation } from './dataset.ts';

const root = mkdtempSync(join(tmpdir(), 'maskloop-coco-out-'));
afterAll(() => rmSync(root, { recursive: true }));
let round = 0;

/** Records as tools write them: every kind of id, spelling of numbers, order of keys, and keys that nobody knows. */
const IMAGES = [
  '{"id": "a7","file_name":"sub/b\\u00e4r \\"1\\".jpg", "width":40,"height" : 30, "extra": {"id": 3, "list": [1.0, 2e1]}}',
  '{"license": 2, "id":12345678901234567890, "file_name": "c.jpg", "height": 30, "width": 40.0}',
  '{"id": 3, "file_name": "d.jpg", "height": 30, "width": 40}',
];
const CATEGORIES = [
  '{"supercategory": "none", "id": 0, "name": "things"}',
  '{"id": 7, "name": "nut", "supercategory": "things", "keypoints": ["a", "b"]}',
];
const ANNOTATIONS = [
  '{"segmentation":[[1.10, 1.0, 20.00,1e0, 2.0e1, 20.5, 1.10,20.5 ]],"area": 3.68e2, "iscrowd": 0, "image_id": 12345678901234567890, "bbox": [1.1, 1, 18.9, 19.5], "category_id": 7, "id": 9007199254740993, "attributes": {"occluded": false}}',
  '{"id": "x1", "image_id": "a7", "category_id": 0, "iscrowd": false, "segmentation": [[5,5,12,5,12,12,5,12]], "area": 1, "bbox": [0,0,1,1], "num_keypoints": 1, "keypoints": [6, 6, 2.50]}',
  '{"id": 12, "image_id": 3, "category_id": 7, "iscrowd": 1, "segmentation": {"counts": [31, 4, 26, 4, 1135], "size": [30, 40]}, "area": 8, "bbox": [1, 1, 2, 4]}',
  '{"id": 4, "image_id": 3, "category_id": 7, "segmentation": [], "bbox": [2, 3, 10, 5], "area": 50, "score": 0.10}',
];

function fileOf(annotations: readonly string[] = ANNOTATIONS): string {
  const path = join(root, `in-${++round}.json`);
  const rest = '"licenses": [ {"id": 1} ],\n "x-tool":{"version":"1.0", "n": 1.50}';
  writeFileSync(
    path,
    `{"annotations": [${annotations.join(',\n  ')}], ${rest}, "categories":[${CATEGORIES.join(',')}], "info": {"year":2020}, "images": [ ${IMAGES.join(' , ')} ]}`,
  );
  return path;
}

async function exported(
  source: CocoSource,
  options: Partial<CocoExportInput> = {},
): Promise<{ out: string; text: string; report: ExportReport }> {
  const out = join(root, `out-${++round}`);
  const report = await exportCoco(source, { out, ...options });
  const path = join(out, 'annotations.json');
  return { out, report, text: existsSync(path) ? readFileSync(path, 'utf8') : '' };
}

const OPTIONS: CocoOptions = { includeEmpty: true, pixelSpace: 'oriented', states: [], fileName: (_, imported) => imported ?? '' };

const annotationsOf = (text: string): Record<string, unknown>[] =>
  (JSON.parse(text) as { annotations: Record<string, unknown>[] }).annotations;
const moved: Geometry = { kind: 'polygon', parts: [{ outer: [6, 6, 13, 6, 13, 13, 6, 13], holes: [] }] };

describe('what was imported', () => {
  it('comes back byte for byte, whatever its ids, numbers, order and keys are', async () => {
    const { text, report } = await exported(await cocoFileSource(fileOf()));
    for (const record of [...IMAGES, ...CATEGORIES, ...ANNOTATIONS]) expect(text).toContain(record);
    expect(Object.keys(JSON.parse(text) as object)).toEqual(['annotations', 'licenses', 'x-tool', 'categories', 'info', 'images']);
    expect(text).toContain('"x-tool": {"version":"1.0", "n": 1.50}');
    expect(report).toMatchObject({ untouched: 4, annotations: 4, crowds: 1, findings: [], skipped: [] });
    expect(report.verified).toMatchObject({ annotationsCompared: 4, textsEqual: 9, minIou: 1 });
  });

  it('keeps id, order and unknown keys of what was touched, and leaves the others alone', async () => {
    const touch: Touch = (annotation, number) => (annotation.z === 1 || number === 4 ? { ...annotation, geometry: moved } : annotation);
    const { text, report } = await exported(await cocoFileSource(fileOf(), touch));
    expect(text).toContain(ANNOTATIONS[0]);
    expect(text).toContain(ANNOTATIONS[2]);
    expect(text).toContain('"num_keypoints": 1, "keypoints": [6, 6, 2.50]}');
    expect(annotationsOf(text)[1]).toEqual({
      id: 'x1',
      image_id: 'a7',
      category_id: 0,
      iscrowd: false,
      segmentation: [[6, 6, 13, 6, 13, 13, 6, 13]],
      area: 49,
      bbox: [6, 6, 7, 7],
      num_keypoints: 1,
      keypoints: [6, 6, 2.5],
    });
    // Keys come where the record had them, those it lacked at its end.
    expect(Object.keys(annotationsOf(text)[3] ?? {})).toEqual([
      'id',
      'image_id',
      'category_id',
      'segmentation',
      'bbox',
      'area',
      'score',
      'iscrowd',
    ]);
    expect(report.untouched).toBe(2);
  });

  it('takes on another class, goes when it is deleted, and makes room for new instances with ids of their own', async () => {
    const touch: Touch = (annotation, number) => (number === 12 ? null : number === 4 ? { ...annotation, labelId: 1 } : annotation);
    const source = await cocoFileSource(fileOf(), touch);
    const drawn: Annotation = { id: 'new', labelId: 3, geometry: moved, z: 9, crowd: false, origin: 'drawn', suggestionId: null };
    const fresh: ImageRecord = { ...[...source.images()][2]!, id: 4, path: 'new/e.jpg' };
    const label = { id: 3, name: 'bolt', color: '#F2A93B', hotkey: null, position: 2 };
    const item: OrderedAnnotation = { number: 77, imageId: 4, labelId: 3, source: null, annotation: () => drawn };
    const { text, report } = await exported({
      ...source,
      labels: [...source.labels, { ...label }, { ...label, id: 7, name: 'washer', position: 3 }],
      imageCount: 5,
      images: () => [...source.images(), fresh, { ...fresh, id: 5, path: 'new/f.jpg' }],
      imageOrder: () => [...(source.imageOrder?.() ?? []), { id: 4, source: null }, { id: 5, source: null }],
      annotationOrder: () => [...(source.annotationOrder?.() ?? []), item],
    });
    const file = JSON.parse(text) as { images: { id: unknown; file_name: string }[]; categories: { id: number; name: string }[] };
    expect(annotationsOf(text).map(({ id }) => id)).toEqual([9007199254740992, 'x1', 4, 77]);
    expect(annotationsOf(text)[2]).toMatchObject({ category_id: 0, score: 0.1 });
    // Class 7 of the project came after the imported one of that id: its own id lies above all.
    expect(file.categories.map(({ id, name }) => [id, name])).toEqual([
      [0, 'things'],
      [7, 'nut'],
      [3, 'bolt'],
      [14, 'washer'],
    ]);
    expect(file.images.map(({ id }) => id).slice(2)).toEqual([3, 4, 5]);
    expect(annotationsOf(text)[3]).toEqual({
      id: 77,
      image_id: 4,
      category_id: 3,
      segmentation: [[6, 6, 13, 6, 13, 13, 6, 13]],
      area: 49,
      bbox: [6, 6, 7, 7],
      iscrowd: 0,
    });
    expect(report.untouched).toBe(2);
  });

  it('leaves what other formats say of a whole file to them', async () => {
    const source = await cocoFileSource(fileOf());
    const rows = source.rest?.() ?? [];
    const { text } = await exported({ ...source, rest: () => [{ key: 'meta', text: '{"task": 1}', format: 'cvat' }, ...rows] });
    expect(Object.keys(JSON.parse(text) as object)).not.toContain('meta');
  });

  it('keeps area and box of the file in another form of the same pixels', async () => {
    const { text, report } = await exported(await cocoFileSource(fileOf()), { segmentation: 'rle' });
    const [, second, crowd, box] = annotationsOf(text);
    expect(second).toMatchObject({ area: 1, bbox: [0, 0, 1, 1], segmentation: { size: [30, 40] } });
    expect(crowd).toMatchObject({ iscrowd: 1, segmentation: { size: [30, 40], counts: expect.any(String) as string } });
    expect(box).toMatchObject({ area: 50, segmentation: { size: [30, 40] }, score: 0.1 });
    expect(report).toMatchObject({ rles: 4, polygons: 0, untouched: 0 });
  });

  it('says what cannot be a polygon', async () => {
    const { text, report } = await exported(await cocoFileSource(fileOf()), { segmentation: 'polygons' });
    expect(text).toContain(ANNOTATIONS[2]?.slice(0, 40));
    expect(report.findings).toMatchObject([{ kind: 'kept', what: 'annotation', id: '12', reason: 'is-crowd' }]);
    expect(report).toMatchObject({ polygons: 3, rles: 1 });
  });

  it('is turned when the other pixel space is asked for, and comes back when its own is', async () => {
    const annotation =
      '{"id": 1, "image_id": 3, "category_id": 7, "segmentation": [[2,3,9,3,9,8.5]], "area": 1.5, "bbox": [2,3,7,5.5], "iscrowd": 0}';
    const source = await cocoFileSource(fileOf([annotation]));
    // EXIF turns the image: shown it is 40 × 30, the file has 30 columns of 40.
    const image = { ...[...source.images()][2]!, orientation: 6 };
    const record = '{"id": 3, "file_name": "d.jpg", "height": 40, "width": 30}';
    // (x, y) of the file is shown at (40 - y, x).
    const shown: Geometry = { kind: 'polygon', parts: [{ outer: [37, 2, 37, 9, 31.5, 9], holes: [] }] };
    const items = [...(source.annotationOrder?.() ?? [])].map((item): OrderedAnnotation => {
      const { source: text } = item;
      return { ...item, source: text && { ...text, raw: true }, annotation: () => ({ ...item.annotation(), geometry: shown }) };
    });
    const turned: CocoSource = {
      ...source,
      imageCount: 1,
      images: () => [image],
      imageOrder: () => [{ id: 3, source: { format: 'coco', text: record, untouched: true, raw: true, renumbered: false } }],
      annotationOrder: () => items,
    };
    const raw = await exported(turned, { pixelSpace: 'raw' });
    expect(raw.text).toContain(annotation);
    expect(raw.text).toContain(record);
    const oriented = await exported(turned, { pixelSpace: 'oriented' });
    expect(oriented.report.untouched).toBe(0);
    expect(annotationsOf(oriented.text)[0]).toMatchObject({ id: 1, segmentation: [[37, 2, 37, 9, 31.5, 9]] });
    expect(oriented.text).toContain('{"id": 3, "file_name": "d.jpg", "height": 30, "width": 40}');
  });
});

describe('fewer vertices', () => {
  const circle = Array.from({ length: 120 }, (_, i) => [
    20 + 12 * Math.cos((i * Math.PI) / 60),
    15 + 12 * Math.sin((i * Math.PI) / 60),
  ]).flat();
  const sliver = [30, 2, 33, 2.4, 36, 2.6, 33, 3, 30, 3];

  it('costs what the report says, and loses no part', async () => {
    const annotation = `{"id": 5, "image_id": 3, "category_id": 7, "segmentation": ${JSON.stringify([circle, sliver])}, "area": 9, "bbox": [0,0,1,1], "iscrowd": 0}`;
    const source = await cocoFileSource(fileOf([annotation, ANNOTATIONS[2] ?? '']));
    const { text, report } = await exported(source, { simplifyPx: 1.5 });
    const [rings] = annotationsOf(text).map(({ segmentation }) => segmentation as number[][]);
    expect(rings).toHaveLength(2);
    for (const ring of rings ?? []) expect(ring.length).toBeGreaterThanOrEqual(6);
    expect((rings?.[0] ?? []).length).toBeLessThan(circle.length / 4);
    const { simplification } = report;
    expect(simplification).toMatchObject({ tolerancePx: 1.5, instances: 1, pointsBefore: 125, worst: { path: 'photos/d.jpg', id: '5' } });
    expect(simplification?.worstIou).toBe(report.verified.minIou);
    expect(simplification?.worstIou).toBeGreaterThan(0.85);
    expect(simplification?.worstIou).toBeLessThan(1);
    expect(annotationsOf(text)[0]?.['area']).not.toBe(9);
    expect(text).toContain(ANNOTATIONS[2]);
  });
});

describe('the check', () => {
  it('finds every digit that is not as it should be', async () => {
    const source = await cocoFileSource(fileOf(), (annotation, number) => (number === 4 ? { ...annotation, geometry: moved } : annotation));
    const path = join(root, 'checked.json');
    const options = OPTIONS;
    const written = await writeCoco(source, path, options);
    const text = readFileSync(path, 'utf8');
    await expect(checkCoco(path, source, options, written)).resolves.toMatchObject({ annotationsCompared: 4 });
    const digits = [...text.matchAll(/\d/g)].map(({ index }) => index);
    const accepted: string[] = [];
    for (const at of digits) {
      const digit = String((Number(text[at]) + 1) % 10);
      const broken = join(root, 'broken.json');
      writeFileSync(broken, text.slice(0, at) + digit + text.slice(at + 1));
      await checkCoco(broken, source, options, written).then(
        () => accepted.push(text.slice(at - 20, at + 10)),
        (error: unknown) => expect(error).toMatchObject({ code: expect.stringMatching(/internal|invalid/) as string }),
      );
    }
    expect(accepted).toEqual([]);
    expect(digits.length).toBeGreaterThan(150);
  });

  it('finds what is missing, twice or out of order', async () => {
    const source = await cocoFileSource(fileOf());
    const path = join(root, 'whole.json');
    const options = OPTIONS;
    const written = await writeCoco(source, path, options);
    const lines = readFileSync(path, 'utf8').split('\n');
    const first = lines.findIndex((line) => line.includes('9007199254740993'));
    const swapped = [...lines];
    [swapped[first], swapped[first + 1]] = [lines[first + 1] ?? '', lines[first] ?? ''];
    const cases: Record<string, string[]> = {
      missing: lines.filter((_, i) => i !== first),
      twice: [...lines.slice(0, first), lines[first] ?? '', ...lines.slice(first)],
      swapped,
      'no info': lines.filter((line) => !line.startsWith('"info"')),
      'no category': lines.filter((line) => !line.includes('"nut"')).map((line) => line.replace('"things"},', '"things"}')),
    };
    for (const [name, broken] of Object.entries(cases)) {
      const file = join(root, 'changed.json');
      writeFileSync(file, broken.join('\n'));
      await expect(checkCoco(file, source, options, written), name).rejects.toMatchObject({ code: 'internal' });
    }
  });
});

describe('splits and images', () => {
  const folder = join(root, 'project');
  mkdirSync(join(folder, 'a'), { recursive: true });
  mkdirSync(join(folder, 'b'));
  for (const name of ['a/1.jpg', 'b/1.jpg', 'a/2.jpg']) writeFileSync(join(folder, name), `bytes of ${name}`);
  const known = {
    width: 40,
    height: 30,
    orientation: 1,
    bytes: 0,
    sha256: '',
    state: 'done',
    revision: 1,
    error: null,
    annotations: 0,
    pending: 0,
  } as const;
  const images: ImageRecord[] = ['a/1.jpg', 'b/1.jpg', 'a/2.jpg', 'a/gone.jpg'].map((path, i) => ({ ...known, id: i + 1, path }));
  const blob: Geometry = { kind: 'mask', rle: encodeRle({ width: 40, height: 30, data: new Uint8Array(1200).fill(1, 100, 400) }) };
  const drawn = (id: string): Annotation => ({ id, labelId: 1, geometry: blob, z: 0, crowd: false, origin: 'drawn', suggestionId: null });
  const project = (splits: Record<number, string> = {}): CocoSource => ({
    projectName: 'p',
    folder,
    labels: [{ id: 1, name: 'nut', color: '#F2A93B', hotkey: null, position: 0 }],
    imageCount: images.length,
    images: () => images,
    document: (id) => [{ number: 10 + id, annotation: drawn(String(id)) }],
    split: (id) => splits[id] ?? null,
  });

  it('makes a file for each split with the same ids as in one file, and names what is in none', async () => {
    const source = project({ 1: 'train', 2: 'val', 3: 'train' });
    const { out, report } = await exported(source, { split: 'each' });
    expect(report.parts.map(({ split, file, images: count, annotations }) => [split, file, count, annotations])).toEqual([
      ['train', 'annotations/train.json', 2, 2],
      ['val', 'annotations/val.json', 1, 1],
      [null, 'annotations/unassigned.json', 1, 1],
    ]);
    expect(report.findings).toMatchObject([{ kind: 'kept', reason: 'no-split' }]);
    const { text } = await exported(source);
    const whole = new Map(annotationsOf(text).map((annotation) => [annotation['id'], annotation]));
    for (const { file } of report.parts) {
      for (const annotation of annotationsOf(readFileSync(join(out, file), 'utf8')))
        expect(whole.get(annotation['id'])).toEqual(annotation);
    }
    expect(report).toMatchObject({ images: 4, annotations: 4, verified: { annotationsCompared: 4 } });
    await expect(exported(project(), { split: 'each' })).rejects.toMatchObject({ code: 'invalid' });
  });

  it('links or copies images to where the file says, leaves those that are there, and never writes over another', async () => {
    const { out, report } = await exported(project(), { images: 'link' });
    expect(report.imageFiles).toMatchObject({ copied: 0, linked: 3, present: 0 });
    expect(report.findings).toMatchObject([{ kind: 'lost', id: 'a/gone.jpg', reason: 'image-missing' }]);
    expect(statSync(join(out, 'images/a/1.jpg')).ino).toBe(statSync(join(folder, 'a/1.jpg')).ino);
    const again = await exportCoco(project(), { out, images: 'copy' });
    expect(again.imageFiles).toMatchObject({ copied: 0, linked: 0, present: 3 });
    rmSync(join(out, 'images/b/1.jpg'));
    writeFileSync(join(out, 'images/b/1.jpg'), 'somebody else');
    await expect(exportCoco(project(), { out, images: 'copy' })).rejects.toMatchObject({ code: 'conflict', detail: { path: 'b/1.jpg' } });
    expect(readFileSync(join(out, 'images/b/1.jpg'), 'utf8')).toBe('somebody else');
  });

  it('gives images that were imported under one name, or under one that leads away, names of their own', async () => {
    const names = ['1.jpg', '1.JPG', '../out.jpg', 'C:/x.jpg'];
    const text = (id: number): string => `{"id": ${id}, "file_name": ${JSON.stringify(names[id - 1])}, "width": 40, "height": 30}`;
    const source: CocoSource = {
      ...project(),
      sourceOf: (kind, id) =>
        kind === 'image' ? { format: 'coco', text: text(id), untouched: true, raw: false, renumbered: false } : null,
    };
    const { out, report, text: file } = await exported(source, { images: 'copy' });
    const written = (JSON.parse(file) as { images: { file_name: string }[] }).images.map(({ file_name }) => file_name);
    expect(written).toEqual(['1.jpg', 'b/1.jpg', 'a/2.jpg', 'a/gone.jpg']);
    expect(readFileSync(join(out, 'images/b/1.jpg'), 'utf8')).toBe('bytes of b/1.jpg');
    expect(report.findingCounts).toEqual([
      { kind: 'repaired', reason: 'file-name-changed', count: 3 },
      { kind: 'lost', reason: 'image-missing', count: 1 },
    ]);
  });
});

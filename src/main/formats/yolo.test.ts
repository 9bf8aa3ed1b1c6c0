import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { collect } from './dataset.test-support.ts';
import { imageFiles } from './folder.ts';
import { anyProject, sourceOf } from './projects.test-support.ts';
import { YOLO_BOX } from './yolo-box.ts';
import { YOLO_SEG } from './yolo-seg.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskloop-yolo-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function put(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

/** All images are 100 × 50. */
async function read(images: readonly string[], place = folder): Promise<ReturnType<typeof collect>> {
  const sink = collect();
  const sizeOf = (path: string): Promise<{ width: number; height: number } | null> =>
    Promise.resolve(images.includes(path) ? { width: 100, height: 50 } : null);
  await YOLO_SEG.reader.read(place, sink, { images: folder, files: imageFiles(images), sizeOf });
  return sink;
}

describe('data.yaml', () => {
  it.each([
    ['names as a list', 'path: .\ntrain: images/train\nval: images/val\nnames: [nut, fig]\n'],
    ['names by number', 'train: images/train\nval: images/val\nnames:\n  0: nut\n  1: fig\n'],
    ['places that lead out and back, as Roboflow has them', "train: ../images/train\nval: ../images/val\nnc: 2\nnames: ['nut', 'fig']\n"],
    ['a root that is not there', 'path: ../datasets/nuts\ntrain: images/train\nval: images/val\nnames: [nut, fig]\n'],
    ['lists of images', 'train: train.txt\nval: [val.txt]\nnames: [nut, fig]\n'],
  ])('%s', async (_, yaml) => {
    await put({
      'data.yaml': yaml,
      'train.txt': './images/train/a.jpg\n',
      'val.txt': '/somewhere/else/images/val/a.jpg\n',
      'labels/train/a.txt': '1 0.5 0.5 0.2 0.4\n',
      'labels/val/a.txt': '0 0.1 0.1 0.5 0.1 0.5 0.5\n',
      'images/train/a.jpg': '',
      'images/val/a.jpg': '',
    });
    const { categories, images, instances, findings } = await read(['images/train/a.jpg', 'images/val/a.jpg']);
    expect(findings).toEqual([]);
    expect(categories.map(({ key, name }) => [key, name])).toEqual([
      [1, 'nut'],
      [2, 'fig'],
    ]);
    expect(images.map(({ path, split, width, height }) => [path, split, width, height])).toEqual([
      ['images/train/a.jpg', 'train', 100, 50],
      ['images/val/a.jpg', 'val', 100, 50],
    ]);
    expect(instances.map(({ categoryKey, geometry }) => [categoryKey, geometry])).toEqual([
      [2, { kind: 'box', box: [40, 15, 20, 20] }],
      [1, { kind: 'polygon', parts: [{ outer: [10, 5, 50, 5, 50, 25], holes: [] }] }],
    ]);
  });

  it.each([
    ['not YAML', 'names: [a\n', /data\.yaml is not YAML/],
    ['classes that are no names', 'names: 7\n', /data\.yaml.*names/],
    ['classes by something else than numbers', 'names: {nut: 0}\n', /"nut" is not the number of a class/],
  ])('is refused where it is %s', async (_, yaml, message) => {
    await put({ 'data.yaml': yaml });
    await expect(read([])).rejects.toMatchObject({ code: 'invalid', message: expect.stringMatching(message) as string });
  });
});

describe('label files', () => {
  it('say what is wrong with a line, by file and line', async () => {
    await put({
      'classes.txt': 'nut\n',
      'a.txt': [
        '0 0.5 0.5 0.2 0.4 0.93',
        '0 0.1 0.1 0.5 0.1 0.5 0.5 0.88',
        'nut 0.5 0.5 0.2 0.4',
        '0 320 240 50 60',
        '0 0.5 0.5 0 0.4',
        '0 0.1 0.1 0.5 0.5 0.1 0.1',
        '3 0.5 0.5 0.2 0.4',
        '3 0.5 0.5 0.2 0.4',
        '0 0.95 0.5 0.2 0.4',
        '0 0.5 nan 0.2 0.4',
        '',
      ].join('\r\n'),
    });
    const { findings, instances, categories } = await read(['a.jpg']);
    expect(findings.map(({ kind, id, reason }) => `${kind} ${id} ${reason}`)).toEqual([
      'repaired a.txt:1 confidence-dropped',
      'repaired a.txt:2 confidence-dropped',
      'refused a.txt:3 not-numbers',
      'refused a.txt:4 not-normalised',
      'refused a.txt:5 box-without-area',
      'refused a.txt:6 ring-too-short',
      'repaired 3 class-without-name',
      'kept a.txt:8 twice',
      'kept a.txt:9 outside-image',
      'refused a.txt:10 not-numbers',
    ]);
    expect(instances).toHaveLength(5);
    expect(categories.map(({ name }) => name)).toEqual(['nut', 'class 3']);
  });

  it('without their image are refused, for fractions need its size', async () => {
    await put({ 'classes.txt': 'nut\n', 'labels/a.txt': '0 0.5 0.5 0.2 0.4\n', 'notes/todo.txt': 'buy nuts\n' });
    const { findings, images } = await read([]);
    expect(images).toEqual([]);
    expect(findings.map(({ what, id, reason }) => `${what} ${id} ${reason}`)).toEqual([
      'image labels/a.txt image-size-unknown',
      'file notes/todo.txt not-this-format',
    ]);
  });

  it('that are missing make an image of the background', async () => {
    await put({ 'data.yaml': 'train: images\nval: images\nnames: [nut]\n', 'images/a.jpg': '' });
    const { images, instances } = await read(['images/a.jpg']);
    expect(images.map(({ path, split }) => [path, split])).toEqual([['images/a.jpg', null]]);
    expect(instances).toEqual([]);
  });
});

describe('the writer', () => {
  it('says every coordinate to the last digit, within 0 and 1, and names the label file as Ultralytics looks for it', async () => {
    const made = anyProject(4);
    const [first, ...others] = made.images;
    if (!first) throw new Error('The project has an image.');
    const project = { ...made, images: [{ ...first, path: 'labels/images/y.jpg' }, ...others] };
    await YOLO_SEG.writer?.write(sourceOf(project), folder, { images: 'leave' }, () => undefined);
    const data = await readFile(join(folder, 'data.yaml'), 'utf8');
    for (const { name } of project.labels) expect(data).toContain(name.replaceAll('"', '\\"').slice(-3));
    const split = project.splits?.get(first.id) ?? '';
    // The last folder of the name `images` becomes `labels`.
    const text = await readFile(join(folder, `images/${split}/labels/labels/y.txt`), 'utf8');
    for (const line of text.split('\n').filter((each) => each !== '')) {
      const [, ...values] = line.split(' ').map(Number);
      expect(values.length).toBeGreaterThanOrEqual(6);
      expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...values)).toBeLessThanOrEqual(1);
    }
  });

  it('tells of what other formats said that YOLO has no place for', async () => {
    const project = anyProject(4);
    const [first] = project.images;
    const text = { format: 'labelme' as const, text: '{"flags":{"ripe":true}}', untouched: true, raw: false, renumbered: false };
    const texts = new Map([[`image ${first?.id ?? 0}`, text]]);
    const told: string[] = [];
    await YOLO_SEG.writer?.write(sourceOf({ ...project, texts }), folder, { images: 'leave' }, ({ id, reason, message }) => {
      if (reason === 'fields-of-another-format') told.push(`${id}: ${message}`);
    });
    expect(told).toEqual([expect.stringMatching(/^labelme: 1 records came from labelme/)]);
  });

  it('tells of every mask that becomes a box, of crowds, and of files that share a name', async () => {
    const project = anyProject(5);
    const [first, second] = project.images;
    if (!first || !second) throw new Error('The project has two images.');
    const twins = {
      ...project,
      images: [
        { ...first, path: 'a.jpg' },
        { ...second, path: 'a.png' },
      ],
    };
    const told: string[] = [];
    await YOLO_BOX.writer?.write(sourceOf(twins), folder, { images: 'leave' }, ({ id, reason }) => void told.push(`${id} ${reason}`));
    expect(told).toContain('a.png name-taken');
    for (const { number, annotation } of project.documents.get(first.id) ?? []) {
      const reason = annotation.crowd ? 'crowd' : annotation.geometry.kind === 'box' ? null : 'mask-as-box';
      if (reason !== null) expect(told.some((each) => each === `${number} ${reason}` || each === `${number} no-pixel`)).toBe(true);
    }
  });
});

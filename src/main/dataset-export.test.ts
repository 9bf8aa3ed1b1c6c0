import { existsSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { mkdir, mkdtemp, open, readdir, readFile, readlink, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { encodeJpeg, encodePng } from './inference/pixels.ts';
import { convert } from './convert.ts';
import { exportDataset } from './dataset-export.ts';
import type { Format } from './formats/dataset.ts';
import { readPlace } from './formats/interop.test-support.ts';
import { LABELME } from './formats/labelme.ts';
import { anyProject, sourceOf } from './formats/projects.test-support.ts';
import { FORMATS } from './formats/registry.ts';
import { YOLO_SEG } from './formats/yolo-seg.ts';
import { rleBox } from '../shared/mask/rle.ts';

let folder: string;
const project = anyProject(7);
const source = sourceOf(project);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskloop-dataset-export-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const options = (name: string): Parameters<typeof exportDataset>[2] => ({
  format: 'labelme',
  out: join(folder, name),
  includeEmpty: true,
  states: [],
  images: 'leave',
});

describe('an export', () => {
  it('leaves its files, all of them in its report, and nothing beside them', async () => {
    const report = await exportDataset(LABELME, source, options('a/b/out'));
    const out = join(folder, 'a/b/out');
    expect(await readdir(join(folder, 'a/b'))).toEqual(['out']);
    const there = (await readdir(out, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    expect(report.files).toHaveLength(there.length);
    expect(report.images).toBe(project.images.length);
    expect(report.readBack.imagesCompared).toBe(project.images.length);
    expect(report.annotations + report.readBack.lost).toBe([...project.documents.values()].flat().length);
    const written = JSON.parse(await readFile(join(out, 'export-report.json'), 'utf8')) as {
      files: string[];
      readBack: { minIou: number };
    };
    expect(written.readBack.minIou).toBe(1);
  });

  it('without an image is none: it says why no image is taken, and leaves nothing', async () => {
    for (const format of FORMATS.filter(({ writer }) => writer !== null)) {
      const images = project.images.map((image) => ({ ...image, state: 'done' as const }));
      await expect(
        exportDataset(format, sourceOf({ ...project, images }), { ...options('out'), format: format.id, states: ['skipped'] }),
      ).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('its state is done, not skipped') as string,
      });
      const empty = sourceOf({ ...project, images: [] });
      await expect(exportDataset(format, empty, { ...options('out'), format: format.id })).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('there is no image') as string,
      });
    }
    expect(await readdir(folder)).toEqual([]);
  });

  it.skipIf(process.platform !== 'linux')('is on the disk, file by file and folder by folder, before it gets its name', async () => {
    const handle = await open(folder, 'r');
    const proto = Object.getPrototypeOf(handle) as FileHandle;
    await handle.close();
    const synced: string[] = [];
    const sync = proto.sync;
    const spy = vi.spyOn(proto, 'sync').mockImplementation(async function (this: FileHandle) {
      synced.push(await readlink(`/proc/self/fd/${this.fd}`));
      return sync.call(this);
    });
    const { files } = await exportDataset(LABELME, source, options('out')).finally(() => spy.mockRestore());
    const draft = synced.find((path) => path.endsWith('.tmp')) ?? '';
    expect(synced).toEqual(expect.arrayContaining(files.map((file) => join(draft, file))));
    // The folder after all that is in it, and last the one in which it got its name.
    expect(synced.indexOf(draft)).toBeGreaterThan(Math.max(...files.map((file) => synced.indexOf(join(draft, file)))));
    expect(synced.at(-1)).toBe(folder);
  });

  it('leaves out images in other states, and empty ones if asked, and says so', async () => {
    const [first] = project.images;
    if (!first) throw new Error('The project has an image.');
    const images = project.images.map((image) => (image === first ? { ...image, state: 'new' as const } : image));
    const report = await exportDataset(LABELME, sourceOf({ ...project, images }), {
      ...options('out'),
      states: ['done'],
      includeEmpty: false,
    });
    const empty = images.filter(({ id, state }) => state === 'done' && (project.documents.get(id)?.length ?? 0) === 0).length;
    expect(report.images).toBe(images.length - 1 - empty);
    const counts = Object.fromEntries(report.findingCounts.map(({ reason, count }) => [reason, count]));
    expect(counts['state']).toBe(1);
    expect(counts['image-empty'] ?? 0).toBe(empty);
  });

  it('takes the place of an older one, but of nothing else', async () => {
    await exportDataset(LABELME, source, options('out'));
    await exportDataset(YOLO_SEG, source, { ...options('out'), format: 'yolo-seg' });
    expect(existsSync(join(folder, 'out/data.yaml'))).toBe(true);
    expect(existsSync(join(folder, 'out/labels.txt'))).toBe(false);
    await writeFile(join(folder, 'out/my notes.txt'), 'mine');
    await expect(exportDataset(LABELME, source, options('out'))).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('my notes.txt') as string,
    });
    expect(existsSync(join(folder, 'out/data.yaml'))).toBe(true);
    await writeFile(join(folder, 'file'), '');
    await expect(exportDataset(LABELME, source, options('file'))).rejects.toMatchObject({ code: 'conflict' });
  });

  it('finds the older one again that had stepped aside when the process was killed, and clears what was left', async () => {
    await exportDataset(LABELME, source, options('out'));
    await rename(join(folder, 'out'), join(folder, '.out.0123abcd.tmp.older'));
    await mkdir(join(folder, '.out.0123abcd.tmp'));
    await writeFile(join(folder, '.out.0123abcd.read'), '');
    const long = new Date(Date.now() - 7_200_000);
    for (const name of ['.out.0123abcd.tmp', '.out.0123abcd.read']) await utimes(join(folder, name), long, long);
    const abort = new AbortController();
    const cancelled = exportDataset(LABELME, source, options('out'), abort.signal, () => abort.abort());
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });
    expect(await readdir(folder)).toEqual(['out']);
    expect(existsSync(join(folder, 'out/labels.txt'))).toBe(true);
  });

  it('that is wrong, cancelled, or of images that are not there leaves an older one as it was', async () => {
    await exportDataset(LABELME, source, options('out'));
    const before = (await stat(join(folder, 'out/export-report.json'))).mtimeMs;
    const writer = LABELME.writer;
    if (!writer) throw new Error('LabelMe is written.');
    // A writer that forgets the first instance of every image without a word.
    const forgetful = { ...source, document: (id: number) => source.document(id).filter((_, i) => i !== 0) };
    const broken: Format = { ...LABELME, writer: { ...writer, write: (_, ...rest) => writer.write(forgetful, ...rest) } };
    await expect(exportDataset(broken, source, options('out'))).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringMatching(/differ.*instances in the files, not/) as string,
    });
    const abort = new AbortController();
    const cancelled = exportDataset(LABELME, source, options('out'), abort.signal, ({ done }) => {
      if (done === 2) abort.abort();
    });
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });
    await expect(exportDataset(LABELME, source, { ...options('out'), images: 'copy' })).rejects.toMatchObject({ code: 'io' });
    expect((await stat(join(folder, 'out/export-report.json'))).mtimeMs).toBe(before);
    expect(await readdir(folder)).toEqual(['out']);
  });
});

describe('a conversion', () => {
  it('turns coordinates of the rows and columns of a file as EXIF does', async () => {
    // 40 wide and 20 high as stored, 20 by 40 as shown: its left column is shown at the top.
    const data = new Uint8Array(40 * 20 * 3).fill(200);
    await mkdir(join(folder, 'in'));
    await writeFile(join(folder, 'in/a.jpg'), withOrientation(await encodeJpeg({ width: 40, height: 20, data }), 6));
    const shape = {
      label: 'nut',
      points: [
        [0, 0],
        [10, 5],
      ],
      shape_type: 'rectangle',
    };
    const file = { version: '5.5.0', flags: {}, shapes: [shape], imagePath: 'a.jpg', imageData: null, imageHeight: 20, imageWidth: 40 };
    await writeFile(join(folder, 'in/a.json'), JSON.stringify(file));
    const report = await convert({
      place: join(folder, 'in'),
      out: join(folder, 'out'),
      from: null,
      to: 'yolo-seg',
      images: null,
      put: 'copy',
      includeEmpty: true,
    });
    expect(report.from).toBe('labelme');
    const { read } = await readPlace('yolo-seg', join(folder, 'out'), join(folder, 'out'));
    // Clockwise by a quarter: x is 20 - y, y is x.
    expect(read.map(({ rle }) => [rle.size, rleBox(rle)])).toEqual([
      [
        [40, 20],
        [15, 0, 5, 10],
      ],
    ]);
  });

  it('names what a place may be where that is not clear, and refuses what it does not know', async () => {
    await mkdir(join(folder, 'in'));
    await writeFile(join(folder, 'in/a.png'), await encodePng(new Uint8Array(12), 2, 2, 3));
    const wanted = {
      place: join(folder, 'in'),
      out: join(folder, 'out'),
      from: null,
      to: 'coco',
      images: null,
      put: 'leave',
      includeEmpty: true,
    } as const;
    await expect(convert(wanted)).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('--from') as string });
    await expect(convert({ ...wanted, place: join(folder, 'nothing') })).rejects.toMatchObject({ code: 'not-found' });
    expect(existsSync(join(folder, 'out'))).toBe(false);
  });
});

/** A JPEG with an EXIF block that only says how it is turned (TIFF 6.0, tag 0x0112). */
function withOrientation(jpeg: Buffer, orientation: number): Buffer {
  const exif = Buffer.from('Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0', 'latin1');
  exif.writeUInt16BE(orientation, 24);
  const header = Buffer.from([0xff, 0xe1, 0, exif.length + 2]);
  return Buffer.concat([jpeg.subarray(0, 2), header, exif, jpeg.subarray(2)]);
}

import { cpSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { adding, annotation, containing, scanned, temporaryFolder } from '../../test/store-fixtures.ts';
import type { ScanProgress } from '../shared/answers.ts';
import type { ImageRecord } from '../shared/records.ts';
import { encodeJpeg, encodePng } from './inference/pixels.ts';
import type { ScanReport } from './scan.ts';
import { scanFolder } from './scan.ts';
import { MISSING_REASON } from './store/images.ts';
import type { Store } from './store/store.ts';
import { openStore } from './store/store.ts';

function jpeg(grey: number, width = 40, height = 30): Promise<Buffer> {
  return encodeJpeg({ width, height, data: new Uint8Array(width * height * 3).fill(grey) });
}

function put(folder: string, path: string, bytes: Buffer | string): void {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), bytes);
}

interface Scene {
  readonly folder: string;
  readonly store: Store;
  readonly scan: () => Promise<ScanReport>;
  readonly rows: () => readonly ImageRecord[];
  readonly row: (path: string) => ImageRecord | undefined;
}

function scene(): Scene {
  const folder = join(temporaryFolder(), 'photos');
  mkdirSync(folder);
  const store = openStore(join(folder, '.maskloop', 'project.db'));
  const rows = (): readonly ImageRecord[] => store.images.page({ offset: 0, limit: 1000, search: '', states: [] }).rows;
  return {
    folder,
    store,
    scan: () => scanFolder({ folder, store, signal: new AbortController().signal, onProgress: () => undefined, onRows: () => undefined }),
    rows,
    row: (path) => rows().find((r) => r.path === path),
  };
}

it('lists pictures by relative path, in natural order, with size, hash and reason, and nothing else', async () => {
  const { folder, store, scan, rows, row } = scene();
  for (const [i, name] of [
    'img10.jpg',
    'img2.JPG',
    'a/same.jpg',
    'b/same.jpg',
    'ü ñ#%20?&.jpeg',
    "it's; a, 名前.jpg",
    '-dash.jpg',
  ].entries()) {
    put(folder, name, await jpeg(20 + i));
  }
  put(folder, 'line\nbreak.png', await encodePng(new Uint8Array(5 * 7), 5, 7, 1));
  put(folder, 'cut.jpg', (await jpeg(9)).subarray(0, 40));
  put(folder, 'empty.jpg', '');
  put(folder, 'old.bmp', `BM${'\0'.repeat(60)}`);
  put(folder, 'notes.txt', 'not a picture');
  put(folder, '.hidden.jpg', await jpeg(1));
  put(folder, '.git/a.jpg', await jpeg(1));
  symlinkSync(folder, join(folder, 'a', 'loop'));
  symlinkSync(join(folder, 'nowhere.jpg'), join(folder, 'dangling.jpg'));
  symlinkSync(join(folder, 'img10.jpg'), join(folder, 'linked.jpg'));

  const report = await scan();
  expect(rows().map((r) => r.path)).toEqual([
    '-dash.jpg',
    'a/same.jpg',
    'b/same.jpg',
    'cut.jpg',
    'dangling.jpg',
    'empty.jpg',
    'img2.JPG',
    'img10.jpg',
    "it's; a, 名前.jpg",
    'line\nbreak.png',
    'linked.jpg',
    'old.bmp',
    'ü ñ#%20?&.jpeg',
  ]);
  expect(rows().map((r) => r.id)).toEqual(rows().map((_, i) => i + 1));
  expect(report).toMatchObject({ found: 13, added: 13, changed: 0, moved: 0, missing: 0, broken: 4, unreadable: [] });
  expect(row('line\nbreak.png')).toMatchObject({ width: 5, height: 7, error: null, state: 'new' });
  expect(row('img2.JPG')?.sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(row('a/same.jpg')?.sha256).not.toBe(row('b/same.jpg')?.sha256);
  expect(row('empty.jpg')?.error).toMatch(/empty/);
  expect(row('old.bmp')?.error).toMatch(/BMP/);
  expect(row('dangling.jpg')?.error).toMatch(/cannot be read/);
  expect(row('cut.jpg')?.error).toBeTruthy();
  store.close();
});

it('does not read again what has not changed', async () => {
  const { folder, store, scan } = scene();
  const file = join(folder, 'a.jpg');
  const time = new Date('2026-01-02T03:04:05Z');
  writeFileSync(file, await jpeg(10));
  utimesSync(file, time, time);
  await scan();
  // Same size and time, other content: only a reading would notice.
  writeFileSync(file, Buffer.alloc((await jpeg(10)).length));
  utimesSync(file, time, time);
  expect(await scan()).toMatchObject({ found: 1, added: 0, changed: 0 });
  store.close();
});

it('recognises a moved file by its content, and keeps its instances', async () => {
  const { folder, store, scan, rows, row } = scene();
  put(folder, 'day 1/x.jpg', await jpeg(10));
  put(folder, 'day 1/y.jpg', await jpeg(10));
  put(folder, 'day 2/z.jpg', await jpeg(30));
  await scan();
  const label = store.labels.create('mug', null);
  const edited = row('day 1/y.jpg')?.id ?? 0;
  store.documents.apply(edited, 0, adding(annotation('one', label.id, { geometry: { kind: 'box', box: [1, 1, 5, 5] } })));

  renameSync(join(folder, 'day 1'), join(folder, 'first day'));
  expect(await scan()).toMatchObject({ found: 3, added: 0, moved: 2, missing: 0 });
  expect(rows().map((r) => r.path)).toEqual(['day 2/z.jpg', 'first day/x.jpg', 'first day/y.jpg']);
  expect(row('first day/y.jpg')).toMatchObject({ id: edited, annotations: 1, error: null });

  // A copy is another image, not a move.
  cpSync(join(folder, 'day 2/z.jpg'), join(folder, 'day 2/copy.jpg'));
  expect(await scan()).toMatchObject({ found: 4, added: 1, moved: 0 });
  store.close();
});

it('keeps what is gone listed as missing, and takes it back', async () => {
  const { folder, store, scan, row } = scene();
  put(folder, 'a.jpg', await jpeg(10));
  put(folder, 'b.jpg', await jpeg(20));
  await scan();
  const label = store.labels.create('mug', null);
  const id = row('a.jpg')?.id ?? 0;
  store.documents.apply(id, 0, adding(annotation('one', label.id, { geometry: { kind: 'box', box: [1, 1, 5, 5] } })));
  rmSync(join(folder, 'a.jpg'));
  expect(await scan()).toMatchObject({ found: 1, missing: 1 });
  expect(row('a.jpg')).toMatchObject({ id, error: MISSING_REASON, annotations: 1 });
  expect(await scan()).toMatchObject({ found: 1, missing: 1, changed: 0 });
  put(folder, 'a.jpg', await jpeg(10));
  expect(await scan()).toMatchObject({ found: 2, missing: 0, added: 0 });
  expect(row('a.jpg')).toMatchObject({ id, error: null, annotations: 1 });
  store.close();
});

it('notices other content under the same name', async () => {
  const { folder, store, scan, row } = scene();
  put(folder, 'a.jpg', await jpeg(10));
  put(folder, 'b.jpg', await jpeg(20));
  await scan();
  const label = store.labels.create('mug', null);
  const before = row('a.jpg');
  store.documents.apply(before?.id ?? 0, 0, adding(annotation('one', label.id, { geometry: { kind: 'box', box: [1, 1, 5, 5] } })));
  put(folder, 'a.jpg', await jpeg(200));
  put(folder, 'b.jpg', await jpeg(90, 80, 60));
  expect(await scan()).toMatchObject({ changed: 2, added: 0 });
  expect(row('a.jpg')).toMatchObject({ annotations: 1, error: null, note: containing('changed') });
  expect(row('a.jpg')?.sha256).not.toBe(before?.sha256);
  expect(row('b.jpg')).toMatchObject({ width: 80, height: 60, note: null });
  put(folder, 'a.jpg', await jpeg(10, 80, 60));
  await scan();
  expect(row('a.jpg')).toMatchObject({ width: 40, height: 30, annotations: 1, error: containing('80×60') });
  store.close();
});

it('goes on where a stopped scan ended, tells its progress, and never writes beside the pictures', async () => {
  const { folder, store, scan } = scene();
  const bytes = await jpeg(10);
  for (let i = 0; i < 200; i++) put(folder, `${i}.jpg`, Buffer.concat([bytes, Buffer.from([i])]));
  const abort = new AbortController();
  const told: ScanProgress[] = [];
  const stopped = scanFolder({
    folder,
    store,
    signal: abort.signal,
    onProgress: (progress) => told.push(progress),
    onRows: () => abort.abort(),
  });
  await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
  const half = store.images.summary().images;
  expect(half).toBeGreaterThan(0);
  expect(half).toBeLessThan(200);
  expect(told.every((p) => p.found <= 200 && p.read <= p.found && !p.done)).toBe(true);
  expect(await scan()).toMatchObject({ found: 200, added: 200 - half });
  expect(readdirSync(folder).filter((name) => !name.endsWith('.jpg'))).toEqual(['.maskloop']);
  store.close();
});

it('says which folder is not there', async () => {
  const { folder, store } = scene();
  const scan = scanFolder({
    folder: join(folder, 'nope'),
    store,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    onRows: () => undefined,
  });
  await expect(scan).rejects.toMatchObject({ code: 'not-found', detail: { path: join(folder, 'nope') } });
  store.close();
});

it.skipIf(process.platform !== 'linux')('lists names that are no UTF-8, and reads the rest', async () => {
  const { folder, store, scan, rows } = scene();
  put(folder, 'good.jpg', await jpeg(20));
  for (const byte of [0xff, 0xfe]) writeFileSync(Buffer.concat([Buffer.from(`${folder}/bad`), Buffer.of(byte), Buffer.from('.jpg')]), 'x');
  expect(await scan()).toMatchObject({ found: 2, added: 2, broken: 1 });
  expect(rows().map((r) => r.error)).toEqual(expect.arrayContaining([null, 'the file cannot be read: its name is not valid UTF-8']));
  expect(await scan()).toMatchObject({ found: 2, added: 0, missing: 0 });
  store.close();
});

it('marks thousands of files as gone, and goes on where it was stopped between them', async () => {
  const { folder, store, scan, rows } = scene();
  const all = Array.from({ length: 4500 }, (_, i) => scanned(`gone/${i}.jpg`));
  store.images.add(all);
  put(folder, '1.jpg', await jpeg(7));
  const abort = new AbortController();
  let told = 0;
  const stopped = scanFolder({
    folder,
    store,
    signal: abort.signal,
    onProgress: () => undefined,
    onRows: (ids) => {
      told += ids.length;
      if (told > 1000) abort.abort();
    },
  });
  await expect(stopped).rejects.toThrow();
  const marked = rows().filter((row) => row.error === MISSING_REASON).length;
  expect(marked > 0 && marked < 1000).toBe(true);
  expect(await scan()).toMatchObject({ found: 1, added: 0, missing: 4500, broken: 4500 });
  expect(store.images.summary()).toEqual({ images: 4501, broken: 4500, done: 0, annotations: 0 });
  expect(await scan()).toMatchObject({ found: 1, added: 0, missing: 4500, broken: 4500 });
  store.close();
});

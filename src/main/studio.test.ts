import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { brightPhoto } from '../../test/bright-inference.ts';
import { adding, annotation, containing } from '../../test/store-fixtures.ts';
import type { Reply } from '../shared/errors.ts';
import { dispatch } from './dispatch.ts';
import { openSnapshot } from './store/database.ts';
import { verifyProject } from './store/replay.ts';
import { openStore } from './store/store.ts';
import { all, appFolder, call, folder, start, studio, root } from '../../test/studio-fixture.ts';

describe('the studio', () => {
  it('opens, edits, closes, opens again with everything there, and exports', async () => {
    const info = await call('project.open', { folder });
    expect(info).toEqual({
      name: basename(folder),
      folder,
      file: join(folder, '.maskloop', 'project.db'),
      images: 4,
      broken: 0,
      done: 0,
      annotations: 0,
      note: null,
      lastImageId: null,
    });
    const label = await call('labels.create', { name: 'mug' });
    const one = annotation('one', label.id, { geometry: { kind: 'box', box: [3, 4, 20, 10] } });
    const saved = await call('document.apply', { imageId: 2, base: 0, diff: adding(one) });
    expect(saved).toMatchObject({ imageId: 2, revision: 1, undoable: 1 });
    await call('images.setState', { imageIds: [2], state: 'done' });
    await call('document.load', { imageId: 2 });
    await studio.close();
    start();
    expect((await call('project.recent', {})).map((p) => p.folder)).toEqual([folder]);
    expect(await call('project.open', { folder })).toMatchObject({ done: 1, annotations: 1, lastImageId: 2 });
    expect((await call('document.load', { imageId: 2 })).annotations).toEqual([one]);
    const report = await call('export.coco', { out: join(appFolder, 'out') });
    expect(report).toMatchObject({ images: 4, emptyImages: 3, annotations: 1, categories: [{ id: 1, name: 'mug', annotations: 1 }] });
    const written: unknown = JSON.parse(readFileSync(join(appFolder, 'out', 'annotations.json'), 'utf8'));
    expect(written).toMatchObject({ annotations: [{ id: 1, image_id: 2, category_id: 1, bbox: [3, 4, 20, 10], area: 200, iscrowd: 0 }] });
  });

  it('saves also when a window cannot be told', async () => {
    await call('project.open', { folder });
    const label = await call('labels.create', { name: 'mug' });
    studio.onEvent(() => {
      throw new Error('this window is gone');
    });
    const saved = await call('document.apply', { imageId: 1, base: 0, diff: adding(annotation('one', label.id)) });
    expect(saved.revision).toBe(1);
    expect((await call('document.load', { imageId: 1 })).annotations).toHaveLength(1);
  });

  it('answers every misuse with a reason', async () => {
    const reply = (name: string, input?: unknown): Promise<Reply<unknown>> => dispatch(studio, name, input);
    expect(await reply('images.list', all)).toMatchObject({ ok: false, error: { code: 'not-found', message: 'No project is open.' } });
    expect(await reply('no.such', {})).toMatchObject({ ok: false, error: { code: 'invalid' } });
    expect(await reply('constructor', {})).toMatchObject({ ok: false, error: { code: 'invalid' } });
    expect(await reply('images.list', { offset: -1, limit: 5 })).toMatchObject({
      ok: false,
      error: { code: 'invalid', detail: { key: 'offset' } },
    });
    expect(await reply('document.apply', { imageId: 1, base: 0, diff: { added: [{ id: 'x' }] } })).toMatchObject({
      ok: false,
      error: { code: 'invalid' },
    });
    expect(await reply('project.open', { folder: join(folder, 'nope') })).toMatchObject({ ok: false, error: { code: 'not-found' } });
    expect(await reply('project.pickFolder')).toMatchObject({ ok: false, error: { code: 'unsupported' } });
    expect(await reply('project.current')).toEqual({ ok: true, value: null });
  });

  it('says that a project is open elsewhere, and keeps the one that is open here', async () => {
    const other = `${folder}-other`;
    mkdirSync(other);
    writeFileSync(join(other, '5.jpg'), await brightPhoto(200));
    await call('project.open', { folder });
    const elsewhere = openStore(join(other, '.maskloop', 'project.db'));
    await expect(call('project.open', { folder: other })).rejects.toMatchObject({ code: 'conflict', message: containing('project.db') });
    expect(await call('project.current', {})).toMatchObject({ folder, images: 4 });
    elsewhere.close();
    expect(await call('project.open', { folder: other })).toMatchObject({ images: 1 });
    // The first one is let go of.
    openStore(join(folder, '.maskloop', 'project.db')).close();
  });

  it('puts the project into its own folder where the images cannot be written to, and says so', async () => {
    // A plain file in the place of the project's folder refuses every user, root included.
    writeFileSync(join(folder, '.maskloop'), '');
    const info = await call('project.open', { folder });
    expect(info.note).toContain('cannot be written');
    expect(info.file.startsWith(appFolder)).toBe(true);
    expect(info).toMatchObject({ images: 4 });
    await studio.pixels.read(1, 'thumb');
    expect(readdirSync(folder).sort()).toEqual(['.maskloop', '1.jpg', '2.jpg', '3.jpg', '4.jpg']);
    await call('project.close', {});
    const file = join(appFolder, 'elsewhere', 'mine.db');
    expect(await call('project.open', { folder, file })).toMatchObject({ file, images: 4 });
    expect(existsSync(file)).toBe(true);
  });

  it('shows pixels of the open project only, and keeps thumbnails by content', async () => {
    await expect(studio.pixels.read(1, 'full')).rejects.toMatchObject({ code: 'not-found' });
    await call('project.open', { folder });
    expect(await studio.pixels.read(1, 'full')).toEqual({ type: 'image/jpeg', body: { path: join(folder, '1.jpg') } });
    const first = await studio.pixels.read(1, 'thumb');
    expect(first.type).toBe('image/webp');
    expect(await studio.pixels.read(1, 'thumb')).toEqual(first);
    const { sha256 } = await call('images.get', { imageId: 1 });
    expect(readdirSync(join(folder, '.maskloop', 'cache', 'thumbs', sha256.slice(0, 2)))).toEqual([`${sha256}.webp`]);
    await expect(studio.pixels.read(99, 'thumb')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('does not follow a project file out of its folder', async () => {
    const store = openStore(join(folder, '.maskloop', 'project.db'));
    store.images.add([{ path: '../secret.jpg', width: 1, height: 1, orientation: 1, bytes: 1, modifiedMs: 1, sha256: 'x', error: null }]);
    store.close();
    writeFileSync(join(root, 'secret.jpg'), await brightPhoto(200));
    await call('project.open', { folder });
    const { rows } = await call('images.list', { ...all, search: 'secret' });
    const imageId = rows[0]?.id ?? 0;
    await expect(studio.pixels.read(imageId, 'full')).rejects.toMatchObject({ code: 'invalid' });
    await expect(studio.pixels.read(imageId, 'thumb')).rejects.toMatchObject({ code: 'invalid' });
  });

  it('remembers the image that is looked at without being closed', async () => {
    await call('project.open', { folder });
    await call('document.load', { imageId: 3 });
    const kept = (): string | undefined => {
      const { db, close } = openSnapshot(join(folder, '.maskloop', 'project.db'));
      const value = db.prepare<[], string>("SELECT value FROM meta WHERE key = 'last_image_id'").pluck().get();
      close();
      return value;
    };
    await vi.waitFor(() => expect(kept()).toBe('3'), { timeout: 10_000 });
  });

  it.skipIf(process.platform === 'win32')('saves nothing when its folder was taken away, and opens what is there now', async () => {
    await call('project.open', { folder });
    const { id } = await call('labels.create', { name: 'mug' });
    await call('document.load', { imageId: 1 });
    renameSync(folder, `${folder}-away`);
    const edit = (): Promise<unknown> => call('document.apply', { imageId: 1, base: 0, diff: adding(annotation('one', id)) });
    await expect(edit()).rejects.toMatchObject({ code: 'io', message: containing('removed or replaced') });
    await expect(call('project.open', { folder })).rejects.toMatchObject({ code: 'not-found' });
    cpSync(`${folder}-away`, folder, { recursive: true });
    await expect(edit()).rejects.toMatchObject({ code: 'io' });
    expect(await call('project.open', { folder })).toMatchObject({ images: 4, annotations: 0 });
    await edit();
    expect(await call('project.current', {})).toMatchObject({ annotations: 1 });
  });

  it('names the project file that is damaged, on reading too', async () => {
    await call('project.open', { folder });
    const { id } = await call('labels.create', { name: 'mug' });
    const many = Array.from({ length: 3000 }, (_, i) => annotation(`${i}`, id));
    await call('document.apply', { imageId: 1, base: 0, diff: adding(...many) });
    const { file } = await call('project.current', {}).then((info) => info ?? { file: '' });
    await call('project.close', {});
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.fill(0x5a, 100_000, bytes.length - 100_000));
    const damaged = { code: 'storage', message: containing(file) };
    const load = call('project.open', { folder }).then(() => call('document.load', { imageId: 1 }));
    await expect(load).rejects.toMatchObject(damaged);
    await call('project.close', {});
    expect(() => verifyProject(file)).toThrow(expect.objectContaining(damaged));
  });

  it('opens a project where the app folder cannot be written', async () => {
    await studio.close();
    writeFileSync(appFolder, 'a file in its place');
    start();
    expect(await call('project.open', { folder })).toMatchObject({ images: 4 });
  });

  it('keeps settings, and starts afresh from a broken settings file', async () => {
    expect(await call('settings.get', {})).toMatchObject({ theme: 'dark', minScore: 0.5 });
    await call('settings.set', { theme: 'light', brushPx: 40 });
    await call('settings.set', { theme: 'system' });
    await studio.close();
    start();
    expect(await call('settings.get', {})).toMatchObject({ theme: 'system', brushPx: 40 });
    writeFileSync(join(appFolder, 'settings.json'), '{"theme": "pink');
    await studio.close();
    start();
    expect(await call('settings.get', {})).toMatchObject({ theme: 'dark' });
    expect(readFileSync(join(appFolder, 'settings.json.broken'), 'utf8')).toContain('pink');
  });
});

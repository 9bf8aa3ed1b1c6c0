import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dataset, exported, FIVE, load, open, take, verified } from '../../test/import-fixture.ts';
import { all, appFolder, call, folder, start, studio } from '../../test/studio-fixture.ts';
import type { ImportUndoReport } from '../shared/calls/imports.ts';
import { EMPTY_DIFF } from '../shared/diff.ts';
import { AppError } from '../shared/errors.ts';
import type { Annotation } from '../shared/records.ts';
import { findProject } from './project-place.ts';
import { undoImport } from './store/import-undo.ts';

const states = async (): Promise<string[]> => (await call('images.list', all)).rows.map(({ state }) => state);
const classes = async (): Promise<string[]> => (await call('labels.list', {})).map(({ name }) => name);

function drawn(labelId: number, id = 'drawn-by-hand'): Annotation {
  return { id, labelId, geometry: { kind: 'box', box: [1, 1, 5, 5] }, z: 9, crowd: false, origin: 'drawn', suggestionId: null };
}

describe('taking a whole import back', () => {
  it('leaves nothing of it: instances, states, classes and records; and the journal replays', async () => {
    await open();
    const before = await states();
    const [, { importId }] = await take(dataset(FIVE), { asDone: true });
    expect(await states()).toEqual(['done', 'done', 'done', 'done']);
    const undone = await call('import.undo', {});
    expect(undone).toMatchObject({ importId, images: 4, annotations: 5, leftImages: 0, restored: 0, classes: ['mug', 'mug (2)'] });
    expect(await states()).toEqual(before);
    expect(await classes()).toEqual([]);
    expect(exported()).toEqual([]);
    expect(verified()).toEqual([]);
    expect(JSON.parse(readFileSync(undone.file ?? '', 'utf8')) as ImportUndoReport).toEqual(undone);
    expect(await call('import.list', {})).toMatchObject([{ importId, imagesLeft: 0, images: 4, annotations: 5 }]);
    await expect(call('import.undo', { importId })).rejects.toMatchObject({ code: 'conflict' });
    await expect(call('import.undo', {})).rejects.toMatchObject({ code: 'not-found' });
  });

  it('writes no record of it into an export, and imported again it is what it was the first time', async () => {
    await open();
    await take(dataset(FIVE));
    const first = exported();
    await call('import.undo', {});
    const out = `${folder}-out`;
    await call('export.coco', { out });
    const empty = JSON.parse(readFileSync(`${out}/annotations.json`, 'utf8')) as Record<string, unknown[]>;
    expect([empty.annotations, empty.categories]).toEqual([[], []]);
    // Ids and keys of the file are not the project's.
    expect(empty.images).not.toContainEqual(expect.objectContaining({ extra: 1 }));
    expect(empty.info).not.toEqual({ year: 2026 });
    await take(dataset(FIVE));
    // Ids of the file are free again; numbers that the project gave are not used twice.
    expect(exported()).toEqual([first[0], first[1], [53, true], [54, true], first[4]]);
    expect(await classes()).toEqual(['mug', 'mug (2)']);
    expect(verified()).toEqual([]);
  });

  it('leaves what a person changed since, says which and why, and is not over until that is gone', async () => {
    await open();
    const [, { importId }] = await take(dataset(FIVE));
    const labelId = (await call('labels.list', {}))[0]?.id ?? 0;
    const edited = await load('1.jpg');
    await call('document.apply', { imageId: edited.image.id, base: 1, diff: { ...EMPTY_DIFF, added: [drawn(labelId)] } });
    const marked = await load('3.jpg');
    await call('images.setState', { imageIds: [marked.image.id], state: 'done' });
    const undone = await call('import.undo', {});
    expect(undone).toMatchObject({ images: 2, annotations: 1, leftImages: 2, leftAnnotations: 4, classes: [] });
    expect(undone.left).toEqual([
      { imageId: edited.image.id, path: '1.jpg', instances: 2, why: 'edited' },
      { imageId: marked.image.id, path: '3.jpg', instances: 2, why: 'state' },
    ]);
    expect((await load('1.jpg')).annotations).toHaveLength(3);
    expect((await load('2.jpg')).annotations).toEqual([]);
    expect((await load('3.jpg')).annotations).toHaveLength(2);
    expect(await classes()).toEqual(['mug', 'mug (2)']);
    expect(verified()).toEqual([]);
    expect(await call('import.list', {})).toMatchObject([{ importId, imagesLeft: 2, undoneAtMs: null }]);
    // An edit that was undone is none.
    await call('document.undo', { imageId: edited.image.id, base: 2 });
    await call('images.setState', { imageIds: [marked.image.id], state: 'in-progress' });
    expect(await call('import.undo', {})).toMatchObject({ importId, images: 2, annotations: 4, leftImages: 0 });
    expect(exported()).toEqual([]);
    expect(verified()).toEqual([]);
  });

  it('brings back what it had replaced, and leaves images that a later import changed', async () => {
    await open();
    const [, one] = await take(dataset([{ id: 1, image: 1 }]));
    const before = (await load('1.jpg')).annotations;
    const [, two] = await take(
      dataset([
        { id: 5, image: 1, x: 30 },
        { id: 6, image: 2 },
      ]),
      { onConflict: 'replace' },
    );
    expect(await call('import.undo', { importId: one.importId })).toMatchObject({
      annotations: 0,
      leftImages: 1,
      left: [{ path: '1.jpg', why: 'imported-over' }],
    });
    expect(await call('import.undo', { importId: two.importId })).toMatchObject({ annotations: 2, restored: 1, leftImages: 0 });
    expect((await load('1.jpg')).annotations).toEqual(before);
    expect(verified()).toEqual([]);
    expect(await call('import.undo', {})).toMatchObject({ importId: one.importId, annotations: 1, leftImages: 0 });
    expect(verified()).toEqual([]);
  });

  it('can be done again on an image, over a restart, and then is not taken back any more', async () => {
    await open();
    await take(dataset(FIVE));
    const { image, annotations } = await load('1.jpg');
    await call('import.undo', {});
    await studio.close();
    start();
    await open();
    await call('document.redo', { imageId: image.id, base: 2 });
    expect((await load('1.jpg')).annotations).toEqual(annotations);
    expect(await classes()).toEqual(['mug']);
    expect(exported()).toEqual([
      [7, true],
      [51, true],
    ]);
    expect(await call('import.list', {})).toMatchObject([{ imagesLeft: 1, undoneAtMs: null }]);
    expect(verified()).toEqual([]);
    expect(await call('import.undo', {})).toMatchObject({ images: 1, annotations: 2 });
    expect(verified()).toEqual([]);
  });

  it('counts as none what was undone by hand before, and only looks where that is all that is asked', async () => {
    await open();
    await take(dataset(FIVE));
    const { image } = await load('1.jpg');
    await call('document.undo', { imageId: image.id, base: 1 });
    const revision = (await load('2.jpg')).revision;
    const looked = await call('import.undo', { dryRun: true });
    expect(looked).toMatchObject({ dryRun: true, images: 4, annotations: 3, leftImages: 0, file: null, classes: ['mug', 'mug (2)'] });
    expect((await load('2.jpg')).revision).toBe(revision);
    expect((await load('3.jpg')).annotations).toHaveLength(2);
    expect(await call('import.undo', {})).toMatchObject({ images: 4, annotations: 3 });
    expect(verified()).toEqual([]);
  });

  it('is all or nothing: given up in the end, it changed nothing', async () => {
    await open();
    await take(dataset(FIVE));
    const before = exported();
    let done = 0;
    const request = {
      file: findProject(folder, appFolder) ?? '',
      importId: null,
      dryRun: false,
      atMs: 0,
      onProgress: (images: number) => (done = images),
      checkpoint: () => {
        throw new AppError('cancelled', 'given up');
      },
    };
    expect(() => undoImport(request)).toThrow(expect.objectContaining({ code: 'cancelled' }));
    expect(done).toBe(4);
    expect(exported()).toEqual(before);
    expect(await call('import.list', {})).toMatchObject([{ imagesLeft: 4 }]);
    expect(verified()).toEqual([]);
    const undoing = call('import.undo', {});
    await expect(call('import.undo', {})).rejects.toMatchObject({ code: 'conflict' });
    expect(await undoing).toMatchObject({ annotations: 5 });
  });
});

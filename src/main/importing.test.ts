import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { dataset, exported, FIVE, load, open, take, verified } from '../../test/import-fixture.ts';
import { call, folder, start, studio, told } from '../../test/studio-fixture.ts';
import type { ImportReport } from '../shared/calls/imports.ts';
import { EMPTY_DIFF } from '../shared/diff.ts';
import type { Annotation } from '../shared/records.ts';
import { rasterize } from '../shared/mask/raster.ts';
import { bitmapBox } from '../shared/mask/bitmap.ts';

describe('an import into a project', () => {
  it('is planned, and changes nothing before it is taken', async () => {
    const images = await open();
    const plan = await call('import.read', { place: dataset(FIVE), format: null });
    expect(plan).toMatchObject({
      format: 'coco',
      images: { total: 4, byPath: 4, missing: 0 },
      instances: { taken: 5, refused: 0 },
      conflicts: 0,
      categories: [
        { name: 'mug', label: 'mug', known: false, instances: 4 },
        { name: 'mug', label: 'mug (2)', known: false, instances: 1 },
      ],
    });
    const { rows } = await call('import.findings', { id: plan.id, kind: 'repaired', offset: 0, limit: 10 });
    expect(rows.map((row) => row.reason)).toEqual(['id-zero', 'category-renamed']);
    expect((await load('1.jpg')).annotations).toEqual([]);
    expect(await call('labels.list', {})).toEqual([]);
    await call('import.discard', { id: plan.id });
    await expect(call('import.commit', { id: plan.id })).rejects.toMatchObject({ code: 'not-found' });
    expect(images.size).toBe(4);
    expect(readdirSync(join(folder, '.maskloop')).filter((name) => name.includes('staging'))).toEqual([]);
  });

  it('brings instances, classes and texts, tells the window, and leaves a report with every finding', async () => {
    await open();
    const [, report] = await take(dataset(FIVE), { asDone: true });
    expect(report).toMatchObject({ annotations: 5, images: 4, skippedImages: 0, onConflict: 'skip' });
    const { annotations, revision, image } = await load('1.jpg');
    expect([revision, image.state, annotations.length]).toEqual([1, 'done', 2]);
    expect(annotations[0]).toMatchObject({
      origin: 'imported',
      crowd: false,
      geometry: { kind: 'polygon', parts: [{ outer: [10, 10, 20, 10, 20, 20, 10, 20], holes: [] }] },
    });
    expect((await call('labels.list', {})).map((label) => label.name)).toEqual(['mug', 'mug (2)']);
    expect(told.filter(({ name }) => name === 'labels.changed')).toHaveLength(1);
    expect(verified()).toEqual([]);
    const written = JSON.parse(readFileSync(report.file, 'utf8')) as ImportReport;
    expect(written.findings).toEqual(report.findings);
    expect(written.findings.map((finding) => finding.reason)).toContain('id-zero');
    // In the order of the file; ids of the file where they are numbers, others above all of them.
    expect(exported()).toEqual([
      [50, true],
      [7, true],
      [51, true],
      [52, true],
      [9, true],
    ]);
    expect(existsSync(report.file)).toBe(true);
  });

  it('is undone and done again image by image, over a restart, and the journal replays', async () => {
    await open();
    await take(dataset(FIVE));
    const { image, annotations } = await load('1.jpg');
    await call('document.undo', { imageId: image.id, base: 1 });
    expect((await load('1.jpg')).annotations).toEqual([]);
    expect((await load('3.jpg')).annotations).toHaveLength(2);
    expect(verified()).toEqual([]);
    await studio.close();
    start();
    await open();
    await call('document.redo', { imageId: image.id, base: 2 });
    expect((await load('1.jpg')).annotations).toEqual(annotations);
    expect(exported().map(([number]) => number)).toEqual([50, 7, 51, 52, 9]);
    expect(exported().every(([, untouched]) => untouched)).toBe(true);
    expect(verified()).toEqual([]);
  });

  it('knows what was touched, also that an edit was undone', async () => {
    await open();
    await take(dataset(FIVE));
    const { image, annotations } = await load('1.jpg');
    const [first] = annotations;
    if (!first) throw new Error('no annotation');
    const moved: Annotation = { ...first, geometry: { kind: 'box', box: [1, 1, 5, 5] } };
    const touched = (): (boolean | null)[] => exported().map(([, untouched]) => untouched);
    await call('document.apply', { imageId: image.id, base: 1, diff: { ...EMPTY_DIFF, updated: [[first, moved]] } });
    expect(touched()).toEqual([true, false, true, true, true]);
    await call('document.undo', { imageId: image.id, base: 2 });
    expect(touched()).toEqual([true, true, true, true, true]);
    // By hand the same as before: nobody could tell it from an import.
    await call('document.apply', { imageId: image.id, base: 3, diff: { ...EMPTY_DIFF, updated: [[first, moved]] } });
    await call('document.apply', { imageId: image.id, base: 4, diff: { ...EMPTY_DIFF, updated: [[moved, first]] } });
    expect(touched()).toEqual([true, true, true, true, true]);
    const crowd = { ...first, crowd: true };
    await call('document.apply', { imageId: image.id, base: 5, diff: { ...EMPTY_DIFF, updated: [[first, crowd]] } });
    expect(touched()).toEqual([true, false, true, true, true]);
    const added: Annotation = { ...first, id: 'drawn-by-hand', origin: 'drawn' };
    await call('document.apply', { imageId: image.id, base: 6, diff: { ...EMPTY_DIFF, added: [added], removed: [crowd] } });
    expect(exported()).toEqual([
      [50, true],
      [51, true],
      [52, true],
      [9, true],
      [53, null],
    ]);
    expect(verified()).toEqual([]);
  });

  it('leaves images that have instances, adds to them or replaces what they have', async () => {
    await open();
    await take(dataset([{ id: 1, image: 1 }]));
    const again = dataset([
      { id: 1, image: 1, x: 30 },
      { id: 2, image: 2 },
    ]);
    const [plan, skipped] = await take(again);
    expect(plan.conflictRows).toMatchObject([{ path: '1.jpg', existing: 1, incoming: 1 }]);
    expect(plan.categories.every((category) => category.known)).toBe(true);
    expect(skipped).toMatchObject({ annotations: 1, skippedImages: 1 });
    const [, added] = await take(again, { onConflict: 'add' });
    expect(added.annotations).toBe(2);
    const after = await load('1.jpg');
    expect(after.annotations.map(({ geometry }) => (geometry.kind === 'polygon' ? geometry.parts[0]?.outer[0] : null))).toEqual([10, 30]);
    const [, replaced] = await take(again, { onConflict: 'replace' });
    expect(replaced).toMatchObject({ annotations: 2, replacedAnnotations: 4 });
    expect((await load('1.jpg')).annotations).toHaveLength(1);
    expect(verified()).toEqual([]);
    await call('document.undo', { imageId: after.image.id, base: 3 });
    expect((await load('1.jpg')).annotations).toEqual(after.annotations);
    expect(verified()).toEqual([]);
    // An id that is taken is not written twice.
    expect(new Set(exported().map(([number]) => number)).size).toBe(exported().length);
  });

  it('finds images by path, by the only name, or by content, and refuses those it cannot tell', async () => {
    mkdirSync(join(folder, 'b'));
    mkdirSync(join(folder, 'c'));
    renameSync(join(folder, '2.jpg'), join(folder, 'b', '2.jpg'));
    writeFileSync(join(folder, 'c', '3.jpg'), readFileSync(join(folder, '4.jpg')));
    renameSync(join(folder, '3.jpg'), join(folder, 'b', '3.jpg'));
    const elsewhere = `${folder}-elsewhere`;
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, 'other-name.jpg'), readFileSync(join(folder, '1.jpg')));
    await open();
    const names = ['other-name.jpg', '2.jpg', '3.jpg', 'gone.jpg'];
    const place = dataset(
      [
        { id: 1, image: 1 },
        { id: 2, image: 2 },
        { id: 3, image: 3 },
        { id: 4, image: 4 },
      ],
      {
        images: names.map((file_name, i) => ({ id: 101 + i, file_name, width: 80, height: 60 })),
      },
    );
    const plan = await call('import.read', { place, images: elsewhere });
    expect(plan.images).toEqual({ total: 4, byPath: 0, byName: 1, byContent: 1, missing: 2 });
    expect(plan.instances).toMatchObject({ taken: 2, refused: 2 });
    const { rows } = await call('import.findings', { id: plan.id, kind: 'refused', offset: 0, limit: 10 });
    expect(rows.map(({ reason, id }) => [reason, id])).toEqual([
      ['image-ambiguous', '3.jpg'],
      ['image-missing', 'gone.jpg'],
    ]);
    expect(rows[1]?.message).toContain('Its instance is not taken');
    const report = await call('import.commit', { id: plan.id });
    expect(report).toMatchObject({ images: 2, annotations: 2 });
    expect((await load('1.jpg')).annotations).toHaveLength(1);
    expect(verified()).toEqual([]);
  });

  it("turns what is meant in the file's own pixels, and refuses masks of another size", async () => {
    const data = Buffer.alloc(80 * 60 * 3, 90);
    const turned = await sharp(data, { raw: { width: 80, height: 60, channels: 3 } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    writeFileSync(join(folder, '1.jpg'), turned);
    await open();
    const mask = { size: [60, 80], counts: [0, 2, 4798] };
    const place = dataset([{ id: 1, image: 1 }], {
      annotations: [
        { id: 1, image_id: 101, category_id: 1, segmentation: [[0, 0, 30, 0, 30, 10, 0, 10]], area: 300, bbox: [0, 0, 30, 10] },
        { id: 2, image_id: 101, category_id: 1, segmentation: mask, area: 2, bbox: [0, 0, 1, 2] },
        { id: 3, image_id: 102, category_id: 1, segmentation: { size: [10, 10], counts: [0, 2, 98] }, area: 2, bbox: [0, 0, 1, 2] },
      ],
    });
    const [plan] = await take(place);
    expect(plan.findingCounts.map(({ reason }) => reason).sort()).toEqual(
      ['category-renamed', 'does-not-fit', 'name-repeated', 'raw-pixels'].sort(),
    );
    const { annotations, image } = await load('1.jpg');
    expect([image.width, image.height]).toEqual([60, 80]);
    // The top left corner of the file is the top right one as shown.
    const boxes = annotations.map(({ geometry }) => bitmapBox(rasterize(geometry, image.width, image.height)));
    expect(boxes).toEqual([
      [50, 0, 10, 30],
      [58, 0, 2, 1],
    ]);
    expect((await load('2.jpg')).annotations).toEqual([]);
    expect(verified()).toEqual([]);
  });

  it('lets nothing else be written meanwhile, and a second reading ends the first', async () => {
    const images = await open();
    const first = await call('import.read', { place: dataset(FIVE) });
    const second = await call('import.read', { place: dataset(FIVE) });
    await expect(call('import.commit', { id: first.id })).rejects.toMatchObject({ code: 'not-found' });
    const committing = call('import.commit', { id: second.id });
    const image = images.get('4.jpg')?.id ?? 0;
    await expect(call('images.setState', { imageIds: [image], state: 'done' })).rejects.toMatchObject({ code: 'storage' });
    await expect(call('import.read', { place: dataset(FIVE) })).rejects.toMatchObject({ code: 'conflict' });
    await committing;
    await call('images.setState', { imageIds: [image], state: 'done' });
  });

  it('leaves the project as it was when it is cancelled or the file is broken', async () => {
    await open();
    const plan = await call('import.read', { place: dataset(FIVE) });
    const committing = call('import.commit', { id: plan.id });
    await call('import.cancel', {});
    await expect(committing).rejects.toMatchObject({ code: 'cancelled' });
    expect(exported()).toEqual([]);
    expect(await call('labels.list', {})).toEqual([]);
    // What was read is still there.
    expect((await call('import.commit', { id: plan.id })).annotations).toBe(5);
    const broken = join(folder, 'broken.json');
    writeFileSync(broken, readFileSync(dataset(FIVE), 'utf8').slice(0, 700));
    await expect(call('import.read', { place: broken, format: 'coco' })).rejects.toMatchObject({ code: 'invalid' });
    await expect(call('import.read', { place: join(folder, '1.jpg') })).rejects.toMatchObject({ code: 'unsupported' });
    expect(exported()).toHaveLength(5);
    expect(readdirSync(join(folder, '.maskloop')).filter((name) => name.includes('staging'))).toEqual([]);
  });

  it('says what a place may be', async () => {
    await open();
    expect(await call('import.inspect', { place: dataset(FIVE) })).toMatchObject({
      formats: [{ id: 'coco', name: 'COCO' }],
      problem: null,
    });
    const nothing = await call('import.inspect', { place: join(folder, '1.jpg') });
    expect(nothing.formats).toEqual([]);
    expect(nothing.problem).toContain('no format');
  });
});

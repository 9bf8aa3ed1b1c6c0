import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exported, open, take, verified } from '../../test/import-fixture.ts';
import { all, call, folder } from '../../test/studio-fixture.ts';
import type { Finding } from '../shared/formats.ts';

/** A folder of COCO files, by split: numbers of photographs, whose ids are 100 more. */
function divided(splits: Readonly<Record<string, readonly number[]>>, more: Record<string, unknown> = {}): string {
  const place = join(
    `${folder}-app`,
    `divided-${Object.keys(splits).join('-')}-${Object.values(splits).join('-')}-${Object.keys(more).length}`,
  );
  for (const [split, photos] of Object.entries(splits)) {
    const file = join(place, 'annotations', `instances_${split}.json`);
    mkdirSync(dirname(file), { recursive: true });
    const images = photos.map((n) => ({ id: 100 + n, file_name: `${n}.jpg`, width: 80, height: 60, ...more }));
    const annotations = photos.map((n) => ({ id: 10 + n, image_id: 100 + n, category_id: 1, bbox: [n, 1, 10, 10], iscrowd: 0 }));
    writeFileSync(file, JSON.stringify({ images, annotations, categories: [{ id: 1, name: 'mug' }] }));
  }
  return place;
}

async function splits(): Promise<Record<string, number>> {
  const report = await call('splits.get', {});
  expect(report?.intact ?? true).toBe(true);
  return Object.fromEntries((report?.parts ?? []).map(({ name, images }) => [name, images]));
}

async function findings(id: number, reason: string): Promise<Finding[]> {
  return (await call('import.findings', { id, reason, offset: 0, limit: 100 })).rows.slice();
}

describe('a dataset that is divided, in several files', () => {
  it('comes in as one, with its splits, and goes as one', async () => {
    await open();
    const [plan, report] = await take(divided({ train: [1, 2], val: [3], test: [4] }));
    expect(plan.images).toMatchObject({ total: 4, missing: 0 });
    expect(plan.splits).toEqual([
      { name: 'train', images: 2, applied: 2, kept: 0 },
      { name: 'val', images: 1, applied: 1, kept: 0 },
      { name: 'test', images: 1, applied: 1, kept: 0 },
    ]);
    expect(report).toMatchObject({ annotations: 4, splitImages: 4 });
    expect(await splits()).toEqual({ train: 2, val: 1, test: 1 });
    expect(exported().map(([number]) => number)).toEqual([11, 12, 13, 14]);
    expect(verified()).toEqual([]);
    expect(await call('import.undo', {})).toMatchObject({ annotations: 4, splitImages: 4 });
    expect(await call('splits.get', {})).toBeNull();
    expect(verified()).toEqual([]);
  });

  it('leaves the project as it was where one of the files is broken', async () => {
    await open();
    const place = divided({ train: [1, 2], val: [3] });
    writeFileSync(
      join(place, 'annotations', 'instances_val.json'),
      '{"images": [], "categories": [{"id": 1, "name": "mug"}], "annotations": [{',
    );
    await expect(take(place)).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('instances_val.json') as unknown });
    expect(exported()).toEqual([]);
    expect(await call('import.list', {})).toEqual([]);
  });
});

describe('a dataset that is divided, in a project that is', () => {
  it('gives its split to images that are in none, and moves no other: what contradicts is told', async () => {
    await open();
    await take(divided({ train: [1], val: [2] }));
    const [plan, report] = await take(divided({ train: [2, 3], test: [4] }), { onConflict: 'add' });
    expect(plan.splits).toEqual([
      { name: 'train', images: 2, applied: 1, kept: 1 },
      { name: 'test', images: 1, applied: 1, kept: 0 },
    ]);
    expect(report.findings.filter(({ reason }) => reason.startsWith('split')).map(({ reason, id }) => [reason, id])).toEqual([
      ['split-added', 'test'],
      ['split-differs', '2.jpg'],
    ]);
    expect(report.splitImages).toBe(2);
    expect(await splits()).toEqual({ train: 2, val: 1, test: 1 });
    // Only what the second one did goes with it.
    await call('import.undo', {});
    expect(await splits()).toEqual({ train: 1, val: 1, test: 0 });
    expect(verified()).toEqual([]);
  });

  it('leaves a split that was made here as it is, also its way to be divided', async () => {
    await open();
    const parts = [
      { name: 'train', share: 1 },
      { name: 'val', share: 1 },
    ];
    const made = await call('splits.make', { kind: 'random', images: 'all', parts });
    const before = await splits();
    const [plan, report] = await take(divided({ train: [1, 2, 3], test: [4] }));
    expect(plan.splits.map(({ images, applied }) => [images, applied])).toEqual([
      [3, 0],
      [1, 0],
    ]);
    expect(report.findings.map(({ reason }) => reason).filter((reason) => reason === 'split-differs')).toHaveLength(
      plan.splits.reduce((sum, { kept }) => sum + kept, 0),
    );
    expect(report.splitImages).toBe(0);
    expect(await splits()).toEqual(before);
    expect((await call('splits.get', {}))?.options).toEqual(made.options);
  });
});

describe('an image that two imports know', () => {
  it('keeps the record that it has, and the other id is told', async () => {
    await open();
    const first = divided({ train: [1, 2] });
    await take(first);
    const again = await call('import.read', { place: first, format: null });
    expect(await findings(again.id, 'image-known')).toEqual([]);
    const other = divided({ train: [1, 2] }, { camera: 'b' });
    const plan = await call('import.read', { place: other, format: null });
    const rows = await findings(plan.id, 'image-known');
    expect(rows.map(({ kind, id }) => [kind, id])).toEqual([
      ['kept', '1.jpg'],
      ['kept', '2.jpg'],
    ]);
    const file = join(`${folder}-app`, 'renumbered.json');
    const images = [{ id: 7, file_name: '1.jpg', width: 80, height: 60 }];
    writeFileSync(file, JSON.stringify({ images, annotations: [], categories: [] }));
    const renumbered = await call('import.read', { place: file, format: null });
    const [finding] = await findings(renumbered.id, 'image-known');
    expect(finding?.message).toContain('the id 101');
    expect(finding?.message).toContain('the id 7');
    // Once the first was taken back nothing contradicts.
    await call('import.undo', {});
    const free = await call('import.read', { place: file, format: null });
    expect(await findings(free.id, 'image-known')).toEqual([]);
    expect((await call('images.list', all)).total).toBe(4);
  });
});

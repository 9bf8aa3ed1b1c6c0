import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { all, appFolder, call, folder, root, studio } from '../../test/studio-fixture.ts';
import type { StatisticsReport } from '../shared/answers/statistics.ts';
import { EMPTY_DIFF } from '../shared/diff.ts';
import type { ImageRecord } from '../shared/records.ts';
import { findProject } from './project-place.ts';
import { collectStatistics } from './statistics.ts';
import { createLabels } from './store/labels.ts';
import { createMeasures } from './store/measures.ts';

/** Shapes of a 80 × 60 image as datasets have them: what is said agrees, or does not, or is missing, or needs a repair. */
const SHAPES: readonly Record<string, unknown>[] = [
  { segmentation: [[10, 10, 20, 10, 20, 20, 10, 20]], area: 100, bbox: [10, 10, 10, 10] },
  { segmentation: [[10.25, 10.5, 33.75, 12, 20, 41.125]], area: 352.4, bbox: [10.25, 10.5, 23.5, 30.62] },
  { segmentation: [[10, 10, 40, 10, 40, 50, 10, 50]], area: 7, bbox: [10, 10, 30, 40] },
  { segmentation: [[10, 10, 40, 10, 40, 50, 10, 50]], area: 1200, bbox: [25, 30, 30, 40] },
  { segmentation: [[10, 10, 40, 10, 40, 50, 10, 50]] },
  { segmentation: [[1, 1, 9, 1, 9, 9, 1, 1]], area: 32, bbox: [1, 1, 8, 8] },
  {
    segmentation: [
      [1, 1, 20, 1, 20, 20, 1, 20],
      [10, 10, 30, 10, 30, 30, 10, 30],
    ],
    area: 761,
    bbox: [1, 1, 29, 29],
  },
  { segmentation: [[-5, -5, 90, -5, 90, 70, -5, 70]], area: 7125, bbox: [-5, -5, 95, 75] },
  { segmentation: { size: [60, 80], counts: [61, 7, 53, 7, 4672] }, area: 14, bbox: [1, 1, 2, 7], iscrowd: 1 },
  { segmentation: { size: [60, 80], counts: [4800] }, area: 0, bbox: [0, 0, 0, 0] },
  { bbox: [3.5, 4.5, 20.25, 11] },
  { segmentation: [], bbox: [3, 4, 20, 11], area: 1 },
  { segmentation: [[10, 10, 40, 10, 40, 50, 10]], area: 600, bbox: [10, 10, 30, 40] },
  { segmentation: [[10, 10, 20, 10, 20, 20, 10, 20]], area: 100, bbox: [10, 10, 10, 10], iscrowd: 'true' },
];

/** Every shape on images 1 to 3, of which 2 is said to be twice as large, and 3 to have no size; those that need no repair on 4. */
function dataset(name: string, turnedBy: number): string {
  const file = join(root, `${name}.json`);
  const images = [
    { id: 101, file_name: '1.jpg', width: 80, height: 60 },
    { id: 102, file_name: '2.jpg', width: 160, height: 120 },
    { id: 103, file_name: '3.jpg' },
    { id: 104, file_name: '4.jpg', width: 80, height: 60 },
  ];
  const annotations = [101, 102, 103, 104].flatMap((image_id) =>
    SHAPES.slice(0, image_id === 104 ? -2 : undefined).map((shape, i) => ({
      id: image_id * 1000 + i,
      image_id,
      category_id: 1 + ((i + turnedBy) % 2),
      iscrowd: 0,
      ...shape,
    })),
  );
  const categories = [1, 2].map((id) => ({ id, name: `class ${id}` }));
  writeFileSync(file, JSON.stringify({ images, annotations, categories }));
  return file;
}

let copies = 0;
const ROWS = 'SELECT * FROM measure ORDER BY image_id, annotation_id';

/** What is kept of images that are not stale, and the same measured anew of a copy of the project, all lazily. */
function compared(): { readonly kept: unknown[]; readonly anew: unknown[]; readonly stale: number; readonly figures: StatisticsReport } {
  const file = join(root, `copy-${++copies}.db`);
  const db = new Database(findProject(folder, appFolder) ?? '', { readonly: true });
  db.prepare('VACUUM INTO ?').run(file);
  db.close();
  const copy = new Database(file);
  const fresh = 'WHERE image_id IN (SELECT image_id FROM annotation_edits WHERE measured = edits)';
  const kept = copy.prepare(ROWS.replace('ORDER', `${fresh} ORDER`)).all();
  const stale = Number(copy.prepare('SELECT count(*) FROM annotation_edits WHERE measured < edits').pluck().get());
  copy.exec(`CREATE TEMP TABLE was AS SELECT image_id FROM annotation_edits WHERE measured = edits;
    DELETE FROM measure; UPDATE annotation_edits SET measured = 0`);
  const measures = createMeasures(copy, (work) => work());
  measures.freshen(1000);
  const anew = copy.prepare(ROWS.replace('ORDER', 'WHERE image_id IN (SELECT image_id FROM was) ORDER')).all();
  const figures = collectStatistics(copy, createLabels(copy, (work) => work()).list(), {});
  copy.close();
  return { kept, anew, stale, figures };
}

/** Nothing that is kept differs from what would be measured now, nor do the figures. Answers with the number of stale images before. */
async function agree(): Promise<number> {
  const { kept, anew, stale, figures } = compared();
  expect(kept).toEqual(anew);
  expect(await call('statistics.get', {})).toEqual(figures);
  const after = compared();
  expect(after.kept).toEqual(after.anew);
  expect(after.stale).toBe(0);
  return stale;
}

async function take(place: string, onConflict: 'skip' | 'add' | 'replace' = 'skip'): Promise<void> {
  const plan = await call('import.read', { place, format: 'coco' });
  await call('import.commit', { id: plan.id, onConflict });
}

async function open(): Promise<Map<string, ImageRecord>> {
  await call('project.open', { folder });
  await studio.scanned();
  return await images();
}

async function images(): Promise<Map<string, ImageRecord>> {
  return new Map((await call('images.list', all)).rows.map((row) => [row.path, row]));
}

async function edit(path: string, work: (image: ImageRecord) => Promise<unknown>): Promise<void> {
  const image = (await images()).get(path);
  if (!image) throw new Error(`no image ${path}`);
  await work(image);
}

describe('what an import measures', () => {
  it('is what would be measured later, instance by instance, through edits, undo and further imports', async () => {
    await open();
    await take(dataset('first', 0));
    // One has shapes that need a repair, another is of another size, the third of none: the fourth is measured while it is read.
    expect(await agree()).toBe(3);
    expect(await agree()).toBe(0);

    await edit('4.jpg', async ({ id, revision }) => {
      const { annotations } = await call('document.load', { imageId: id });
      const [first] = annotations;
      if (!first) throw new Error('no annotation');
      const moved = { ...first, geometry: { kind: 'box' as const, box: [1, 1, 5, 5] as const } };
      await call('document.apply', { imageId: id, base: revision, diff: { ...EMPTY_DIFF, updated: [[first, moved]] } });
    });
    expect(await agree()).toBe(1);
    await edit('4.jpg', ({ id, revision }) => call('document.undo', { imageId: id, base: revision }));
    expect(await agree()).toBe(1);

    // Measured before, and measured while it is read: nothing of 4.jpg is stale.
    await take(dataset('second', 1), 'add');
    expect(await agree()).toBe(3);
    await take(dataset('third', 1), 'replace');
    expect(await agree()).toBe(3);
    await edit('4.jpg', ({ id, revision }) => call('document.undo', { imageId: id, base: revision }));
    expect(await agree()).toBe(1);
    await edit('4.jpg', ({ id, revision }) => call('document.redo', { imageId: id, base: revision }));
    expect(await agree()).toBe(1);
    await take(dataset('fourth', 0));
    expect(await agree()).toBe(0);
  });

  it('stays stale where what was there is', async () => {
    await open();
    await take(dataset('first', 0));
    await edit('4.jpg', ({ id, revision }) => call('document.undo', { imageId: id, base: revision }));
    await take(dataset('second', 1), 'add');
    expect(await agree()).toBe(4);
    await edit('4.jpg', ({ id, revision }) => call('document.undo', { imageId: id, base: revision }));
    await take(dataset('third', 0), 'replace');
    expect(await agree()).toBe(4);
  });

  it('is of the image as EXIF turns it', async () => {
    const data = Buffer.alloc(80 * 60 * 3, 90);
    const raw = sharp(data, { raw: { width: 80, height: 60, channels: 3 } });
    writeFileSync(join(folder, '4.jpg'), await raw.withMetadata({ orientation: 6 }).jpeg().toBuffer());
    await open();
    await take(dataset('first', 0));
    expect(await agree()).toBe(4);
  });
});

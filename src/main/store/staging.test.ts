import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/store-fixtures.ts';
import type { Staging } from './staging.ts';
import { createStaging } from './staging.ts';

const folder = temporaryFolder();
let files = 0;
const TEXT = '{"id": 7, "segmentation": [[1, 1, 9.50, 1, 9.5, 8]], "image_id": 5}';

function filled(): Staging {
  const staging = createStaging('coco', join(folder, `staging-${++files}`));
  staging.category({ key: 3, name: 'mug', color: null, source: '{"id":3}', inSource: true });
  staging.category({ key: 1, name: 'mug', color: '#010203', source: null });
  staging.image({ key: 5, path: 'b/2.jpg', width: 20, height: 10, split: 'val', source: '{"id":5}', inSource: true });
  staging.image({ key: 2, path: '1.jpg', width: null, height: null, split: null, source: null });
  staging.instance({
    key: 1,
    imageKey: 5,
    categoryKey: 3,
    number: 7,
    crowd: false,
    inSource: true,
    source: TEXT,
    geometry: { kind: 'polygon', parts: [{ outer: [1, 1, 9.5, 1, 9.5, 8], holes: [] }] },
  });
  staging.instance({ key: 2, imageKey: 2, categoryKey: 1, crowd: true, source: null, geometry: { kind: 'box', box: [1, 2, 3, 4] } });
  staging.instance({ key: 3, imageKey: 5, categoryKey: 1, crowd: false, source: '{}', geometry: { kind: 'box', box: [0, 0, 3, 4] } });
  staging.rest('info', '{"year": 1e3}');
  for (let i = 0; i < 3; i++)
    staging.finding({ kind: 'kept', what: 'annotation', id: String(i), reason: 'area-differs', message: `number ${i}` });
  staging.finding({ kind: 'refused', what: 'image', id: 'x', reason: 'image-missing', message: 'gone' });
  return staging;
}

describe('a staged dataset', () => {
  it('gives back what it was told, in the order of the file', () => {
    const staging = filled();
    const source = staging.source({ projectName: 'p', folder });
    expect(source.labels.map((l) => [l.id, l.name, l.color])).toEqual([
      [3, 'mug', '#F2A93B'],
      [1, 'mug', '#010203'],
    ]);
    expect([...source.images()].map((i) => [i.id, i.path, i.width, i.height])).toEqual([
      [5, 'b/2.jpg', 20, 10],
      [2, '1.jpg', 0, 0],
    ]);
    expect([...source.imageOrder()].map(({ id }) => id)).toEqual([5, 2]);
    expect([source.split(5), source.split(2)]).toEqual(['val', null]);
    const order = [...source.annotationOrder()];
    // Those without a number of their own come above all that have one.
    expect(order.map((a) => [a.number, a.imageId, a.source?.untouched ?? null, a.source?.renumbered ?? null])).toEqual([
      [7, 5, true, false],
      [9, 2, null, null],
      [10, 5, false, true],
    ]);
    expect(order[0]?.annotation().geometry).toEqual({ kind: 'polygon', parts: [{ outer: [1, 1, 9.5, 1, 9.5, 8], holes: [] }] });
    expect(source.document(5).map((a) => a.number)).toEqual([7, 10]);
    expect(source.document(2)[0]?.annotation).toMatchObject({ crowd: true, labelId: 1, geometry: { kind: 'box' } });
    expect(source.sourceOf('annotation', 7)?.text).toBe(TEXT);
    expect(source.sourceOf('annotation', 10)).toMatchObject({ text: '{}', untouched: false });
    expect(source.sourceOf('annotation', 9)).toBeNull();
    expect(source.sourceOf('image', 5)).toMatchObject({ format: 'coco', text: '{"id":5}', untouched: true });
    expect(source.sourceOf('category', 1)).toBeNull();
    expect(source.rest()).toEqual([{ format: 'coco', key: 'info', text: '{"year": 1e3}' }]);
    staging.close();
    expect(existsSync(staging.file)).toBe(false);
  });

  it('finds files in its folder and nowhere else', () => {
    const staging = filled();
    writeFileSync(join(folder, '1.jpg'), '');
    const source = staging.source({ projectName: 'p', folder });
    const [first, second] = [...source.images()];
    expect(first && source.fileOf(first)).toBeNull();
    expect(second && source.fileOf(second)).toBe(join(folder, '1.jpg'));
    expect(second && source.fileOf({ ...second, path: 'x/../1.jpg' })).toBeNull();
    staging.close();
  });

  it('counts and pages findings', () => {
    const staging = filled();
    expect(staging.counts()).toEqual({ categories: 2, images: 2, instances: 3, findings: 4 });
    expect(staging.findingCounts()).toEqual([
      { kind: 'kept', reason: 'area-differs', count: 3 },
      { kind: 'refused', reason: 'image-missing', count: 1 },
    ]);
    const page = staging.findings({ kind: 'kept', offset: 1, limit: 1 });
    expect([page.total, page.rows.map((f) => f.message)]).toEqual([3, ['number 1']]);
    expect(staging.findings({ reason: 'image-missing', offset: 0, limit: 9 }).rows).toHaveLength(1);
    expect(staging.findings({ search: 'NUMBER 1', offset: 0, limit: 9 }).rows.map((f) => f.message)).toEqual(['number 1']);
    expect(staging.findings({ search: 'no such', offset: 0, limit: 9 }).total).toBe(0);
    staging.close();
  });

  it('refuses a key that is used twice', () => {
    const staging = filled();
    expect(() => staging.category({ key: 3, name: 'again', color: null, source: null })).toThrow('a key is used twice');
    staging.close();
  });
});

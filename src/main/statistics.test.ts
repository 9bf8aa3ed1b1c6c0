import { describe, expect, it } from 'vitest';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Behind } from '../shared/image-query.ts';
import type { Annotation, Geometry } from '../shared/records.ts';
import { seededRandom } from '../shared/scenes/random.ts';
import { HEAT_CELLS, SIZES } from '../shared/statistics/ranges.ts';
import { adding, annotation, rectangle, scanned, temporaryFolder } from '../../test/store-fixtures.ts';
import { collectStatistics } from './statistics.ts';
import { openSnapshot } from './store/database.ts';
import type { Store } from './store/store.ts';
import { openStore } from './store/store.ts';

const folder = temporaryFolder();
let files = 0;

/** A project of 40 images with instances of three classes, made by chance; some images are done, some divided. */
function drawn(): { store: Store; file: string } {
  const file = join(folder, `drawn-${++files}.db`);
  let now = 0;
  const store = openStore(file, { clock: () => now });
  const random = seededRandom(files);
  const labels = ['bolt', 'nut', 'washer'].map((name) => store.labels.create(name, null).id);
  const ids = store.images.add(Array.from({ length: 40 }, (_, i) => scanned(`box-${i % 4}/${i}.jpg`, { width: 400, height: 300 })));
  ids.forEach((imageId, i) => {
    const changes = i % 5 === 4 ? 0 : random.integer(1, 4);
    for (let base = 0; base < changes; base++) {
      now += random.integer(500, 90_000);
      const added = Array.from({ length: random.integer(0, 3) }, () => instance(random.pick(labels)));
      store.documents.apply(imageId, base, adding(...added));
    }
    if (random.chance(0.4)) store.images.setState([imageId], random.pick(['done', 'skipped'] as const));
    if (random.chance(0.6)) store.splits.put([[imageId, random.pick(['train', 'val'])]]);
  });
  return { store, file };

  function instance(labelId: number): Annotation {
    const [w, h] = [random.integer(1, 200), random.integer(1, 150)];
    const [x, y] = [random.integer(0, 400 - w), random.integer(0, 300 - h)];
    const geometry: Geometry = random.chance(0.5)
      ? { kind: 'mask', rle: rectangle(x, y, w, h, 400, 300) }
      : { kind: 'polygon', parts: [{ outer: [x, y, x + w, y, x + w, y + h], holes: [] }] };
    return annotation(randomUUID(), labelId, { id: randomUUID(), geometry, crowd: random.chance(0.1) });
  }
}

function figures(file: string, store: Store, input: Parameters<typeof collectStatistics>[2] = {}): ReturnType<typeof collectStatistics> {
  store.measures.freshen(1000);
  const { db, close } = openSnapshot(file);
  try {
    return collectStatistics(db, store.labels.list(), input);
  } finally {
    close();
  }
}

describe('statistics', () => {
  it('count what is behind them: the image list of every bar has as many images, or instances, as the bar says', () => {
    const { store, file } = drawn();
    const all = { search: '', states: [] } as const;
    const shown = (behind: Behind, more = {}): number => store.images.page({ ...all, ...more, behind, offset: 0, limit: 1 }).total;
    for (const split of [undefined, null, 'train', 'val']) {
      const report = figures(file, store, { split });
      const inside = split === undefined ? {} : { split };
      expect(report.images).toBe(shown(inside));
      for (const { count, from, to } of report.perImage)
        expect(shown({ ...inside, instances: { from, to } }), `${from} to ${to}`).toBe(count);
      for (const one of report.classes) {
        expect(shown({ ...inside, labelId: one.labelId })).toBe(one.images);
        for (const { from, to } of SIZES) {
          const images = shown({ ...inside, labelId: one.labelId, area: { from, to } });
          const size = SIZES.find((range) => range.from === from)?.name ?? 'small';
          expect(images <= one[size] && images > 0 === one[size] > 0).toBe(true);
        }
      }
      for (const { count, from, to } of report.time.perImage) expect(shown({ ...inside, spent: { from, to } }), `${from} ms`).toBe(count);
      for (const { state, images, empty } of report.states) {
        expect(shown(inside, { states: [state] })).toBe(images);
        expect(shown({ ...inside, instances: { from: 0, to: 1 } }, { states: [state] })).toBe(empty);
      }
      for (const { from, to, count } of report.areas) expect(shown({ ...inside, area: { from, to } }) > 0, `area ${from}`).toBe(count > 0);
      for (const { from, to, count } of report.ratios)
        expect(shown({ ...inside, ratio: { from, to } }) > 0, `ratio ${from}`).toBe(count > 0);
      report.heat.cells.forEach((count, i) => {
        if (split !== undefined && count === 0) return;
        const cell = { column: i % HEAT_CELLS, row: Math.floor(i / HEAT_CELLS) };
        expect(shown({ ...inside, cell }) > 0).toBe(count > 0);
      });
      expect(report.instances).toBe(report.sizes.reduce((sum, range) => sum + range.count, 0));
      expect(report.instances).toBe(report.classes.reduce((sum, one) => sum + one.instances, 0));
    }
    for (const { name, images } of figures(file, store).splits) expect(shown({ split: name })).toBe(images);
    store.close();
  });

  it('follow an edit, and keep nothing of an image that changed while it was measured', () => {
    const { store, file } = drawn();
    const before = figures(file, store);
    expect(store.measures.open()).toBe(0);
    const { rows } = store.images.page({ search: '', states: [], offset: 0, limit: 1 });
    const image = rows[0];
    const labelId = store.labels.list()[0]?.id ?? 0;
    if (!image) throw new Error('no image');
    store.documents.apply(image.id, image.revision, adding(annotation('new-one-x', labelId)));
    expect(store.measures.open()).toBe(1);
    const { db, close } = openSnapshot(file);
    const edits = db.prepare<[number], number>('SELECT edits FROM annotation_edits WHERE image_id = ?').pluck().get(image.id) ?? 0;
    close();
    store.documents.undo(image.id, image.revision + 1);
    store.measures.keep([{ imageId: image.id, edits, measures: [] }]);
    expect(store.measures.open()).toBe(1);
    // The time of the two changes is counted; nothing else differs.
    expect({ ...figures(file, store), time: null, states: null }).toEqual({ ...before, time: null, states: null });
    store.close();
  });
});

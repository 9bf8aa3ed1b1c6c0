import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ExportReport } from '../../src/shared/answers.ts';
import { EMPTY_DIFF } from '../../src/shared/diff.ts';
import { rleArea, rleBox, rleFromCounts, rleFromPolygons } from '../../src/shared/mask/rle.ts';
import type { Annotation, Geometry, Rle } from '../../src/shared/records.ts';
import { exportCoco } from '../../src/main/export.ts';
import type { Store } from '../../src/main/store/store.ts';
import { openStore } from '../../src/main/store/store.ts';
import { sharedHas, sharedPath } from '../shared-data.ts';

const root = mkdtempSync(join(tmpdir(), 'maskloop-interop-'));
afterAll(() => rmSync(root, { recursive: true }));

interface CocoAnnotation {
  readonly id: number;
  readonly image_id: number;
  readonly category_id: number;
  readonly segmentation: number[][] | { size: [number, number]; counts: string | number[] };
  readonly area: number;
  readonly bbox: number[];
  readonly iscrowd: 0 | 1;
}
interface Coco {
  readonly images: readonly { readonly id: number; readonly file_name: string; readonly width: number; readonly height: number }[];
  readonly categories: readonly { readonly id: number; readonly name: string }[];
  readonly annotations: readonly CocoAnnotation[];
}
interface Golden {
  readonly id: number;
  readonly size: [number, number];
  readonly counts: string;
  readonly area: number;
  readonly bbox: readonly number[];
}

const readText = (path: string): string => readFileSync(path, 'utf8');

function toGeometry({ segmentation }: CocoAnnotation): Geometry {
  if (Array.isArray(segmentation)) return { kind: 'polygon', parts: segmentation.map((outer) => ({ outer, holes: [] })) };
  const { counts, size } = segmentation;
  return { kind: 'mask', rle: typeof counts === 'string' ? { size, counts } : rleFromCounts(counts, size) };
}

function toRle(segmentation: CocoAnnotation['segmentation'], size: Rle['size']): Rle {
  if (Array.isArray(segmentation)) return rleFromPolygons(segmentation, size);
  return typeof segmentation.counts === 'string' ? { size, counts: segmentation.counts } : rleFromCounts(segmentation.counts, size);
}

/** Puts a dataset into a project file through the store, as edits. Answers the original id by the export's. */
function fill(store: Store, coco: Coco, asMasks: boolean): Map<number, number> {
  const labelIds = new Map(coco.categories.map(({ id, name }) => [id, store.labels.create(`${name} #${id}`, null).id]));
  const files = coco.images.map(({ file_name: path, width, height }) => ({
    path,
    width,
    height,
    orientation: 1,
    bytes: 1,
    modifiedMs: 0,
    sha256: path,
    error: null,
  }));
  const imageIds = new Map(store.images.add(files).map((id, i) => [coco.images[i]?.id ?? 0, id]));
  const originals = new Map<number, number>();
  for (const image of coco.images) {
    const own = coco.annotations.filter((annotation) => annotation.image_id === image.id);
    const added = own.map((annotation, z): Annotation => {
      const geometry: Geometry = asMasks
        ? { kind: 'mask', rle: toRle(annotation.segmentation, [image.height, image.width]) }
        : toGeometry(annotation);
      const labelId = labelIds.get(annotation.category_id) ?? 0;
      return {
        id: `original-${annotation.id}`,
        labelId,
        geometry,
        z,
        crowd: annotation.iscrowd === 1,
        origin: 'imported',
        suggestionId: null,
      };
    });
    if (added.length > 0) store.documents.apply(imageIds.get(image.id) ?? 0, 0, { ...EMPTY_DIFF, added });
    for (const { id } of own) originals.set(store.documents.number(`original-${id}`), id);
  }
  return originals;
}

async function exportStore(store: Store, out: string): Promise<ExportReport> {
  const snapshot = store.snapshot();
  try {
    return await exportCoco(
      { ...snapshot, projectName: 'interop', folder: root },
      { out, includeEmpty: true, pixelSpace: 'oriented', states: [] },
    );
  } finally {
    snapshot.close();
  }
}

const DATASETS = [
  ['coco-tiny-val', 'coco-tiny/annotations/instances_val2017.json'],
  ['nuclei', 'nuclei/instances.json'],
] as const;

describe.each(DATASETS)('%s through the store', (golden, truth) => {
  it.skipIf(!sharedHas(`golden/${golden}`) || !sharedHas(`data/coco/${truth}`)).each([false, true])(
    'exports with the pixels, areas and boxes of pycocotools (all as masks: %s)',
    async (asMasks) => {
      const coco = JSON.parse(readText(sharedPath(`data/coco/${truth}`))) as Coco;
      const expected = new Map((JSON.parse(readText(sharedPath(`golden/${golden}/masks.json`))) as Golden[]).map((row) => [row.id, row]));
      const store = openStore(join(root, `${golden}-${asMasks}`, 'project.sqlite'));
      const out = join(root, `${golden}-${asMasks}`, 'coco');
      try {
        const originals = fill(store, coco, asMasks);
        const report = await exportStore(store, out);
        const file = JSON.parse(readText(join(out, 'annotations.json'))) as Coco;
        const sizes = new Map(file.images.map(({ id, width, height }) => [id, [height, width] as const]));
        const empty = [...expected.values()].filter((row) => row.area === 0);
        expect(file.annotations).toHaveLength(coco.annotations.length - empty.length);
        expect(report.skipped).toHaveLength(empty.length);
        expect(file.images).toHaveLength(coco.images.length);
        for (const annotation of file.annotations) {
          const row = expected.get(originals.get(annotation.id) ?? 0);
          const original = coco.annotations.find(({ id }) => id === row?.id);
          const rle = toRle(annotation.segmentation, sizes.get(annotation.image_id) ?? [1, 1]);
          expect(rle, `annotation ${row?.id}`).toEqual({ size: row?.size, counts: row?.counts });
          expect(annotation.area).toBe(row?.area);
          expect(annotation.bbox).toEqual(row?.bbox);
          expect(annotation.iscrowd).toBe(original?.iscrowd);
          expect([rleArea(rle), rleBox(rle)]).toEqual([annotation.area, annotation.bbox]);
          if (!asMasks && Array.isArray(original?.segmentation) && original.iscrowd === 0)
            expect(annotation.segmentation).toEqual(original.segmentation);
        }
        expect(report.verified).toEqual({
          annotationsCompared: file.annotations.length,
          textsEqual: 0,
          minIou: 1,
          maxAreaDifference: 0,
          maxBoxDifference: 0,
        });
      } finally {
        store.close();
      }
    },
  );
});

describe('ids', () => {
  it('stay from export to export, through delete, undo and a restart', async () => {
    const folder = join(root, 'ids');
    const file = join(folder, 'project.sqlite');
    const bytes = (): string => readFileSync(join(folder, 'coco', 'annotations.json'), 'utf8');
    const square = (id: number, x: number): CocoAnnotation => {
      const segmentation = [[x, 1, x + 5.5, 1, x + 5.5, 7, x, 7]];
      return { id, image_id: 1, category_id: 1, segmentation, area: 33, bbox: [x, 1, 5.5, 6], iscrowd: 0 };
    };
    let store = openStore(file);
    fill(
      store,
      {
        images: [{ id: 1, file_name: 'a.png', width: 60, height: 20 }],
        categories: [{ id: 1, name: 'x' }],
        annotations: [square(1, 2), square(2, 12), square(3, 22)],
      },
      false,
    );
    await exportStore(store, join(folder, 'coco'));
    const first = bytes();
    const imageId = store.images.ids(false)[0] ?? 0;
    const [, second] = store.documents.load(imageId).annotations;
    if (!second) throw new Error('the second annotation is not there');
    store.documents.apply(imageId, 1, { ...EMPTY_DIFF, removed: [second], added: [{ ...second, id: 'drawn-later' }] });
    await exportStore(store, join(folder, 'coco'));
    const numbers = (JSON.parse(bytes()) as Coco).annotations.map(({ id }) => id);
    expect(numbers).toEqual([1, 3, 4]);
    store.close();
    store = openStore(file);
    store.documents.undo(imageId, 2);
    await exportStore(store, join(folder, 'coco'));
    store.close();
    expect(bytes()).toBe(first);
  });
});

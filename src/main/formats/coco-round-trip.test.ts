import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { sharedHas, sharedPath } from '../../../test/shared-data.ts';
import type { ExportReport } from '../../shared/answers.ts';
import type { CocoExportInput } from '../../shared/calls/coco-export.ts';
import { exportCoco } from '../export.ts';
import { createStaging } from '../store/staging.ts';
import { readCoco } from './coco-in.ts';
import { readJsonTexts } from './json-texts.ts';

const root = mkdtempSync(join(tmpdir(), 'maskloop-round-trip-'));
afterAll(() => rmSync(root, { recursive: true }));
let round = 0;

const FILES = [
  'data/coco/car-damage/_annotations.coco.json',
  'data/coco/facade/_annotations.coco.json',
  'data/coco/nuclei/instances.json',
  'data/coco/nuts/trainval.json',
  'data/coco/coco-tiny/annotations/instances_train2017.json',
  'data/coco/coco-tiny/annotations/instances_val2017.json',
  'data/interop/isat-coco-tiny/coco_tiny.json',
  'data/interop/labelme-examples/instance_segmentation/data_dataset_coco/annotations.json',
  'data/interop/coco-bbox-only-rbc/_annotations.coco.json',
];

interface Exported {
  readonly file: string;
  readonly report: ExportReport;
}

/** Reads a file as an import does, and writes what was read. */
async function exported(path: string, options: Partial<CocoExportInput> = {}): Promise<Exported> {
  const out = join(root, String(++round));
  const staging = createStaging('coco', `${out}.db`);
  try {
    await readCoco.read(path, staging, { images: dirname(path), sizeOf: () => Promise.resolve(null) });
    const report = await exportCoco(staging.source({ projectName: 'test', folder: dirname(path) }), { out, ...options });
    return { file: join(out, 'annotations.json'), report };
  } finally {
    staging.close();
  }
}

/** Texts of all records, by key, in their order. */
async function records(path: string): Promise<Record<string, string[]>> {
  const out: Record<string, string[]> = {};
  for await (const batch of readJsonTexts(path)) for (const { key, index, text } of batch) if (index !== null) (out[key] ??= []).push(text);
  return out;
}

const json = (path: string): Record<string, unknown> => JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;

describe.each(FILES)('%s', (name) => {
  const path = sharedPath(name);

  it.skipIf(!sharedHas(name))('comes back byte for byte in every record, and the same as a whole', async () => {
    const { file, report } = await exported(path);
    const before = await records(path);
    const after = await records(file);
    // Id 0 marks an unmatched instance in COCO's evaluation, so it is the one thing that does not come back.
    const zero = (before['annotations'] ?? []).findIndex((text) => /"id": ?0\b/.test(text));
    expect(report.findings.map(({ reason }) => reason)).toEqual(zero < 0 ? [] : ['renumbered']);
    if (zero >= 0) {
      const highest = Math.max(...(json(path)['annotations'] as { id: number }[]).map(({ id }) => id));
      const texts = before['annotations'] ?? [];
      texts[zero] = (texts[zero] ?? '').replace(/"id": ?0\b/, (id) => id.replace('0', String(highest + 1)));
    }
    expect(after).toEqual(before);
    expect(Object.keys(json(file))).toEqual(Object.keys(json(path)));
    if (zero < 0) expect(json(file)).toEqual(json(path));
    expect(report.untouched).toBe((before['annotations'] ?? []).length - (zero < 0 ? 0 : 1));
  });

  it.skipIf(!sharedHas(name))('is the same masks as RLE, as polygons and with fewer vertices', async () => {
    const { report: rle } = await exported(path, { segmentation: 'rle' });
    expect(rle.verified.minIou).toBe(1);
    expect(rle.polygons).toBe(0);
    const { report: polygons } = await exported(path, { segmentation: 'polygons' });
    expect(polygons.verified.minIou).toBe(1);
    const { report: simple } = await exported(path, { segmentation: 'polygons', simplifyPx: 1 });
    expect(simple.annotations).toBe(polygons.annotations);
    expect(simple.simplification?.pointsAfter).toBeLessThanOrEqual(simple.simplification?.pointsBefore ?? 0);
    expect(simple.simplification?.worstIou).toBe(simple.verified.minIou);
  });
});

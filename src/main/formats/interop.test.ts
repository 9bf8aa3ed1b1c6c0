import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedHas, sharedPath } from '../../../test/shared-data.ts';
import { convert } from '../convert.ts';
import type { FormatId } from './dataset.ts';
import type { ReadInstance } from './interop.test-support.ts';
import { figures, pairs, readPlace } from './interop.test-support.ts';
import { detectFormats } from './registry.ts';

const TINY = 'data/interop/isat-coco-tiny';

describe.skipIf(!sharedHas(TINY))('the same photographs from COCO through every format', () => {
  const images = sharedPath(`${TINY}/images`);
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'maskloop-interop-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('mean the same: between any two exact formats every instance has an IoU of 1', async () => {
    const exact = ['coco', 'yolo-seg', 'labelme', 'isat', 'cvat'] as const;
    const all: { readonly format: string; readonly read: readonly ReadInstance[] }[] = [];
    for (const to of exact) {
      const out = join(folder, to);
      const place = sharedPath(`${TINY}/coco_tiny.json`);
      await convert({ place, out, from: 'coco', to, images, put: 'copy', includeEmpty: true });
      const root = to === 'coco' ? join(out, 'annotations.json') : out;
      const { read } = await readPlace(to, root, out);
      expect(read, to).toHaveLength(to === 'yolo-seg' ? 61 : 63);
      all.push({ format: to, read });
    }
    for (const a of all) {
      for (const b of all) {
        const both = Math.min(a.read.length, b.read.length);
        const found = figures(pairs(a.read, b.read));
        expect({ of: `${a.format} ${b.format}`, ...found }).toEqual({
          of: `${a.format} ${b.format}`,
          count: both,
          least: 1,
          median: 1,
          mean: 1,
        });
      }
    }
  });
});

describe.skipIf(!sharedHas('data/interop'))('files of other tools', () => {
  const summary = async (format: FormatId, place: string): Promise<Record<string, number>> => {
    const { images, instances, categories, findings } = await readPlace(
      format,
      sharedPath(`data/interop/${place}`),
      sharedPath(`data/interop/${place}`),
    );
    const counts: Record<string, number> = { categories: categories.length, images: images.length, instances: instances.length };
    for (const { kind, reason } of findings) counts[`${kind} ${reason}`] = (counts[`${kind} ${reason}`] ?? 0) + 1;
    return counts;
  };

  it.each([
    ['labelme', 'labelme-nuts', { categories: 3, images: 18, instances: 165, 'kept image-data': 1 }],
    [
      'labelme',
      'labelme-examples/primitives',
      { categories: 4, images: 1, instances: 5, 'repaired circle-as-polygon': 1, 'refused shape-without-area': 3 },
    ],
    ['labelme', 'xanylabeling-examples', { categories: 6, images: 9, instances: 12, 'refused not-this-format': 3 }],
    ['yolo-seg', 'yolo-seg-coco128', { categories: 80, images: 29, instances: 240 }],
    ['yolo-seg', 'xanylabeling-examples/segmentation/instance_segmentation', { categories: 2, images: 1, instances: 2 }],
    ['yolo-box', 'datumaro-assets/roboflow_dataset/yolo', { categories: 2, images: 3, instances: 4, 'refused split-missing': 1 }],
    ['yolo-box', 'datumaro-assets/yolo_dataset/labels', { categories: 10, images: 2, instances: 4 }],
    ['yolo-box', 'datumaro-assets/yolo_dataset/annotations', { categories: 10, images: 1, instances: 2 }],
    ['yolo-box', 'datumaro-assets/yolo_dataset/strict', { categories: 10, images: 1, instances: 2 }],
    ['isat', 'isat-images', { categories: 10, images: 6, instances: 42, 'repaired background-cut': 2 }],
  ] as const)('%s: %s', async (format, place, expected) => {
    expect(await summary(format, place)).toEqual(expected);
  });

  it.each(['labelme-examples', 'labelme-nuts', 'yolo-seg-coco128', 'isat-images', 'isat-coco-tiny/isat'])(
    '%s is recognised',
    async (place) => {
      const [first] = await detectFormats(sharedPath(`data/interop/${place}`));
      expect(place.startsWith(first?.id.slice(0, 4) ?? '?')).toBe(true);
    },
  );
});

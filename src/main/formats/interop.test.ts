import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedHas, sharedPath } from '../../../test/shared-data.ts';
import { maskIou, rleBox } from '../../shared/mask/rle.ts';
import { convert } from '../convert.ts';
import type { FormatId } from './dataset.ts';
import type { ReadInstance } from './interop.test-support.ts';
import { readPlace } from './interop.test-support.ts';
import { detectFormats } from './registry.ts';

const TINY = 'data/interop/isat-coco-tiny';

interface Pair {
  readonly a: ReadInstance;
  readonly b: ReadInstance;
  readonly iou: number;
}

/** Instances of one image and class, the most alike first, each once; only pairs that share a pixel. */
function pairs(as: readonly ReadInstance[], bs: readonly ReadInstance[]): Pair[] {
  const all: Pair[] = [];
  for (const a of as) {
    for (const b of bs) {
      if (basename(a.image) !== basename(b.image) || a.name !== b.name || a.crowd !== b.crowd) continue;
      const iou = maskIou(a.rle, b.rle);
      if (iou > 0) all.push({ a, b, iou });
    }
  }
  const taken = new Set<ReadInstance>();
  return all
    .sort((x, y) => y.iou - x.iou)
    .filter(({ a, b }) => {
      if (taken.has(a) || taken.has(b)) return false;
      taken.add(a);
      taken.add(b);
      return true;
    });
}

function figures(found: readonly Pair[]): { count: number; least: number; median: number; mean: number } {
  const ious = found.map(({ iou }) => iou).sort((a, b) => a - b);
  const mean = ious.reduce((sum, iou) => sum + iou, 0) / ious.length;
  return { count: ious.length, least: ious[0] ?? 0, median: ious[ious.length >> 1] ?? 0, mean };
}

describe.skipIf(!sharedHas(TINY))('five photographs that exist as COCO, YOLO, LabelMe and ISAT', () => {
  const images = sharedPath(`${TINY}/images`);
  const coco = (): ReturnType<typeof readPlace> => readPlace('coco', sharedPath(`${TINY}/coco_tiny.json`), images);
  const labelme = (): ReturnType<typeof readPlace> => readPlace('labelme', sharedPath(`${TINY}/labelme`), images);
  const isat = (): ReturnType<typeof readPlace> => readPlace('isat', sharedPath(`${TINY}/isat`), images);
  /** The files have no names: class n is the nth of COCO's 80. */
  const yolo = async (): Promise<{ read: ReadInstance[] }> => {
    const [{ categories }, { read }] = await Promise.all([coco(), readPlace('yolo-seg', sharedPath(`${TINY}/yolo`), images)]);
    const named = (name: string): string => categories[Number(name.slice('class '.length))]?.name ?? name;
    return { read: read.map((instance) => ({ ...instance, name: named(instance.name) })) };
  };

  it('gives every line of YOLO the class and pixels of the COCO instance that it was converted from', async () => {
    const [a, b] = await Promise.all([coco(), yolo()]);
    const instances = a.read.filter(({ crowd }) => !crowd);
    const found = figures(pairs(instances, b.read));
    expect(b.read).toHaveLength(instances.length);
    expect(found.count).toBe(61);
    // Six digits move a vertex by up to 0.0003 px: that flips three pixels of an umbrella of 100.
    expect(found.least).toBeGreaterThanOrEqual(0.97);
    expect(found.mean).toBeGreaterThan(0.998);
  });

  it.each([
    // 18 instances, of which one calls a bird a chair.
    { other: 'labelme', read: labelme, instances: 18, alike: 14, median: 0.81 },
    // 42 instances, of which eight are not in COCO's or of another crowd mark.
    { other: 'isat', read: isat, instances: 42, alike: 29, median: 0.79 },
  ])('finds the instances that others drew by hand for $other where COCO has them', async ({ read, instances, alike, median }) => {
    const [a, b] = await Promise.all([coco(), read()]);
    expect(b.read).toHaveLength(instances);
    const found = pairs(a.read, b.read);
    expect(figures(found).median).toBeGreaterThan(median);
    const good = found.filter(({ iou }) => iou > 0.6);
    expect(good.length).toBeGreaterThanOrEqual(alike);
    // People draw differently, but a convention that is off by a pixel or half would move all of them alike.
    for (const side of [0, 1] as const) {
      const shifts = good.map((pair) => centre(pair.b)[side] - centre(pair.a)[side]).sort((x, y) => x - y);
      expect(Math.abs(shifts[shifts.length >> 1] ?? NaN)).toBeLessThanOrEqual(0.5);
    }
  });
});

/** Middle of the box of the pixels. */
function centre({ rle }: ReadInstance): readonly [number, number] {
  const [x, y, w, h] = rleBox(rle);
  return [x + w / 2, y + h / 2];
}

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

  it('X-AnyLabeling says the same in its own file and in the YOLO file it made of it', async () => {
    const place = sharedPath('data/interop/xanylabeling-examples/segmentation/instance_segmentation');
    const [a, b] = await Promise.all([readPlace('labelme', place, place), readPlace('yolo-seg', place, place)]);
    expect(figures(pairs(a.read, b.read))).toEqual({ count: 2, least: 1, median: 1, mean: 1 });
  });

  it.each(['labelme-examples', 'labelme-nuts', 'yolo-seg-coco128', 'isat-images', 'isat-coco-tiny/isat'])(
    '%s is recognised',
    async (place) => {
      const [first] = await detectFormats(sharedPath(`data/interop/${place}`));
      expect(place.startsWith(first?.id.slice(0, 4) ?? '?')).toBe(true);
    },
  );
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sharedHas, sharedPath } from '../../../test/shared-data.ts';
import type { CocoSegmentation } from '../evaluate/dataset.ts';
import { segmentationRuns } from '../evaluate/dataset.ts';
import { seededRandom } from '../scenes/random.ts';
import type { PlainMask } from './plain.test-support.ts';
import {
  plainArea,
  plainBox,
  plainFromString,
  plainIou,
  plainMeasure,
  plainMerge,
  plainPolygon,
  plainPolygonRuns,
  plainRuns,
  plainString,
} from './plain.test-support.ts';
import { ringRuns } from './fill.ts';
import { countsToString, mergeRle, rleArea, rleBox, rleFromCounts, rleFromPolygons, rleIou, rleToCounts } from './rle.ts';

const FILES = [
  'coco-tiny/annotations/instances_train2017.json',
  'coco-tiny/annotations/instances_val2017.json',
  'nuts/trainval.json',
  'facade/_annotations.coco.json',
  'car-damage/_annotations.coco.json',
  'nuclei/instances.json',
];

interface Annotated {
  readonly images: readonly { readonly id: number; readonly width: number; readonly height: number }[];
  readonly annotations: readonly { readonly id: number; readonly image_id: number; readonly segmentation: CocoSegmentation }[];
}

/** The runs of an annotation by the slow way. */
function slowly(segmentation: CocoSegmentation, width: number, height: number): readonly number[] {
  if ('counts' in segmentation) {
    const { counts } = segmentation;
    return typeof counts === 'string' ? plainFromString(counts) : counts;
  }
  const [only, ...others] = segmentation;
  if (only && others.length === 0) return plainPolygonRuns(only, width, height);
  const masks = segmentation.map((ring) => plainPolygon(ring, width, height));
  return plainRuns(plainMerge(masks, false));
}

describe.each(FILES)('%s', (file) => {
  it.skipIf(!sharedHas(`data/coco/${file}`))('means the same as by the slow way: runs, string, area and box of every annotation', () => {
    const { images, annotations } = JSON.parse(readFileSync(sharedPath(`data/coco/${file}`), 'utf8')) as Annotated;
    const sizes = new Map(images.map((image) => [image.id, image]));
    expect(annotations.length).toBeGreaterThan(0);
    for (const annotation of annotations) {
      const image = sizes.get(annotation.image_id);
      if (!image) throw new Error(`annotation ${annotation.id} has no image`);
      const { size, runs } = segmentationRuns(annotation.segmentation, image);
      const expected = slowly(annotation.segmentation, image.width, image.height);
      const measured = plainMeasure(expected, image.height);
      const rle = { size, counts: countsToString(runs) };
      expect(runs.join(' '), `annotation ${annotation.id}`).toBe(expected.join(' '));
      expect(rle.counts, `annotation ${annotation.id}`).toBe(plainString(expected));
      expect(plainFromString(rle.counts).join(' ')).toBe(expected.join(' '));
      expect(rleArea(rle), `annotation ${annotation.id}`).toBe(measured.area);
      expect(rleBox(rle), `annotation ${annotation.id}`).toEqual(measured.box);
    }
  });
});

describe('any mask', () => {
  it('fills polygons of all kinds as the slow way: outside the image, crossing themselves, steep, of one line, of whole numbers', () => {
    for (let seed = 0; seed < 1500; seed++) {
      const random = seededRandom(seed);
      const [width, height] = [random.integer(1, 24), random.integer(1, 24)];
      const kind = seed % 5;
      const ring = Array.from({ length: 2 * random.integer(3, 8) }, (_, i) => {
        if (kind === 0) return random.range(-10, 34);
        if (kind === 1) return Math.round(random.range(-3, 27));
        // Steep: narrow in x, long in y; then the other way round.
        if (kind === 2) return i % 2 === 0 ? random.range(4, 8) : random.range(-60, 90);
        if (kind === 3) return i % 2 === 0 ? random.range(-60, 90) : random.range(4, 8);
        return random.integer(-40, 130) / 5;
      });
      expect([...ringRuns(ring, width, height)], `seed ${seed}`).toEqual(plainRuns(plainPolygon(ring, width, height)));
    }
  });

  it('is the same in runs, in counts and as pixels, merged, cut and compared, also with crowds', () => {
    for (let seed = 0; seed < 250; seed++) {
      const random = seededRandom(seed);
      const [width, height] = [random.integer(1, 14), random.integer(1, 14)];
      const share = random.next();
      const masks = Array.from({ length: random.integer(2, 4) }, (): PlainMask => ({
        width,
        height,
        pixels: Uint8Array.from({ length: width * height }, () => (random.next() < share ? 1 : 0)),
      }));
      const rles = masks.map((mask) => rleFromCounts(plainRuns(mask), [height, width]));
      rles.forEach((rle, i) => {
        const mask = masks[i];
        if (!mask) return;
        expect(rle.counts, `seed ${seed}`).toBe(plainString(plainRuns(mask)));
        expect([...rleToCounts(rle)], `seed ${seed}`).toEqual(plainRuns(mask));
        expect(rleArea(rle)).toBe(plainArea(mask));
        expect(rleBox(rle)).toEqual(plainBox(mask));
      });
      for (const operation of ['union', 'intersection'] as const) {
        const merged = plainMerge(masks, operation === 'intersection');
        expect(mergeRle(rles, operation).counts, `seed ${seed}`).toBe(plainString(plainRuns(merged)));
      }
      const crowd = masks.map(() => random.chance(0.4));
      const expected = masks.flatMap((d) => masks.map((t, g) => plainIou(d, t, crowd[g] ?? false)));
      expect([...rleIou(rles, rles, crowd)], `seed ${seed}`).toEqual(expected);
    }
  });

  it('unites the rings of one polygon list as the slow way', () => {
    for (let seed = 0; seed < 200; seed++) {
      const random = seededRandom(seed);
      const [width, height] = [random.integer(4, 30), random.integer(4, 30)];
      const rings = Array.from({ length: random.integer(1, 4) }, () =>
        Array.from({ length: 2 * random.integer(3, 6) }, () => random.range(-4, 34)),
      );
      const plain = plainMerge(
        rings.map((ring) => plainPolygon(ring, width, height)),
        false,
      );
      expect(rleFromPolygons(rings, [height, width]).counts, `seed ${seed}`).toBe(plainString(plainRuns(plain)));
    }
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sharedHas, sharedPath } from '../../../test/shared-data.ts';
import type { CocoSegmentation } from '../evaluate/dataset.ts';
import { segmentationToRle } from '../evaluate/dataset.ts';
import type { Box, Rle } from '../records.ts';
import { seededRandom } from '../scenes/random.ts';
import type { Bitmap } from './bitmap.ts';
import { bitmapArea, bitmapBox, emptyBitmap, pasteBitmap, sameBitmap } from './bitmap.ts';
import {
  decodeRle,
  decodeRleWithin,
  emptyRle,
  encodePatch,
  encodeRle,
  maskIou,
  mergeRle,
  rleArea,
  rleBox,
  rleFromCounts,
  rleFromPolygons,
  rleIou,
  rleToCounts,
  subtractRle,
} from './rle.ts';

/** Rows of `.` and `#`. */
function drawn(...rows: string[]): Bitmap {
  const width = rows[0]?.length ?? 0;
  return { width, height: rows.length, data: Uint8Array.from(rows.join(''), (c) => (c === '#' ? 1 : 0)) };
}

function noise(seed: number, width: number, height: number, share = 0.5): Bitmap {
  const random = seededRandom(seed);
  return { width, height, data: Uint8Array.from({ length: width * height }, () => (random.next() < share ? 1 : 0)) };
}

describe('RLE by hand', () => {
  it('counts down the columns, beginning with zeros', () => {
    const rle = encodeRle(drawn('#..', '##.'));
    // Columns: ## .# .. → no zero, two ones, one zero, one one, two zeros.
    expect([...rleToCounts(rle)]).toEqual([0, 2, 1, 1, 2]);
    // From the fourth on, differences to the one two before: 1 - 2 = -1 → 'O', 2 - 1 = 1 → '1'.
    expect(rle).toEqual({ size: [2, 3], counts: '021O1' });
    expect(rleArea(rle)).toBe(3);
    expect(rleBox(rle)).toEqual([0, 0, 2, 2]);
  });

  it('writes numbers beyond 15 and below -16 in groups of five bits, lowest first', () => {
    // 16 = 0b10000 has the sign bit set, so a second group follows: 16+32+48 = '`', then '0'.
    expect(rleFromCounts([16, 84], [10, 10]).counts).toBe('`0d2');
    expect([...rleToCounts({ size: [10, 10], counts: '`0d2' })]).toEqual([16, 84]);
    const steep = rleFromCounts([0, 900, 1, 1, 98], [10, 100]);
    expect([...rleToCounts(steep)]).toEqual([0, 900, 1, 1, 98]);
  });

  it('knows empty and full masks', () => {
    expect(rleBox(emptyRle(5, 4))).toEqual([0, 0, 0, 0]);
    expect(rleArea(emptyRle(5, 4))).toBe(0);
    const full = rleFromCounts([0, 20], [4, 5]);
    expect(rleBox(full)).toEqual([0, 0, 5, 4]);
    expect(decodeRle(full).data.every((v) => v === 1)).toBe(true);
  });

  it('takes the whole height for a run that goes on in the next column', () => {
    // Column 0 from row 2 on, column 1 to row 0: the box of a wrapped run.
    expect(rleBox(rleFromCounts([2, 2, 5], [3, 3]))).toEqual([0, 0, 2, 3]);
  });

  it('fills a polygon of whole numbers exactly', () => {
    expect(decodeRle(rleFromPolygons([[1, 1, 3, 1, 3, 3, 1, 3]], [4, 4]))).toEqual(drawn('....', '.##.', '.##.', '....'));
    expect(rleArea(rleFromPolygons([[0, 0, 4, 0, 4, 4, 0, 4]], [4, 4]))).toBe(16);
  });

  it('unites rings, so that one inside another is no hole', () => {
    expect(
      rleArea(
        rleFromPolygons(
          [
            [0, 0, 6, 0, 6, 6, 0, 6],
            [2, 2, 4, 2, 4, 4, 2, 4],
          ],
          [6, 6],
        ),
      ),
    ).toBe(36);
  });

  it('keeps polygons that leave the image inside it', () => {
    expect(decodeRle(rleFromPolygons([[-5, -5, 2, -5, 2, 9, -5, 9]], [3, 4]))).toEqual(drawn('##..', '##..', '##..'));
    expect(rleArea(rleFromPolygons([[10, 10, 20, 10, 20, 20]], [5, 5]))).toBe(0);
  });
});

describe('broken RLE', () => {
  const broken: [string, () => unknown, RegExp][] = [
    ['a sum that is too small', () => rleToCounts({ size: [3, 3], counts: '4' }), /cover 4 pixels, expected 3×3 = 9/],
    ['a sum that is too large', () => rleToCounts({ size: [3, 3], counts: '4f0' }), /more than 9/],
    ['a strange character', () => rleToCounts({ size: [3, 3], counts: '4!' }), /"!" at character 1/],
    ['a number cut off', () => rleToCounts({ size: [3, 3], counts: '4P' }), /middle of a number/],
    ['an endless number', () => rleToCounts({ size: [3, 3], counts: 'oooooooooo0' }), /more than 32 bits/],
    ['a negative run', () => rleToCounts({ size: [3, 3], counts: '4O6' }), /run of -1/],
    ['an empty text', () => rleToCounts({ size: [3, 3], counts: '' }), /cover 0 pixels/],
    ['an impossible size', () => rleToCounts({ size: [0, 3], counts: '' }), /3×0/],
    ['a size beyond 32 bits', () => emptyRle(50_000, 50_000), /50000×50000/],
    ['a fraction', () => rleFromCounts([1.5, 7.5], [3, 3]), /Run 0/],
    ['a bitmap with a 2', () => encodeRle({ width: 1, height: 1, data: Uint8Array.of(2) }), /0 or 1/],
    ['a ring of two points', () => rleFromPolygons([[0, 0, 1, 1]], [3, 3]), /three points/],
    ['a coordinate that is no number', () => rleFromPolygons([[0, 0, 1, NaN, 1, 1]], [3, 3]), /NaN/],
    ['merging nothing', () => mergeRle([], 'union'), /no mask/],
    ['merging different sizes', () => mergeRle([emptyRle(2, 3), emptyRle(3, 2)], 'union'), /one image/],
  ];
  it.each(broken)('%s is refused by name', (_, run, message) => {
    expect(run).toThrow(message);
    expect(run).toThrow(expect.objectContaining({ code: 'invalid' }));
  });
});

describe('RLE on random bitmaps', () => {
  it('comes back pixel by pixel, with the same area and box', () => {
    for (let seed = 0; seed < 60; seed++) {
      const bitmap = noise(seed, 1 + (seed % 17), 1 + ((seed * 7) % 23), (seed % 5) / 4);
      const rle = encodeRle(bitmap);
      expect(sameBitmap(decodeRle(rle), bitmap)).toBe(true);
      expect(rleArea(rle)).toBe(bitmapArea(bitmap));
      expect(rleBox(rle)).toEqual(bitmapBox(bitmap));
      expect(rleFromCounts(rleToCounts(rle), rle.size)).toEqual(rle);
    }
  });

  it('decodes a window as the same pixels', () => {
    const bitmap = noise(3, 31, 19);
    const window = decodeRleWithin(encodeRle(bitmap), [4, 5, 20, 9]);
    for (let y = 0; y < 9; y++) {
      for (let x = 0; x < 20; x++) expect(window.data[y * 20 + x]).toBe(bitmap.data[(y + 5) * 31 + x + 4]);
    }
  });

  it('encodes a piece as the image that holds it, cut at the borders', () => {
    for (let seed = 0; seed < 200; seed++) {
      const random = seededRandom(seed);
      const piece = noise(seed, random.integer(1, 9), random.integer(1, 9), random.next());
      const [width, height] = [random.integer(1, 12), random.integer(1, 12)];
      const [x, y] = [random.integer(-6, 12), random.integer(-6, 12)];
      const whole = emptyBitmap(width, height);
      pasteBitmap(whole, piece, x, y);
      expect(encodePatch(piece, x, y, width, height), `seed ${seed}`).toEqual(encodeRle(whole));
      expect(sameBitmap(decodeRle(encodeRle(whole)), whole)).toBe(true);
    }
  });

  it('merges, subtracts and compares as the pixels do', () => {
    for (let seed = 0; seed < 40; seed++) {
      const a = noise(seed, 9, 11, 0.4);
      const b = noise(seed + 1000, 9, 11, 0.6);
      const each = (op: (p: number, q: number) => boolean) =>
        encodeRle({ ...a, data: a.data.map((p, i) => (op(p, b.data[i] ?? 0) ? 1 : 0)) });
      const [ra, rb] = [encodeRle(a), encodeRle(b)];
      const both = each((p, q) => p + q === 2);
      const any = each((p, q) => p + q > 0);
      expect(mergeRle([ra, rb], 'union')).toEqual(any);
      expect(mergeRle([ra, rb], 'intersection')).toEqual(both);
      expect(subtractRle(ra, rb)).toEqual(each((p, q) => p > q));
      expect([...rleIou([ra], [rb, rb, ra], [false, true, false])]).toEqual([rleArea(both) / rleArea(any), rleArea(both) / rleArea(ra), 1]);
      expect(maskIou(ra, rb)).toBe(rleArea(both) / rleArea(any));
    }
    expect(maskIou(emptyRle(2, 2), emptyRle(2, 2))).toBe(1);
  });
});

interface GoldenMask extends Rle {
  readonly id: number;
  readonly area: number;
  readonly bbox: Box;
}
interface GoldenFile {
  readonly images: { id: number; width: number; height: number }[];
  readonly annotations: { id: number; image_id: number; segmentation: CocoSegmentation }[];
}

describe.skipIf(!sharedHas('golden'))('pycocotools', () => {
  it.each([
    ['coco-tiny-val', 'coco-tiny/annotations/instances_val2017.json'],
    ['nuclei', 'nuclei/instances.json'],
  ])('agrees on every annotation of %s', (name, file) => {
    const golden = JSON.parse(readFileSync(sharedPath(`golden/${name}/masks.json`), 'utf8')) as GoldenMask[];
    const dataset = JSON.parse(readFileSync(sharedPath(`data/coco/${file}`), 'utf8')) as GoldenFile;
    const images = new Map(dataset.images.map((image) => [image.id, image]));
    const annotations = new Map(dataset.annotations.map((annotation) => [annotation.id, annotation]));
    expect(golden.length).toBeGreaterThan(600);
    for (const { id, size, counts, area, bbox } of golden) {
      const annotation = annotations.get(id);
      const image = images.get(annotation?.image_id ?? -1);
      if (!annotation || !image) throw new Error(`annotation ${id} of the golden masks is not in ${file}`);
      const rle = segmentationToRle(annotation.segmentation, image);
      expect(rle, `annotation ${id}`).toEqual({ size, counts });
      expect(rleArea(rle)).toBe(area);
      expect(rleBox(rle)).toEqual(bbox);
      expect(encodeRle(decodeRle(rle))).toEqual(rle);
    }
  });
});

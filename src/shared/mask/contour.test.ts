import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sharedHas, sharedPath } from '../../../test/shared-data.ts';
import { isSelfCrossing } from '../geometry/crossing.ts';
import { ringArea } from '../geometry/polygon.ts';
import type { Ring, Rle } from '../records.ts';
import { seededRandom } from '../scenes/random.ts';
import type { Bitmap } from './bitmap.ts';
import { bitmapArea, sameBitmap } from './bitmap.ts';
import { components } from './components.ts';
import { contourOfRle } from './contour.ts';
import { contour } from './contour.test-support.ts';
import { rasterizeParts } from './raster.ts';
import { decodeRle, encodeRle, rleFromPolygons } from './rle.ts';

function drawn(...rows: string[]): Bitmap {
  const width = rows[0]?.length ?? 0;
  return { width, height: rows.length, data: Uint8Array.from(rows.join(''), (c) => (c === '#' ? 1 : 0)) };
}

function hasStraightPoint(ring: Ring): boolean {
  for (let i = 0; i < ring.length; i += 2) {
    const j = (i + 2) % ring.length;
    const k = (i + 4) % ring.length;
    if ((ring[i] === ring[j] && ring[j] === ring[k]) || (ring[i + 1] === ring[j + 1] && ring[j + 1] === ring[k + 1])) return true;
  }
  return false;
}

/** Everything that `contour` promises, on one bitmap. */
function check(bitmap: Bitmap): void {
  const parts = contour(bitmap);
  expect(sameBitmap(rasterizeParts(parts, bitmap.width, bitmap.height), bitmap)).toBe(true);
  expect(contourOfRle(encodeRle(bitmap))).toEqual(parts);
  expect(parts.length).toBe(components(bitmap, 4).list.length);
  let area = 0;
  for (const { outer, holes } of parts) {
    expect(ringArea(outer)).toBeGreaterThan(0);
    for (const hole of holes) expect(ringArea(hole)).toBeLessThan(0);
    for (const ring of [outer, ...holes]) {
      expect(isSelfCrossing(ring)).toBe(false);
      expect(hasStraightPoint(ring)).toBe(false);
      area += ringArea(ring);
    }
  }
  expect(area).toBe(bitmapArea(bitmap));
  if (parts.every(({ holes }) => holes.length === 0)) {
    const exported = rleFromPolygons(
      parts.map(({ outer }) => outer),
      [bitmap.height, bitmap.width],
    );
    expect(exported).toEqual(encodeRle(bitmap));
  }
}

describe('contour', () => {
  it('goes around one pixel clockwise from its top left corner', () => {
    const [part] = contour(drawn('...', '.#.', '...'));
    expect(part).toEqual({ outer: [2, 1, 2, 2, 1, 2, 1, 1], holes: [] });
  });

  it('finds nothing in nothing', () => {
    expect(contour(drawn('..', '..'))).toEqual([]);
  });

  it('gives a hole to the part around it, and the island inside it its own part', () => {
    const parts = contour(drawn('#####', '#...#', '#.#.#', '#...#', '#####'));
    expect(parts.map(({ holes }) => holes.length)).toEqual([1, 0]);
    expect(ringArea(parts[0]?.holes[0] ?? [])).toBe(-9);
  });

  it('keeps pixels that meet at a corner apart', () => {
    expect(contour(drawn('#.', '.#'))).toHaveLength(2);
  });

  it('joins a gap that reaches the outside over a corner to the outside', () => {
    const open = contour(drawn('###', '#.#', '##.'));
    expect(open.map(({ holes }) => holes.length)).toEqual([0]);
  });

  it('is exact on every bitmap of 4 × 4 pixels', () => {
    for (let bits = 0; bits < 1 << 16; bits += 1 + (bits % 13)) {
      check({ width: 4, height: 4, data: Uint8Array.from({ length: 16 }, (_, i) => (bits >> i) & 1) });
    }
  });

  it('is exact on random bitmaps, blobs and checkerboards', () => {
    for (let seed = 0; seed < 80; seed++) {
      const random = seededRandom(seed);
      const width = random.integer(1, 24);
      const height = random.integer(1, 24);
      const share = random.next();
      const cell = random.integer(1, 4);
      const coarse = Uint8Array.from({ length: 24 * 24 }, () => (random.next() < share ? 1 : 0));
      const at = (x: number, y: number): number => coarse[Math.floor(y / cell) * 24 + Math.floor(x / cell)] ?? 0;
      check({ width, height, data: Uint8Array.from({ length: width * height }, (_, i) => at(i % width, Math.floor(i / width))) });
    }
    for (const phase of [0, 1]) {
      check({ width: 9, height: 8, data: Uint8Array.from({ length: 72 }, (_, i) => ((i % 9) + Math.floor(i / 9) + phase) & 1) });
    }
  });

  it.skipIf(!sharedHas('golden/nuclei'))('is exact on every mask of the golden files', () => {
    for (const name of ['nuclei', 'coco-tiny-val']) {
      const golden = JSON.parse(readFileSync(sharedPath(`golden/${name}/masks.json`), 'utf8')) as Rle[];
      for (const { size, counts } of golden) {
        const parts = contourOfRle({ size, counts });
        expect(encodeRle(rasterizeParts(parts, size[1], size[0]))).toEqual({ size, counts });
        if (parts.every(({ holes }) => holes.length === 0)) {
          expect(
            rleFromPolygons(
              parts.map(({ outer }) => outer),
              size,
            ),
          ).toEqual({ size, counts });
        }
      }
      expect(decodeRle(golden[0] ?? { size: [1, 1], counts: '1' }).width).toBeGreaterThan(1);
    }
  });
});

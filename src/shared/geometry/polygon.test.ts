import { describe, expect, it } from 'vitest';
import { decodeRle, encodeRle } from '../mask/rle.ts';
import { rasterizeParts } from '../mask/raster.ts';
import type { Geometry, PolygonPart, Ring } from '../records.ts';
import { seededRandom } from '../scenes/random.ts';
import { combineGeometries, combineParts, intersectParts, subtractParts, unionParts } from './boolean.ts';
import { boxIou, geometryArea, geometryBox, measurePixels, unionBox } from './measure.ts';
import { isSelfCrossing } from './crossing.ts';
import { nearestOnRing, pointInParts, pointInRing, ringArea, ringBox, translateGeometry } from './polygon.ts';

const square = (x: number, y: number, side: number): Ring => [x, y, x + side, y, x + side, y + side, x, y + side];
const reversed = (ring: Ring): Ring => Array.from({ length: ring.length }, (_, i) => ring[ring.length - 2 - (i & ~1) + (i & 1)] ?? 0);

describe('rings', () => {
  it('have a signed area and a box', () => {
    expect(ringArea(square(3, 4, 5))).toBe(25);
    expect(ringArea(reversed(square(3, 4, 5)))).toBe(-25);
    expect(ringBox([3, 9, -1, 4, 5, 4.5])).toEqual([-1, 4, 6, 5]);
  });

  it('know what is inside, holes excepted', () => {
    const part: PolygonPart = { outer: square(0, 0, 10), holes: [square(4, 4, 2)] };
    expect(pointInRing(square(0, 0, 10), 9.9, 5)).toBe(true);
    expect(pointInRing(square(0, 0, 10), 10.1, 5)).toBe(false);
    expect(pointInParts([part], 5, 5)).toBe(false);
    expect(pointInParts([part, { outer: square(4.5, 4.5, 1), holes: [] }], 5, 5)).toBe(true);
    expect(pointInParts([part], 2, 5)).toBe(true);
  });

  it('find their nearest point, the closing edge included', () => {
    expect(nearestOnRing(square(0, 0, 10), -3, 4)).toEqual({ edge: 3, x: 0, y: 4, distance: 3 });
    expect(nearestOnRing(square(0, 0, 10), 13, -4)).toEqual({ edge: 0, x: 10, y: 0, distance: 5 });
  });

  it('say whether they cross themselves; touching is no crossing', () => {
    expect(isSelfCrossing([0, 0, 10, 10, 10, 0, 0, 10])).toBe(true);
    expect(isSelfCrossing(square(0, 0, 10))).toBe(false);
    expect(isSelfCrossing([0, 0, 5, 5, 10, 0, 10, 10, 5, 5, 0, 10])).toBe(false);
    expect(isSelfCrossing([0, 0, 9, 0, 4, 5])).toBe(false);
    // Through one point of both, and through a point of one.
    expect(isSelfCrossing([0, 0, 5, 5, 10, 10, 10, 0, 5, 5, 0, 10])).toBe(true);
    expect(isSelfCrossing([0, 0, 5, 5, 10, 10, 10, 0, 0, 10])).toBe(true);
  });
});

describe('moving', () => {
  it('moves rings with their holes, and boxes', () => {
    const moved = translateGeometry({ kind: 'polygon', parts: [{ outer: square(0, 0, 4), holes: [square(1, 1, 2)] }] }, 2.5, -1);
    expect(moved).toEqual({ kind: 'polygon', parts: [{ outer: square(2.5, -1, 4), holes: [square(3.5, 0, 2)] }] });
    expect(translateGeometry({ kind: 'box', box: [1, 2, 3, 4] }, 1, 1)).toEqual({ kind: 'box', box: [2, 3, 3, 4] });
  });

  it('moves masks by whole pixels, dropping what leaves the image', () => {
    for (let seed = 0; seed < 120; seed++) {
      const random = seededRandom(seed);
      const [width, height] = [random.integer(1, 14), random.integer(1, 14)];
      const share = random.next();
      const data = Uint8Array.from({ length: width * height }, () => (random.next() < share ? 1 : 0));
      const [dx, dy] = [random.integer(-8, 8), random.integer(-8, 8)];
      const moved = translateGeometry({ kind: 'mask', rle: encodeRle({ width, height, data }) }, dx + 0.2, dy - 0.3);
      const expected = Uint8Array.from({ length: width * height }, (_, i) => {
        const x = (i % width) - dx;
        const y = Math.floor(i / width) - dy;
        return x >= 0 && y >= 0 && x < width && y < height ? (data[y * width + x] ?? 0) : 0;
      });
      if (moved.kind !== 'mask') throw new Error('a mask stays a mask');
      expect(decodeRle(moved.rle).data, `seed ${seed}`).toEqual(expected);
      expect(moved.rle).toEqual(encodeRle({ width, height, data: expected }));
    }
  });
});

describe('measures', () => {
  it('give the box as drawn and the area in pixels', () => {
    const polygon: Geometry = {
      kind: 'polygon',
      parts: [
        { outer: square(2, 2, 6), holes: [square(4, 4, 2)] },
        { outer: square(20, 1, 3), holes: [] },
      ],
    };
    expect(geometryBox(polygon)).toEqual([2, 1, 21, 7]);
    expect(geometryArea(polygon, 30, 30)).toBe(36 - 4 + 9);
    expect(measurePixels({ kind: 'box', box: [-5, 2, 10, 4] }, 30, 30)).toEqual({ area: 20, box: [0, 2, 5, 4] });
    expect(unionBox([0, 0, 0, 0], [3, 3, 1, 1])).toEqual([3, 3, 1, 1]);
  });

  it('compare boxes as COCO does', () => {
    expect(boxIou([0, 0, 4, 4], [2, 2, 4, 4])).toBe(4 / 28);
    expect(boxIou([0, 0, 4, 4], [2, 2, 40, 40], true)).toBe(4 / 16);
    expect(boxIou([0, 0, 4, 4], [4, 0, 4, 4])).toBe(0);
  });
});

describe('boolean operations', () => {
  const a: PolygonPart[] = [{ outer: square(0, 0, 10), holes: [] }];
  const inner: PolygonPart[] = [{ outer: square(3, 3, 4), holes: [] }];

  it('cut holes and fill them', () => {
    const ring = subtractParts(a, inner);
    expect(ring).toHaveLength(1);
    expect(ring[0]?.holes).toHaveLength(1);
    expect(ringArea(ring[0]?.outer ?? [])).toBe(100);
    expect(ringArea(ring[0]?.holes[0] ?? [])).toBe(-16);
    const filled = unionParts(ring, inner);
    expect(filled.map(({ holes }) => holes.length)).toEqual([0]);
    expect(intersectParts(ring, inner)).toEqual([]);
  });

  it('do on whole pixels what the pixels do', () => {
    for (let seed = 0; seed < 60; seed++) {
      const random = seededRandom(seed);
      // Rectangles with a hole: whole numbers, so filling is exact.
      const shape = (): PolygonPart[] =>
        Array.from({ length: random.integer(1, 3) }, () => {
          const [x, y, w, h] = [random.integer(0, 14), random.integer(0, 14), random.integer(3, 12), random.integer(3, 12)];
          const hole: Ring = [x + 1, y + 1, x + w - 1, y + 1, x + w - 1, y + h - 1, x + 1, y + h - 1];
          return { outer: [x, y, x, y + h, x + w, y + h, x + w, y], holes: random.chance(0.5) ? [hole] : [] };
        });
      const [p, q] = [shape(), shape()];
      const [mp, mq] = [rasterizeParts(p, 30, 30), rasterizeParts(q, 30, 30)];
      const expected = (op: (x: number, y: number) => boolean) => mp.data.map((v, i) => (op(v, mq.data[i] ?? 0) ? 1 : 0));
      expect(rasterizeParts(combineParts(p, q, 'union'), 30, 30).data).toEqual(expected((x, y) => x + y > 0));
      expect(rasterizeParts(combineParts(p, q, 'intersection'), 30, 30).data).toEqual(expected((x, y) => x + y === 2));
      expect(rasterizeParts(combineParts(p, q, 'difference'), 30, 30).data).toEqual(expected((x, y) => x > y));
    }
  });

  it('keep a mask a mask, pixel by pixel', () => {
    const mask: Geometry = { kind: 'mask', rle: encodeRle(rasterizeParts(a, 20, 20)) };
    const cut = combineGeometries(mask, { kind: 'polygon', parts: inner }, 'difference', 20, 20);
    expect(cut?.kind).toBe('mask');
    expect(cut && geometryArea(cut, 20, 20)).toBe(84);
    expect(combineGeometries(mask, { kind: 'box', box: [12, 12, 4, 4] }, 'intersection', 20, 20)).toBeNull();
    expect(combineGeometries({ kind: 'box', box: [0, 0, 4, 4] }, { kind: 'box', box: [2, 0, 4, 4] }, 'union', 20, 20)).toMatchObject({
      kind: 'polygon',
    });
  });
});

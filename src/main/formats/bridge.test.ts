import { describe, expect, it } from 'vitest';
import { contourOfRle } from '../../shared/mask/contour.ts';
import { ringRuns } from '../../shared/mask/fill.ts';
import { partsRuns } from '../../shared/mask/raster.ts';
import { encodeRle, rleToCounts } from '../../shared/mask/rle.ts';
import type { PolygonPart } from '../../shared/records.ts';
import { seededRandom } from '../../shared/scenes/random.ts';
import { joinRings, splitRing } from './bridge.ts';

const square = (x: number, y: number, side: number): number[] => [x, y, x + side, y, x + side, y + side, x, y + side];

describe('rings joined by bridges', () => {
  it('a part and one beside it', () => {
    const parts: PolygonPart[] = [
      { outer: square(0, 0, 2), holes: [] },
      { outer: square(5, 0, 2), holes: [] },
    ];
    const ring = joinRings(parts);
    expect(ring).toEqual([0, 0, 2, 0, 5, 0, 7, 0, 7, 2, 5, 2, 5, 0, 2, 0, 2, 2, 0, 2]);
    expect(splitRing(ring)).toEqual([
      { outer: [0, 0, 2, 0, 2, 2, 0, 2], holes: [] },
      { outer: [5, 0, 7, 0, 7, 2, 5, 2], holes: [] },
    ]);
  });

  it('a hole stays a hole, and an island in it a part', () => {
    const parts: PolygonPart[] = [
      { outer: square(0, 0, 9), holes: [square(2, 2, 5)] },
      { outer: square(4, 4, 1), holes: [] },
    ];
    const ring = joinRings(parts);
    expect(ringRuns(ring, 10, 10)).toEqual(partsRuns(parts, 10, 10));
    const split = splitRing(ring);
    expect(split.map(({ holes }) => holes.length).sort()).toEqual([0, 1]);
    expect(partsRuns(split, 10, 10)).toEqual(partsRuns(parts, 10, 10));
  });

  it('takes apart what Ultralytics joined: closed rings, there and back', () => {
    // Two parts as general_json2yolo writes them: each ring is closed before the way goes on.
    const ring = [0, 0, 4, 0, 4, 4, 0, 4, 0, 0, 10, 10, 14, 10, 14, 14, 10, 14, 10, 10];
    const split = splitRing(ring);
    expect(split).toHaveLength(2);
    expect(partsRuns(split, 20, 20)).toEqual(
      partsRuns(
        [
          { outer: square(0, 0, 4), holes: [] },
          { outer: square(10, 10, 4), holes: [] },
        ],
        20,
        20,
      ),
    );
  });

  it('leaves a ring with a spike, or one that touches itself, as it covers', () => {
    const spike = [0, 0, 4, 0, 8, 0, 4, 0, 4, 4, 0, 4];
    expect(splitRing(spike)).toEqual([{ outer: spike, holes: [] }]);
    const eight = [0, 0, 4, 0, 4, 4, 8, 4, 8, 8, 4, 8, 4, 4, 0, 4];
    expect(partsRuns(splitRing(eight), 9, 9)).toEqual(ringRuns(eight, 9, 9));
  });

  it('keeps every pixel of any mask', () => {
    for (let seed = 0; seed < 40; seed++) {
      const random = seededRandom(seed);
      const width = random.integer(1, 24);
      const height = random.integer(1, 24);
      const density = random.range(0.1, 0.9);
      const rle = encodeRle({ width, height, data: Uint8Array.from({ length: width * height }, () => (random.chance(density) ? 1 : 0)) });
      const parts = contourOfRle(rle);
      if (parts.length === 0) continue;
      const ring = joinRings(parts);
      expect([...ringRuns(ring, width, height)], `seed ${seed}, filled`).toEqual([...rleToCounts(rle)]);
      expect([...partsRuns(splitRing(ring), width, height)], `seed ${seed}, taken apart`).toEqual([...rleToCounts(rle)]);
    }
  });
});

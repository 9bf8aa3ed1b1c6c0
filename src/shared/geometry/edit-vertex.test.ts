import { describe, expect, it } from 'vitest';
import { maskIou } from '../mask/rle.ts';
import { geometryToRle, rasterizeParts } from '../mask/raster.ts';
import { contour } from '../mask/contour.test-support.ts';
import { emptyBitmap } from '../mask/bitmap.ts';
import { stampStroke } from '../mask/stamp.ts';
import type { Ring } from '../records.ts';
import { seededRandom } from '../scenes/random.ts';
import type { Polygon } from './edit-vertex.ts';
import { clampGeometry, insertVertex, moveVertices, nearestEdge, nearestVertex, placeVertex, removeVertices } from './edit-vertex.ts';
import { haveCrossing, isSelfCrossing } from './crossing.ts';
import { ringLength, ringsOfParts } from './polygon.ts';
import { measureSimplification, ringDeviation, simplifyParts, simplifyRing } from './simplify.ts';

const square = (x: number, y: number, side: number): Ring => [x, y, x + side, y, x + side, y + side, x, y + side];
const shape: Polygon = { kind: 'polygon', parts: [{ outer: square(0, 0, 10), holes: [square(3, 3, 4)] }] };

describe('vertices', () => {
  it('move together, in several rings', () => {
    const moved = moveVertices(
      shape,
      [
        { part: 0, ring: 0, point: 2 },
        { part: 0, ring: 1, point: 0 },
      ],
      1,
      2,
    );
    expect(moved.parts[0]?.outer).toEqual([0, 0, 10, 0, 11, 12, 0, 10]);
    expect(moved.parts[0]?.holes[0]?.slice(0, 2)).toEqual([4, 5]);
    expect(shape.parts[0]?.outer).toEqual(square(0, 0, 10));
  });

  it('leave untouched rings as they are', () => {
    const moved = placeVertex(shape, { part: 0, ring: 1, point: 3 }, 2, 8);
    expect(moved.parts[0]?.outer).toBe(shape.parts[0]?.outer);
    expect(moved.parts[0]?.holes[0]?.slice(6)).toEqual([2, 8]);
  });

  it('come on an edge, the closing one too', () => {
    const edge = nearestEdge(shape.parts, -2, 4, 3);
    expect(edge).toEqual({ part: 0, ring: 0, edge: 3, x: 0, y: 4, distance: 2 });
    if (!edge) throw new Error('there is an edge');
    expect(insertVertex(shape, edge).parts[0]?.outer).toEqual([...square(0, 0, 10), 0, 4]);
  });

  it('go, but never below three a ring', () => {
    const three = removeVertices(shape, [{ part: 0, ring: 0, point: 1 }]);
    expect(three?.parts[0]?.outer).toEqual([0, 0, 10, 10, 0, 10]);
    expect(
      removeVertices(shape, [
        { part: 0, ring: 1, point: 1 },
        { part: 0, ring: 1, point: 2 },
      ]),
    ).toBeNull();
  });

  it('are found within reach only', () => {
    expect(nearestVertex(shape.parts, 3.5, 3, 1)).toMatchObject({ part: 0, ring: 1, point: 0, distance: 0.5 });
    expect(nearestVertex(shape.parts, 20, 20, 5)).toBeNull();
    expect(nearestEdge(shape.parts, 20, 20, 5)).toBeNull();
  });

  it.each([
    [{ part: 1, ring: 0, point: 0 }, /no ring 0 in part 1/],
    [{ part: 0, ring: 2, point: 0 }, /no ring 2/],
    [{ part: 0, ring: 0, point: 4 }, /no point 4/],
  ])('that are not there are refused: %o', (vertex, message) => {
    expect(() => moveVertices(shape, [vertex], 1, 1)).toThrow(message);
  });

  it('are kept inside the image', () => {
    expect(clampGeometry({ kind: 'polygon', parts: [{ outer: [-3, 2, 30, 2, 5, 40], holes: [] }] }, 20, 20)).toMatchObject({
      parts: [{ outer: [0, 2, 20, 2, 5, 20] }],
    });
    expect(clampGeometry({ kind: 'box', box: [-2, 15, 10, 10] }, 20, 20)).toEqual({ kind: 'box', box: [0, 15, 8, 5] });
  });
});

describe('simplify', () => {
  it('drops what lies on the way and keeps the corners', () => {
    expect(simplifyRing([0, 0, 5, 0.2, 10, 0, 10, 10, 0, 10], 0.5)).toEqual([0, 0, 10, 0, 10, 10, 0, 10]);
    expect(simplifyRing([0, 0, 5, 0.6, 10, 0, 10, 10, 0, 10], 0.5)).toHaveLength(10);
  });

  it('never leaves fewer than three points', () => {
    const triangle: Ring = [0, 0, 1, 0, 0, 1];
    expect(simplifyRing(triangle, 100)).toBe(triangle);
    expect(ringLength(simplifyRing(square(0, 0, 2), 100))).toBeGreaterThanOrEqual(3);
  });

  it('stays within the tolerance, crosses nothing, and measures what it costs', () => {
    for (let seed = 0; seed < 40; seed++) {
      const random = seededRandom(seed);
      const bitmap = emptyBitmap(80, 60);
      for (let stroke = 0; stroke < 4; stroke++) {
        const at = (): number => random.range(5, 70);
        stampStroke(bitmap, at(), at(), at(), at(), random.range(1, 12), 1);
        stampStroke(bitmap, at(), at(), at(), at(), random.range(0.5, 3), 0);
      }
      const parts = contour(bitmap);
      const tolerance = random.range(0.4, 4);
      const simple = measureSimplification(parts, tolerance, 80, 60);
      expect(simple.deviationPx).toBeLessThanOrEqual(tolerance);
      expect(simple.pointsAfter).toBeLessThanOrEqual(simple.pointsBefore);
      for (const part of simple.parts) expect(haveCrossing(ringsOfParts([part])), `seed ${seed}`).toBe(false);
      const before = geometryToRle({ kind: 'polygon', parts }, 80, 60);
      expect(simple.iou).toBe(maskIou(before, geometryToRle({ kind: 'polygon', parts: simple.parts }, 80, 60)));
      expect(simplifyParts(parts, 0)).toEqual(parts);
      expect(rasterizeParts(parts, 80, 60)).toEqual(bitmap);
    }
  });

  it('simplifies less where thin bands would cross', () => {
    for (let seed = 0; seed < 40; seed++) {
      const random = seededRandom(seed);
      const bitmap = emptyBitmap(80, 80);
      // A band one or two pixels wide: closed (a part with a hole) or wound up (one ring close to itself).
      const closed = seed % 2 === 0;
      const turns = closed ? 1 : 3;
      const wave = random.range(0, 5);
      const at = (t: number): readonly [number, number] => {
        const angle = t * 2 * Math.PI * turns;
        const radius = (closed ? 25 : 8 + 9 * t * turns) + wave * Math.sin(5 * angle);
        return [40 + radius * Math.cos(angle), 40 + radius * Math.sin(angle)];
      };
      for (let k = 0; k < 400; k++) stampStroke(bitmap, ...at(k / 400), ...at((k + 1) / 400), 0.8, 1);
      const parts = contour(bitmap);
      for (const part of parts) {
        for (const ring of ringsOfParts([part])) expect(isSelfCrossing(simplifyRing(ring, 3)), `seed ${seed}`).toBe(false);
        expect(haveCrossing(ringsOfParts(simplifyParts([part], 3))), `seed ${seed}`).toBe(false);
      }
    }
  });

  it('measures the farthest dropped point', () => {
    expect(ringDeviation([0, 0, 5, 0.4, 10, 0, 10, 10, 0, 10, 0, 5], [0, 0, 10, 0, 10, 10, 0, 10])).toBeCloseTo(0.4, 12);
  });
});

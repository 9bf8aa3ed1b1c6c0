import { describe, expect, it } from 'vitest';
import type { Viewport } from './viewport.ts';
import {
  centredOn,
  clampViewport,
  fitViewport,
  pannedBy,
  pointedImage,
  screenPoint,
  toImage,
  toScreen,
  visibleBounds,
  zoomedTo,
} from './viewport.ts';

const IMAGE = { width: 800, height: 600 };
const VIEW = { width: 1000, height: 700 };

describe('viewport', () => {
  it('converts there and back', () => {
    const viewport: Viewport = { scale: 2.5, x: -30, y: 12 };
    const at = toImage(viewport, screenPoint(470, 262));
    expect(at).toEqual({ x: 200, y: 100 });
    expect(toScreen(viewport, at)).toEqual({ x: 470, y: 262 });
  });

  it('fits the whole image, with room for the bar below, and enlarges small ones', () => {
    const fitted = fitViewport(IMAGE, VIEW);
    const { x, y } = toScreen(fitted, { x: 800, y: 600 });
    expect(fitted.x).toBeGreaterThanOrEqual(0);
    expect(fitted.y).toBeGreaterThanOrEqual(0);
    expect(x).toBeLessThanOrEqual(1000);
    expect(y).toBeLessThanOrEqual(700 - 60);
    expect(fitViewport({ width: 16, height: 16 }, VIEW).scale).toBe(8);
    expect(fitViewport(IMAGE, { width: 0, height: 0 })).toEqual({ scale: 1, x: 0, y: 0 });
  });

  it('keeps the point under the cursor when zooming, within limits', () => {
    const before = fitViewport(IMAGE, VIEW);
    const anchor = screenPoint(333, 222);
    const under = toImage(before, anchor);
    const after = zoomedTo(before, before.scale * 3, anchor, IMAGE, VIEW);
    expect(toScreen(after, under).x).toBeCloseTo(333, 9);
    expect(toScreen(after, under).y).toBeCloseTo(222, 9);
    expect(zoomedTo(before, 1e9, anchor, IMAGE, VIEW).scale).toBe(64);
    expect(zoomedTo(before, 1e-9, anchor, IMAGE, VIEW).scale).toBeCloseTo(0.25, 9);
  });

  it('never loses the image, wherever it is pushed', () => {
    for (const [dx, dy] of [
      [1e6, 0],
      [-1e6, 0],
      [0, 1e6],
      [0, -1e6],
      [-1e6, 1e6],
    ] as const) {
      const viewport = pannedBy({ scale: 1.5, x: 0, y: 0 }, dx, dy, IMAGE, VIEW);
      const seen = visibleBounds(viewport, VIEW);
      const width = Math.min(seen.maxX, 800) - Math.max(seen.minX, 0);
      const height = Math.min(seen.maxY, 600) - Math.max(seen.minY, 0);
      expect(width * viewport.scale).toBeGreaterThanOrEqual(64 - 1e-9);
      expect(height * viewport.scale).toBeGreaterThanOrEqual(64 - 1e-9);
    }
    const still = { scale: 1, x: 5, y: 5 };
    expect(clampViewport(still, IMAGE, VIEW)).toBe(still);
  });

  it('brings bounds to the middle without zooming', () => {
    const viewport = centredOn({ scale: 4, x: 0, y: 0 }, { minX: 700, minY: 500, maxX: 720, maxY: 520 }, IMAGE, VIEW);
    expect(toScreen(viewport, { x: 710, y: 510 })).toEqual({ x: 500, y: 350 });
    expect(viewport.scale).toBe(4);
  });

  it('points on a grid whose sums are exact', () => {
    const at = pointedImage({ scale: 1.09, x: 109.99999999999994, y: 32 }, screenPoint(436.99999, 577.00001));
    expect((at.x * 64) % 1).toBe(0);
    expect((at.y * 64) % 1).toBe(0);
    expect(Math.abs(at.x - 300)).toBeLessThan(1 / 64);
  });
});

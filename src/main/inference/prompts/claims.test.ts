import { describe, expect, it } from 'vitest';
import type { MaskGrid } from '../families/sam-grid.ts';
import { gridMask, logitAt } from '../families/sam-grid.ts';
import { claimOf, honoured, restrained, steadied } from './claims.ts';

const SIDE = 128;
/** A grid whose cells are two pixels; inside is the disc or discs given in pixels. */
function discs(...list: readonly (readonly [x: number, y: number, radius: number])[]): MaskGrid {
  const logits = Float32Array.from({ length: SIDE * SIDE }, (_, i) => {
    const [x, y] = [2 * ((i % SIDE) + 0.5), 2 * (Math.floor(i / SIDE) + 0.5)];
    return Math.max(...list.map(([cx, cy, radius]) => radius - Math.hypot(x - cx, y - cy)));
  });
  const view = { x: 0, y: 0, width: 256, height: 256 };
  return { logits, width: SIDE, height: SIDE, x: 0, y: 0, cellX: 2, cellY: 2, view };
}

const area = (grid: MaskGrid): number => gridMask(grid, 256, 256)?.area ?? 0;

describe('what a correcting click claims', () => {
  const shown = discs([128, 128, 50]);

  it('is as much beyond it as the border lies before it', () => {
    expect(claimOf(shown, { x: 188, y: 128, positive: true })?.radius).toBeCloseTo(10, 0);
    expect(claimOf(shown, { x: 168, y: 128, positive: false })?.radius).toBeCloseTo(10, 0);
  });

  it('is nothing for a click on its own side, or far from the mask', () => {
    expect(claimOf(shown, { x: 128, y: 128, positive: true })).toBeNull();
    expect(claimOf(shown, { x: 20, y: 20, positive: false })).toBeNull();
    expect(claimOf(shown, { x: 240, y: 128, positive: true })).toBeNull();
  });

  it('moves the border there where the decoder did not, and nowhere else', () => {
    const claim = claimOf(shown, { x: 188, y: 128, positive: true });
    const more = honoured(shown, claim ? [claim] : []);
    expect(logitAt(more, 196, 128)).toBeGreaterThan(0);
    expect(logitAt(more, 202, 128)).toBeLessThan(0);
    expect(area(more)).toBeGreaterThan(area(shown) + 300);
    for (const [x, y] of [
      [60, 128],
      [128, 190],
      [77, 128],
      [128, 179],
    ] as const) {
      expect(logitAt(more, x, y) >= 0).toBe(logitAt(shown, x, y) >= 0);
    }
    const cut = claimOf(shown, { x: 168, y: 128, positive: false });
    const less = honoured(shown, cut ? [cut] : []);
    expect(logitAt(less, 162, 128)).toBeLessThan(0);
    expect(logitAt(less, 152, 128)).toBeGreaterThan(0);
  });

  it('changes nothing where the decoder went as far itself', () => {
    const claim = claimOf(shown, { x: 188, y: 128, positive: true });
    const answer = discs([128, 128, 75]);
    expect(honoured(answer, claim ? [claim] : [])).toBe(answer);
  });
});

describe('the decoder after a small correction', () => {
  const shown = discs([128, 128, 50]);
  const claim = { x: 181, y: 128, positive: true, radius: 3 };

  it('does not take something else for the object', () => {
    const answer = restrained(shown, discs([128, 128, 50], [181, 128, 6], [40, 40, 30]), claim);
    expect(logitAt(answer, 40, 40)).toBeLessThan(0);
    expect(logitAt(answer, 184, 128)).toBeGreaterThan(0);
  });

  it('keeps a change that the click is in, however thick', () => {
    const answer = restrained(shown, discs([128, 128, 50], [200, 128, 25]), claim);
    expect(logitAt(answer, 210, 128)).toBeGreaterThan(0);
  });

  it('lies between the two masks', () => {
    const mean = steadied(shown, discs([128, 128, 54]));
    expect(area(mean)).toBeGreaterThan(area(shown));
    expect(area(mean)).toBeLessThan(area(discs([128, 128, 54])));
  });
});

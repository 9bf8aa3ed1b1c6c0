import { describe, expect, it } from 'vitest';
import { encodeRle, rleArea, rleBox } from '../../../shared/mask/rle.ts';
import { seededRandom } from '../../../shared/scenes/random.ts';
import type { MaskGrid } from './sam-grid.ts';
import { gridMask, logitAt, regrid, stability } from './sam-grid.ts';

/** Smooth random logits: a few bumps up and down. */
function bumps(seed: number, view: MaskGrid['view'], cells = 32): MaskGrid {
  const random = seededRandom(seed);
  const centres = Array.from(
    { length: 6 },
    () => [random.range(0, cells), random.range(0, cells), random.range(-6, 8), random.range(2, 8)] as const,
  );
  const logits = Float32Array.from({ length: cells * cells }, (_, i) => {
    const [x, y] = [i % cells, Math.floor(i / cells)];
    return (
      -1.5 + centres.reduce((sum, [cx, cy, height, width]) => sum + height * Math.exp(-((x - cx) ** 2 + (y - cy) ** 2) / width ** 2), 0)
    );
  });
  return { logits, width: cells, height: cells, x: view.x, y: view.y, cellX: view.width / cells, cellY: view.height / cells, view };
}

describe('a mask cut from a grid of logits', () => {
  it.each([
    ['enlarged', { x: 0, y: 0, width: 197, height: 141 }, 197, 141],
    ['of a part', { x: 40, y: 30, width: 90, height: 90 }, 197, 141],
    ['made smaller', { x: 0, y: 0, width: 20, height: 14 }, 20, 14],
  ] as const)('is what interpolating at every pixel gives, %s', (_name, view, width, height) => {
    for (let seed = 1; seed <= 20; seed++) {
      const grid = bumps(seed, view);
      const data = new Uint8Array(width * height);
      // Pixels within rounding of the border may lie on either side of it.
      let doubtful = 0;
      for (let y = view.y; y < view.y + view.height; y++) {
        for (let x = view.x; x < view.x + view.width; x++) {
          const logit = logitAt(grid, x + 0.5, y + 0.5);
          data[y * width + x] = logit >= 0 ? 1 : 0;
          if (Math.abs(logit) < 1e-5) doubtful++;
        }
      }
      const expected = encodeRle({ width, height, data });
      const found = gridMask(grid, width, height);
      expect(found === null).toBe(rleArea(expected) === 0);
      if (!found) continue;
      if (doubtful === 0) expect(found.rle).toEqual(expected);
      expect(found.area).toBe(rleArea(found.rle));
      expect(found.box).toEqual(rleBox(found.rle));
    }
  });

  it('leaves out what lies in the padding beyond the view', () => {
    const grid = { ...bumps(3, { x: 0, y: 0, width: 64, height: 64 }), logits: new Float32Array(32 * 32).fill(5) };
    const found = gridMask({ ...grid, view: { x: 0, y: 0, width: 64, height: 40 } }, 64, 64);
    expect(found?.box).toEqual([0, 0, 64, 40]);
    expect(found?.area).toBe(64 * 40);
  });

  it('is nothing where no logit reaches the threshold', () => {
    const grid = { ...bumps(3, { x: 0, y: 0, width: 64, height: 64 }), logits: new Float32Array(32 * 32).fill(-1) };
    expect(gridMask(grid, 64, 64)).toBeNull();
    expect(stability(grid, 0.5)).toBe(0);
  });
});

it('scores a steep border as stable and a flat one as not', () => {
  const view = { x: 0, y: 0, width: 32, height: 32 };
  const ramp = (slope: number): MaskGrid => ({
    ...bumps(1, view),
    logits: Float32Array.from({ length: 32 * 32 }, (_, i) => slope * ((i % 32) - 15.5)),
  });
  expect(stability(ramp(20))).toBe(1);
  // Of 32 columns 16 are inside; one logit is two columns: 14 above, 18 below.
  expect(stability(ramp(0.6))).toBeCloseTo(14 / 18, 5);
});

it('puts a mask on the grid of another view and back', () => {
  const whole = { x: 0, y: 0, width: 200, height: 200 };
  const grid = bumps(5, whole);
  const part = bumps(1, { x: 50, y: 60, width: 80, height: 80 });
  const near = regrid(grid, part);
  expect(logitAt(near, 90, 100)).toBeCloseTo(logitAt(grid, 90, 100), 1);
  const far = regrid(near, grid);
  expect(logitAt(far, 90, 100)).toBeCloseTo(logitAt(grid, 90, 100), 0);
  // What the part does not show is said to be outside.
  expect(logitAt(far, 20, 20)).toBe(-10);
});

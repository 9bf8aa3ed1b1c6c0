import { describe, expect, it } from 'vitest';
import { decodeRle, rleArea } from '../../../shared/mask/rle.ts';
import { pasteField, pixelRect, thresholdField } from './mask-field.ts';

const noise = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 8) / 2 ** 24);

/** Detectron2's `paste_masks_in_image`, written as its formula, without any short cut. */
function slowPaste(grid: Float32Array, size: number, box: number[], width: number, height: number): Uint8Array {
  const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = box;
  const at = (i: number, j: number): number => (i < 0 || j < 0 || i >= size || j >= size ? 0 : (grid[j * size + i] ?? 0));
  const out = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const u = ((x + 0.5 - x0) / (x1 - x0)) * 2 - 1;
      const v = ((y + 0.5 - y0) / (y1 - y0)) * 2 - 1;
      const gx = ((u + 1) * size - 1) / 2;
      const gy = ((v + 1) * size - 1) / 2;
      const i = Math.floor(gx);
      const j = Math.floor(gy);
      const [a, b] = [gx - i, gy - j];
      const value = at(i, j) * (1 - a) * (1 - b) + at(i + 1, j) * a * (1 - b) + at(i, j + 1) * (1 - a) * b + at(i + 1, j + 1) * a * b;
      out[y * width + x] = value >= 0.5 ? 1 : 0;
    }
  }
  return out;
}

describe('masks from probabilities', () => {
  it('thresholds within the rectangle only', () => {
    const data = Float32Array.from([9, 0.9, 0.1, 0.9, 0.9, 0.4, 0.9, 0.5, 0.49]);
    const field = { data, offset: 0, width: 3, height: 3 };
    const rle = thresholdField(field, { x0: 1, y0: 0, x1: 3, y1: 3 }, 0.5);
    expect(rle && [...decodeRle(rle).data]).toEqual([0, 1, 0, 0, 1, 0, 0, 1, 0]);
    expect(thresholdField(field, { x0: 2, y0: 0, x1: 3, y1: 3 }, 0.5)).toBeNull();
  });

  it('reads the mask at its offset', () => {
    const field = { data: Float32Array.from([0, 0, 0, 0, 1, 0, 0, 1]), offset: 4, width: 2, height: 2 };
    const rle = thresholdField(field, { x0: 0, y0: 0, x1: 2, y1: 2 }, 0.5);
    expect(rle && [...decodeRle(rle).data]).toEqual([1, 0, 0, 1]);
  });

  it.each([
    ['inside', [10.3, 7.8, 45.1, 33.6]],
    ['smaller than the grid', [20.2, 20.4, 29.9, 27.1]],
    ['over the border', [-12.5, -3.2, 30.7, 60.1]],
    ['of the whole image', [0, 0, 64, 48]],
    ['thinner than a pixel', [30.2, 5, 30.9, 40]],
  ])('pastes a 28 x 28 mask into a box %s as Detectron2 does', (_name, box) => {
    const grid = noise(28 * 28);
    const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = box;
    const corners = { x0, y0, x1, y1 };
    const rect = pixelRect(corners, (x1 - x0) / 28 + 1, (y1 - y0) / 28 + 1, 64, 48);
    const field = { data: grid, offset: 0, width: 28, height: 28 };
    const rle = pasteField(field, corners, rect, 64, 48, 0.5, 'zero');
    const expected = slowPaste(grid, 28, box, 64, 48);
    expect(rle ? decodeRle(rle).data : new Uint8Array(64 * 48)).toEqual(expected);
  });

  it('keeps the border of a mask of the whole image when it is enlarged', () => {
    const field = { data: new Float32Array(4 * 3).fill(1), offset: 0, width: 4, height: 3 };
    const whole = { x0: 0, y0: 0, x1: 40, y1: 30 };
    const rle = pasteField(field, whole, whole, 40, 30, 0.5, 'border');
    expect(rle && rleArea(rle)).toBe(1200);
  });

  it('answers nothing for a box without a size', () => {
    const field = { data: new Float32Array(4).fill(1), offset: 0, width: 2, height: 2 };
    for (const x1 of [5, 4, Number.NaN]) {
      const box = { x0: 5, y0: 5, x1, y1: 9 };
      expect(pasteField(field, box, { x0: 0, y0: 0, x1: 10, y1: 10 }, 10, 10, 0.5, 'zero')).toBeNull();
    }
  });
});

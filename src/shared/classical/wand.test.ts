import { describe, expect, it } from 'vitest';
import type { Rgb } from './raster.ts';
import { wand } from './wand.ts';

/** Digits as greys in steps of ten. */
function grey(rows: readonly string[]): Rgb {
  const width = rows[0]?.length ?? 0;
  return {
    width,
    height: rows.length,
    data: Uint8Array.from(
      rows
        .join('')
        .split('')
        .flatMap((digit) => Array<number>(3).fill(Number(digit) * 10)),
    ),
  };
}

function drawn(mask: Uint8Array, width: number): string[] {
  const rows: string[] = [];
  for (let i = 0; i < mask.length; i += width) rows.push(mask.subarray(i, i + width).join(''));
  return rows;
}

const picture = grey(['11911', '19191', '11912', '99993', '11114']);
const contiguous = { contiguous: true, connectivity: 4, distance: 'rgb' } as const;

describe('the magic wand', () => {
  it('takes what is connected over edges and near the colour of the click', () => {
    const mask = wand(picture, [{ x: 0, y: 0, adds: true, tolerance: 0 }], contiguous);
    expect(drawn(mask, 5)).toEqual(['11000', '10000', '11000', '00000', '00000']);
  });

  it('goes over corners too where asked', () => {
    const mask = wand(grey(['18', '81']), [{ x: 0, y: 0, adds: true, tolerance: 0 }], { ...contiguous, connectivity: 8 });
    expect(drawn(mask, 2)).toEqual(['10', '01']);
  });

  it('compares with the click, not from neighbour to neighbour', () => {
    const seed = { x: 4, y: 0, adds: true };
    expect(drawn(wand(picture, [{ ...seed, tolerance: 10 }], contiguous), 5)).toEqual(['00011', '00001', '00011', '00000', '00000']);
    expect(drawn(wand(picture, [{ ...seed, tolerance: 20 }], contiguous), 5)).toEqual(['00011', '00001', '00011', '00001', '00000']);
  });

  it('takes the colour everywhere where not contiguous, and takes away again', () => {
    const everywhere = { ...contiguous, contiguous: false };
    const first = { x: 0, y: 0, adds: true, tolerance: 0 };
    expect(drawn(wand(picture, [first], everywhere), 5)).toEqual(['11011', '10101', '11010', '00000', '11110']);
    const without = wand(picture, [first, { x: 0, y: 4, adds: false, tolerance: 5 }], contiguous);
    expect(drawn(without, 5)).toEqual(['11000', '10000', '11000', '00000', '00000']);
    expect(wand(picture, [first, { ...first, adds: false }], contiguous).includes(1)).toBe(false);
  });

  it('measures L*a*b* distances: a step of one of 8 bits is small, complementary colours are far', () => {
    const image: Rgb = { width: 3, height: 1, data: Uint8Array.of(100, 100, 100, 102, 100, 100, 100, 160, 100) };
    const lab = { contiguous: true, connectivity: 4, distance: 'lab' } as const;
    expect([...wand(image, [{ x: 0, y: 0, adds: true, tolerance: 2 }], lab)]).toEqual([1, 1, 0]);
    expect([...wand(image, [{ x: 0, y: 0, adds: true, tolerance: 100 }], lab)]).toEqual([1, 1, 1]);
  });

  it('is given up between its steps', () => {
    const stop = (): never => {
      throw new Error('given up');
    };
    const large: Rgb = { width: 1000, height: 600, data: new Uint8Array(1_800_000) };
    expect(() => wand(large, [{ x: 0, y: 0, adds: true, tolerance: 0 }], contiguous, stop)).toThrow('given up');
  });
});

import { describe, expect, it } from 'vitest';
import { decodeRle } from '../mask/rle.ts';
import { seededRandom } from '../scenes/random.ts';
import type { LabelMap } from './raster.ts';
import { boundedSize, shrink } from './raster.ts';
import { byArea, meanColours, mergeSmall, piecesOf, regionsOf } from './regions.ts';

function map(rows: readonly string[]): LabelMap {
  const width = rows[0]?.length ?? 0;
  return { width, height: rows.length, data: Uint16Array.from(rows.join(''), Number) };
}

function drawn({ width, data }: LabelMap): string[] {
  const rows: string[] = [];
  for (let i = 0; i < data.length; i += width) rows.push(data.subarray(i, i + width).join(''));
  return rows;
}

describe('regions', () => {
  it('finds connected pieces over edges and leaves label 0 alone', () => {
    const { of, labels, areas } = piecesOf(map(['1102', '0112', '2002']));
    expect(labels).toEqual([1, 2, 2]);
    expect(areas).toEqual([4, 3, 1]);
    expect([...of]).toEqual([0, 0, -1, 1, -1, 0, 0, 1, 2, -1, -1, 1]);
  });

  it('gives a small piece to the neighbour of the longest border, smallest first', () => {
    const merged = mergeSmall(map(['1111', '1231', '1221', '4441']), 3);
    // The 3 goes to the 2 around it, which is large enough then.
    expect(drawn(merged)).toEqual(['1111', '1221', '1221', '4441']);
  });

  it('gives a small piece to the neighbour that is nearest, where asked so', () => {
    const nearest = (a: number, b: number): number => Math.abs(a - b);
    expect(drawn(mergeSmall(map(['1111', '1781', '1991']), 2, undefined, nearest))).toEqual(['1111', '1881', '1991']);
  });

  it('numbers by area and drops what is beyond the most', () => {
    const { map: sorted, former } = byArea(map(['5557', '7337', '3370']), 2);
    expect(former).toEqual([0, 3, 7]);
    expect(drawn(sorted)).toEqual(['0002', '2112', '1120']);
  });

  it('makes masks that decode to the labels, over a window of a larger image', () => {
    const random = seededRandom(3);
    const labels: LabelMap = { width: 9, height: 7, data: Uint16Array.from({ length: 63 }, () => random.integer(0, 3)) };
    const regions = regionsOf(labels, { x: 2, y: 1, width: 9, height: 7 }, 12, 8);
    expect(regions.map(({ label }) => label)).toEqual([1, 2, 3]);
    for (const { label, rle, area, box } of regions) {
      const mask = decodeRle(rle);
      const expected = new Uint8Array(12 * 8);
      let [left, top, right, bottom] = [12, 8, -1, -1];
      labels.data.forEach((value, i) => {
        if (value !== label) return;
        const x = (i % 9) + 2;
        const y = Math.floor(i / 9) + 1;
        expected[y * 12 + x] = 1;
        [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
      });
      expect([...mask.data]).toEqual([...expected]);
      expect(area).toBe(expected.reduce((sum, value) => sum + value, 0));
      expect(box).toEqual([left, top, right - left + 1, bottom - top + 1]);
    }
  });

  it('joins runs over the foot of a column, and has the whole image as one run', () => {
    const [region] = regionsOf(map(['11', '11']), { x: 0, y: 0, width: 4, height: 4 }, 4, 4);
    expect(region?.area).toBe(16);
    expect(region?.box).toEqual([0, 0, 4, 4]);
    expect([...decodeRle(region!.rle).data]).toEqual(Array<number>(16).fill(1));
  });

  it('says the mean colour of each label', () => {
    const image = { width: 2, height: 1, data: Uint8Array.of(0, 10, 255, 255, 30, 255) };
    expect(meanColours(map(['11']), image).get(1)).toBe('#8014ff');
  });
});

describe('shrinking', () => {
  it('keeps the proportions within the bound', () => {
    expect(boundedSize(6000, 4000, 1_000_000)).toEqual({ width: 1225, height: 816 });
    expect(boundedSize(100, 50, 1_000_000)).toEqual({ width: 100, height: 50 });
  });

  it('takes the mean of what a pixel covers, parts of pixels by their part', () => {
    const source = { width: 4, height: 1, data: Uint8Array.from([0, 96, 24, 60].flatMap((value) => [value, value, value])) };
    const all = { x: 0, y: 0, width: 4, height: 1 };
    expect([...shrink(source, all, 2, 1).data]).toEqual([48, 48, 48, 42, 42, 42]);
    // A third of four pixels is 1⅓: the whole first and a third of the second.
    expect(shrink(source, all, 3, 1).data[0]).toBe(24);
    expect([...shrink(source, { x: 1, y: 0, width: 2, height: 1 }, 1, 1).data]).toEqual([60, 60, 60]);
  });
});

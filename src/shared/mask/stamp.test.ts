import { describe, expect, it } from 'vitest';
import { seededRandom } from '../scenes/random.ts';
import type { Bitmap } from './bitmap.ts';
import { bitmapArea, bitmapBox, cloneBitmap, emptyBitmap } from './bitmap.ts';
import { components, withoutSmallPieces } from './components.ts';
import { floodFillHoles, floodRegion, stampStroke } from './stamp.ts';

function drawn(...rows: string[]): Bitmap {
  const width = rows[0]?.length ?? 0;
  return { width, height: rows.length, data: Uint8Array.from(rows.join(''), (c) => (c === '#' ? 1 : 0)) };
}

function rows(bitmap: Bitmap): string[] {
  return Array.from({ length: bitmap.height }, (_, y) =>
    Array.from(bitmap.data.subarray(y * bitmap.width, (y + 1) * bitmap.width), (v) => (v ? '#' : '.')).join(''),
  );
}

/** Distance of a point from a segment. */
function distance(x: number, y: number, [x0, y0, x1, y1]: readonly [number, number, number, number]): number {
  const length = (x1 - x0) ** 2 + (y1 - y0) ** 2;
  const t = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length));
  return Math.hypot(x - x0 - t * (x1 - x0), y - y0 - t * (y1 - y0));
}

describe('stampStroke', () => {
  it('paints the pixels whose centres the disc holds', () => {
    const bitmap = emptyBitmap(5, 5);
    expect(stampStroke(bitmap, 2.5, 2.5, 2.5, 2.5, 1, 1)).toEqual({ x0: 1, y0: 1, x1: 4, y1: 4 });
    expect(rows(bitmap)).toEqual(['.....', '..#..', '.###.', '..#..', '.....']);
  });

  it('paints the pixel under the smallest brush wherever in it the pointer is', () => {
    const bitmap = emptyBitmap(5, 5);
    expect(stampStroke(bitmap, 3.95, 1.02, 3.95, 1.02, 0.1, 1)).toEqual({ x0: 3, y0: 1, x1: 4, y1: 2 });
    expect(bitmapArea(bitmap)).toBe(1);
  });

  it('paints and erases exactly the capsule, and reports what it covered', () => {
    for (let seed = 0; seed < 150; seed++) {
      const random = seededRandom(seed);
      const before = emptyBitmap(random.integer(5, 30), random.integer(5, 30));
      before.data.forEach((_, i) => (before.data[i] = random.chance(0.5) ? 1 : 0));
      const segment = [random.range(-5, 35), random.range(-5, 35), random.range(-5, 35), random.range(-5, 35)] as const;
      if (seed % 5 === 0) [before.data[0]] = [1];
      const radius = random.range(0.3, 9);
      const value = seed % 2 === 0 ? 1 : 0;
      const after = cloneBitmap(before);
      const dirty = stampStroke(after, ...segment, radius, value);
      for (let y = 0; y < after.height; y++) {
        for (let x = 0; x < after.width; x++) {
          const i = y * after.width + x;
          const inside = distance(x + 0.5, y + 0.5, segment) <= radius || (Math.floor(segment[0]) === x && Math.floor(segment[1]) === y);
          expect(after.data[i], `seed ${seed} at ${x}, ${y}`).toBe(inside ? value : before.data[i]);
          if (inside) expect(x >= dirty.x0 && x < dirty.x1 && y >= dirty.y0 && y < dirty.y1).toBe(true);
        }
      }
    }
  });

  it('paints straight lines along the axes as wide as the brush', () => {
    const flat = emptyBitmap(20, 9);
    stampStroke(flat, 5, 4.5, 15, 4.5, 1.5, 1);
    expect(bitmapBox(flat)).toEqual([3, 3, 14, 3]);
    const steep = emptyBitmap(9, 20);
    stampStroke(steep, 4.5, 15, 4.5, 5, 1.5, 1);
    expect(bitmapBox(steep)).toEqual([3, 3, 3, 14]);
  });

  it('changes nothing outside the bitmap', () => {
    const bitmap = emptyBitmap(4, 4);
    const dirty = stampStroke(bitmap, -20, -20, -20, 30, 3, 1);
    expect(bitmapArea(bitmap)).toBe(0);
    expect(dirty.x1 - dirty.x0).toBe(0);
  });
});

describe('holes', () => {
  it('fills what is closed over edges and leaves what is open', () => {
    const bitmap = drawn('#####.', '#..#.#', '#.##.#', '###.##', '......');
    expect(floodFillHoles(bitmap)).toEqual({ x0: 1, y0: 1, x1: 5, y1: 3 });
    expect(rows(bitmap)).toEqual(['#####.', '######', '######', '###.##', '......']);
  });

  it('leaves holes larger than asked', () => {
    const bitmap = drawn('######', '#..#.#', '######');
    floodFillHoles(bitmap, 1);
    expect(rows(bitmap)).toEqual(['######', '#..###', '######']);
  });
});

describe('components', () => {
  it('numbers pieces in reading order, over edges or corners too', () => {
    const bitmap = drawn('.##..', '#....', '#..##', '...#.');
    expect(components(bitmap, 4).list).toEqual([
      { id: 1, area: 2, box: [1, 0, 2, 1] },
      { id: 2, area: 2, box: [0, 1, 1, 2] },
      { id: 3, area: 3, box: [3, 2, 2, 2] },
    ]);
    expect(components(bitmap, 8).list.map(({ area }) => area)).toEqual([4, 3]);
  });

  it('finds the same pieces as flooding, one by one', () => {
    for (let seed = 0; seed < 60; seed++) {
      const random = seededRandom(seed);
      const bitmap = emptyBitmap(random.integer(1, 20), random.integer(1, 20));
      const share = random.next();
      bitmap.data.forEach((_, i) => (bitmap.data[i] = random.next() < share ? 1 : 0));
      const { ids, list } = components(bitmap, 4);
      const seen = new Uint8Array(bitmap.data.length);
      let pieces = 0;
      bitmap.data.forEach((value, i) => {
        if (!value || seen[i]) return;
        pieces++;
        const region = floodRegion(bitmap, i, seen);
        expect(new Set(region.map((at) => ids[at]))).toEqual(new Set([pieces]));
        expect(list[pieces - 1]?.area).toBe(region.length);
      });
      expect(list.length).toBe(pieces);
    }
  });

  it('drops small pieces and says how many', () => {
    const { bitmap, removed } = withoutSmallPieces(drawn('##.#', '##..', '...#'), 2);
    expect(rows(bitmap)).toEqual(['##..', '##..', '....']);
    expect(removed).toBe(2);
  });
});

import { describe, expect, it } from 'vitest';
import type { LabelMap, Rgb } from './raster.ts';
import { shrink } from './raster.ts';
import { upsample } from './upsample.ts';

const SIZE = 120;
const SCALE = 8;
const WINDOW = { x: 0, y: 0, width: SIZE, height: SIZE };

/** A disc whose border the small picture can only guess. */
function inside(x: number, y: number): boolean {
  return (x + 0.5 - 61) ** 2 + (y + 0.5 - 57) ** 2 < 37 ** 2;
}

function disc(): Rgb {
  const data = new Uint8Array(SIZE * SIZE * 3);
  for (let i = 0; i < SIZE * SIZE; i++) data.set(inside(i % SIZE, Math.floor(i / SIZE)) ? [190, 80, 60] : [70, 90, 120], i * 3);
  return { width: SIZE, height: SIZE, data };
}

const large = disc();
const small = shrink(large, WINDOW, SIZE / SCALE, SIZE / SCALE);
const map: LabelMap = {
  width: small.width,
  height: small.height,
  data: Uint16Array.from({ length: small.width * small.height }, (_, i) =>
    inside(((i % small.width) + 0.5) * SCALE, (Math.floor(i / small.width) + 0.5) * SCALE) ? 2 : 1,
  ),
};

function wrongPixels(labels: (x: number, y: number) => number): number {
  let wrong = 0;
  for (let y = 0; y < SIZE; y++) for (let x = 0; x < SIZE; x++) if (labels(x, y) !== (inside(x, y) ? 2 : 1)) wrong++;
  return wrong;
}

describe('borders at full size', () => {
  it('follow the colours of the full picture instead of the blocks of the small one', () => {
    const nearest = wrongPixels((x, y) => map.data[Math.floor(y / SCALE) * map.width + Math.floor(x / SCALE)]!);
    const { data } = upsample(map, small, large, WINDOW, 2, () => undefined);
    const ours = wrongPixels((x, y) => data[y * SIZE + x]!);
    expect(nearest).toBeGreaterThan(300);
    expect(ours).toBeLessThan(nearest / 20);
  });

  it('leave flat labels as they are, and have the size of the window', () => {
    const flat = { ...map, data: new Uint16Array(map.data.length).fill(5) };
    const part = { x: 40, y: 16, width: 50, height: 31 };
    const out = upsample(flat, small, large, part, 1, () => undefined);
    expect([out.width, out.height]).toEqual([50, 31]);
    expect(new Set(out.data)).toEqual(new Set([5]));
  });
});

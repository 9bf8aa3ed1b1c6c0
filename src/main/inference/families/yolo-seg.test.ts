import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { decodeRle } from '../../../shared/mask/rle.ts';
import type { YoloSegManifest } from '../manifest.ts';
import { parseManifest } from '../manifest.ts';
import { suppressed } from './boxes.ts';
import type { InputTransform, OutputTensor } from './family.ts';
import { prototypeMask } from './prototypes.ts';
import { sampleLinear } from './sample-linear.ts';
import { yoloSeg } from './yolo-seg.ts';

const path = fileURLToPath(new URL('../../../../models/catalog/yolo11n-seg/manifest.json', import.meta.url));
const published = JSON.parse(readFileSync(path, 'utf8')) as Record<string, object>;

/** A YOLO of three classes, with an input of 64 x 64. */
function manifest(variant: 'v8' | 'v5' = 'v8', change: object = {}): YoloSegManifest {
  const fit = { mode: 'letterbox', width: 64, height: 64, align: 'center', pad: [114, 114, 114] };
  const input = { ...published['input'], fit };
  const parsed = parseManifest(JSON.stringify({ ...published, variant, input, labels: ['ant', 'bee', 'cow'], ...change }), 'm.json');
  if (parsed.family !== 'yolo-seg') throw new Error('not a YOLO');
  return parsed;
}

/** A pseudo-random sequence between 0 and 1 that is the same everywhere. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const picture = (width: number, height: number): { width: number; height: number; data: Uint8Array } => {
  const next = sequence(width * 1000 + height);
  return { width, height, data: Uint8Array.from({ length: width * height * 3 }, () => Math.floor(next() * 256)) };
};

describe('the input of a YOLO', () => {
  it('is a letterbox: rounded sizes, of an odd rest the smaller half above, 114 around', () => {
    // 100 x 41 on 64: 64 x 26.24, so 26 rows; 38 are left, 19 above. 100 x 43: 27.52, 28 rows, 36 left.
    for (const [height, rows, above] of [
      [41, 26, 19],
      [43, 28, 18],
      [45, 29, 17],
    ] as const) {
      const image = picture(100, height);
      const { feeds, transform } = yoloSeg.prepare(manifest(), image, image);
      expect(transform).toMatchObject({ inputWidth: 64, inputHeight: rows, offsetX: 0, offsetY: above, scaleX: 0.64 });
      const { dims, data } = feeds['images'] ?? { dims: [], data: new Float32Array() };
      expect(dims).toEqual([1, 3, 64, 64]);
      const small = sampleLinear(image.data, 100, height, 64, rows);
      for (const [c, x, y] of [
        [0, 5, above - 1],
        [2, 63, above + rows],
      ] as const) {
        expect(data[c * 4096 + y * 64 + x]).toBeCloseTo(114 / 255, 6);
      }
      for (let k = 0; k < 200; k++) {
        const [c, x, y] = [k % 3, (k * 7) % 64, k % rows];
        expect(data[c * 4096 + (y + above) * 64 + x]).toBeCloseTo((small[(y * 64 + x) * 3 + c] ?? 0) / 255, 6);
      }
    }
  });

  it('is sampled at the two nearest pixels each way, whatever the reduction', () => {
    const [from, to] = [
      [101, 57],
      [40, 90],
    ] as const;
    const { data } = picture(from[0], from[1]);
    const found = sampleLinear(data, from[0], from[1], to[0], to[1]);
    for (let y = 0; y < to[1]; y++) {
      for (let x = 0; x < to[0]; x++) {
        const u = Math.min(from[0] - 1, Math.max(0, ((x + 0.5) * from[0]) / to[0] - 0.5));
        const v = Math.min(from[1] - 1, Math.max(0, ((y + 0.5) * from[1]) / to[1] - 0.5));
        const [i, j] = [Math.floor(u), Math.floor(v)];
        const at = (column: number, row: number): number =>
          data[(Math.min(from[1] - 1, row) * from[0] + Math.min(from[0] - 1, column)) * 3 + 1] ?? 0;
        const upper = at(i, j) * (1 - u + i) + at(i + 1, j) * (u - i);
        const lower = at(i, j + 1) * (1 - u + i) + at(i + 1, j + 1) * (u - i);
        expect(Math.abs((found[(y * to[0] + x) * 3 + 1] ?? 0) - (upper * (1 - v + j) + lower * (v - j)))).toBeLessThan(0.7);
      }
    }
  });
});

/** `[1, 4 + 3 + 2, n]`: boxes around a centre, scores of three classes, two coefficients. */
function predictions(rows: readonly (readonly number[])[]): OutputTensor {
  const n = rows.length;
  const data = new Float32Array(9 * n);
  for (const [i, row] of rows.entries()) for (const [k, value] of row.entries()) data[k * n + i] = value;
  return { dims: [1, 9, n], data };
}

/** Two prototypes on 16 x 16 cells: positive left of the middle, positive above it. */
function prototypes(): OutputTensor {
  const data = new Float32Array(2 * 256);
  for (let y = 0; y < 16; y++) {
    for (let x = 0; x < 16; x++) {
      data[y * 16 + x] = x < 8 ? 1 : -1;
      data[256 + y * 16 + x] = y < 8 ? 1 : -1;
    }
  }
  return { dims: [1, 2, 16, 16], data };
}

const square: InputTransform = yoloSeg.prepare(manifest(), picture(64, 64), { width: 64, height: 64 }).transform;

describe('the answer of a YOLO', () => {
  it('has for each object its best class, box and mask in image pixels', () => {
    const rows = [
      [32, 32, 40, 20, 0.1, 0.8, 0.3, 1, 0],
      [10, 50, 8, 8, 0.6, 0.2, 0, -1, 0],
      [40, 10, 12, 12, 0.04, 0, 0, 1, 1],
    ];
    const found = yoloSeg.decode(manifest(), { output0: predictions(rows), output1: prototypes() }, square);
    // The second has no pixel, since nothing of its box is right of the middle; the third is below `keep`.
    expect(found.map(({ label, box }) => [label, box])).toEqual([['bee', [12, 22, 40, 20]]]);
    expect(found[0]?.score).toBeCloseTo(0.8, 6);
    const { data } = decodeRle(found[0]?.rle ?? { size: [1, 1], counts: '' });
    // Left half of the box: columns 12 to 31, rows 22 to 41.
    for (let y = 0; y < 64; y++) {
      for (let x = 0; x < 64; x++) expect(data[y * 64 + x]).toBe(x >= 12 && x < 32 && y >= 22 && y < 42 ? 1 : 0);
    }
  });

  it('keeps the best of boxes that overlap in one class, and the most that it may', () => {
    const rows = [
      [20, 20, 20, 20, 0.7, 0, 0, 1, 0],
      [21, 20, 20, 20, 0.9, 0, 0, 1, 0],
      [21, 21, 20, 20, 0, 0.8, 0, 1, 0],
      [20, 50, 20, 20, 0.5, 0, 0, 1, 0],
    ];
    const outputs = { output0: predictions(rows), output1: prototypes() };
    const scores = (change: object): number[] =>
      yoloSeg.decode(manifest('v8', change), outputs, square).map((i) => Math.round(i.score * 10) / 10);
    expect(scores({})).toEqual([0.9, 0.8, 0.5]);
    expect(scores({ nms: { iou: 0.7, maxInstances: 2 } })).toEqual([0.9, 0.8]);
    expect(scores({ nms: { iou: 0.95, maxInstances: 300 } })).toEqual([0.9, 0.8, 0.7, 0.5]);
  });

  it('is the same from the signature of v5, where objectness is apart', () => {
    const rows = [
      [32, 32, 40, 20, 0.9, 0.1, 0.8, 0.3, 1, 0],
      [32, 32, 40, 20, 0.01, 1, 1, 1, 1, 0],
    ];
    const output0 = { dims: [1, 2, 10], data: Float32Array.from(rows.flat()) };
    const [found, ...rest] = yoloSeg.decode(manifest('v5'), { output0, output1: prototypes() }, square);
    expect(rest).toEqual([]);
    expect(found).toMatchObject({ label: 'bee', box: [12, 22, 40, 20] });
    expect(found?.score).toBeCloseTo(0.72, 6);
  });

  it('of another shape is refused by name', () => {
    const good = { output0: predictions([]), output1: prototypes() };
    const other = manifest('v8', { labels: ['ant', 'bee'] });
    expect(() => yoloSeg.decode(other, good, square)).toThrow(
      'yolo11n-seg: output "output0" is 1 × 9 × 0; a v8 YOLO of 2 classes gives 1 × 8 × any.',
    );
    expect(() => yoloSeg.decode(manifest(), { output1: good.output1 }, square)).toThrow('has no output "output0"');
    const whole = { dims: [1, 2, 16, 16], data: new BigInt64Array(512) };
    expect(() => yoloSeg.decode(manifest(), { ...good, output1: whole }, square)).toThrow('output "output1" is not float32');
  });
});

describe('a mask of prototypes', () => {
  /** Every pixel by itself, from the definition. */
  function plainly(side: number, coefficients: Float32Array, data: Float32Array, box: number[], t: InputTransform): Uint8Array {
    const mask = new Uint8Array(t.imageWidth * t.imageHeight);
    const bounds = (offset: number, size: number, padded: number): [number, number] => {
      const first = Math.round((offset * side) / padded);
      return [first, Math.max(first, Math.round(((offset + size) * side) / padded) - 1)];
    };
    const [left, right] = bounds(t.offsetX, t.inputWidth, t.paddedWidth);
    const [top, bottom] = bounds(t.offsetY, t.inputHeight, t.paddedHeight);
    for (let y = 0; y < t.imageHeight; y++) {
      for (let x = 0; x < t.imageWidth; x++) {
        const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = box;
        if (x + 0.5 < x0 || x + 0.5 >= x1 || y + 0.5 < y0 || y + 0.5 >= y1) continue;
        const u = Math.min(right, Math.max(left, (((x + 0.5) * t.scaleX + t.offsetX) * side) / t.paddedWidth - 0.5));
        const v = Math.min(bottom, Math.max(top, (((y + 0.5) * t.scaleY + t.offsetY) * side) / t.paddedHeight - 0.5));
        const [i, j] = [Math.floor(u), Math.floor(v)];
        const at = (column: number, row: number): number => {
          let sum = 0;
          for (const [k, weight] of coefficients.entries()) {
            sum = Math.fround(
              sum + Math.fround(weight * (data[(k * side + Math.min(side - 1, row)) * side + Math.min(side - 1, column)] ?? 0)),
            );
          }
          return sum;
        };
        const upper = at(i, j) * (1 - u + i) + at(i + 1, j) * (u - i);
        const lower = at(i, j + 1) * (1 - u + i) + at(i + 1, j + 1) * (u - i);
        mask[y * t.imageWidth + x] = upper * (1 - v + j) + lower * (v - j) > 0 ? 1 : 0;
      }
    }
    return mask;
  }

  it.each([
    [64, 64],
    [100, 41],
    [37, 90],
    [300, 211],
    [9, 500],
    [3, 2],
  ])('of an image of %i × %i is what its definition says of every pixel', (width, height) => {
    const next = sequence(width * height);
    const t = yoloSeg.prepare(manifest(), picture(width, height), { width, height }).transform;
    let pixels = 0;
    for (let round = 0; round < 6; round++) {
      const side = 16;
      const data = Float32Array.from({ length: 4 * side * side }, () => next() * 2 - 1);
      const coefficients = Float32Array.from({ length: 4 }, () => next() * 2 - 1);
      const [a, b, c, d] = [next() * width, next() * width, next() * height, next() * height];
      const box = round === 0 ? [0, 0, width, height] : [Math.min(a, b), Math.min(c, d), Math.max(a, b), Math.max(c, d)];
      const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = box;
      const found = prototypeMask({ count: 4, width: side, height: side, data }, coefficients, { x0, y0, x1, y1 }, t, 0);
      const expected = plainly(side, coefficients, data, box, t);
      const mask = found === null ? new Uint8Array(width * height) : decodeRle(found).data;
      let differ = 0;
      for (let i = 0; i < mask.length; i++) if (mask[i] !== expected[i]) differ++;
      // A value that is zero but for the last bit may fall on either side.
      expect(differ).toBeLessThanOrEqual(1);
      pixels += expected.reduce((sum, value) => sum + value, 0);
    }
    expect(pixels).toBeGreaterThan(0);
  });

  it('is none where the box holds no pixel’s centre', () => {
    const box = { x0: 3.6, y0: 3.6, x1: 4.4, y1: 9 };
    expect(prototypeMask({ count: 1, width: 1, height: 1, data: Float32Array.of(1) }, Float32Array.of(1), box, square, 0)).toBeNull();
  });
});

it('suppresses by class, best first, and leaves the earlier of two equals', () => {
  const box = { x0: 0, y0: 0, x1: 10, y1: 10, label: 0 };
  const half = { x0: 0, y0: 5, x1: 10, y1: 15, label: 0 };
  expect(
    suppressed(
      [
        { ...box, score: 0.5, name: 'a' },
        { ...box, score: 0.5, name: 'b' },
        { ...half, score: 0.4, name: 'c' },
      ],
      0.34,
      9,
    ),
  ).toMatchObject([{ name: 'a' }, { name: 'c' }]);
  expect(
    suppressed(
      [
        { ...box, score: 0.5 },
        { ...half, score: 0.4 },
      ],
      0.33,
      9,
    ),
  ).toHaveLength(1);
});

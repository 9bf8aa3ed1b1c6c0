import { describe, expect, it } from 'vitest';
import { AppError } from '../../../shared/errors.ts';
import { decodeRle } from '../../../shared/mask/rle.ts';
import type { SemanticManifest } from '../manifest.ts';
import { parseManifest } from '../manifest.ts';
import type { InputTransform, OutputTensor } from './family.ts';
import { FAMILIES } from './families.ts';
import { decodeRegions, semantic } from './semantic.ts';

const base = {
  format: 1,
  id: 'seg',
  name: 'Seg',
  version: '1',
  family: 'semantic',
  variant: 'logits',
  file: { path: 'model.onnx', bytes: 1, sha256: '0'.repeat(64) },
  input: {
    name: 'image',
    layout: 'nchw',
    color: 'rgb',
    range: 1,
    mean: [0, 0, 0],
    std: [1, 1, 1],
    fit: { mode: 'stretch', width: 16, height: 16 },
  },
  outputs: { map: 'out' },
  map: { layout: 'nchw', alignCorners: false },
  labels: ['background', 'cat', 'dog'],
  background: ['background'],
  regions: { mode: 'components', minArea: 0 },
  thresholds: { score: 0.5, keep: 0 },
  license: 'MIT',
  source: 'test',
  goldens: [],
};

function manifestOf(over: object = {}): SemanticManifest {
  const manifest = parseManifest(JSON.stringify({ ...base, ...over }), 'seg/manifest.json');
  if (manifest.family !== 'semantic') throw new Error('is not semantic');
  return manifest;
}

/** The whole input is the picture, and the image has the input's size. */
function plain(width: number, height: number): InputTransform {
  return {
    imageWidth: width,
    imageHeight: height,
    inputWidth: width,
    inputHeight: height,
    scaleX: 1,
    scaleY: 1,
    offsetX: 0,
    offsetY: 0,
    paddedWidth: width,
    paddedHeight: height,
  };
}

function rgb(width: number, height: number, colour: readonly number[]): { width: number; height: number; data: Uint8Array } {
  return { width, height, data: Uint8Array.from({ length: width * height * 3 }, (_, i) => colour[i % 3] ?? 0) };
}

function masks(found: readonly { label: string; rle: Parameters<typeof decodeRle>[0] }[]): [string, string][] {
  return found.map(({ label, rle }) => [label, [...decodeRle(rle).data].join('')]);
}

function floats(dims: number[], values: readonly number[]): Record<string, OutputTensor> {
  return { out: { dims, data: Float32Array.from(values) } };
}

describe('a semantic manifest', () => {
  it.each([
    [{ background: ['sky'] }, 'background: names "sky", which is no label'],
    [{ background: ['background', 'cat', 'dog'] }, 'leaves no label'],
    [{ variant: 'sigmoid', thresholds: { score: 0.5, keep: 0, mask: 0.5 } }, 'labels: has 3 names'],
    [{ variant: 'sigmoid', labels: ['cat'], background: [] }, 'thresholds.mask: is missing'],
    [{ thresholds: { score: 0.5, keep: 0, mask: 0.5 } }, 'thresholds.mask: has no meaning'],
    [{ thresholds: { score: 0.2, keep: 0.5 } }, 'thresholds.keep: is 0.5, above'],
    [{ labels: ['background', 'cat', 'cat'] }, 'labels: has "cat" twice'],
    [{ labelOffset: 1 }, 'labelOffset: unknown key'],
    [{ map: { layout: 'nchw' } }, 'map.alignCorners'],
    [{ family: 'panoptic' }, 'family'],
  ])('refuses %j', (over, message) => {
    expect(() => manifestOf(over)).toThrow(message);
  });

  it('is not taken for a Mask R-CNN', () => {
    expect(() => FAMILIES['mask-rcnn'].decodeLimit(manifestOf())).toThrow('is a semantic model, not a mask-rcnn one');
  });
});

describe('what goes in', () => {
  const normal = { ...base.input, range: 1, mean: [0.5, 0.5, 0.5], std: [0.5, 0.25, 0.5] };

  it('is stretched, in planes, normalised', () => {
    const image = rgb(8, 4, [255, 127.5, 0]);
    const { feeds, transform } = semantic.prepare(
      manifestOf({ input: { ...normal, fit: { mode: 'stretch', width: 16, height: 32 } } }),
      image,
      image,
    );
    const input = feeds['image'];
    expect(input?.dims).toEqual([1, 3, 32, 16]);
    expect(transform).toMatchObject({ scaleX: 2, scaleY: 8, offsetX: 0, offsetY: 0, paddedWidth: 16, paddedHeight: 32 });
    expect(input?.data[0]).toBe(1);
    expect(input?.data[512]).toBeCloseTo((127 / 255 - 0.5) / 0.25, 6);
    expect(input?.data[1535]).toBe(-1);
  });

  it('is interleaved for NHWC, and in the order of colours that the manifest says', () => {
    const image = rgb(16, 16, [10, 20, 30]);
    const input = { ...base.input, layout: 'nhwc', color: 'bgr', range: 255 };
    const fed = semantic.prepare(manifestOf({ input }), image, image).feeds['image'];
    expect(fed?.dims).toEqual([1, 16, 16, 3]);
    expect([...(fed?.data.subarray(0, 6) ?? [])]).toEqual([30, 20, 10, 30, 20, 10]);
  });

  it('is letterboxed around its middle, the rest in the pad colour', () => {
    const image = rgb(8, 4, [255, 0, 0]);
    const fit = { mode: 'letterbox', width: 16, height: 16, align: 'center', pad: [0, 127.5, 255] };
    const { feeds, transform } = semantic.prepare(manifestOf({ input: { ...normal, fit } }), image, image);
    expect(transform).toMatchObject({ inputWidth: 16, inputHeight: 8, offsetX: 0, offsetY: 4, paddedWidth: 16, paddedHeight: 16 });
    const red = feeds['image']?.data.subarray(0, 256) ?? new Float32Array();
    expect([red[0], red[4 * 16 - 1], red[4 * 16], red[12 * 16 - 1], red[12 * 16]]).toEqual([-1, -1, 1, 1, -1]);
    expect(feeds['image']?.data[256]).toBe(0);
    const start = semantic.prepare(manifestOf({ input: { ...normal, fit: { ...fit, align: 'start' } } }), image, image);
    expect(start.transform).toMatchObject({ offsetX: 0, offsetY: 0 });
  });

  it('is padded right and below to a multiple', () => {
    const fit = { mode: 'native', maxPixels: 10_000, padMultiple: 8, pad: [0, 0, 0] };
    const image = rgb(10, 9, [255, 255, 255]);
    const { feeds, transform } = semantic.prepare(manifestOf({ input: { ...base.input, fit } }), image, { width: 20, height: 18 });
    expect(feeds['image']?.dims).toEqual([1, 3, 16, 16]);
    expect(transform).toMatchObject({ scaleX: 0.5, inputWidth: 10, inputHeight: 9, paddedWidth: 16 });
    expect(feeds['image']?.data.reduce((sum, v) => sum + v, 0)).toBe(3 * 90);
    const short = { mode: 'short-side', shortSide: 18, longSide: 30, padMultiple: 16, pad: [0, 0, 0] };
    expect(semantic.prepare(manifestOf({ input: { ...base.input, fit: short } }), image, image).transform).toMatchObject({
      inputWidth: 20,
      inputHeight: 18,
      paddedWidth: 32,
      paddedHeight: 32,
    });
  });
});

describe('what comes out', () => {
  const planes = [
    [2, 2, 0, 0, 0, 0, 0, 2],
    [0, 0, 3, 0, 0, 0, 0, 0],
    [0, 0, 0, 1, 0, 1, 1, 0],
  ];

  it('is the largest logit of each pixel, by 8-connected pieces, with the mean probability', () => {
    const found = semantic.decode(manifestOf(), floats([1, 3, 2, 4], planes.flat()), plain(4, 2));
    // The cell of three equal logits goes to the first, the background.
    expect(masks(found)).toEqual([
      ['cat', '00100000'],
      ['dog', '00010110'],
    ]);
    expect(found.map((instance) => instance.box)).toEqual([
      [2, 0, 1, 1],
      [1, 0, 3, 2],
    ]);
    expect(found[0]?.score).toBeCloseTo(Math.exp(3) / (Math.exp(3) + 2), 4);
    expect(found[1]?.score).toBeCloseTo(Math.E / (Math.E + 2), 4);
  });

  it('is the same from NHWC, from probabilities and from numbers of classes', () => {
    const nhwc = Array.from({ length: 24 }, (_, i) => planes[i % 3]?.[Math.floor(i / 3)] ?? 0);
    const expected = [
      ['cat', '00100000'],
      ['dog', '00010110'],
    ];
    const wide = { layout: 'nhwc', alignCorners: false };
    expect(masks(semantic.decode(manifestOf({ map: wide }), floats([1, 2, 4, 3], nhwc), plain(4, 2)))).toEqual(expected);
    const probable = semantic.decode(
      manifestOf({ variant: 'probabilities' }),
      floats(
        [1, 3, 2, 4],
        planes.flat().map((v) => v / 4),
      ),
      plain(4, 2),
    );
    expect(masks(probable)).toEqual(expected);
    expect(probable[1]?.score).toBeCloseTo(0.25, 4);
    const numbers = { out: { dims: [1, 2, 4], data: BigInt64Array.from([0n, 0n, 1n, 2n, 0n, 2n, 2n, 0n]) } };
    const argmax = semantic.decode(manifestOf({ variant: 'argmax' }), numbers, plain(4, 2));
    expect(masks(argmax)).toEqual(expected);
    expect(argmax.map((instance) => instance.score)).toEqual([1, 1]);
  });

  it('is one region for each class where that is wanted', () => {
    const map = { out: { dims: [1, 1, 5], data: Int32Array.from([1, 0, 1, 2, 1]) } };
    const manifest = manifestOf({ variant: 'argmax' });
    expect(masks(semantic.decode(manifest, map, plain(5, 1))).map(([label]) => label)).toEqual(['cat', 'cat', 'cat', 'dog']);
    expect(masks(decodeRegions(manifest, map, plain(5, 1), 'class'))).toEqual([
      ['cat', '10101'],
      ['dog', '00010'],
    ]);
    const asked = manifestOf({ variant: 'argmax', regions: { mode: 'class', minArea: 2 } });
    expect(masks(semantic.decode(asked, map, plain(5, 1)))).toEqual([['cat', '10101']]);
  });

  it('leaves out what is too small, in pixels of the input, and what is too improbable', () => {
    const manifest = manifestOf({ variant: 'argmax', regions: { mode: 'components', minArea: 2 } });
    const map = { out: { dims: [1, 1, 4], data: Int32Array.from([1, 0, 2, 2]) } };
    expect(masks(semantic.decode(manifest, map, plain(4, 1)))).toEqual([['dog', '0011']]);
    // An image twice as large in each direction: one cell is four of its pixels, but still one of the input's.
    const twice = { ...plain(4, 1), imageWidth: 8, imageHeight: 2, scaleX: 0.5, scaleY: 0.5 };
    expect(masks(semantic.decode(manifest, map, twice))).toEqual([['dog', '0000111100001111']]);
    const sure = manifestOf({ thresholds: { score: 0.9, keep: 0.9 } });
    expect(masks(semantic.decode(sure, floats([1, 3, 2, 4], planes.flat()), plain(4, 2)))).toEqual([['cat', '00100000']]);
  });

  it('is interpolated before the largest is taken', () => {
    const two = manifestOf({ labels: ['background', 'cat'] });
    // The difference cat - background runs from -1 to 3: zero at a quarter of the way between the cells' centres.
    const out = floats([1, 2, 1, 2], [1, 0, 0, 3]);
    const areas = { ...plain(8, 1), scaleX: 1 };
    expect(masks(semantic.decode(two, out, areas))).toEqual([['cat', '00011111']]);
    // Corner cells on the corner pixels: a quarter of 7 pixels is 1.75.
    const corners = manifestOf({ labels: ['background', 'cat'], map: { layout: 'nchw', alignCorners: true } });
    expect(masks(semantic.decode(corners, out, areas))).toEqual([['cat', '00111111']]);
  });

  it('agrees with interpolating and comparing every class at every pixel', () => {
    const [w, h, c, gw, gh] = [37, 23, 5, 6, 4];
    let state = 7;
    const values = Array.from({ length: c * gw * gh }, () => (state = (state * 48271) % 2147483647) / 2147483647);
    const manifest = manifestOf({ labels: ['a', 'b', 'c', 'd', 'e'], background: [], variant: 'logits' });
    const t = {
      ...plain(w, h),
      inputWidth: 24,
      inputHeight: 14,
      scaleX: 24 / w,
      scaleY: 14 / h,
      offsetX: 4,
      offsetY: 1,
      paddedWidth: 32,
      paddedHeight: 16,
    };
    const got = decodeRegions(manifest, floats([1, c, gh, gw], values), t, 'class');
    const clamp = (v: number, most: number): number => Math.min(most, Math.max(0, v));
    const at = (k: number, y: number, x: number): number => Math.fround(values[(k * gh + y) * gw + x] ?? 0);
    const expected = Array.from({ length: w * h }, (_, i) => {
      const gx = clamp((((i % w) + 0.5) * t.scaleX + 4) * (gw / 32) - 0.5, gw - 1);
      const gy = clamp(((Math.floor(i / w) + 0.5) * t.scaleY + 1) * (gh / 16) - 0.5, gh - 1);
      const [x, y] = [Math.min(gw - 2, Math.floor(gx)), Math.min(gh - 2, Math.floor(gy))];
      const [u, v] = [gx - x, gy - y];
      const scores = Array.from(
        { length: c },
        (_, k) => (at(k, y, x) * (1 - v) + at(k, y + 1, x) * v) * (1 - u) + (at(k, y, x + 1) * (1 - v) + at(k, y + 1, x + 1) * v) * u,
      );
      return manifest.labels[scores.indexOf(Math.max(...scores))];
    });
    for (const [label, mask] of masks(got)) expect(mask).toBe(expected.map((e) => (e === label ? 1 : 0)).join(''));
    expect(got.length).toBe(new Set(expected).size);
  });

  it('is foreground from the threshold on for one channel, as probability or logit', () => {
    const one = { labels: ['nucleus'], background: [], thresholds: { score: 0.5, keep: 0, mask: 0.6 } };
    const probable = semantic.decode(manifestOf({ ...one, variant: 'sigmoid' }), floats([1, 1, 1, 4], [0.2, 0.6, 0.9, 0.59]), plain(4, 1));
    // 0.6 as float32 is a hair above 0.6.
    expect(masks(probable)).toEqual([['nucleus', '0110']]);
    expect(probable[0]?.score).toBeCloseTo(0.75, 4);
    const logits = semantic.decode(manifestOf({ ...one, variant: 'sigmoid-logits' }), floats([1, 1, 4], [-3, 0.41, 2, 0.4]), plain(4, 1));
    expect(masks(logits)).toEqual([['nucleus', '0110']]);
  });

  it('says what is wrong with an output', () => {
    const fails = (outputs: Record<string, OutputTensor>, over: object, message: RegExp): void => {
      expect(() => semantic.decode(manifestOf(over), outputs, plain(4, 2))).toThrow(AppError);
      expect(() => semantic.decode(manifestOf(over), outputs, plain(4, 2))).toThrow(message);
    };
    fails({}, {}, /no output "out"/);
    fails(floats([1, 2, 2, 4], new Array<number>(16).fill(0)), {}, /is 1 × 2 × 2 × 4; the manifest's 3 labels/);
    fails({ out: { dims: [1, 3, 1, 1], data: Int32Array.from([0, 0, 0]) } }, {}, /is not float32/);
    fails({ out: { dims: [1, 1, 1], data: Int32Array.from([3]) } }, { variant: 'argmax' }, /has class 3; the manifest names 3 labels/);
  });
});

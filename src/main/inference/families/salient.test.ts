import { expect, it } from 'vitest';
import { decodeRle } from '../../../shared/mask/rle.ts';
import type { SalientManifest } from '../manifest.ts';
import { parseManifest } from '../manifest.ts';
import type { OutputTensor } from './family.ts';
import { FAMILIES } from './families.ts';
import { salient } from './salient.ts';

const base = {
  format: 1,
  id: 'matting',
  name: 'Matting',
  version: '1',
  family: 'salient',
  variant: 'probabilities',
  file: { path: 'model.onnx', bytes: 1, sha256: '0'.repeat(64) },
  input: {
    name: 'image',
    color: 'rgb',
    range: 1,
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
    fit: { mode: 'stretch', width: 16, height: 16 },
  },
  outputs: { alpha: 'alpha' },
  labels: ['foreground'],
  regions: { mode: 'components', minArea: 0 },
  thresholds: { score: 0.5, keep: 0, mask: 0.5 },
  license: 'MIT',
  source: 'test',
  goldens: [],
};

function manifestOf(over: object = {}): SalientManifest {
  const manifest = parseManifest(JSON.stringify({ ...base, ...over }), 'matting/manifest.json');
  if (manifest.family !== 'salient') throw new Error('is not salient');
  return manifest;
}

const image = { width: 32, height: 16, data: new Uint8Array(32 * 16 * 3).fill(255) };
const { feeds, transform } = salient.prepare(manifestOf(), image, image);

/** 16 x 8 cells: all in left of column 4, all out beyond column 8, half in between; and one cell in the far corner. */
function map(logits = false): OutputTensor {
  const data = Float32Array.from({ length: 128 }, (_, i) => (i % 16 < 4 || i === 127 ? 1 : i % 16 < 8 ? 0.5 : 0));
  return { dims: [1, 1, 8, 16], data: logits ? data.map((value) => (value === 1 ? 40 : value === 0 ? -40 : 0)) : data };
}

it('takes the picture as semantic models do', () => {
  expect(feeds['image']?.dims).toEqual([1, 3, 16, 16]);
  expect(feeds['image']?.data.every((value) => value === 1)).toBe(true);
});

it('answers the map at the image’s size as alpha, from probabilities and from logits', () => {
  for (const [variant, logits] of [
    ['probabilities', false],
    ['logits', true],
  ] as const) {
    const manifest = manifestOf({ variant });
    const alpha = salient.alpha?.(manifest, { alpha: map(logits) }, transform) ?? new Uint8Array();
    expect(alpha).toHaveLength(32 * 16);
    // Cell 3 ends at pixel 8, and its centre is 7: between the centres of two cells the values are mixed.
    const row = [...alpha.subarray(0, 32)];
    expect(row.slice(0, 7)).toEqual(new Array(7).fill(255));
    if (!logits) expect(row.slice(7, 9)).toEqual([Math.round(255 * 0.875), Math.round(255 * 0.625)]);
    expect(row.slice(9, 15)).toEqual(new Array(6).fill(128));
    expect(row.slice(18)).toEqual(new Array(14).fill(0));
  }
});

it('answers pieces above the threshold, or all of them as one where the user wants that', () => {
  const outputs = { alpha: map() };
  const pieces = FAMILIES.salient.decode(manifestOf(), outputs, transform);
  expect(pieces.map(({ label, box }) => [label, box])).toEqual([
    ['foreground', [0, 0, 15, 16]],
    ['foreground', [30, 14, 2, 2]],
  ]);
  const [one, ...rest] = FAMILIES.salient.decode(manifestOf(), outputs, transform, { regions: 'class' });
  expect(rest).toEqual([]);
  expect(decodeRle(one?.rle ?? { size: [1, 1], counts: '' }).data.reduce((sum, value) => sum + value, 0)).toBe(15 * 16 + 4);
});

it('knows no other option and no other value', () => {
  const decode = (options: Readonly<Record<string, string>>): unknown =>
    FAMILIES.salient.decode(manifestOf(), { alpha: map() }, transform, options);
  expect(() => decode({ size: '3' })).toThrow('matting: a salient model has no option "size" (it has: regions).');
  expect(() => decode({ regions: 'all' })).toThrow('matting: the option "regions" is "all"; it can be "components" or "class".');
  expect(() => FAMILIES['mask-rcnn'].decode(manifestOf(), {}, transform, { regions: 'class' })).toThrow(
    'a mask-rcnn model has no option "regions" (it has: none)',
  );
});

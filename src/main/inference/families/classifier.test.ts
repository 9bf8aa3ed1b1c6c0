import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ClassifierManifest } from '../manifest.ts';
import { parseManifest } from '../manifest.ts';
import { classifier } from './classifier.ts';
import { FAMILIES } from './families.ts';

const base = {
  format: 1,
  id: 'tagger',
  name: 'Tagger',
  version: '1',
  family: 'classifier',
  variant: 'logits',
  file: { path: 'model.onnx', bytes: 1, sha256: '0'.repeat(64) },
  input: {
    name: 'image',
    layout: 'nchw',
    color: 'rgb',
    range: 255,
    mean: [0, 0, 0],
    std: [1, 1, 1],
    fit: { mode: 'stretch', width: 16, height: 16 },
  },
  outputs: { scores: 'scores' },
  labels: ['none', 'cat', 'dog'],
  background: ['none'],
  most: 5,
  thresholds: { score: 0.5, keep: 0.05 },
  license: 'MIT',
  source: 'test',
  goldens: [],
};

function manifestOf(over: object = {}): ClassifierManifest {
  const manifest = parseManifest(JSON.stringify({ ...base, ...over }), 'tagger/manifest.json');
  if (manifest.family !== 'classifier') throw new Error('is no classifier');
  return manifest;
}

const scores = (...values: number[]): { scores: { dims: number[]; data: Float32Array } } => ({
  scores: { dims: [1, values.length], data: Float32Array.from(values) },
});

const rounded = (tags: readonly { label: string; score: number }[] | undefined): unknown =>
  tags?.map(({ label, score }) => [label, Math.round(score * 1e4) / 1e4]);

describe('the input of a classifier', () => {
  // The hashes are of torchvision 0.14: CenterCrop(…)(Resize(shortSide)(image)) of the same made-up pixels.
  it.each([
    [97, 61, 40, 32, 32, 'f928f8e887ad4e64459e5f3252ee6177b0829bbb5cec8110aa883618a4deb30d'],
    [61, 98, 48, 33, 40, '5cdf04806473ee84a043118e5b5a05a78ebf358ff90211bb9c0ffff3d4b5f214'],
    [20, 50, 32, 32, 32, 'b72d39c0163acac56de32db8014ff9189b0df4e19c2bedd246c00c87d95bbf57'],
    [31, 16, 17, 16, 16, '3362c078bc42c8455f659df3c093c4c3f1533360667de66b78f8c191b2009e1a'],
  ])('of %i × %i at %i, %i × %i out of the middle, is torchvision’s', (width, height, shortSide, wide, high, sha256) => {
    const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => Math.imul(i, 2654435761) >>> 13);
    const fit = { mode: 'center-crop', shortSide, width: wide, height: high };
    const nhwc = manifestOf({ input: { ...base.input, layout: 'nhwc', fit } });
    const { feeds } = classifier.prepare(nhwc, { width, height, data }, { width, height });
    expect(feeds['image']?.dims).toEqual([1, high, wide, 3]);
    expect(
      createHash('sha256')
        .update(Uint8Array.from(feeds['image']?.data ?? []))
        .digest('hex'),
    ).toBe(sha256);
  });

  it('may be stretched', () => {
    const data = new Uint8Array(30 * 20 * 3).fill(200);
    const { feeds } = classifier.prepare(manifestOf(), { width: 30, height: 20, data }, { width: 300, height: 200 });
    expect(feeds['image']).toEqual({ dims: [1, 3, 16, 16], data: new Float32Array(768).fill(200) });
  });
});

describe('the tags of a classifier', () => {
  it('are a softmax of logits, best first, without the background and what is below keep', () => {
    const { tags } = FAMILIES.classifier;
    const [a, b, c] = [1, 2, 4].map(Math.exp) as [number, number, number];
    const sum = a + b + c;
    expect(rounded(tags?.(manifestOf(), scores(1, 2, 4)))).toEqual([
      ['dog', Math.round((c / sum) * 1e4) / 1e4],
      ['cat', Math.round((b / sum) * 1e4) / 1e4],
    ]);
    expect(rounded(tags?.(manifestOf(), scores(1000, -1000, 1001)))).toEqual([['dog', 0.7311]]);
  });

  it('are taken as they are from probabilities, each by itself from a sigmoid', () => {
    const of = (variant: string, ...values: number[]): unknown =>
      rounded(classifier.tags?.(manifestOf({ variant, background: [] }), scores(...values)));
    expect(of('probabilities', 0.1, 0.7, 0.2)).toEqual([
      ['cat', 0.7],
      ['dog', 0.2],
      ['none', 0.1],
    ]);
    expect(of('sigmoid', 0.9, 0.04, 0.8)).toEqual([
      ['none', 0.9],
      ['dog', 0.8],
    ]);
    expect(of('sigmoid-logits', -9, 0, 2)).toEqual([
      ['dog', 0.8808],
      ['cat', 0.5],
    ]);
  });

  it('are at most as many as the manifest says, and the family finds no instances', () => {
    const many = manifestOf({ variant: 'sigmoid', background: [], most: 1 });
    expect(rounded(classifier.tags?.(many, scores(0.6, 0.9, 0.7)))).toEqual([['cat', 0.9]]);
    const { transform } = classifier.prepare(many, { width: 1, height: 1, data: new Uint8Array(3) }, { width: 1, height: 1 });
    expect(classifier.decode(many, scores(0.6, 0.9, 0.7), transform)).toEqual([]);
  });

  it('of another shape are refused by name', () => {
    expect(() => classifier.tags?.(manifestOf(), scores(1, 2))).toThrow(
      'tagger: output "scores" is 1 × 2; a classifier of 3 labels gives 1 × 3.',
    );
    expect(() => classifier.tags?.(manifestOf(), {})).toThrow('has no output "scores"');
    const whole = { scores: { dims: [1, 3], data: new Int32Array(3) } };
    expect(() => classifier.tags?.(manifestOf(), whole)).toThrow('is not float32');
    const square = { scores: { dims: [1, 2, 2], data: new Float32Array(4) } };
    expect(() => classifier.tags?.(manifestOf({ labels: ['a', 'b', 'c', 'd'], background: [] }), square)).toThrow('is 1 × 2 × 2');
  });
});

it.each([
  ['a background that is no label', { background: ['bird'] }, /background: names "bird", which is no label/],
  ['one label for a softmax', { labels: ['none'] }, /labels: has one name; the logits variant needs two/],
  [
    'a crop larger than the picture',
    { input: { ...base.input, fit: { mode: 'center-crop', shortSide: 32, width: 33, height: 20 } } },
    /shortSide: is 32, below what is cut out of it, 33 × 20/,
  ],
])('a manifest with %s is refused by name', (_name, over, message) => {
  expect(() => manifestOf(over)).toThrow(message);
});

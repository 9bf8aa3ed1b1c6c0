import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { emptyRle } from '../../shared/mask/rle.ts';
import type { Box } from '../../shared/records.ts';
import { classesFound, signsOf } from './doctor.ts';
import type { Examination } from './examine.ts';
import type { Manifest } from './manifest.ts';
import { parseManifest } from './manifest.ts';

function manifestOf(id: string): Manifest {
  const path = join(import.meta.dirname, '..', '..', '..', 'models', id, 'manifest.json');
  return parseManifest(readFileSync(path, 'utf8'), path);
}

const scenes = manifestOf('mask-rcnn-scenes');
const nuclei = manifestOf('unet-nuclei');

function found(label: string, score: number, box: Box = [10, 10, 20, 20]): Examination['instances'][number] {
  return { label, score, box, rle: emptyRle(100, 80) };
}

function seen(change: Partial<Examination>): Examination {
  const plain = { modelId: 'm', width: 100, height: 80, instances: [found('mug', 0.9)], tags: [], outputs: [] };
  return { ...plain, provider: 'cpu', loadMs: 1, runMs: 1, totalMs: 1, ...change };
}

const map = (min: number | null, max: number | null, notFinite = 0): Examination['outputs'] => [
  { name: 'foreground', type: 'float32', dims: [1, 1, 80, 100], min, max, notFinite },
];

describe('the doctor', () => {
  it('has nothing to say of a model that does what its manifest says', () => {
    expect(signsOf(scenes, seen({}))).toEqual([]);
    expect(signsOf(nuclei, seen({ instances: [found('nucleus', 0.8)], outputs: map(0.001, 0.99) }))).toEqual([]);
  });

  it.each<[string, Manifest, Partial<Examination>, 'wrong' | 'odd', RegExp]>([
    ['values that are no numbers', nuclei, { outputs: map(null, null, 7) }, 'wrong', /holds 7 values that are no numbers/],
    ['logits for probabilities', nuclei, { outputs: map(-12, 20) }, 'wrong', /from -12 to 20: these are no probabilities/],
    ['scores beyond 1', scenes, { instances: [found('mug', 7.5)] }, 'wrong', /from 7.5 to 7.5, not from 0 to 1/],
    ['boxes outside of the image', scenes, { instances: [found('mug', 0.9, [90, 10, 40, 20])] }, 'wrong', /1 of 1 boxes reach outside/],
    ['nothing at all', scenes, { instances: [] }, 'odd', /found nothing/],
    ['only what is not shown', scenes, { instances: [found('mug', 0.06)] }, 'odd', /nothing is shown at first/],
    ['one class only', scenes, { instances: Array.from({ length: 12 }, () => found('key', 0.9)) }, 'odd', /All 12 are “key”, of 8 classes/],
    [
      'instances that fill the image',
      scenes,
      { instances: Array.from({ length: 4 }, (_, i) => found(`c${i}`, 0.9, [0, 0, 100, 80])) },
      'odd',
      /fills the image/,
    ],
  ])('points at %s', (_, manifest, change, severity, text) => {
    expect(signsOf(manifest, seen(change))).toContainEqual({ severity, text: expect.stringMatching(text) as string });
  });

  it('counts by class, the most frequent first', () => {
    expect(classesFound([found('a', 0.5), found('b', 0.9), found('a', 0.7)])).toEqual([
      { label: 'a', count: 2, best: 0.7 },
      { label: 'b', count: 1, best: 0.9 },
    ]);
  });
});

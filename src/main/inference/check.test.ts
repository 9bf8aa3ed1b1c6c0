import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { compareGolden, goldenLine } from './check.ts';
import type { PredictedTag, Prediction } from './inference.ts';
import { parseGoldenAnswer, parseManifest } from './manifest.ts';

const folder = fileURLToPath(new URL('../../../models/scene-tags', import.meta.url));
const manifest = parseManifest(readFileSync(`${folder}/manifest.json`, 'utf8'), 'manifest.json');
const golden = { image: 'a.png', expected: 'a.json', minIou: 0, maxScoreDifference: 0.01 };

function compared(expected: readonly PredictedTag[], found: readonly PredictedTag[]): ReturnType<typeof compareGolden> {
  const answer = parseGoldenAnswer(JSON.stringify({ width: 4, height: 3, instances: [], tags: expected }), 'a.json');
  const times = { decodeMs: 0, prepareMs: 0, runMs: 0, finishMs: 0, totalMs: 7 };
  const prediction: Prediction = {
    modelId: 'scene-tags',
    modelVersion: '1',
    width: 4,
    height: 3,
    instances: [],
    tags: found,
    provider: 'cpu',
    ...times,
  };
  return compareGolden(manifest, golden, answer, prediction);
}

const mug = { label: 'mug', score: 0.9 };
const key = { label: 'key', score: 0.3 };
// At 0.05 a tag is kept or not; within what scores may differ it may be on either side.
const faint = { label: 'leaf', score: 0.055 };

it('compares the tags of a picture: each that is sure, its score, and none besides', () => {
  expect(compared([mug, key, faint], [mug, key])).toMatchObject({ ok: true, expected: 2, matched: 2, extra: 0, maxScoreDifference: 0 });
  expect(compared([mug, key, faint], [{ ...mug, score: 0.895 }, key, faint])).toMatchObject({ ok: true });
  expect(compared([mug, key], [mug])).toMatchObject({ ok: false, problem: '1 of 2 tags were not found' });
  expect(compared([mug], [mug, { label: 'coin', score: 0.5 }])).toMatchObject({ ok: false, problem: '1 tags found that nobody expects' });
  expect(compared([mug], [{ ...mug, score: 0.87 }])).toMatchObject({ ok: false, problem: 'scores differ by 0.0300, allowed 0.01' });
  expect(compared([faint], [])).toMatchObject({ ok: false, problem: 'expects no tag, so it shows nothing' });
});

it('says in a line what was compared', () => {
  expect(goldenLine(compared([mug, key], [mug, { ...key, score: 0.301 }]))).toBe(
    'ok     scene-tags a.png  2/2 tags, scores within 0.00100, 7 ms on cpu',
  );
});

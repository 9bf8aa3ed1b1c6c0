import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { EvaluationReport } from '../../src/shared/answers/evaluation.ts';
import { encodeJpeg } from '../../src/main/inference/pixels.ts';
import { drawScene } from '../../src/shared/scenes/index.ts';

const BIN = fileURLToPath(new URL('../../bin/maskloop.mjs', import.meta.url));
const MODEL = 'mask-rcnn-scenes';
let root: string;

/** Runs the real command in a process of its own; with `--json` stdout is one object. */
function maskloop(...args: string[]): { code: number | null; told: unknown } {
  const env = { ...process.env, MASKLOOP_HOME: join(root, 'home'), MASKLOOP_PROVIDERS: 'cpu' };
  const { status, stdout } = spawnSync(process.execPath, [BIN, ...args, '--json'], { env, encoding: 'utf8' });
  return { code: status, told: JSON.parse(stdout) };
}

function file(name: string, value: unknown): string {
  const path = join(root, name);
  writeFileSync(path, JSON.stringify(value));
  return path;
}

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'maskloop-evaluate-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

it('prints the figures of two files as one bare object, and errors in their envelope', () => {
  const square = [2, 2, 6, 2, 6, 6, 2, 6];
  const truth = file('truth.json', {
    images: [{ id: 1, file_name: 'a.png', width: 20, height: 10 }],
    categories: [{ id: 5, name: 'cup' }],
    annotations: [{ id: 1, image_id: 1, category_id: 5, area: 16, bbox: [2, 2, 4, 4], iscrowd: 0, segmentation: [square] }],
  });
  const results = file('results.json', [{ image_id: 1, category_id: 5, score: 0.9, bbox: [2, 2, 4, 4], segmentation: [square] }]);
  const figures = { APmedium: -1, APlarge: -1, AR1: 1, AR10: 1, AR100: 1, ARsmall: 1, ARmedium: -1, ARlarge: -1 };
  const one = (value: number): unknown => expect.closeTo(value, 12);
  const all = { ...figures, AP: one(1), AP50: one(1), AP75: one(1), APsmall: one(1) };
  const kind = { ...all, perClass: [{ categoryId: 5, name: 'cup', truths: 1, ...all }] };
  for (const flags of [
    ['--gt', truth, '--dt', results],
    ['--truth', truth, '--results', results],
  ]) {
    expect(maskloop('evaluate', ...flags)).toEqual({ code: 0, told: { bbox: kind, segm: kind } });
  }
  expect(maskloop('evaluate', '--gt', truth, '--dt', truth)).toMatchObject({
    code: 1,
    told: { ok: false, error: { code: 'invalid', message: expect.stringContaining('array of detections') as unknown } },
  });
  expect(maskloop('evaluate')).toMatchObject({ code: 1, told: { ok: false, error: { code: 'invalid' } } });
});

it('lets a model look at what it has not seen, and measures it against the project', async () => {
  const photos = join(root, 'photos');
  mkdirSync(photos);
  for (const seed of [11, 12]) {
    const scene = drawScene(seed, { width: 480, height: 360 });
    writeFileSync(join(photos, `${seed}.jpg`), await encodeJpeg({ width: scene.width, height: scene.height, data: scene.rgb }, 90));
  }
  const nothing = maskloop('evaluate', photos, '--model', MODEL);
  expect(nothing).toMatchObject({ code: 1, told: { error: { message: expect.stringContaining('2 are not done') as unknown } } });
  // Nothing is annotated: all that is found is wrong, and there is no truth to count.
  const bare = maskloop('evaluate', photos, '--model', MODEL, '--any-state');
  expect(bare).toMatchObject({ code: 0, told: { value: { images: 2, truths: 0, segm: { figures: { AP: -1 } } } } });
  expect(maskloop('accept', photos, '--min-score', '0.5').code).toBe(0);
  const { code, told } = maskloop('evaluate', photos, '--run', '1', '--any-state');
  expect(code).toBe(0);
  const { value } = told as { value: EvaluationReport };
  expect(value).toMatchObject({ source: { kind: 'run', runId: 1, modelId: MODEL }, images: 2 });
  expect(value.truths).toBeGreaterThan(1);
  expect(value.detections).toBeGreaterThan(value.truths);
  // What was accepted was found with the best scores.
  expect(value.segm.figures.AP).toBeCloseTo(1, 9);
});

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodePng } from '../../src/main/inference/pixels.ts';
import type { RunInfo } from '../../src/shared/answers.ts';
import { drawn } from '../drawn-picture.ts';

const BIN = fileURLToPath(new URL('../../bin/maskloop.mjs', import.meta.url));
let root: string;
let photos: string;

/** Runs the real command in a process of its own. */
function predict(...args: string[]): { code: number | null; run: RunInfo | undefined; message: string } {
  const env = { ...process.env, MASKLOOP_HOME: join(root, 'home'), MASKLOOP_PROVIDERS: 'cpu' };
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, 'predict', photos, ...args, '--json'], { env, encoding: 'utf8' });
  const told = stdout === '' ? {} : (JSON.parse(stdout) as { value?: { run: RunInfo }; error?: { message: string } });
  return { code: status, run: told.value?.run, message: told.error?.message ?? stderr };
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'maskloop-classical-'));
  photos = join(root, 'photos');
  mkdirSync(photos);
  for (const [name, left] of [
    ['a.png', 30],
    ['b.png', 60],
  ] as const) {
    const image = drawn(120, 80, 6, (x, y) => (x >= left && x < left + 40 && y >= 20 && y < 60 ? [220, 180, 40] : [50, 70, 110]));
    writeFileSync(join(photos, name), await encodePng(image.data, 120, 80, 3));
  }
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

it('runs a method over a folder as a model, with its parameters', () => {
  const { code, run } = predict('--method', 'kmeans', '--set', 'regions=foreground', '--set', 'label=box', '--set', 'seed=7');
  expect(code).toBe(0);
  expect(run).toMatchObject({ modelId: 'kmeans', state: 'done', total: 2, failed: 0, suggestions: 2, provider: 'cpu' });
  expect(run?.options).toEqual({ regions: 'foreground', label: 'box', seed: 7 });
});

it('ends at the first image where a parameter is wrong, naming it, and refuses what is no setting or method', () => {
  const wrong = predict('--method', 'mean-shift', '--all', '--set', 'range=900');
  expect(wrong.code).toBe(1);
  expect(wrong.message).toMatch(/Mean shift: range: /);
  expect(predict('--method', 'kmeans', '--set', 'k').code).toBe(2);
  expect(predict('--method', 'wand').code).toBe(2);
});

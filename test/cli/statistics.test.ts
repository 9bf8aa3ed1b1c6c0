import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SplitReport } from '../../src/shared/answers/splits.ts';
import type { StatisticsReport } from '../../src/shared/answers/statistics.ts';
import { brightPhoto } from '../bright-inference.ts';

const BIN = fileURLToPath(new URL('../../bin/maskloop.mjs', import.meta.url));
let root: string;
let photos: string;

/** Runs the real command in a process of its own; with `--json` stdout is one object. */
function maskloop<T>(...args: string[]): { code: number | null; value: T; message: string; err: string } {
  const env = { ...process.env, MASKLOOP_HOME: join(root, 'home') };
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...args, '--json'], { env, encoding: 'utf8' });
  const told = JSON.parse(stdout) as { value: T; error?: { message: string } };
  return { code: status, value: told.value, message: told.error?.message ?? '', err: stderr };
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'maskloop-statistics-'));
  photos = join(root, 'photos');
  mkdirSync(photos);
  for (let i = 1; i <= 4; i++) writeFileSync(join(photos, `${i}.jpg`), await brightPhoto(180 + 10 * i));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const SPLIT = ['--by', 'random', '--all', '--shares', '50,50', '--names', 'train,val'];
let made: SplitReport;

it('divides a folder once, and counts by part', () => {
  const first = maskloop<SplitReport>('split', photos, ...SPLIT);
  expect(first.code).toBe(0);
  made = first.value;
  expect(made.parts.map(({ name, images }) => [name, images])).toEqual([
    ['train', 2],
    ['val', 2],
  ]);
  expect(maskloop('split', photos, ...SPLIT)).toMatchObject({ code: 1, message: expect.stringContaining('frozen') as unknown });
  expect(maskloop<SplitReport>('split', photos).value).toEqual(made);
  const counted = maskloop<StatisticsReport>('stats', photos, '--split', 'val');
  expect(counted).toMatchObject({ code: 0, value: { images: 2, instances: 0 } });
  expect(counted.value.splits.map(({ name, images }) => [name, images]).sort()).toEqual([
    ['train', 2],
    ['val', 2],
  ]);
});

it('divides it in the same way again after that was taken away, and keeps nothing of a dry run', () => {
  expect(maskloop('split', photos, '--clear').code).toBe(0);
  expect(maskloop<SplitReport>('split', photos, ...SPLIT, '--dry-run').value).toEqual({ ...made, madeAtMs: null });
  expect(maskloop('split', photos)).toMatchObject({ code: 0, value: null });
  expect(maskloop('split', photos, '--by', 'class', '--shares', '1,x').code).toBe(2);
});

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ImportListing, ImportReport, ImportUndoReport } from '../../src/shared/calls/imports.ts';
import { brightPhoto } from '../bright-inference.ts';

const BIN = fileURLToPath(new URL('../../bin/maskloop.mjs', import.meta.url));
let root: string;
let photos: string;
let dataset: string;

/** Runs the real command in a process of its own; with `--json` stdout is one object. */
function maskloop<T>(...args: string[]): { code: number | null; value: T; message: string } {
  const env = { ...process.env, MASKLOOP_HOME: join(root, 'home') };
  const { status, stdout } = spawnSync(process.execPath, [BIN, ...args, '--json'], { env, encoding: 'utf8' });
  const told = JSON.parse(stdout) as { value: T; error?: { message: string } };
  return { code: status, value: told.value, message: told.error?.message ?? '' };
}

/** Annotations of some of the photographs, one each. */
function annotations(...numbers: number[]): object[] {
  return numbers.map((n) => ({ id: n, image_id: n, category_id: 1, bbox: [5, 5, 10 + n, 10], area: 10 * (10 + n), iscrowd: 0 }));
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'maskloop-import-'));
  photos = join(root, 'photos');
  mkdirSync(photos);
  for (let i = 1; i <= 3; i++) writeFileSync(join(photos, `${i}.jpg`), await brightPhoto(180 + 10 * i));
  dataset = join(root, 'dataset.json');
  const images = [1, 2, 3].map((id) => ({ id, file_name: `${id}.jpg`, width: 80, height: 60 }));
  writeFileSync(dataset, JSON.stringify({ images, annotations: annotations(1, 2), categories: [{ id: 1, name: 'mug' }] }));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

it('says what it takes, and what it does not know what to do with', () => {
  expect(maskloop('import', photos)).toMatchObject({ code: 1, message: expect.stringContaining('--undo') as unknown });
  expect(maskloop('import', photos, '--annotations', dataset, '--undo').code).toBe(1);
  expect(maskloop('import', photos, '--undo', 'x').code).toBe(2);
  expect(maskloop<ImportReport>('import', photos, '--annotations', dataset, '--done')).toMatchObject({
    code: 0,
    value: { annotations: 2 },
  });
});

it('ends with 0 where only what was asked for is left out, and with 3 where something could not be written', () => {
  const out = (name: string): string[] => ['--out', join(root, name)];
  const left = (value: { skipped: { asked?: true }[] }): (true | undefined)[] => value.skipped.map(({ asked }) => asked);
  const coco = maskloop<{ skipped: { asked?: true }[] }>('export', photos, '--format', 'coco', '--skip-empty', ...out('coco'));
  expect([coco.code, left(coco.value)]).toEqual([0, [true]]);
  expect(maskloop('export', photos, '--format', 'yolo-seg', '--skip-empty', '--only-done', ...out('yolo')).code).toBe(0);
  expect(maskloop('convert', dataset, join(root, 'converted'), '--to', 'coco', '--images', photos, '--skip-empty').code).toBe(0);
  writeFileSync(join(photos, '4.jpg'), 'no picture');
  const broken = maskloop<{ skipped: { asked?: true }[] }>('export', photos, '--format', 'coco', '--only-done', ...out('coco'));
  expect([broken.code, left(broken.value)]).toEqual([3, [undefined]]);
  expect(maskloop('export', photos, '--format', 'yolo-seg', ...out('yolo')).code).toBe(3);
  rmSync(join(photos, '4.jpg'));
});

it('takes the last import back, by its number or not, and lists them all', () => {
  const listed = maskloop<ImportListing[]>('import', photos, '--list');
  expect(listed).toMatchObject({ code: 0, value: [{ importId: 1, imagesLeft: 3, undoneAtMs: null }] });
  expect(maskloop<ImportUndoReport>('import', photos, '--undo', '--dry-run')).toMatchObject({
    code: 0,
    value: { dryRun: true, annotations: 2 },
  });
  expect(maskloop<ImportUndoReport>('import', photos, '--undo', '1')).toMatchObject({
    code: 0,
    value: { importId: 1, dryRun: false, annotations: 2, images: 3, classes: ['mug'] },
  });
  expect(maskloop('import', photos, '--undo')).toMatchObject({
    code: 1,
    message: expect.stringContaining('Nothing was imported') as unknown,
  });
  expect(maskloop('verify', photos).code).toBe(0);
  expect(maskloop<ImportReport>('import', photos, '--annotations', dataset)).toMatchObject({ code: 0, value: { annotations: 2 } });
});

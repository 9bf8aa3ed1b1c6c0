import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CutoutReport } from '../../src/shared/answers/cutouts.ts';
import type { CountsReport, RenderReport } from '../../src/shared/answers/views.ts';
import { decodeRgb, encodeJpeg } from '../../src/main/inference/pixels.ts';
import { drawScene } from '../../src/shared/scenes/index.ts';

const BIN = fileURLToPath(new URL('../../bin/maskloop.mjs', import.meta.url));
const MODEL = 'mask-rcnn-scenes';
let root: string;
let photos: string;

/** Runs the real command in a process of its own; with `--json` stdout is one object. */
function maskloop<T>(...args: string[]): { code: number | null; value: T; message: string; err: string } {
  const env = { ...process.env, MASKLOOP_HOME: join(root, 'home'), MASKLOOP_PROVIDERS: 'cpu' };
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...args, '--json'], { env, encoding: 'utf8' });
  const told = JSON.parse(stdout) as { value: T; error?: { message: string } };
  return { code: status, value: told.value, message: told.error?.message ?? '', err: stderr };
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'maskloop-pictures-'));
  photos = join(root, 'photos');
  mkdirSync(photos);
  const scene = drawScene(11, { width: 480, height: 360 });
  writeFileSync(join(photos, 'scene.jpg'), await encodeJpeg({ width: scene.width, height: scene.height, data: scene.rgb }, 90));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

it('cuts out what a model finds, without making a project', () => {
  const out = join(root, 'found');
  const { code, value } = maskloop<CutoutReport>('cutout', photos, '--out', out, '--model', MODEL, '--soft', '0', '--min-score', '0.5');
  expect(code).toBe(0);
  expect(value.objects).toBeGreaterThan(0);
  expect(value.files).toHaveLength(value.objects);
  expect(readdirSync(out).sort()).toEqual([...value.files].sort());
  expect(readdirSync(photos)).toEqual(['scene.jpg']);
  const unknown = maskloop('cutout', photos, '--out', out, '--model', 'nobody');
  expect(unknown).toMatchObject({ code: 1, message: expect.stringContaining('There is no model "nobody"') as unknown });
});

it('draws, cuts out and counts what a project holds', async () => {
  expect(maskloop('predict', photos, '--model', MODEL).code).toBe(0);
  const counts = maskloop<CountsReport>('counts', photos, '--min-score', '0.5', '--csv', join(root, 'counts.csv'));
  const found = counts.value.classes.reduce((sum, { suggestions }) => sum + suggestions, 0);
  expect(found).toBeGreaterThan(0);
  const lines = readFileSync(join(root, 'counts.csv'), 'utf8').trimEnd().split('\r\n');
  expect(lines[0]).toBe('image,state,class,annotations,suggestions');
  expect(lines.slice(1).filter((line) => line.startsWith('scene.jpg,predicted,')).length).toBeGreaterThan(0);
  expect(maskloop('counts', photos, '--csv', join(root, 'counts.csv'))).toMatchObject({ code: 1 });

  const out = join(root, 'overlays');
  const drawn = maskloop<RenderReport>('render', photos, '--out', out, '--min-score', '0.5');
  expect(drawn).toMatchObject({ code: 0, value: { files: ['scene.png'] } });
  expect(await decodeRgb(join(out, 'scene.png'))).toMatchObject({ width: 480, height: 360 });
  expect(maskloop<RenderReport>('render', photos, '--out', out, '--view', 'boxes')).toMatchObject({ code: 3, value: { files: [] } });

  const cut = join(root, 'cut');
  const together = maskloop<CutoutReport>(
    'cutout',
    photos,
    '--out',
    cut,
    '--suggestions',
    '--min-score',
    '0.5',
    '--together',
    '--full',
    '--background',
    '#fff',
  );
  expect(together.value).toMatchObject({ objects: found });
  expect(together.value.files).toHaveLength(1);
  expect(await decodeRgb(join(cut, together.value.files[0] ?? ''))).toMatchObject({ width: 480, height: 360 });
  expect(maskloop<CutoutReport>('cutout', photos, '--out', join(root, 'none'), '--class', 'no such class').value).toMatchObject({
    objects: 0,
  });
  expect(existsSync(join(root, 'none'))).toBe(false);
}, 240_000);

it('refuses a background that is none', () => {
  const { status, stderr } = spawnSync(process.execPath, [BIN, 'cutout', photos, '--out', root, '--background', '#12'], {
    encoding: 'utf8',
  });
  expect(status).toBe(2);
  expect(stderr).toContain('is not a colour like #ffffff');
});

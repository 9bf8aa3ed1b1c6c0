import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { decodeRle } from '../../shared/mask/rle.ts';
import { loadSharp } from './decoder.ts';
import { createEngine } from './engine.ts';
import type { Inference } from './inference.ts';

const nuclei = fileURLToPath(new URL('../../../models/unet-nuclei', import.meta.url));
const path = join(nuclei, 'golden', 'cells.png');
let folder = '';
let engine: Inference;

/** The U-Net of the nuclei, taken for a salient model: its map is one of foreground. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskloop-matte-'));
  await mkdir(join(folder, 'cells'));
  await copyFile(join(nuclei, 'model.onnx'), join(folder, 'cells', 'model.onnx'));
  const {
    map: _map,
    background: _background,
    ...own
  } = JSON.parse(await readFile(join(nuclei, 'manifest.json'), 'utf8')) as Record<string, object>;
  const { layout: _layout, ...input } = own['input'] as Record<string, unknown>;
  const manifest = {
    ...own,
    id: 'cells',
    family: 'salient',
    variant: 'probabilities',
    input: { ...input, fit: { mode: 'stretch', width: 256, height: 192 } },
    outputs: { alpha: 'foreground' },
    regions: { mode: 'class', minArea: 0 },
    goldens: [],
  };
  await writeFile(join(folder, 'cells', 'manifest.json'), JSON.stringify(manifest));
  engine = createEngine({ modelFolders: [folder, join(nuclei, '..')], providers: 'cpu', threads: 1 });
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true });
});

it('answers how much each pixel belongs, and cuts suggestions out of just that', async () => {
  const matte = await engine.matte({ modelId: 'cells', path, priority: 'user' });
  const { data, info } = await loadSharp()(Buffer.from(matte.alphaPng, 'base64')).raw().toBuffer({ resolveWithObject: true });
  const { width, height, instances } = await engine.predict({ modelId: 'cells', path, priority: 'user', next: null });
  expect([matte.width, matte.height, info.width, info.height]).toEqual([width, height, width, height]);
  expect(matte).toMatchObject({ modelId: 'cells', provider: 'cpu' });

  expect(instances).toHaveLength(1);
  const mask = decodeRle(instances[0]?.rle ?? { size: [1, 1], counts: '' }).data;
  let soft = 0;
  for (let i = 0; i < mask.length; i++) {
    const alpha = data[i * info.channels] ?? 0;
    if (alpha > 0 && alpha < 255) soft++;
    // 127 and 128 lie around a half.
    if (alpha !== 127 && alpha !== 128) expect(mask[i]).toBe(alpha > 127 ? 1 : 0);
  }
  expect(soft).toBeGreaterThan(100);
});

it('is refused by models that are not salient, and when it was given up', async () => {
  await expect(engine.matte({ modelId: 'unet-nuclei', path, priority: 'user' })).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringContaining('unet-nuclei is a semantic model') as string,
  });
  await expect(engine.matte({ modelId: 'cells', path, priority: 'user' }, AbortSignal.abort())).rejects.toMatchObject({
    code: 'cancelled',
  });
});

import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rleArea } from '../../../shared/mask/rle.ts';
import { sharedHas, sharedPath } from '../../../../test/shared-data.ts';
import { createEngine } from '../engine.ts';
import type { Inference } from '../inference.ts';

const WEIGHTS = 'models/deeplabv3-mobilenetv2-voc-513.onnx';
const LABELS =
  'background,aeroplane,bicycle,bird,boat,bottle,bus,car,cat,chair,cow,dining table,dog,horse,motorbike,person,potted plant,sheep,sofa,train,monitor';

/** Real weights: DeepLabV3 with MobileNetV2, trained on PASCAL VOC by its authors, on real photographs. */
describe.skipIf(!sharedHas(WEIGHTS) || !sharedHas('data/photos'))('DeepLabV3 on PASCAL VOC', () => {
  const root = mkdtempSync(join(tmpdir(), 'maskloop-voc-'));
  let engine: Inference;
  beforeAll(() => {
    const folder = join(root, 'deeplabv3-voc');
    mkdirSync(folder);
    copyFileSync(sharedPath(WEIGHTS), join(folder, 'model.onnx'));
    const bytes = readFileSync(join(folder, 'model.onnx'));
    const manifest = {
      format: 1,
      id: 'deeplabv3-voc',
      name: 'DeepLabV3 VOC',
      version: '1',
      family: 'semantic',
      variant: 'logits',
      file: { path: 'model.onnx', bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') },
      input: {
        name: 'input',
        layout: 'nchw',
        color: 'rgb',
        range: 1,
        mean: [0.5, 0.5, 0.5],
        std: [0.5, 0.5, 0.5],
        // The reference pads with the mean colour, which is 0 once normalised.
        fit: { mode: 'letterbox', width: 513, height: 513, align: 'start', pad: [127.5, 127.5, 127.5] },
      },
      outputs: { map: 'logits' },
      // 65 cells over 513 pixels: 64 steps of 8, as TensorFlow resizes with aligned corners.
      map: { layout: 'nchw', alignCorners: true },
      labels: LABELS.split(','),
      background: ['background'],
      regions: { mode: 'components', minArea: 200 },
      thresholds: { score: 0.5, keep: 0.05 },
      license: 'Apache-2.0',
      source: 'test',
      goldens: [],
    };
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
    engine = createEngine({ modelFolders: [root], providers: 'cpu', threads: 1 });
  });
  afterAll(async () => {
    await engine.close();
    rmSync(root, { recursive: true });
  });

  it.each([
    ['chelsea.png', 'cat', 0.35, 0.95],
    ['astronaut.png', 'person', 0.2, 0.8],
    ['airplane-from-above-0.2.3.jpg', 'aeroplane', 0.005, 0.6],
  ])('finds in %s a %s of a sensible size', async (file, label, least, most) => {
    const path = sharedPath(`data/photos/${file}`);
    const { instances, width, height } = await engine.predict({ modelId: 'deeplabv3-voc', path, priority: 'user', next: null });
    const [best] = instances.toSorted((a, b) => rleArea(b.rle) - rleArea(a.rle));
    expect(best?.label).toBe(label);
    expect(best?.score).toBeGreaterThan(0.6);
    const share = best ? rleArea(best.rle) / (width * height) : 0;
    expect(share).toBeGreaterThan(least);
    expect(share).toBeLessThan(most);
  });
});

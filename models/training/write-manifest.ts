/**
 * Writes the manifest of one of our own models beside its `model.onnx`:
 *
 *     node models/training/write-manifest.ts models/mask-rcnn-scenes --family mask-rcnn --name … --version … --source … \
 *       --size 320 --labels 'mug,tomato,…' [--variant zoo] --golden scene.png,scene.json …
 *     node models/training/write-manifest.ts models/unet-nuclei --family semantic --name … --version … --source … \
 *       --fit native:16 --labels nucleus --variant sigmoid --golden cells.png,cells.json
 *
 * `--fit` is as in `semantic_golden.py`; `--labels` lists the classes without the background.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parseManifest } from '../../src/main/inference/manifest.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    family: { type: 'string' },
    name: { type: 'string' },
    version: { type: 'string' },
    source: { type: 'string' },
    size: { type: 'string' },
    fit: { type: 'string', default: '' },
    labels: { type: 'string', default: '' },
    variant: { type: 'string' },
    golden: { type: 'string', multiple: true, default: [] },
  },
});
const labels = values.labels.split(',');

/** The torchvision signature, or the model zoo's. */
function maskRcnn(variant = 'torchvision'): object {
  const zoo = variant === 'zoo';
  const size = Number(values.size);
  return {
    variant,
    input: {
      name: 'image',
      color: zoo ? 'bgr' : 'rgb',
      range: zoo ? 255 : 1,
      mean: zoo ? [102.9801, 115.9465, 122.7717] : [0, 0, 0],
      std: [1, 1, 1],
      // The torchvision graph answers with one full-size float mask per instance, at most 50 of them.
      fit: zoo ? { mode: 'short-side', shortSide: size, longSide: 4 * size, padMultiple: 32 } : { mode: 'none', maxPixels: 1_000_000 },
    },
    outputs: { boxes: 'boxes', labels: 'labels', scores: 'scores', masks: 'masks' },
    labels,
    labelOffset: 1,
    thresholds: { score: 0.5, keep: 0.05, mask: 0.5 },
  };
}

/** One map for the whole image: a channel for each class and the background, or one of foreground. */
function semantic(variant = 'logits'): object {
  const [kind = '', ...numbers] = values.fit.split(':');
  const [first = 0, second = 0, third = 0] = numbers.map(Number);
  const pad = [0, 0, 0];
  const fits: Readonly<Record<string, object>> = {
    native: { mode: 'native', maxPixels: 2_000_000, padMultiple: first, pad },
    short: { mode: 'short-side', shortSide: first, longSide: second, padMultiple: third, pad },
    box: { mode: 'letterbox', width: first, height: second, align: 'center', pad },
  };
  const single = variant === 'sigmoid';
  return {
    variant,
    input: { name: 'image', layout: 'nchw', color: 'rgb', range: 1, mean: [0, 0, 0], std: [1, 1, 1], fit: fits[kind] },
    outputs: { map: single ? 'foreground' : 'logits' },
    map: { layout: 'nchw', alignCorners: false },
    labels: single ? labels : ['background', ...labels],
    background: single ? [] : ['background'],
    regions: { mode: 'components', minArea: single ? 16 : 24 },
    thresholds: { score: 0.5, keep: 0.05, ...(single ? { mask: 0.5 } : {}) },
  };
}

const FAMILIES: Readonly<Record<string, (variant?: string) => object>> = { 'mask-rcnn': maskRcnn, semantic };
const family = FAMILIES[values.family ?? ''];
if (family === undefined) throw new Error(`--family is ${Object.keys(FAMILIES).join(' or ')}`);
const folder = resolve(positionals[0] ?? '.');
const bytes = readFileSync(join(folder, 'model.onnx'));
const { variant, ...signature } = { variant: '', ...family(values.variant) };
const manifest = {
  format: 1,
  id: basename(folder),
  name: values.name,
  version: values.version,
  family: values.family,
  variant,
  file: { path: 'model.onnx', bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') },
  ...signature,
  license: 'Apache-2.0',
  source: values.source,
  goldens: values.golden.map((pair) => {
    const [image, expected] = pair.split(',');
    return { image: `golden/${image}`, expected: `golden/${expected}`, minIou: 0.98, maxScoreDifference: 0.01 };
  }),
};
const text = `${JSON.stringify(manifest, null, 2)}\n`;
const path = join(folder, 'manifest.json');
parseManifest(text, path);
writeFileSync(path, text);

/**
 * Writes the manifest of one of our own models beside its `model.onnx`:
 *
 *     node models/training/write-manifest.ts models/mask-rcnn-scenes --name … --version … --size 320 \
 *       --labels 'mug,tomato,…' --source … [--variant zoo] --golden scene.png,scene.json …
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parseManifest } from '../../src/main/inference/manifest.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    name: { type: 'string' },
    version: { type: 'string' },
    size: { type: 'string' },
    labels: { type: 'string' },
    source: { type: 'string' },
    variant: { type: 'string', default: 'torchvision' },
    golden: { type: 'string', multiple: true, default: [] },
  },
});
const folder = resolve(positionals[0] ?? '.');
const bytes = readFileSync(join(folder, 'model.onnx'));
const zoo = values.variant === 'zoo';
const manifest = {
  format: 1,
  id: basename(folder),
  name: values.name,
  version: values.version,
  family: 'mask-rcnn',
  variant: values.variant,
  file: { path: 'model.onnx', bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') },
  input: {
    name: 'image',
    color: zoo ? 'bgr' : 'rgb',
    range: zoo ? 255 : 1,
    mean: zoo ? [102.9801, 115.9465, 122.7717] : [0, 0, 0],
    std: [1, 1, 1],
    // The torchvision graph answers with one full-size float mask per instance, at most 50 of them.
    fit: zoo
      ? { mode: 'short-side', shortSide: Number(values.size), longSide: 4 * Number(values.size), padMultiple: 32 }
      : { mode: 'none', maxPixels: 1_000_000 },
  },
  outputs: { boxes: 'boxes', labels: 'labels', scores: 'scores', masks: 'masks' },
  labels: (values.labels ?? '').split(','),
  labelOffset: 1,
  thresholds: { score: 0.5, keep: 0.05, mask: 0.5 },
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

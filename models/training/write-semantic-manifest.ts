/**
 * Writes the manifest of one of our own semantic models beside its `model.onnx`:
 *
 *     node models/training/write-semantic-manifest.ts models/unet-nuclei --name … --version … --source … \
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
    name: { type: 'string' },
    version: { type: 'string' },
    source: { type: 'string' },
    fit: { type: 'string', default: '' },
    labels: { type: 'string', default: '' },
    variant: { type: 'string', default: 'logits' },
    golden: { type: 'string', multiple: true, default: [] },
  },
});
const [kind = '', ...numbers] = values.fit.split(':');
const [first = 0, second = 0, third = 0] = numbers.map(Number);
const black = [0, 0, 0];
const fits: Readonly<Record<string, object>> = {
  native: { mode: 'native', maxPixels: 2_000_000, padMultiple: first, pad: black },
  short: { mode: 'short-side', shortSide: first, longSide: second, padMultiple: third, pad: black },
  box: { mode: 'letterbox', width: first, height: second, align: 'center', pad: black },
};
const folder = resolve(positionals[0] ?? '.');
const bytes = readFileSync(join(folder, 'model.onnx'));
const single = values.variant === 'sigmoid';
const labels = values.labels.split(',');
const manifest = {
  format: 1,
  id: basename(folder),
  name: values.name,
  version: values.version,
  family: 'semantic',
  variant: values.variant,
  file: { path: 'model.onnx', bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') },
  input: { name: 'image', layout: 'nchw', color: 'rgb', range: 1, mean: [0, 0, 0], std: [1, 1, 1], fit: fits[kind] },
  outputs: { map: single ? 'foreground' : 'logits' },
  map: { layout: 'nchw', alignCorners: false },
  labels: single ? labels : ['background', ...labels],
  background: single ? [] : ['background'],
  regions: { mode: 'components', minArea: single ? 16 : 24 },
  thresholds: { score: 0.5, keep: 0.05, ...(single ? { mask: 0.5 } : {}) },
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

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sharedHas, sharedPath } from '../../../test/shared-data.ts';
import { temporaryFolder } from '../../../test/store-fixtures.ts';
import { userModelFolder } from '../local-studio.ts';
import { outsideArchive } from './archive.ts';
import type { InspectedFile } from './inspect-families.ts';
import { readOnnxHeader } from './inspect-onnx.ts';
import type { Subject } from './inspect.ts';
import { propose } from './inspect.ts';
import type { Manifest } from './manifest.ts';
import { parseManifest, weightFiles } from './manifest.ts';
import { readSignature } from './session-graph.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const fetched = userModelFolder();
const folder = temporaryFolder();

async function inspected(path: string): Promise<InspectedFile> {
  const header = path.endsWith('.ort') ? null : await readOnnxHeader(path);
  const { inputs, outputs } = await readSignature(path);
  return { path, name: basename(path), bytes: 1, sha256: '0'.repeat(64), header, inputs, outputs };
}

async function subject(...paths: string[]): Promise<Subject> {
  const files = [];
  for (const path of paths) files.push(await inspected(path));
  return { files, hints: {}, sources: {}, notes: [], taken: ['model'] };
}

function manifestOf(model: string): Manifest {
  const path = join(ROOT, model, 'manifest.json');
  return parseManifest(readFileSync(path, 'utf8'), path);
}

/** What a user would have to know of a model, from its manifest. */
function answersFrom(manifest: Manifest): Record<string, string> {
  const { color, range, mean } = manifest.input;
  const normalisation =
    range === 255
      ? mean[0] === 0
        ? 'bytes'
        : mean[0] > 120 || mean[0] === 103.53
          ? 'imagenet-bytes'
          : 'caffe'
      : mean[0] === 0
        ? 'unit'
        : mean[0] === 0.5
          ? 'half'
          : 'imagenet';
  const background = 'background' in manifest ? (manifest.background[0] ?? '(none)') : '(none)';
  return {
    ...{ family: manifest.family, variant: manifest.variant, license: 'Apache-2.0', id: 'mine', color, normalisation, background },
    labels: manifest.labels.join('\n'),
    ...(manifest.family === 'instance-maps' ? { first: String(manifest.labelIds?.[0] ?? 0) } : {}),
  };
}

const OURS = [
  'models/mask-rcnn-scenes',
  'models/mask-rcnn-scenes-zoo',
  'models/mask-rcnn-nuts',
  'models/unet-nuclei',
  'models/deeplabv3-scenes',
  'models/scene-tags',
  'test/tiny-models/tiny-torchvision',
  'test/tiny-models/tiny-zoo',
  'test/tiny-models/tiny-detectron2',
  'test/tiny-sams/tiny-sam1',
  'test/tiny-sams/tiny-sam2',
  'test/tiny-sams/tiny-efficient-sam',
  'test/tiny-maps/tiny-rtmdet',
  'test/tiny-maps/tiny-rfdetr',
];

/** The keys by which a wrong proposal would run another network, or the same one wrongly. */
function essence(manifest: Manifest): unknown {
  const { family, variant, labels, input } = manifest;
  const { name, color, range, mean, std } = input;
  const graph = manifest.family === 'sam' ? { encoder: manifest.encoder, decoder: manifest.decoder } : { outputs: manifest.outputs };
  const offset = manifest.family === 'mask-rcnn' ? { labelOffset: manifest.labelOffset } : {};
  return { family, variant, labels, input: { name, color, range, mean: mean.map(rounded), std }, ...graph, ...offset };
}

/** Of numbers that went through float32. */
function rounded(value: number): number {
  return Number(value.toFixed(4));
}

describe('a proposal', () => {
  it.each(OURS)('for %s says what its manifest says, once the user has said what no file can', async (model) => {
    const manifest = manifestOf(model);
    const given = await subject(...weightFiles(manifest).map(({ path }) => outsideArchive(join(ROOT, model, path))));
    const bare = propose(given, {});
    expect(bare).toMatchObject({ problem: null, manifest: null });
    expect(bare.missing).toContain('license');
    const full = propose(given, answersFrom(manifest));
    expect(full.missing).toEqual([]);
    expect(full.problem).toBeNull();
    expect(essence(parseManifest(full.manifest ?? '', 'proposal'))).toEqual(essence(manifest));
  });

  it('asks for what a file with one channel is for, and for names, colours and numbers', async () => {
    const bare = propose(await subject(join(ROOT, 'models/unet-nuclei/model.onnx')), {});
    expect(bare.fields.filter((field) => field.value === null).map((field) => field.key)).toEqual(['family', 'license']);
    const semantic = propose(await subject(join(ROOT, 'models/unet-nuclei/model.onnx')), { family: 'semantic' });
    expect(semantic.missing).toEqual(['license', 'normalisation', 'color', 'labels']);
    expect(semantic.fields.find((field) => field.key === 'variant')).toMatchObject({ value: 'sigmoid', certainty: 'read' });
    // `model.onnx` is called by its folder; the id is free.
    expect(semantic.fields.find((field) => field.key === 'id')).toMatchObject({ value: 'unet-nuclei' });
  });

  it('refuses names that are too few, twice or an id that is taken, and says so at the field', async () => {
    const given = await subject(join(ROOT, 'models/deeplabv3-scenes/model.onnx'));
    const wrong = propose(given, { ...answersFrom(manifestOf('models/deeplabv3-scenes')), labels: 'a\nb', id: 'model' });
    expect(wrong.missing).toEqual(['id', 'labels']);
    expect(wrong.fields.find((field) => field.key === 'labels')?.why).toMatch(/has \d+ classes; 2 names are given/);
    expect(wrong.fields.find((field) => field.key === 'id')?.why).toContain('There is a model “model” already');
  });

  it('says of half a SAM, and of two files that do not belong together, what is missing', async () => {
    const [encoder, decoder] = ['encoder.onnx', 'decoder.onnx'].map((name) => join(ROOT, 'test/tiny-sams/tiny-sam2', name));
    expect(propose(await subject(decoder ?? ''), {}).problem).toContain('Add it together with its encoder');
    expect(propose(await subject(encoder ?? ''), {}).problem).toContain('Add it together with its decoder');
    const strangers = propose(await subject(encoder ?? '', join(ROOT, 'models/unet-nuclei/model.onnx')), {});
    expect(strangers.problem).toContain('added one at a time');
  });

  it.skipIf(!sharedHas('models/deeplabv3-mobilenetv2-voc-513.onnx'))('knows a published DeepLabV3 by its signature', async () => {
    const found = propose(await subject(sharedPath('models/deeplabv3-mobilenetv2-voc-513.onnx')), {});
    const value = (key: string): string | null | undefined => found.fields.find((field) => field.key === key)?.value;
    expect([value('family'), value('variant'), value('fit')]).toEqual(['semantic', 'logits', 'stretch']);
    expect(found.fields.find((field) => field.key === 'labels')?.label).toContain('21 classes');
  });

  it.skipIf(!has('yolo11n-seg/yolo11n-seg.onnx'))('reads all of a YOLO from its metadata', async () => {
    const found = propose(await subject(join(fetched, 'yolo11n-seg/yolo11n-seg.onnx')), {});
    expect(found).toMatchObject({ missing: [], problem: null });
    const manifest = parseManifest(found.manifest ?? '', 'proposal');
    expect(manifest).toMatchObject({
      family: 'yolo-seg',
      variant: 'v8',
      license: 'AGPL-3.0-only',
      input: { name: 'images', range: 1, color: 'rgb' },
    });
    expect(essence(manifest)).toEqual(essence(manifestOf('models/catalog/yolo11n-seg')));
  });

  it.skipIf(!has('sam2-hiera-tiny/encoder.ort'))('knows the published pair of a SAM 2, encoder in the .ort format', async () => {
    const model = join(fetched, 'sam2-hiera-tiny');
    const found = propose(await subject(join(model, 'decoder.onnx'), join(model, 'encoder.ort')), { license: 'Apache-2.0' });
    expect(essence(parseManifest(found.manifest ?? '', 'proposal'))).toEqual(essence(manifestOf('models/catalog/sam2-hiera-tiny')));
  });
});

function has(file: string): boolean {
  const there = existsSync(join(fetched, file));
  if (!there) console.warn(`skipped: ${file} was not fetched (maskloop models get)`);
  return there;
}

describe('the header of an ONNX file', () => {
  it('is what ONNX Runtime reads, without the weights', async () => {
    for (const model of OURS) {
      for (const { path } of weightFiles(manifestOf(model))) {
        const file = join(ROOT, model, path);
        const header = await readOnnxHeader(file);
        const signature = await readSignature(file);
        expect(header.inputs).toEqual(signature.inputs);
        expect(header.outputs.map(({ name, type }) => [name, type])).toEqual(signature.outputs.map(({ name, type }) => [name, type]));
        expect(header).toMatchObject({
          producer: expect.stringContaining('pytorch') as string,
          opset: expect.any(Number) as number,
          external: [],
        });
      }
    }
  });

  it('tells weights that lie in another file', async () => {
    // ModelProto.graph.initializer.external_data: key location, value weights.data; and a name, as the writer of ONNX stores it.
    const field = (number: number, bytes: Buffer): Buffer => Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
    const pair = Buffer.concat([field(1, Buffer.from('location')), field(2, Buffer.from('weights.data'))]);
    const graph = field(5, Buffer.concat([field(8, Buffer.from('w')), field(13, pair)]));
    const path = join(folder, 'external.onnx');
    writeFileSync(path, field(7, graph));
    expect(await readOnnxHeader(path)).toMatchObject({ external: ['weights.data'] });
  });

  it('refuses what is no ONNX file, cut off or not there, by name', async () => {
    const cut = join(folder, 'cut.onnx');
    writeFileSync(cut, readFileSync(join(ROOT, 'models/unet-nuclei/model.onnx')).subarray(0, 5000));
    await expect(readOnnxHeader(cut)).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('cut.onnx') as string });
    const text = join(folder, 'text.onnx');
    writeFileSync(text, 'no model at all, but a line of text');
    await expect(readOnnxHeader(text)).rejects.toMatchObject({ code: 'invalid' });
    writeFileSync(join(folder, 'empty.onnx'), '');
    await expect(readOnnxHeader(join(folder, 'empty.onnx'))).rejects.toMatchObject({ code: 'invalid' });
    await expect(readOnnxHeader(join(folder, 'none.onnx'))).rejects.toMatchObject({ code: 'io' });
  });
});

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/store-fixtures.ts';
import type { Drafts } from './drafts.ts';
import { createDrafts } from './drafts.ts';
import { createCatalog } from './inference/catalog.ts';
import { createEngine } from './inference/engine.ts';
import { parseManifest } from './inference/manifest.ts';
import { takeUpload } from './uploads.ts';

const MODELS = join(import.meta.dirname, '..', '..', 'models');
const CELLS = join(MODELS, 'unet-nuclei', 'golden', 'cells.png');
const UNET = join(MODELS, 'unet-nuclei', 'model.onnx');
const TINY_SAM = join(MODELS, '..', 'test', 'tiny-sams', 'tiny-sam2');
/** The same without the manifest beside it, which would say everything. */
let unet: string;
let tinySam: string;
const ANSWERS = { family: 'semantic', license: 'LicenseRef-own', normalisation: 'unit', color: 'rgb', labels: 'nucleus', id: 'mine' };

const root = temporaryFolder();
const engine = createEngine({ modelFolders: [], providers: 'cpu' });
let count = 0;
let home: string;
let drafts: Drafts;

beforeEach(() => {
  home = join(root, `home-${++count}`);
  mkdirSync(join(home, 'models'), { recursive: true });
  unet = join(home, 'model.onnx');
  copyFileSync(UNET, unet);
  tinySam = join(home, 'tiny-sam2');
  mkdirSync(tinySam);
  for (const name of ['encoder.onnx', 'decoder.onnx']) copyFileSync(join(TINY_SAM, name), join(tinySam, name));
  drafts = createDrafts({
    inference: engine,
    folder: join(home, 'drafts', 'own'),
    modelFolder: join(home, 'models'),
    takenIds: () => Promise.resolve([]),
  });
});
afterEach(() => drafts.close());
afterAll(() => engine.close());

describe('a model on its way in', () => {
  it('is tried and kept as a copy with its manifest, and leaves no draft', async () => {
    const { draftId } = await drafts.inspect([unet]);
    const report = await drafts.examine(draftId, ANSWERS, CELLS);
    expect(report).toMatchObject({ modelId: 'mine', provider: 'cpu', signs: [], classes: [{ label: 'nucleus' }] });
    expect(report.instances).toBeGreaterThan(5);
    expect(report.overlay).toMatch(/^data:image\/jpeg;base64,\/9j\//);
    expect(readdirSync(join(home, 'models'))).toEqual([]);
    expect(await drafts.keep(draftId, ANSWERS)).toBe('mine');
    expect(readdirSync(join(home, 'models'))).toEqual(['mine']);
    const { manifest } = await createCatalog([join(home, 'models')]).use('mine');
    expect(manifest).toMatchObject({ family: 'semantic', variant: 'sigmoid', license: 'LicenseRef-own', labels: ['nucleus'] });
    expect(readdirSync(join(home, 'drafts', 'own'))).toEqual([]);
    await expect(drafts.keep(draftId, ANSWERS)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('with the manifest of its training beside it is taken as that says, under a free id', async () => {
    const place = join(home, 'run');
    mkdirSync(place);
    for (const name of ['model.onnx', 'manifest.json']) copyFileSync(join(MODELS, 'unet-nuclei', name), join(place, name));
    const draft = await drafts.inspect([join(place, 'model.onnx')]);
    expect(draft).toMatchObject({ missing: [], problem: null, fields: [{ key: 'id', value: 'unet-nuclei' }] });
    const report = await drafts.examine(draft.draftId, {}, CELLS);
    expect(report).toMatchObject({ modelId: 'unet-nuclei', signs: [], classes: [{ label: 'nucleus' }] });
    expect(await drafts.keep(draft.draftId, { id: 'nuclei-2' })).toBe('nuclei-2');
    const { manifest } = await createCatalog([join(home, 'models')]).use('nuclei-2');
    expect(manifest).toMatchObject({ family: 'semantic', labels: ['nucleus'], goldens: [] });
    writeFileSync(join(place, 'manifest.json'), readFileSync(join(MODELS, 'segnet-scenes', 'manifest.json')));
    await expect(drafts.inspect([place])).rejects.toMatchObject({ code: 'model-load' });
    writeFileSync(join(place, 'manifest.json'), '{"name":"a web page"}');
    expect((await drafts.inspect([place])).missing).toEqual(['family', 'license']);
  });

  it('is not tried while it is not clear what it is', async () => {
    const { draftId, missing } = await drafts.inspect([unet]);
    expect(missing).toEqual(['family', 'license']);
    await expect(drafts.examine(draftId, {}, CELLS)).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('Kind of model') as string,
    });
  });

  it('that is understood wrongly looks wrong', async () => {
    const { draftId } = await drafts.inspect([unet]);
    const report = await drafts.examine(draftId, { ...ANSWERS, variant: 'sigmoid-logits' }, CELLS);
    expect(report.signs).toContainEqual({ severity: 'wrong', text: expect.stringContaining('look like probabilities') as string });
  });

  it('may be a SAM: one click at the middle shows whether the two belong together', async () => {
    const { draftId } = await drafts.inspect([tinySam]);
    const report = await drafts.examine(draftId, { license: 'Apache-2.0', id: 'my-sam' }, CELLS);
    expect(report.outputs.map((output) => output.name)).toEqual(expect.arrayContaining(['masks', 'iou_predictions']));
    await drafts.keep(draftId, { license: 'Apache-2.0', id: 'my-sam' });
    expect(readdirSync(join(home, 'models', 'my-sam')).sort()).toEqual(['decoder.onnx', 'encoder.onnx', 'manifest.json']);
  });

  it('that does not load, or is none at all, leaves nothing behind', async () => {
    const broken = join(home, 'broken.onnx');
    const bytes = readFileSync(UNET);
    bytes.fill(255, 2000, 40_000);
    writeFileSync(broken, bytes);
    await expect(drafts.inspect([broken])).rejects.toMatchObject({ message: expect.stringContaining('broken.onnx') as string });
    await expect(drafts.inspect([join(home, 'none.onnx')])).rejects.toMatchObject({ code: 'not-found' });
    await expect(drafts.inspect([join(home, 'models')])).rejects.toMatchObject({ code: 'invalid' });
    expect(existsSync(join(home, 'drafts'))).toBe(false);
  });

  it('may be described by X-AnyLabeling, its files beside', async () => {
    copyFileSync(join(TINY_SAM, 'encoder.onnx'), join(home, 'e.onnx'));
    copyFileSync(join(TINY_SAM, 'decoder.onnx'), join(home, 'd.onnx'));
    const yaml = join(home, 'sam.yaml');
    writeFileSync(
      yaml,
      'type: segment_anything_2\nname: s\ndisplay_name: Our SAM\nencoder_model_path: https://example.org/x/e.onnx\ndecoder_model_path: d.onnx\n',
    );
    const draft = await drafts.inspect([yaml]);
    expect(draft.missing).toEqual(['license']);
    expect(draft.fields.find((field) => field.key === 'name')?.value).toBe('Our SAM');
    writeFileSync(yaml, 'type: segment_anything_2\nencoder_model_path: e.onnx\ndecoder_model_path: lost.onnx\n');
    await expect(drafts.inspect([yaml])).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('lost.onnx') as string,
    });
  });

  it('described by addresses is downloaded once that was agreed to; its hash is kept', async () => {
    const bytes = readFileSync(UNET);
    const server = createServer((request, response) => {
      response.writeHead(200, { 'content-length': bytes.length });
      response.end(request.method === 'HEAD' ? undefined : bytes);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/y/net.onnx`;
      const yaml = join(home, 'net.yaml');
      // A signature that is no YOLO's: what counts is the file, not what the configuration calls it.
      writeFileSync(yaml, `type: yolov8_seg\nname: net\nmodel_path: ${url}\nclasses: [nucleus]\n`);
      const asked = await drafts.inspect([yaml]);
      expect(asked).toMatchObject({ missing: ['download'], files: [] });
      expect(asked.fields[0]?.why).toContain('names no hash');
      const answers = { ...ANSWERS, download: 'yes' };
      const { missing } = await drafts.propose(asked.draftId, answers);
      expect(missing).toEqual([]);
      await drafts.keep(asked.draftId, answers);
      const manifest = parseManifest(readFileSync(join(home, 'models', 'mine', 'manifest.json'), 'utf8'), 'manifest.json');
      expect(manifest).toMatchObject({ sources: [{ kind: 'url', url }], file: { path: 'net.onnx', bytes: bytes.length } });
      await createCatalog([join(home, 'models')]).use('mine');
    } finally {
      server.close();
    }
  });
});

describe('a file that a browser sends', () => {
  const folder = (): string => join(home, 'drafts', 'own');

  it('lies in a folder of its own, and goes with its draft', async () => {
    const bytes = readFileSync(UNET);
    const path = await takeUpload(folder(), 'net.onnx', Readable.from([bytes]), bytes.length);
    expect(readFileSync(path).equals(bytes)).toBe(true);
    const { draftId } = await drafts.inspect([path]);
    await drafts.discard(draftId);
    expect(existsSync(path)).toBe(false);
  });

  it.each([
    ['../net.onnx', 10, 10],
    ['net.exe', 10, 10],
    ['net.onnx', 10, 20],
    ['net.onnx', 20, 10],
    ['net.onnx', 10, 2 ** 40],
  ])('is refused: %s of %i bytes, announced as %i', async (name, sent, announced) => {
    await expect(takeUpload(folder(), name, Readable.from([Buffer.alloc(sent)]), announced)).rejects.toMatchObject({ name: 'AppError' });
    expect(existsSync(folder()) ? readdirSync(folder()) : []).toEqual([]);
  });
});

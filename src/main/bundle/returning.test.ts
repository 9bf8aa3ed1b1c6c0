import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { adding, annotation, containing } from '../../../test/store-fixtures.ts';
import { all, appFolder, call, folder, inference, root, studio } from '../../../test/studio-fixture.ts';
import type { PredictRequest } from '../inference/inference.ts';
import type { Geometry } from '../../shared/records.ts';

let round = 0;
/** Ids of the two images that are held out. */
let held: readonly number[];
let heldPaths: readonly string[];

const square = (x: number, y: number, side: number): Geometry => ({
  kind: 'polygon',
  parts: [{ outer: [x, y, x + side, y, x + side, y + side, x, y + side], holes: [] }],
});

/** What a training leaves: weights (of these bytes), manifest, and what it saw. */
function training(weights: string, more: { labels?: readonly string[]; saw?: readonly string[] | null } = {}): string {
  const place = join(root, `run-${++round}`);
  mkdirSync(place);
  const bytes = Buffer.from(weights);
  writeFileSync(join(place, 'model.onnx'), bytes);
  const manifest = {
    format: 1,
    id: 'shop-mask-rcnn',
    name: 'Shop',
    version: '1',
    family: 'mask-rcnn',
    variant: 'torchvision',
    file: { path: 'model.onnx', bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') },
    input: { name: 'image', color: 'rgb', range: 1, mean: [0, 0, 0], std: [1, 1, 1], fit: { mode: 'none', maxPixels: 1_000_000 } },
    outputs: { boxes: 'boxes', labels: 'labels', scores: 'scores', masks: 'masks' },
    labels: more.labels ?? ['lamp', 'light'],
    labelOffset: 1,
    thresholds: { score: 0.5, keep: 0.05, mask: 0.5 },
    license: 'LicenseRef-own',
    source: 'A test',
    goldens: [],
  };
  writeFileSync(join(place, 'manifest.json'), JSON.stringify(manifest));
  const { saw = [] } = more;
  if (saw !== null) writeFileSync(join(place, 'training.json'), JSON.stringify({ train_images: saw, val_images: [] }));
  return join(place, 'model.onnx');
}

/** The bright spots are the truth; the port finds them with any model, but with the first one only the lamp. */
beforeEach(async () => {
  const { models, predict } = inference;
  Object.assign(inference, {
    async models() {
      const [bright] = await models();
      const names = existsSync(join(appFolder, 'models')) ? readdirSync(join(appFolder, 'models')) : [];
      return bright === undefined ? [] : names.map((id) => ({ ...bright, id, version: '1' }));
    },
    async predict(request: PredictRequest, signal?: AbortSignal) {
      const found = await predict(request, signal);
      const first = request.modelId === 'shop-mask-rcnn';
      return { ...found, instances: first ? found.instances.filter(({ label }) => label === 'lamp') : found.instances };
    },
  });
  await call('project.open', { folder });
  await studio.scanned();
  const lamp = await call('labels.create', { name: 'lamp' });
  const light = await call('labels.create', { name: 'light' });
  const { rows } = await call('images.list', all);
  for (const { id } of rows) {
    const diff = adding(
      annotation(`a${id}`, lamp.id, { geometry: square(8, 8, 12) }),
      annotation(`b${id}`, light.id, { geometry: square(40, 40, 4) }),
    );
    await call('document.apply', { imageId: id, base: 0, diff });
  }
  await call('images.setState', { imageIds: rows.map(({ id }) => id), state: 'done' });
  await call('splits.make', {
    kind: 'random',
    parts: [
      { name: 'train', share: 50 },
      { name: 'test', share: 50 },
    ],
  });
  const test = await call('images.list', { ...all, behind: { split: 'test' } });
  held = test.rows.map(({ id }) => id);
  heldPaths = test.rows.map(({ path }) => path);
});

it('adds the model, measures it on the held-out images only, and beside the next one as the former', async () => {
  const first = await call('return.start', { path: training('one') });
  expect(first).toMatchObject({ modelId: 'shop-mask-rcnn', known: false, before: null, noBefore: containing('nothing to compare') });
  expect(first.after).toMatchObject({ split: 'test', images: 2, instances: 4, modelVersion: '1' });
  // The lamp is found, the light is not: mean of the two classes.
  expect(first.after.segm.AP50).toBeCloseTo(0.5, 9);
  expect(first.after.perClass.map(({ name, AP50, instances }) => [name, AP50, instances])).toEqual([
    ['lamp', 1, 2],
    ['light', 0, 2],
  ]);
  expect(inference.asked.map(({ path }) => path).sort()).toEqual(heldPaths.map((path) => join(folder, path)).sort());
  const second = await call('return.start', { path: training('two') });
  expect(second).toMatchObject({ modelId: 'shop-mask-rcnn-2', known: false, noBefore: null });
  expect(second.before).toMatchObject({ modelId: 'shop-mask-rcnn', split: 'test', images: 2 });
  expect(second.before?.segm.AP50).toBeCloseTo(0.5, 9);
  expect(second.after.segm.AP50).toBeCloseTo(1, 9);
  expect(second.warnings).toEqual([]);
  const history = await call('return.list', {});
  expect(history.map(({ modelId }) => modelId)).toEqual(['shop-mask-rcnn-2', 'shop-mask-rcnn', 'shop-mask-rcnn']);
  expect(history[0]).toEqual(second.after);
  // Its suggestions are a run like any other; no instance was touched, and none is asked about twice.
  const [run] = await call('runs.list', {});
  expect(run).toMatchObject({ id: second.after.runId, modelId: 'shop-mask-rcnn-2', total: 2, suggestions: 4 });
  const document = await call('document.load', { imageId: held[0] ?? 0 });
  expect(document.suggestions).toHaveLength(0);
  expect(document.annotations).toHaveLength(2);
  expect(readFileSync(join(appFolder, 'models', 'shop-mask-rcnn-2', 'manifest.json'), 'utf8')).toContain('"id": "shop-mask-rcnn-2"');
});

it('measures on done images only, and on others where it is told to, which the report says', async () => {
  await call('images.setState', { imageIds: [...held], state: 'in-progress' });
  const path = training('one');
  await expect(call('return.start', { path })).rejects.toMatchObject({ code: 'invalid', detail: { key: 'splits', state: 2 } });
  expect(await call('return.list', {})).toEqual([]);
  const any = await call('return.start', { path, states: [] });
  expect(any).toMatchObject({ states: [], after: { split: 'test', images: 2, instances: 4 } });
  await call('images.setState', { imageIds: [held[0] ?? 0], state: 'done' });
  expect(await call('return.start', { path, former: null })).toMatchObject({ states: ['done'], after: { images: 1, instances: 2 } });
});

it('knows weights that came back before, and measures them again', async () => {
  const path = training('one');
  await call('return.start', { path });
  const again = await call('return.start', { path, former: null });
  expect(again).toMatchObject({ modelId: 'shop-mask-rcnn', known: true, before: null });
  expect(await call('return.list', {})).toHaveLength(2);
  expect(readdirSync(join(appFolder, 'models'))).toEqual(['shop-mask-rcnn']);
});

it('says when it was trained on what measures it, or when nobody can tell', async () => {
  const leaked = await call('return.start', { path: training('one', { saw: [heldPaths[0] ?? '', 'elsewhere.jpg'] }) });
  expect(leaked.warnings).toEqual([containing('trained on 1 of these 2 images')]);
  const silent = await call('return.start', { path: training('two', { saw: null }), former: null });
  expect(silent.warnings).toEqual([containing('No training.json')]);
  const other = await call('return.start', { path: training('three', { labels: ['lamp', 'spoon'] }), former: null });
  expect(other.warnings).toEqual([containing('spoon'), containing('light')]);
});

it('refuses a file without manifest, other weights than it names, and classes of another project', async () => {
  const lost = join(root, 'gone.onnx');
  await expect(call('return.start', { path: lost })).rejects.toMatchObject({ code: 'not-found', message: containing(lost) });
  const bare = join(root, `bare-${++round}.onnx`);
  writeFileSync(bare, 'x');
  await expect(call('return.start', { path: bare })).rejects.toMatchObject({ code: 'invalid', message: containing('manifest.json') });
  const changed = training('one');
  writeFileSync(changed, 'eno');
  await expect(call('return.start', { path: changed })).rejects.toMatchObject({ code: 'model-load', message: containing('SHA-256') });
  const foreign = training('two', { labels: ['spoon'] });
  await expect(call('return.start', { path: foreign })).rejects.toMatchObject({ code: 'invalid', message: containing('spoon') });
  expect(existsSync(join(appFolder, 'models'))).toBe(false);
  expect(await call('return.list', {})).toEqual([]);
});

it('needs held-out images that are done', async () => {
  await call('images.setState', { imageIds: [...held], state: 'in-progress' });
  await expect(call('return.start', { path: training('one') })).rejects.toMatchObject({ code: 'invalid', message: containing('done') });
  await call('splits.clear', {});
  await expect(call('return.start', { path: training('one') })).rejects.toMatchObject({ code: 'invalid', message: containing('split') });
});

it('is cancelled while it predicts: nothing is measured, and the model stays', async () => {
  const path = training('one');
  inference.before = () => void call('return.cancel', {});
  await expect(call('return.start', { path })).rejects.toMatchObject({ code: 'cancelled' });
  expect(await call('return.list', {})).toEqual([]);
  expect(readdirSync(join(appFolder, 'models'))).toEqual(['shop-mask-rcnn']);
  inference.before = () => undefined;
  expect(await call('return.start', { path })).toMatchObject({ known: true, after: { images: 2 } });
});

it('compares nothing where a model fails on an image', async () => {
  let asked = 0;
  inference.before = () => {
    if (++asked === 1) throw new Error('out of memory');
  };
  await expect(call('return.start', { path: training('one') })).rejects.toMatchObject({ code: 'model-run', message: containing('1 of 2') });
  expect(await call('return.list', {})).toEqual([]);
});

import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EngineStatus } from '../../shared/answers.ts';
import { maskIou, rleBox } from '../../shared/mask/rle.ts';
import { checkModels } from './check.ts';
import { loadSharp } from './decoder.ts';
import { createEngine } from './engine.ts';
import { parseGoldenAnswer, parseManifest, weightFiles } from './manifest.ts';
import type { Inference, PredictRequest } from './inference.ts';

const tiny = fileURLToPath(new URL('../../../test/tiny-models', import.meta.url));
const photo = `${tiny}/tiny-torchvision/golden/wide.png`;
const ask: PredictRequest = { modelId: 'tiny-torchvision', path: photo, priority: 'user', next: null };

let folder = '';
let engine: Inference;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskloop-engine-'));
  engine = createEngine({ modelFolders: [tiny], providers: 'cpu' });
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

describe('the engine', () => {
  it('answers as PyTorch does, for every signature and for sizes other than the traced one', async () => {
    const reports = await checkModels(engine, [tiny]);
    expect(reports.map((report) => [report.modelId, report.image, report.problem])).toEqual([
      ['tiny-detectron2', 'golden/wide.png', null],
      ['tiny-detectron2', 'golden/tall.png', null],
      ['tiny-torchvision', 'golden/wide.png', null],
      ['tiny-torchvision', 'golden/tall.png', null],
      ['tiny-zoo', 'golden/wide.png', null],
      ['tiny-zoo', 'golden/tall.png', null],
    ]);
    for (const report of reports) expect(report).toMatchObject({ ok: true, expected: 8, matched: 8, extra: 0 });
  });

  it('answers in the pixels of the upright image', async () => {
    const turned = join(folder, 'turned.png');
    // Stored lying on its side; upright it is the golden image.
    await writeFile(turned, await loadSharp()(photo).rotate(270).png().withMetadata({ orientation: 6 }).toBuffer());
    const [upright, plain] = [await engine.predict({ ...ask, path: turned }), await engine.predict(ask)];
    expect([upright.width, upright.height]).toEqual([200, 150]);
    expect(upright.instances).toEqual(plain.instances);
  });

  it('gives the same answer when the image was decoded ahead', async () => {
    const other = `${tiny}/tiny-torchvision/golden/tall.png`;
    const alone = await engine.predict({ ...ask, path: other });
    await engine.predict({ ...ask, priority: 'batch', next: other });
    const ahead = await engine.predict({ ...ask, path: other, priority: 'batch' });
    expect(ahead.instances).toEqual(alone.instances);
    await engine.predict({ ...ask, next: `${folder}/nowhere.jpg` });
    await expect(engine.predict({ ...ask, path: `${folder}/nowhere.jpg` })).rejects.toMatchObject({ code: 'not-found' });
  });

  it('scales a larger image down for the model, and its instances back', async () => {
    const large = join(folder, 'large.png');
    await writeFile(large, await loadSharp()(photo).resize(2000, 1500, { kernel: 'cubic' }).png().toBuffer());
    const prediction = await engine.predict({ ...ask, path: large });
    expect([prediction.width, prediction.height]).toEqual([2000, 1500]);
    const [first] = prediction.instances;
    expect(first?.rle.size).toEqual([1500, 2000]);
    const [x, y, w, h] = first?.box ?? [0, 0, 0, 0];
    const [mx, my, mw, mh] = first ? rleBox(first.rle) : [0, 0, 0, 0];
    // The graph pads a mask by one of its 28 cells, so it may reach over its box by that much.
    expect(mx).toBeGreaterThanOrEqual(x - w / 14 - 3);
    expect(my).toBeGreaterThanOrEqual(y - h / 14 - 3);
    expect(mx + mw).toBeLessThanOrEqual(x + w + w / 14 + 3);
    expect(my + mh).toBeLessThanOrEqual(y + h + h / 14 + 3);
    expect(w).toBeGreaterThan(100);
  });

  it('answers what the user waits for before the batch', async () => {
    const order: string[] = [];
    const asked = (['batch', 'batch', 'batch', 'user'] as const).map((priority, i) =>
      engine.predict({ ...ask, priority }).then(() => order.push(`${priority} ${i}`)),
    );
    await Promise.all(asked);
    // The first batch question had begun before the user's was asked.
    expect(order).toEqual(['batch 0', 'user 3', 'batch 1', 'batch 2']);
  });

  it('does not begin what was cancelled while it waited', async () => {
    const abort = new AbortController();
    const first = engine.predict(ask);
    const second = engine.predict({ ...ask, priority: 'batch' }, abort.signal);
    abort.abort();
    await expect(second).rejects.toMatchObject({ code: 'cancelled' });
    expect((await first).instances).toHaveLength(8);
    await expect(engine.predict(ask, abort.signal)).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('goes on after an image that cannot be decoded', async () => {
    const bad = join(folder, 'bad.jpg');
    await writeFile(bad, 'no picture');
    await expect(engine.predict({ ...ask, path: bad })).rejects.toMatchObject({ code: 'unsupported', detail: { path: bad } });
    expect(engine.status().state).toBe('idle');
    expect((await engine.predict(ask)).instances).toHaveLength(8);
  });

  it('keeps the reason for every provider that it could not use, and ends with the CPU', async () => {
    const every = createEngine({ modelFolders: [tiny], refused: [{ provider: 'webgpu', ok: false, reason: 'it ended a process' }] });
    const seen: EngineStatus[] = [];
    every.onStatus((status) => seen.push(status));
    const prediction = await every.predict(ask);
    const { attempts, provider } = every.status();
    expect(provider).toBe(prediction.provider);
    expect(attempts).toContainEqual({ provider: 'webgpu', ok: false, reason: 'it ended a process' });
    expect(attempts.filter((attempt) => attempt.ok).map((attempt) => attempt.provider)).toEqual([prediction.provider]);
    for (const attempt of attempts) expect(attempt.ok || (attempt.reason ?? '').length > 3).toBe(true);
    expect(seen.map((status) => status.state)).toContain('loading');
    await every.close();
  });

  it('names the model and the file that cannot be loaded', async () => {
    const path = join(folder, 'broken', 'tiny-zoo');
    await cp(`${tiny}/tiny-zoo`, path, { recursive: true });
    const whole = await readFile(join(path, 'model.onnx'));
    const half = whole.subarray(0, whole.length >> 1);
    await writeFile(join(path, 'model.onnx'), half);
    const manifestFile = join(path, 'manifest.json');
    const manifest = parseManifest(await readFile(manifestFile, 'utf8'), manifestFile);
    const sha256 = createHash('sha256').update(half).digest('hex');
    const [weights] = weightFiles(manifest);
    const cut = { ...manifest, file: { path: weights?.path, bytes: half.length, sha256 } };
    await writeFile(manifestFile, JSON.stringify(cut));
    const broken = createEngine({ modelFolders: [join(folder, 'broken'), tiny], providers: 'cpu' });
    const file = join(path, 'model.onnx');
    await expect(broken.predict({ ...ask, modelId: 'tiny-zoo' })).rejects.toMatchObject({
      code: 'model-load',
      message: expect.stringContaining(`tiny-zoo: ${file} cannot be loaded: `) as string,
      detail: { modelId: 'tiny-zoo', file },
    });
    expect(broken.status().state).toBe('failed');
    expect((await broken.predict(ask)).instances).toHaveLength(8);
    await broken.close();
  });

  it('names an output that the file does not have', async () => {
    const path = join(folder, 'misnamed', 'tiny-zoo');
    await cp(`${tiny}/tiny-zoo`, path, { recursive: true });
    const text = await readFile(join(path, 'manifest.json'), 'utf8');
    await writeFile(join(path, 'manifest.json'), text.replace('"masks": "masks"', '"masks": "segments"'));
    const misnamed = createEngine({ modelFolders: [join(folder, 'misnamed')], providers: 'cpu' });
    await expect(misnamed.predict({ ...ask, modelId: 'tiny-zoo' })).rejects.toMatchObject({
      code: 'model-load',
      message: expect.stringContaining(
        'names output "segments"; the file has inputs image and outputs boxes, labels, scores, masks',
      ) as string,
    });
    await misnamed.close();
  });

  it('finds a golden that is not met', async () => {
    const path = join(folder, 'wrong', 'tiny-zoo');
    await cp(`${tiny}/tiny-zoo`, path, { recursive: true });
    const file = join(path, 'golden', 'wide.json');
    const answer = parseGoldenAnswer(await readFile(file, 'utf8'), file);
    const instances = answer.instances.map((instance, i) => (i === 0 ? { ...instance, label: 'gamma' } : instance));
    await writeFile(file, JSON.stringify({ ...answer, instances }));
    const wrong = createEngine({ modelFolders: [join(folder, 'wrong')], providers: 'cpu' });
    const reports = await checkModels(wrong, [join(folder, 'wrong')]);
    expect(reports.map((report) => report.ok)).toEqual([false, true]);
    expect(reports[0]?.problem).toBe('1 of 8 were not found; 1 found that nobody expects');
    await wrong.close();
  });

  it('takes part in a restriction of providers only with names that exist', () => {
    expect(() => createEngine({ modelFolders: [tiny], providers: 'tpu' })).toThrow('MASKLOOP_PROVIDERS names "tpu"');
  });

  it('gives masks that agree with their reference to the pixel', async () => {
    const file = `${tiny}/tiny-zoo/golden/tall.json`;
    const expected = parseGoldenAnswer(await readFile(file, 'utf8'), file);
    const found = await engine.predict({ ...ask, modelId: 'tiny-zoo', path: `${tiny}/tiny-zoo/golden/tall.png` });
    const [a, b] = [expected.instances[0]?.rle, found.instances[0]?.rle];
    expect(a && b && maskIou(a, b)).toBe(1);
  });
});

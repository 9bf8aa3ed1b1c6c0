import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { questionSchema } from '../../shared/classical/questions.ts';
import { createEngine } from '../inference/engine.ts';
import { encodePng } from '../inference/pixels.ts';
import { drawn } from '../../../test/drawn-picture.ts';
import { METHOD_VERSION, withClassical } from './models.ts';
import type { ClassicalImage, ClassicalThread } from './thread.ts';
import { createClassicalThread } from './thread.ts';

let folder: string;
let thread: ClassicalThread;
const halves = (x: number): readonly [number, number, number] => (x < 60 ? [210, 60, 60] : [60, 60, 210]);

async function picture(name: string, noise: number): Promise<ClassicalImage> {
  const image = drawn(100, 80, noise, halves);
  const path = join(folder, name);
  await writeFile(path, await encodePng(image.data, 100, 80, 3));
  return { key: name, path };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskloop-classical-'));
  thread = createClassicalThread();
});

afterAll(async () => {
  await thread.close();
  await rm(folder, { recursive: true });
});

describe('the thread of the classical methods', () => {
  it('segments a file, and follows an edge in it', async () => {
    const image = await picture('one.png', 0);
    expect(await thread.open(image)).toEqual({ width: 100, height: 80 });
    const { instances } = await thread.segment(image, questionSchema.parse({ method: 'kmeans', parameters: { k: 2 } }), false);
    expect(instances.map(({ box }) => box)).toEqual([
      [0, 0, 60, 80],
      [60, 0, 40, 80],
    ]);
    const { points } = await thread.path(image, [58, 5], [62, 75], 3);
    for (let i = 0; i < points.length; i += 2) expect(Math.abs(points[i]! - 60)).toBeLessThanOrEqual(1.5);
  });

  it('gives a question up and goes on with the next', async () => {
    const image = await picture('noisy.png', 60);
    await thread.open(image);
    const slow = questionSchema.parse({ method: 'mean-shift', parameters: { spatial: 40, range: 40 } });
    const giveUp = new AbortController();
    const first = thread.segment(image, slow, false, giveUp.signal);
    const second = thread.segment(image, questionSchema.parse({ method: 'wand', clicks: [{ x: 5, y: 5, adds: true }] }), false);
    // So that it has begun, most likely; given up before or after, it ends alike.
    await sleep(30);
    giveUp.abort();
    await expect(first).rejects.toMatchObject({ code: 'cancelled' });
    expect((await second).method).toBe('wand');
    await expect(thread.segment(image, slow, false, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('says what is wrong with the hints and with the file', async () => {
    const image = await picture('two.png', 0);
    const question = questionSchema.parse({ method: 'watershed', strokes: [{ points: [5, 5], width: 3, mark: 1 }] });
    await expect(thread.segment(image, question, false)).rejects.toMatchObject({ code: 'invalid' });
    const none = { key: 'none', path: join(folder, 'none.png') };
    await expect(thread.open(none)).rejects.toMatchObject({ code: 'not-found' });
    const torn = { key: 'torn', path: join(folder, 'torn.png') };
    await writeFile(torn.path, 'no picture');
    await expect(thread.open(torn)).rejects.toMatchObject({ code: 'unsupported' });
    expect((await thread.open(image)).width).toBe(100);
  });

  it('keeps the last two images and opens the others again', async () => {
    const images = await Promise.all(['a.png', 'b.png', 'c.png', 'd.png'].map((name) => picture(name, 0)));
    const question = questionSchema.parse({ method: 'kmeans', parameters: { k: 2 } });
    for (const image of [...images, ...images]) expect((await thread.segment(image, question, true)).instances).toHaveLength(2);
  });

  it('fails what it was asked when it is closed', async () => {
    const other = createClassicalThread();
    const image = await picture('three.png', 60);
    await other.open(image);
    const asked = other.segment(image, questionSchema.parse({ method: 'mean-shift' }), false);
    const failed = expect(asked).rejects.toMatchObject({ code: 'cancelled' });
    await other.close();
    await failed;
    await expect(other.open(image)).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('methods as models', () => {
  it('are listed beside the others and predict a file, told options and a class', async () => {
    const inference = withClassical(createEngine({ modelFolders: [folder] }));
    try {
      expect((await inference.models()).map(({ id, family, version }) => [id, family, version])).toEqual([
        ['kmeans', 'classical', METHOD_VERSION],
        ['mean-shift', 'classical', METHOD_VERSION],
      ]);
      const states: string[] = [];
      inference.onStatus(({ state, provider, modelId }) => states.push([state, provider, modelId].join(' ')));
      const { path } = await picture('four.png', 10);
      const ask = { modelId: 'kmeans', path, priority: 'batch', next: null } as const;
      const plain = await inference.predict({ ...ask, options: { k: 2 } });
      expect(plain.instances.map(({ label, score }) => [label, score])).toEqual([
        ['cluster 1', 1],
        ['cluster 2', 1],
      ]);
      expect([plain.width, plain.height, plain.provider, plain.modelVersion]).toEqual([100, 80, 'cpu', METHOD_VERSION]);
      expect(states).toEqual(['running cpu kmeans', 'idle cpu kmeans']);
      expect(inference.status()).toMatchObject({ provider: 'cpu', threads: 1, lastMs: plain.totalMs, lastRunMs: plain.runMs });
      const named = await inference.predict({ ...ask, options: { regions: 'foreground', label: 'leaf' } });
      expect(named.instances.map(({ label }) => label)).toEqual(['leaf']);
      await expect(inference.predict({ ...ask, options: { k: 99 } })).rejects.toThrow(/K-means: k: /);
      await expect(inference.predict({ ...ask, options: { colour: 'lab' } })).rejects.toThrow(/"colour"/);
      await expect(inference.predict({ ...ask, modelId: 'another' })).rejects.toMatchObject({ code: 'not-found' });
    } finally {
      await inference.close();
    }
  });
});

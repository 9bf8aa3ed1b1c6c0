import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { brightPhoto } from '../../test/bright-inference.ts';
import { makeStudio } from '../../test/make-studio.ts';
import { NO_INFERENCE } from '../../test/no-inference.ts';
import type { PromptState } from '../shared/calls/prompts.ts';
import { AppError } from '../shared/errors.ts';
import type { Inference, EmbedRequest, PromptRequest } from './inference/inference.ts';
import type { Studio } from './studio.ts';

let folder = '';
let studio: Studio;
let embedded: EmbedRequest[] = [];
let asked: PromptRequest[] = [];
let told: PromptState[] = [];
/** What the inference does before it answers for an image. */
let before: (request: EmbedRequest, signal?: AbortSignal) => Promise<void> = () => Promise.resolve();

/** The port as the engine answers it; prompts themselves have tests of their own. */
const inference: Inference = {
  ...NO_INFERENCE,
  async embed(request, signal) {
    embedded.push(request);
    await before(request, signal);
    return { cached: false, provider: 'cpu', ms: 12 };
  },
  prompt(request) {
    asked.push(request);
    return Promise.resolve({ promptId: 1, candidates: [], finer: 'none', provider: 'cpu', embedMs: 0, runMs: 1, totalMs: 2 });
  },
};

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 5));
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskloop-studio-prompts-'));
  for (const [i, name] of ['a', 'b', 'c', 'd'].entries()) await writeFile(join(folder, `${name}.jpg`), await brightPhoto(100 + 10 * i));
  await writeFile(join(folder, 'broken.jpg'), 'no picture');
  embedded = [];
  asked = [];
  told = [];
  before = () => Promise.resolve();
  const appFolder = join(folder, '.app');
  studio = makeStudio(inference, appFolder, 'command-line');
  studio.onEvent((name, payload) => {
    if (name === 'prompt.state') told.push(payload as PromptState);
  });
  await studio.handlers['project.open']({ folder, file: null });
});
afterEach(async () => {
  await studio.close();
  await rm(folder, { recursive: true, force: true });
});

async function ids(): Promise<Record<string, number>> {
  const { rows } = await studio.handlers['images.list']({ offset: 0, limit: 10, search: '', states: [] });
  return Object.fromEntries(rows.map((row) => [row.path.replace('.jpg', ''), row.id]));
}

const names = (requests: readonly EmbedRequest[]): string[] => requests.map(({ path }) => path.slice(folder.length + 1));

describe('an image that is opened for prompts', () => {
  it('is made ready first, then those that the user will come to, without the ones that cannot be read', async () => {
    const { a = 0 } = await ids();
    const first = await studio.handlers['prompt.open']({ imageId: a, modelId: 'sam', ahead: [] });
    expect(first).toMatchObject({ imageId: a, state: 'embedding', cached: null });
    await until(() => embedded.length === 4);
    expect(names(embedded)).toEqual(['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg']);
    expect(embedded.map(({ priority }) => priority)).toEqual(['user', 'idle', 'idle', 'idle']);
    expect(embedded[0]).toMatchObject({ modelId: 'sam', width: 80, height: 60, cache: { bytes: 2048 * 2 ** 20 } });
    expect(embedded[0]?.imageSha).toMatch(/^[0-9a-f]{64}$/);
    expect(told).toEqual([{ imageId: a, modelId: 'sam', state: 'ready', cached: false, ms: 12, message: null }]);
    // Asked again it is known, and nothing is made twice.
    expect(await studio.handlers['prompt.open']({ imageId: a, modelId: 'sam', ahead: [] })).toMatchObject({ state: 'ready' });
    expect(embedded).toHaveLength(4);
  });

  it('goes ahead in the order that the window says', async () => {
    const { a = 0, b = 0, d = 0 } = await ids();
    await studio.handlers['prompt.open']({ imageId: b, modelId: 'sam', ahead: [a, d] });
    await until(() => embedded.length === 3);
    expect(names(embedded)).toEqual(['b.jpg', 'a.jpg', 'd.jpg']);
  });

  it('gives up what was begun for the image before it', async () => {
    const { a = 0, c = 0, d = 0 } = await ids();
    const given: string[] = [];
    before = ({ path }, signal) =>
      path.endsWith('a.jpg')
        ? new Promise((_resolve, reject) => {
            signal?.addEventListener('abort', () => {
              given.push(path);
              reject(new AppError('cancelled', 'Cancelled.'));
            });
          })
        : Promise.resolve();
    await studio.handlers['prompt.open']({ imageId: a, modelId: 'sam', ahead: [] });
    await studio.handlers['prompt.open']({ imageId: c, modelId: 'sam', ahead: [d] });
    await until(() => embedded.length === 3);
    expect(given).toHaveLength(1);
    expect(told.map(({ imageId, state }) => [imageId, state])).toEqual([[c, 'ready']]);
  });

  it('says why it failed, and tries again when it is opened again', async () => {
    const { a = 0, broken = 0 } = await ids();
    before = () => Promise.reject(new AppError('model-load', 'sam: its file is missing.'));
    await studio.handlers['prompt.open']({ imageId: a, modelId: 'sam', ahead: [] });
    await until(() => told.length === 1);
    expect(told[0]).toMatchObject({ state: 'failed', message: 'sam: its file is missing.' });
    before = () => Promise.resolve();
    await studio.handlers['prompt.open']({ imageId: a, modelId: 'sam', ahead: [] });
    await until(() => told.length === 2);
    expect(told[1]).toMatchObject({ state: 'ready' });
    const unreadable = await studio.handlers['prompt.open']({ imageId: broken, modelId: 'sam', ahead: [] });
    expect(unreadable.state).toBe('failed');
    expect(unreadable.message).toContain('not an image');
  });
});

it('carries a question to the port with what it has to know of the image', async () => {
  const { b = 0 } = await ids();
  const points = [{ x: 10, y: 20, positive: true }];
  const refine = { promptId: 7, candidate: 2 };
  await studio.handlers['prompt.ask']({ imageId: b, modelId: 'sam', points, box: null, refine, hover: false, finer: true });
  expect(asked).toHaveLength(1);
  expect(asked[0]).toMatchObject({ points, refine, finer: true, width: 80, height: 60, priority: 'user' });
  expect(asked[0]?.path).toBe(join(folder, 'b.jpg'));
});

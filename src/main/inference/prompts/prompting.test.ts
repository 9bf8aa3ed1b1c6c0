import { createHash } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PromptPoint } from '../../../shared/calls/prompts.ts';
import { encodeRle, maskIou } from '../../../shared/mask/rle.ts';
import type { Rle } from '../../../shared/records.ts';
import { createEngine } from '../engine.ts';
import type { EmbedRequest, Inference, PromptRequest } from '../inference.ts';
import { encodePng } from '../pixels.ts';

/** Both answer with what is coloured like the clicked pixel: see test/tiny-sams/make_tiny_sams.py. */
const models = fileURLToPath(new URL('../../../../test/tiny-sams', import.meta.url));
const SIZE = { width: 320, height: 200 };
const GREY = [120, 120, 120] as const;
const RED = [220, 40, 40] as const;
const BLUE = [40, 60, 220] as const;
/** x, y, width, height: a large red one, a small blue one. */
const LARGE = [30, 40, 150, 120] as const;
const SMALL = [250, 90, 20, 16] as const;

let folder = '';
let about: Omit<EmbedRequest, 'modelId'>;
let engine: Inference;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskloop-prompts-'));
  const data = new Uint8Array(SIZE.width * SIZE.height * 3);
  for (let i = 0; i < data.length; i++) data[i] = GREY[i % 3] ?? 0;
  paint(data, LARGE, RED);
  paint(data, SMALL, BLUE);
  const png = await encodePng(data, SIZE.width, SIZE.height, 3);
  const path = join(folder, 'squares.png');
  await writeFile(path, png);
  const imageSha = createHash('sha256').update(png).digest('hex');
  about = { path, imageSha, ...SIZE, cache: { path: join(folder, 'embeddings'), bytes: 1e9 }, priority: 'user' };
  engine = createEngine({ modelFolders: [models], providers: 'cpu', threads: 1 });
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

function paint(data: Uint8Array, [x, y, width, height]: readonly [number, number, number, number], color: readonly number[]): void {
  for (let row = y; row < y + height; row++) {
    for (let column = x; column < x + width; column++) data.set(color, (row * SIZE.width + column) * 3);
  }
}

function rectangle([x, y, width, height]: readonly [number, number, number, number]): Rle {
  const data = new Uint8Array(SIZE.width * SIZE.height);
  for (let row = y; row < y + height; row++) data.fill(1, row * SIZE.width + x, row * SIZE.width + x + width);
  return encodeRle({ ...SIZE, data });
}

function question(modelId: string, points: readonly PromptPoint[], more: Partial<PromptRequest> = {}): PromptRequest {
  return { ...about, modelId, points, box: null, refine: null, hover: false, finer: false, ...more };
}

const inLarge: PromptPoint = { x: 100, y: 100, positive: true };
const inSmall: PromptPoint = { x: 260, y: 98, positive: true };
const outside: PromptPoint = { x: 10, y: 10, positive: false };

/**
 * Those after the first see a quarter as much; least IoU of a large object, and of a small one seen from close by. The
 * last never learnt negative clicks, and takes no mask back.
 */
describe.each([
  ['tiny-sam2', 0.97, 0.95, true],
  ['tiny-sam1', 0.93, 0.75, true],
  ['tiny-efficient-sam', 0.93, 0.75, false],
] as const)('prompts to %s', (modelId, large, close, refines) => {
  it('answers a click with the object under it, in image pixels, and what it thinks of it', async () => {
    const answer = await engine.prompt(question(modelId, [inLarge]));
    const [best] = answer.candidates;
    expect(maskIou(best?.rle ?? rectangle(SMALL), rectangle(LARGE))).toBeGreaterThan(large);
    const [x, y, width, height] = best?.box ?? [0, 0, 0, 0];
    expect(Math.abs(x - LARGE[0]) + Math.abs(y - LARGE[1])).toBeLessThanOrEqual(5);
    expect(Math.abs(width - LARGE[2]) + Math.abs(height - LARGE[3])).toBeLessThanOrEqual(8);
    expect(best?.iou).toBeGreaterThan(0.8);
    expect(best?.stability).toBeGreaterThan(0.9);
    expect(answer).toMatchObject({ provider: 'cpu', finer: 'none' });
  });

  it('answers a box with what is in it, and a negative click takes away', async () => {
    const boxed = await engine.prompt(question(modelId, [], { box: [LARGE[0], LARGE[1], 60, LARGE[3]] }));
    expect(maskIou(boxed.candidates[0]?.rle ?? rectangle(SMALL), rectangle([LARGE[0], LARGE[1], 60, LARGE[3]]))).toBeGreaterThan(0.9);
    const both = await engine.prompt(question(modelId, [inLarge, outside]));
    expect(maskIou(both.candidates[0]?.rle ?? rectangle(SMALL), rectangle(LARGE))).toBeGreaterThan(large);
    const denied = await engine.prompt(question(modelId, [inLarge, { ...inLarge, positive: false }]));
    if (refines) expect(denied.candidates).toEqual([]);
    else expect(maskIou(denied.candidates[0]?.rle ?? rectangle(SMALL), rectangle(LARGE))).toBeGreaterThan(large);
  });

  it.skipIf(!refines)('feeds the mask before back, and forgets a prompt that it never answered', async () => {
    const first = await engine.prompt(question(modelId, [inLarge]));
    // The mask fed back keeps the large one though only the other is clicked; without it, it is not there.
    const fed = await engine.prompt(question(modelId, [inSmall], { refine: { promptId: first.promptId, candidate: 0 } }));
    const alone = await engine.prompt(question(modelId, [inSmall], { refine: { promptId: 123_456, candidate: 0 } }));
    const overlap = (rle: Rle | undefined): number => (rle ? maskIou(rle, rectangle(LARGE)) : 0);
    expect(Math.max(...fed.candidates.map(({ rle }) => overlap(rle)))).toBeGreaterThan(0.5);
    expect(Math.max(0, ...alone.candidates.map(({ rle }) => overlap(rle)))).toBe(0);
  });

  it('looks closer at a small object, and gives a finer mask back in the same pixels', async () => {
    const far = await engine.prompt(question(modelId, [inSmall]));
    expect(far.finer).toBe('possible');
    const near = await engine.prompt(question(modelId, [inSmall], { finer: true, refine: { promptId: far.promptId, candidate: 0 } }));
    expect(near.finer).toBe('done');
    expect(near.embedMs).toBeGreaterThan(0);
    expect(maskIou(near.candidates[0]?.rle ?? rectangle(LARGE), rectangle(SMALL))).toBeGreaterThan(close);
    // The next click finds that part encoded.
    const more = { ...inSmall, x: inSmall.x + 4 };
    const next = await engine.prompt(question(modelId, [inSmall, more], { refine: { promptId: near.promptId, candidate: 0 } }));
    expect(next).toMatchObject({ finer: 'done', embedMs: 0 });
  });

  it('makes ahead, keeps on the disk, and makes a damaged file anew', async () => {
    const cache = { path: join(folder, `kept-${modelId}`), bytes: 1e9 };
    const ask = { ...about, modelId, cache };
    const first = createEngine({ modelFolders: [models], providers: 'cpu', threads: 1 });
    expect(await first.embed({ ...ask, priority: 'idle' })).toMatchObject({ cached: false, provider: 'cpu' });
    expect(await first.embed({ ...ask, priority: 'idle' })).toMatchObject({ cached: true, provider: null });
    await first.close();
    const [file = ''] = await readdir(cache.path);
    const fresh = createEngine({ modelFolders: [models], providers: 'cpu', threads: 1 });
    expect(await fresh.embed(ask)).toMatchObject({ cached: true, provider: null });
    const expected = await fresh.prompt({ ...question(modelId, [inLarge]), cache: null });
    const kept = await fresh.prompt({ ...question(modelId, [inLarge]), cache });
    expect(maskIou(kept.candidates[0]?.rle ?? rectangle(SMALL), expected.candidates[0]?.rle ?? rectangle(LARGE))).toBeGreaterThan(0.99);
    await fresh.close();
    const bytes = await readFile(join(cache.path, file));
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 0xff;
    await writeFile(join(cache.path, file), bytes);
    const again = createEngine({ modelFolders: [models], providers: 'cpu', threads: 1 });
    expect(await again.embed(ask)).toMatchObject({ cached: false });
    await again.close();
    expect((await readFile(join(cache.path, file))).equals(bytes)).toBe(false);
  });

  it('segments everything: each piece once, surest first', async () => {
    const { instances } = await engine.predict({
      modelId,
      path: about.path,
      priority: 'user',
      next: null,
      options: { grid: 8, stability: 0.8 },
    });
    for (const shape of [LARGE]) {
      expect(instances.filter(({ rle }) => maskIou(rle, rectangle(shape)) > 0.9)).toHaveLength(1);
    }
    expect(instances.length).toBeLessThan(6);
    expect(new Set(instances.map(({ label }) => label))).toEqual(new Set(['object']));
    const scores = instances.map(({ score }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
  });
});

describe('questions to an engine', () => {
  it('answers a preview only where the embedding is there', async () => {
    const elsewhere = { ...question('tiny-sam2', [inLarge], { hover: true }), imageSha: 'f'.repeat(64), cache: null };
    await expect(engine.prompt(elsewhere)).rejects.toMatchObject({ code: 'cancelled' });
    expect((await engine.prompt(question('tiny-sam2', [inLarge], { hover: true }))).candidates.length).toBeGreaterThan(0);
  });

  it('gives up what waits for a newer question about the same image, a preview only for a preview', async () => {
    const busy = engine.prompt(question('tiny-sam2', [inLarge]));
    const asked = [
      engine.prompt(question('tiny-sam2', [inSmall])),
      engine.prompt(question('tiny-sam2', [inSmall], { hover: true })),
      engine.prompt(question('tiny-sam2', [outside, inLarge])),
      engine.prompt(question('tiny-sam2', [inSmall], { hover: true })),
    ].map((one) =>
      one.then(
        () => 'answered',
        (thrown: unknown) => (thrown instanceof Error && 'code' in thrown ? thrown.code : thrown),
      ),
    );
    expect((await busy).candidates.length).toBeGreaterThan(0);
    expect(await Promise.all(asked)).toEqual(['cancelled', 'cancelled', 'answered', 'answered']);
  });

  it('names an option that segment everything does not have, or does not take', async () => {
    const ask = { modelId: 'tiny-sam2', path: about.path, priority: 'user', next: null } as const;
    await expect(engine.predict({ ...ask, options: { raster: 4 } })).rejects.toMatchObject({ code: 'invalid', detail: { key: 'raster' } });
    await expect(engine.predict({ ...ask, options: { grid: 0 } })).rejects.toMatchObject({ code: 'invalid', detail: { key: 'grid' } });
  });

  it('stops segmenting everything between two batches', async () => {
    const abort = new AbortController();
    const stop = engine.onStatus((status) => {
      if (status.message?.includes('%')) abort.abort();
    });
    const ask = { modelId: 'tiny-sam2', path: about.path, priority: 'user', next: null, options: { grid: 16 } } as const;
    await expect(engine.predict(ask, abort.signal)).rejects.toMatchObject({ code: 'cancelled' });
    stop();
  });
});

import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withAhead } from './ahead.ts';
import { createEngine } from './engine.ts';
import type { EmbedRequest, Inference } from './inference.ts';

const models = fileURLToPath(new URL('../../../test/tiny-prompts', import.meta.url));
const photo = fileURLToPath(new URL('../../../test/tiny-models/tiny-torchvision/golden/wide.png', import.meta.url));
const other = fileURLToPath(new URL('../../../test/tiny-models/tiny-torchvision/golden/tall.png', import.meta.url));
const click = { points: [{ x: 60, y: 70, positive: true }], box: null, refine: null, hover: false, finer: false };

let folder: string;
let both: Inference;
/** How many second engines were started, and how many of them are closed. */
let starts: number;
let closed: number;
/** What each engine was asked. */
let asked: string[];

function engine(name: string): Inference {
  const own = createEngine({ modelFolders: [models], providers: 'cpu', threads: 1 });
  return {
    ...own,
    embed(request, signal) {
      asked.push(`${name} ${request.priority}`);
      return own.embed(request, signal);
    },
    async close() {
      await own.close();
      if (name === 'second') closed++;
    },
  };
}

function about(path: string, width: number, height: number, priority: EmbedRequest['priority']): EmbedRequest {
  const imageSha = createHash('sha256').update(readFileSync(path)).digest('hex');
  return { modelId: 'tiny-sam', path, imageSha, width, height, cache: { path: join(folder, 'embeddings'), bytes: 1e9 }, priority };
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'maskloop-ahead-'));
  starts = 0;
  closed = 0;
  asked = [];
  both = withAhead(
    engine('first'),
    () => {
      starts++;
      return engine('second');
    },
    50,
  );
});
afterEach(async () => {
  await both.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('embeddings made ahead', () => {
  it('are made by the second engine and found by the first', async () => {
    expect(await both.embed(about(photo, 200, 150, 'idle'))).toMatchObject({ cached: false, provider: 'cpu' });
    expect(await both.embed(about(photo, 200, 150, 'user'))).toMatchObject({ cached: true });
    expect(asked).toEqual(['second idle', 'first user']);
    // Also after the first has looked at what is kept.
    expect(await both.embed(about(other, 90, 260, 'idle'))).toMatchObject({ cached: false });
    expect(await both.embed(about(other, 90, 260, 'user'))).toMatchObject({ cached: true });
    expect(starts).toBe(1);
  });

  it('are waited for by whoever wants the same image, not made twice', async () => {
    const making = both.embed(about(photo, 200, 150, 'idle'));
    const answer = both.prompt({ ...about(photo, 200, 150, 'user'), ...click });
    expect(await both.embed(about(photo, 200, 150, 'user'))).toMatchObject({ cached: true });
    expect((await answer).embedMs).toBe(0);
    expect(await making).toMatchObject({ cached: false });
  });

  it('that fail are tried again by the first, which tells why', async () => {
    const gone = { ...about(photo, 200, 150, 'idle'), modelId: 'no-such-model' };
    const making = both.embed(gone).catch(() => 'failed');
    await expect(both.embed({ ...gone, priority: 'user' })).rejects.toMatchObject({ code: 'not-found' });
    expect(await making).toBe('failed');
  });

  it('serve a closer look too: the first engine finds the part that it needs', async () => {
    const small = {
      ...about(photo, 200, 150, 'user'),
      ...click,
      points: [{ x: 140, y: 80, positive: true }],
      box: [125, 65, 30, 30] as const,
    };
    const far = await both.prompt(small);
    expect(far.finer).toBe('possible');
    const near = await both.prompt({ ...small, finer: true, refine: { promptId: far.promptId, candidate: 0 } });
    expect(near).toMatchObject({ finer: 'done', embedMs: 0 });
    expect(near.candidates.length).toBeGreaterThan(0);
    expect(starts).toBe(1);
  });

  it('leave no engine behind: it goes when it rests, when the providers change, and at the end', async () => {
    await both.embed(about(photo, 200, 150, 'idle'));
    await expect.poll(() => closed).toBe(1);
    await both.embed(about(other, 90, 260, 'idle'));
    await both.configure({ providers: ['cpu'], threads: 1 });
    expect([starts, closed]).toEqual([2, 2]);
    await both.embed(about(photo, 200, 150, 'idle'));
    await both.close();
    expect([starts, closed]).toEqual([3, 3]);
  });

  it('stay in the first where nothing is kept on the disk', async () => {
    await both.embed({ ...about(photo, 200, 150, 'idle'), cache: null });
    expect(asked).toEqual(['first idle']);
    expect(starts).toBe(0);
  });
});

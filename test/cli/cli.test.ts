import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeJpeg } from '../../src/main/inference/pixels.ts';
import { drawScene } from '../../src/shared/scenes/index.ts';

const BIN = fileURLToPath(new URL('../../bin/maskloop.mjs', import.meta.url));
const MODEL = 'mask-rcnn-scenes';

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

let root: string;
let photos: string;

/** Runs the real command in a process of its own. `onOut` sees stdout as it grows. */
function maskloop(
  args: readonly string[],
  onOut: (out: string, kill: (signal: NodeJS.Signals) => void) => void = () => undefined,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BIN, ...args], {
      env: { ...process.env, MASKLOOP_HOME: join(root, 'home'), MASKLOOP_PROVIDERS: 'cpu' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      // Once: a second signal ends the command at once, without a word.
      onOut(out, (signal) => child.killed || child.kill(signal));
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

/** The same with `--json`: stdout must be exactly one object. */
async function json(...args: string[]): Promise<{ code: number | null; told: Record<string, unknown> }> {
  const { code, out } = await maskloop([...args, '--json']);
  expect(out.trim().split('\n')).toHaveLength(1);
  return { code, told: JSON.parse(out) as Record<string, unknown> };
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'maskloop-cli-'));
  photos = join(root, 'photos');
  mkdirSync(photos);
  for (const seed of [11, 12, 13]) {
    const scene = drawScene(seed, { width: 480, height: 360 });
    writeFileSync(join(photos, `scene ${seed}.jpg`), await encodeJpeg({ width: scene.width, height: scene.height, data: scene.rgb }, 90));
  }
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

it('answers wrong usage with 2, in words and as JSON', async () => {
  expect(await maskloop(['nothing'])).toMatchObject({ code: 2, out: '' });
  expect((await maskloop(['export', photos, '--format', 'coco'])).code).toBe(2);
  expect((await maskloop(['accept', photos, '--min-score', 'high'])).err).toContain('"high" is not a number from 0 to 1');
  const { code, told } = await json('accept', photos, '--min-score', '1.5');
  expect({ code, told }).toMatchObject({ code: 2, told: { ok: false, error: { code: 'invalid' } } });
});

it('answers a failure with 1, naming what it is about', async () => {
  const missing = join(root, 'nowhere');
  expect(await json('scan', missing)).toMatchObject({
    code: 1,
    told: { ok: false, error: { code: 'not-found', detail: { path: missing } } },
  });
  expect((await maskloop(['verify', root])).err).toContain(root);
  expect((await maskloop(['predict', photos, '--model', 'no-such'])).err).toContain('There is no model "no-such"');
});

it('cancels a run on Ctrl-C with 130, and resumes it to the end', async () => {
  const cancelled = await maskloop(['predict', photos, '--model', MODEL], (out, kill) => {
    if (out.includes('Model:')) kill('SIGINT');
  });
  expect(cancelled.code).toBe(130);
  const runId = /--resume (\d+)/.exec(cancelled.err)?.[1];
  expect(runId, cancelled.err).toBeDefined();
  expect((await maskloop(['verify', photos])).code).toBe(0);

  const results = join(root, 'results.json');
  const { code, told } = await json('predict', photos, '--resume', String(runId), '--results', results);
  expect({ code, told }).toMatchObject({
    code: 0,
    told: {
      ok: true,
      value: { run: { state: 'done', total: 3, finished: 3 }, failures: [], engine: { provider: 'cpu' }, results: { images: 3 } },
    },
  });
  const written = JSON.parse(readFileSync(results, 'utf8')) as { file_name: string; category_name: string }[];
  expect(written).toHaveLength((told['value'] as { results: { results: number } }).results.results);
  expect(new Set(written.map((result) => result.file_name))).toEqual(new Set(['scene 11.jpg', 'scene 12.jpg', 'scene 13.jpg']));
  expect(written.map((result) => result.category_name)).toContain('button');
});

it('accepts and exports what was predicted', async () => {
  const accepted = await json('accept', photos, '--min-score', '0.5');
  expect(accepted.code).toBe(0);
  const { accepted: howMany } = accepted.told['value'] as { accepted: number };
  expect(howMany).toBeGreaterThan(0);
  // Nothing is accepted twice.
  expect(await json('accept', photos, '--min-score', '0.5')).toMatchObject({ told: { value: { accepted: 0 } } });

  const out = join(root, 'dataset');
  const exported = await json('export', photos, '--format', 'coco', '--out', out);
  expect(exported).toMatchObject({ code: 0, told: { value: { images: 3, annotations: howMany, skipped: [] } } });
  const coco = JSON.parse(readFileSync(join(out, 'annotations.json'), 'utf8')) as { annotations: { id: number }[] };
  expect(coco.annotations.map(({ id }) => id).sort((a, b) => a - b)).toEqual(Array.from({ length: howMany }, (_, i) => i + 1));
  expect(await json('verify', photos)).toMatchObject({ code: 0, told: { value: { ok: true, annotations: howMany } } });
});

it('answers with 3 when some images failed, and lists them', async () => {
  writeFileSync(join(photos, 'broken.jpg'), 'not a photo');
  const { code, told } = await json('scan', photos);
  expect({ code, told }).toMatchObject({ code: 3, told: { ok: true, value: { unreadable: [{ path: 'broken.jpg' }] } } });
  expect((await maskloop(['scan', photos])).out).toContain('  broken.jpg: ');
});

it('keeps a second process out of a project that is open', async () => {
  const seconds: Promise<Ended>[] = [];
  const served = await maskloop(['serve', photos, '--json'], (out, kill) => {
    if (!out.includes('"url"') || seconds.length > 0) return;
    const second = maskloop(['scan', photos]);
    seconds.push(second);
    void second.finally(() => kill('SIGTERM'));
  });
  expect(served.code).toBe(0);
  const second = await seconds[0];
  expect(second?.code).toBe(1);
  expect(second?.err).toContain('is open in another Maskloop');
  // Serving builds the window where that is stale.
}, 240_000);

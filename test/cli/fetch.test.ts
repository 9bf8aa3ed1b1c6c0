import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const BIN = fileURLToPath(new URL('../../bin/maskloop.mjs', import.meta.url));
const TINY = fileURLToPath(new URL('../tiny-models/tiny-zoo', import.meta.url));
const weights = readFileSync(join(TINY, 'model.onnx'));

let home = '';
let server: Server;
/** Sends everything, or holds the second half back for ever. */
let stall = false;

interface Told {
  readonly ok: boolean;
  readonly value?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
}

/** The real command with `--json`; interrupted as soon as `interruptWhen` says so. */
function maskloop(args: readonly string[], interruptWhen?: () => boolean): Promise<{ code: number | null; told: Told }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BIN, 'models', ...args, '--json'], {
      env: { ...process.env, MASKLOOP_HOME: home },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // Once: a second signal ends the command at once, without a word.
    const watch = setInterval(() => {
      if (!interruptWhen?.()) return;
      clearInterval(watch);
      child.kill('SIGINT');
    }, 20);
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.on('error', reject);
    child.on('close', (code) => {
      clearInterval(watch);
      if (out === '') reject(new Error(`models ${args.join(' ')} ended with ${code ?? 'a signal'} and told nothing`));
      else resolve({ code, told: JSON.parse(out) as Told });
    });
  });
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'maskloop-cli-fetch-'));
  server = createServer((_request, response) => {
    response.writeHead(200, { 'content-length': weights.length });
    response.write(weights.subarray(0, weights.length >> 1));
    if (!stall) response.end(weights.subarray(weights.length >> 1));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.onnx`;
  const manifest = JSON.parse(readFileSync(join(TINY, 'manifest.json'), 'utf8')) as object;
  mkdirSync(join(home, 'models/strict'), { recursive: true });
  const strict = { ...manifest, id: 'strict', license: 'AGPL-3.0-only', sources: [{ kind: 'url', url }], goldens: [] };
  writeFileSync(join(home, 'models/strict/manifest.json'), JSON.stringify(strict));
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(home, { recursive: true, force: true });
});

const file = (): string => join(home, 'models/strict/model.onnx');

async function stateOf(id: string): Promise<unknown> {
  const { code, told } = await maskloop(['list']);
  expect(code).toBe(0);
  return (told.value as { id: string; state: string }[]).find((model) => model.id === id)?.state;
}

it('lists what is ready and what can be fetched', async () => {
  expect(await stateOf('strict')).toBe('available');
  expect(await stateOf('mask-rcnn-scenes')).toBe('ready');
  expect(await stateOf('u2netp')).toBe('available');
});

it('asks for agreement to a licence that is not permissive, then fetches', async () => {
  const refused = await maskloop(['get', 'strict']);
  expect(refused).toMatchObject({ code: 1, told: { ok: false, error: { code: 'invalid' } } });
  expect(refused.told.error?.message).toContain('maskloop models get strict --accept-license');
  stall = true;
  const cancelled = await maskloop(['get', 'strict', '--accept-license'], () => existsSync(`${file()}.part`));
  expect(cancelled).toMatchObject({ code: 130, told: { ok: false, error: { code: 'cancelled' } } });
  expect(readdirSync(join(home, 'models/strict'))).toEqual(['manifest.json']);
  stall = false;
  const fetched = await maskloop(['get', 'strict', '--accept-license']);
  expect(fetched).toMatchObject({ code: 0, told: { ok: true, value: { id: 'strict', license: 'AGPL-3.0-only', file: file() } } });
  expect(Buffer.compare(readFileSync(file()), weights)).toBe(0);
  expect(await stateOf('strict')).toBe('ready');
});

it('removes only what was fetched', async () => {
  expect(await maskloop(['remove', 'strict'])).toMatchObject({ code: 1, told: { error: { code: 'unsupported' } } });
  expect(await maskloop(['remove', 'mask-rcnn-scenes'])).toMatchObject({ code: 1, told: { error: { code: 'unsupported' } } });
  expect(await maskloop(['remove', 'u2netp'])).toMatchObject({ code: 0, told: { value: { removed: false } } });
  expect(await maskloop(['get', 'nobody'])).toMatchObject({ code: 1, told: { error: { code: 'not-found' } } });
});

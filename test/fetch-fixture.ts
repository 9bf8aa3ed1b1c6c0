import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { Fetchable, FetchOptions } from '../src/main/inference/fetch-model.ts';
import type { ModelSource } from '../src/main/inference/fetch-source.ts';

/** A server and a model folder, both new for each test of a file that imports this. */
export const weights = randomBytes(400_000);
export const sha256 = createHash('sha256').update(weights).digest('hex');

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export let folder = '';
let server: Server;
export let base = '';
let answer: Answer = (_request, response) => response.end();

/** Answers every request from now on. */
export function serve(next: Answer): void {
  answer = next;
}

/** `Range` of every request, in order; an empty string where there was none. */
export let ranges: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskloop-fetch-'));
  ranges = [];
  server = createServer((request, response) => {
    ranges.push(request.headers.range ?? '');
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

export const net = { path: 'net/model.onnx', bytes: weights.length, sha256 };

export function model(sources: readonly ModelSource[], change: Partial<Fetchable> = {}, file = net): Fetchable {
  return { id: 'fetched', license: 'MIT', files: [{ role: 'model', ...file, sources: [...sources] }], ...change };
}

export function fromServer(change: Partial<Fetchable> = {}): Fetchable {
  return model([{ kind: 'url', url: `${base}/model.onnx` }], change);
}

export function options(change: Partial<FetchOptions> = {}): FetchOptions {
  return { folder: join(folder, 'models'), acceptLicense: false, waitMs: 1, ...change };
}

/** Every file below the model folder, by its path from there. */
export async function filesLeft(): Promise<string[]> {
  const entries = await readdir(join(folder, 'models'), { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile());
  return files
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(join(folder, 'models').length + 1)
        .replaceAll('\\', '/'),
    )
    .sort();
}

/** Serves all of it, or the range that is asked for. */
export const whole: Answer = (request, response) => {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const rest = weights.subarray(from);
  const range = { 'content-range': `bytes ${from}-${weights.length - 1}/${weights.length}` };
  response.writeHead(from > 0 ? 206 : 200, { 'content-length': rest.length, ...(from > 0 ? range : {}) });
  response.end(rest);
};

/** Sends `bytes` bytes of what was announced in full, then breaks the connection. */
export function broken(bytes: number): Answer {
  return (_request, response) => {
    response.writeHead(200, { 'content-length': weights.length });
    response.write(weights.subarray(0, bytes), () => setTimeout(() => response.destroy(), 20));
  };
}

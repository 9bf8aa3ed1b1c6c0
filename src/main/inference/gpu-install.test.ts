import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GpuProgress } from '../../shared/answers/providers.ts';
import { sendRange, startPackageFeed } from '../../../test/package-feed.ts';
import type { PackageFeed } from '../../../test/package-feed.ts';
import type { GpuInstallOptions } from './gpu-install.ts';
import { installGpu, removeGpu } from './gpu-install.ts';
import type { GpuPackage } from './gpu-package.ts';
import { packagePart } from './gpu-package.ts';
import { installedGpu } from './gpu-place.ts';

const version = '1.30.0';
const cuda = randomBytes(300_000);
const shared = Buffer.alloc(20_000, 7);
const inside = {
  'runtimes/linux-x64/native/libonnxruntime_providers_cuda.so': cuda,
  'runtimes/linux-x64/native/libonnxruntime_providers_shared.so': shared,
  'runtimes/linux-x64/native/libonnxruntime.so': randomBytes(1000),
  'LICENSE.txt': Buffer.from('MIT'),
};

let folder = '';
let feed: PackageFeed;
let wanted: GpuPackage;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'maskloop-gpu-')), 'gpu');
  feed = await startPackageFeed('Example.Gpu.Linux', version, inside);
  wanted = {
    name: 'Example.Gpu.Linux',
    version,
    index: feed.index,
    files: ['cuda', 'shared'].map((name) => ({
      name: `libonnxruntime_providers_${name}.so`,
      pathInPackage: `runtimes/linux-x64/native/libonnxruntime_providers_${name}.so`,
    })),
  };
});
afterEach(async () => {
  await feed.close();
  await rm(join(folder, '..'), { recursive: true, force: true });
});

function options(change: Partial<GpuInstallOptions> = {}): GpuInstallOptions {
  return { package: wanted, folder, signal: new AbortController().signal, waitMs: 1, ...change };
}

async function left(): Promise<readonly string[]> {
  return (await readdir(folder).catch(() => [])).sort();
}

describe('installing the GPU libraries', () => {
  it('takes the libraries out of the package that the feed names, and nothing else', async () => {
    const told: GpuProgress[] = [];
    const place = await installGpu(options({ onProgress: (progress) => told.push(progress) }));
    expect((await readdir(place)).sort()).toEqual([
      'installed.json',
      'libonnxruntime_providers_cuda.so',
      'libonnxruntime_providers_shared.so',
    ]);
    expect(cuda.equals(await readFile(join(place, 'libonnxruntime_providers_cuda.so')))).toBe(true);
    expect(shared.equals(await readFile(join(place, 'libonnxruntime_providers_shared.so')))).toBe(true);
    expect(await left()).toEqual([version]);
    expect([...new Set(told.map((progress) => progress.stage))]).toEqual(['asking', 'downloading', 'checking', 'unpacking', 'done']);
    expect(told.findLast((progress) => progress.stage === 'downloading')).toMatchObject({
      done: feed.package.length,
      total: feed.package.length,
    });
    expect(installedGpu(folder, version)).toMatchObject({ version, bytes: { 'libonnxruntime_providers_cuda.so': cuda.length } });
    // Those of another version are of no use to this one.
    expect(installedGpu(folder, '1.31.0')).toBeNull();
    await rm(join(place, 'libonnxruntime_providers_shared.so'));
    expect(installedGpu(folder, version)).toBeNull();
  });

  it('goes on where a connection broke off', async () => {
    const half = feed.package.length >> 1;
    feed.answer = (_request, response, body) => {
      feed.answer = null;
      response.setHeader('content-length', body.length);
      response.write(body.subarray(0, half), () => response.destroy());
    };
    await installGpu(options());
    expect(feed.ranges).toEqual(['', expect.stringMatching(/^bytes=[1-9]\d*-$/)]);
    expect(installedGpu(folder, version)).not.toBeNull();
  });

  it('keeps what came when it is cancelled, and goes on from there the next time', async () => {
    const abort = new AbortController();
    feed.answer = (_request, response, body) => {
      response.setHeader('content-length', body.length);
      response.write(body.subarray(0, 100_000));
    };
    const onProgress = ({ stage, done }: GpuProgress): void => {
      if (stage === 'downloading' && done >= 100_000) abort.abort();
    };
    await expect(installGpu(options({ signal: abort.signal, onProgress }))).rejects.toMatchObject({ code: 'cancelled' });
    const { size } = await stat(packagePart(folder, wanted));
    expect(size).toBeGreaterThan(0);
    expect(await left()).toEqual(['example.gpu.linux.1.30.0.nupkg.part']);
    feed.answer = null;
    await installGpu(options());
    expect(feed.ranges.at(-1)).toBe(`bytes=${size}-`);
    expect(await left()).toEqual([version]);
  });

  it('starts over when what was left is of another package', async () => {
    await mkdir(folder);
    await writeFile(packagePart(folder, wanted), randomBytes(5000));
    await installGpu(options());
    expect(feed.ranges).toEqual(['bytes=5000-', '']);
    expect(cuda.equals(await readFile(join(folder, version, 'libonnxruntime_providers_cuda.so')))).toBe(true);
  });

  it('deletes a package whose hash is not what the feed says', async () => {
    feed.sha512 = `${'A'.repeat(86)}==`;
    await expect(installGpu(options())).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining('is not the package that its feed describes: it has the SHA-512') as string,
    });
    expect(await left()).toEqual([]);
  });

  it('refuses an answer of another length before it takes it', async () => {
    feed.answer = (request, response, body) => sendRange(request, response, body.subarray(0, 1000));
    await expect(installGpu(options())).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining('offers 1000 bytes') as string,
    });
    expect(installedGpu(folder, version)).toBeNull();
  });

  it('says which library a package does not have, and leaves the one from before in place', async () => {
    await installGpu(options());
    const missing = { name: 'libmissing.so', pathInPackage: 'runtimes/linux-x64/native/libmissing.so' };
    await expect(installGpu(options({ package: { ...wanted, files: [...wanted.files, missing] } }))).rejects.toMatchObject({
      code: 'io',
      message: 'Example.Gpu.Linux has no runtimes/linux-x64/native/libmissing.so.',
    });
    expect(installedGpu(folder, version)).not.toBeNull();
    expect((await left()).filter((name) => name.endsWith('.unpacking'))).toEqual([]);
  });

  it('says when what the feed has is no package at all', async () => {
    const none = await startPackageFeed('Example.Gpu.Linux', version, {});
    // The hash that the feed tells is of this, so only the unpacking can see it.
    none.package.fill(0);
    await expect(installGpu(options({ package: { ...wanted, index: none.index } }))).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining('is no package') as string,
    });
    expect(await left()).toEqual([]);
    await none.close();
  });

  it('wants room for the package and its libraries', async () => {
    await expect(installGpu(options({ freeBytes: () => Promise.resolve(1000) }))).rejects.toMatchObject({
      code: 'io',
      message: expect.stringMatching(/The GPU libraries need .* MB in .*; 0\.00 MB are free/) as string,
    });
    expect(feed.ranges).toEqual([]);
  });

  it('names the feed that cannot be reached, and the version that it does not have', async () => {
    await expect(installGpu(options({ package: { ...wanted, version: '9.9.9' } }))).rejects.toMatchObject({
      code: 'io',
      message: expect.stringMatching(/example\.gpu\.linux\/9\.9\.9\.json answered 404/) as string,
    });
    await feed.close();
    await expect(installGpu(options())).rejects.toMatchObject({ code: 'io', message: expect.stringContaining(feed.index) as string });
  });

  it('removes libraries and what is left of downloads', async () => {
    await installGpu(options());
    expect(await removeGpu(folder)).toBe(true);
    expect(await removeGpu(folder)).toBe(false);
    expect(installedGpu(folder, version)).toBeNull();
  });
});

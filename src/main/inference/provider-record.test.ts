import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createProviderRecord, median } from './provider-record.ts';
import type { ProviderRecord } from './provider-record.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskloop-record-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

let now = 0;
function record(change: { device?: string; ortVersion?: string } = {}): ProviderRecord {
  const { device = 'GPU (1)', ortVersion = '1.30.0' } = change;
  return createProviderRecord({ folder, ortVersion, device: () => Promise.resolve(device), clock: () => ++now });
}

describe('what is kept of providers', () => {
  it('holds for one version of ONNX Runtime on one device with its driver', async () => {
    await record().refuse('cuda', 'it ended a process');
    expect(await record().refusal('cuda')).toMatchObject({ provider: 'cuda', reason: 'it ended a process' });
    expect(await record({ device: 'GPU (2)' }).refusal('cuda')).toBeNull();
    expect(await record({ ortVersion: '1.31.0' }).refusal('cuda')).toBeNull();
    expect(await record().refusal('webgpu')).toBeNull();
    await record().forget();
    expect(await record().refusals()).toEqual([]);
  });

  it('keeps times of a model for each provider and number of threads, the median of the last ones', async () => {
    const kept = record();
    const run = { modelId: 'm', modelVersion: '1', provider: 'cuda', threads: 1 };
    for (const ms of [30, 10, 20]) kept.ran({ ...run, ms });
    kept.ran({ ...run, provider: 'cpu', threads: 2, ms: 100 });
    await kept.flush();
    // Another process adds to it.
    const other = record();
    other.ran({ ...run, ms: 40 });
    const timings = await other.timings();
    expect(timings.find(({ provider }) => provider === 'cuda')).toMatchObject({ runs: 4, medianMs: 25, bestMs: 10 });
    expect(timings.find(({ provider }) => provider === 'cpu')).toMatchObject({ runs: 1, medianMs: 100, threads: 2 });
    for (let i = 0; i < 100; i++) other.ran({ ...run, ms: 1 });
    expect((await other.timings()).find(({ provider }) => provider === 'cuda')).toMatchObject({ runs: 104, medianMs: 1 });
    // The CPU's do not hang on the graphics card.
    expect((await record({ device: 'another' }).timings()).map(({ provider }) => provider)).toEqual(['cpu']);
  });

  it('refuses a provider on which a process crashed that nobody watched, once', async () => {
    const source = fileURLToPath(new URL('./provider-record.ts', import.meta.url));
    const crash = `
      const { createProviderRecord } = await import(${JSON.stringify(source)});
      createProviderRecord({ folder: ${JSON.stringify(folder)}, ortVersion: '1.30.0', device: async () => 'GPU (1)' }).trying('cuda');
      process.kill(process.pid, 'SIGKILL');`;
    await once(spawn(process.execPath, ['--input-type=module', '-e', crash], { stdio: 'inherit' }), 'exit');
    expect((await readdir(folder)).some((name) => name.startsWith('trying-'))).toBe(true);
    expect(await record().refusal('cuda')).toMatchObject({ reason: expect.stringMatching(/a process ended while it was tried/) as string });
    expect((await readdir(folder)).some((name) => name.startsWith('trying-'))).toBe(false);
    await record().forget();
    expect(await record().refusal('cuda')).toBeNull();
  });

  it('does not take an orderly end, or a trial that came well out, for a crash', async () => {
    const kept = record();
    kept.trying('webgpu');
    expect(await record().refusal('webgpu')).toBeNull();
    kept.trying(null);
    expect(await readdir(folder)).toEqual([]);
  });

  it('begins anew where its file is broken', async () => {
    await writeFile(join(folder, 'refused.json'), '{');
    expect(await record().refusals()).toEqual([]);
    await record().refuse('cuda', 'why');
    expect(await record().refusals()).toHaveLength(1);
  });

  it('takes the median between two in the middle', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });
});

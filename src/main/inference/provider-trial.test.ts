import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withWeights } from '../../../test/onnx-weights.ts';
import { createEngine } from './engine.ts';
import type { PredictRequest } from './inference.ts';
import { createProviderRecord } from './provider-record.ts';
import type { ProviderRecord } from './provider-record.ts';
import { createProviderTrial } from './provider-trial.ts';

/**
 * The comparison with the CPU, on the real engine. In the place of a GPU stands the CPU with another
 * optimisation of the graph, or with other weights: what the engine does with it is the same.
 */
const tiny = fileURLToPath(new URL('../../../test/tiny-models', import.meta.url));
const ask: PredictRequest = { modelId: 'tiny-zoo', path: `${tiny}/tiny-zoo/golden/wide.png`, priority: 'user', next: null };
const plain = { options: { graphOptimizationLevel: 'disabled' } } as const;

let folder = '';
let spoiled = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskloop-trial-'));
  spoiled = join(folder, 'spoiled.onnx');
  let i = 0;
  // As a broken kernel would: most values are right.
  await writeFile(
    spoiled,
    withWeights(await readFile(`${tiny}/tiny-zoo/model.onnx`), (value) => (i++ % 7 === 0 ? value * 1.6 : value)),
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function record(name: string, device = 'one'): ProviderRecord {
  return createProviderRecord({ folder: join(folder, name), ortVersion: '1', device: () => Promise.resolve(device) });
}

describe('a provider that is not the CPU', () => {
  it('is used where its answers are the CPU’s, and that is remembered', async () => {
    const kept = record('good');
    const engine = createEngine({ modelFolders: [tiny], providers: 'cpu', record: kept, ways: { plain } });
    const prediction = await engine.predict(ask);
    expect(prediction.provider).toBe('plain');
    expect(await kept.comparisons()).toMatchObject([
      { modelId: 'tiny-zoo', provider: 'plain', ok: true, reason: null, comparison: { expected: 8, matched: 8, extra: 0 } },
    ]);
    await engine.predict(ask);
    await engine.close();
    // The first run of a session is not counted.
    expect(await kept.timings()).toMatchObject([{ modelId: 'tiny-zoo', provider: 'plain', runs: 1 }]);
    const cpu = createEngine({ modelFolders: [tiny], providers: 'cpu' });
    expect((await cpu.predict(ask)).instances).toHaveLength(prediction.instances.length);
    await cpu.close();
  });

  it('is refused with the figures where they are not, and the CPU answers instead', async () => {
    const kept = record('bad');
    const engine = createEngine({
      modelFolders: [tiny],
      providers: 'cpu',
      record: kept,
      ways: { spoiled: { options: {}, path: spoiled } },
    });
    const prediction = await engine.predict(ask);
    expect(prediction.provider).toBe('cpu');
    const [attempt, last] = engine.status().attempts;
    expect(attempt).toMatchObject({
      provider: 'spoiled',
      ok: false,
      reason: expect.stringMatching(/^its answers are not the CPU’s: .*\d/) as string,
    });
    expect(last).toEqual({ provider: 'cpu', ok: true, reason: null });
    const cpu = createEngine({ modelFolders: [tiny], providers: 'cpu' });
    expect((await cpu.predict(ask)).instances).toEqual(prediction.instances);
    await cpu.close();
    await engine.close();

    // Not tried again after a restart, on the same device.
    const tried: (string | null)[] = [];
    const again = createEngine({
      modelFolders: [tiny],
      providers: 'cpu',
      record: record('bad'),
      ways: { spoiled: { options: {}, path: spoiled } },
      onTrying: (provider) => tried.push(provider),
    });
    expect((await again.predict(ask)).provider).toBe('cpu');
    expect(tried).toEqual(['cpu', null]);
    expect(again.status().attempts[0]).toEqual(attempt);
    await again.close();

    // Another driver is another device; and the user may want it tried again.
    expect(await record('bad', 'other').comparisons()).toEqual([]);
    await kept.forget();
    expect(await kept.comparisons()).toEqual([]);
  });

  it('is not judged by images that show nothing, and not looked at for ever', async () => {
    const kept = record('blank');
    const trial = createProviderTrial(kept);
    const empty = { boxes: { dims: [0, 4], data: new Float32Array(0) } };
    const reading = { decode: () => [], threshold: 0.5, regions: false };
    let looks = 0;
    const onCpu = (): Promise<typeof empty> => {
      looks++;
      return Promise.resolve(empty);
    };
    for (let image = 0; image < 20; image++) {
      expect(await trial.check({ modelId: 'm', sha256: 'a' }, 'cuda', empty, reading, onCpu)).toBeNull();
    }
    expect(looks).toBe(6);
    expect(await kept.comparisons()).toEqual([]);
    // A graph without instances, as an encoder is, is judged by its numbers at once.
    const numbers = (value: number): Record<string, { dims: number[]; data: Float32Array }> => ({
      out: { dims: [2], data: Float32Array.from([1, value]) },
    });
    expect(await trial.check({ modelId: 'm', sha256: 'b' }, 'cuda', numbers(3), null, () => Promise.resolve(numbers(2)))).toMatch(
      /^its answers/,
    );
    expect(await trial.barred({ modelId: 'm', sha256: 'b' }, 'cuda')).toMatch(/^its answers/);
    expect(await trial.barred({ modelId: 'm', sha256: 'b' }, 'cpu')).toBeNull();
  });

  it('is not tried where it ended a process before, until the user asks for it', async () => {
    const kept = record('crashed');
    await kept.refuse('plain', 'the inference process stopped while it was tried (signal SIGSEGV)');
    const engine = createEngine({ modelFolders: [tiny], providers: 'cpu', record: record('crashed'), ways: { plain } });
    expect((await engine.predict(ask)).provider).toBe('cpu');
    expect(engine.status().attempts[0]).toEqual({
      provider: 'plain',
      ok: false,
      reason: 'the inference process stopped while it was tried (signal SIGSEGV)',
    });
    await kept.forget();
    await engine.close();
    const again = createEngine({ modelFolders: [tiny], providers: 'cpu', record: record('crashed'), ways: { plain } });
    expect((await again.predict(ask)).provider).toBe('plain');
    await again.close();
  });
});

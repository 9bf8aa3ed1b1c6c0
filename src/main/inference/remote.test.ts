import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { EngineStatus } from '../../shared/answers.ts';
import { AppError } from '../../shared/errors.ts';
import type { ChildChannel } from './channel.ts';
import { forkChannel } from './channel.ts';
import type { Inference } from './inference.ts';
import { createRemoteInference } from './remote.ts';

const tiny = fileURLToPath(new URL('../../../test/tiny-models', import.meta.url));
const photo = `${tiny}/tiny-torchvision/golden/wide.png`;
const ask = { modelId: 'tiny-torchvision', path: photo, priority: 'user', next: null } as const;

let open: Inference[] = [];
afterEach(async () => {
  await Promise.all(open.map((inference) => inference.close()));
  open = [];
});

function remote(providers = 'cpu'): { inference: Inference; channels: ChildChannel[]; states: EngineStatus['state'][] } {
  const channels: ChildChannel[] = [];
  const inference = createRemoteInference({
    spawn: () => {
      const channel = forkChannel();
      channels.push(channel);
      return channel;
    },
    modelFolders: [tiny],
    providers,
    backOffMs: [10, 50],
  });
  const states: EngineStatus['state'][] = [];
  inference.onStatus((status) => states.push(status.state));
  open.push(inference);
  return { inference, channels, states };
}

async function failure(promise: Promise<unknown>): Promise<AppError> {
  const thrown: unknown = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  if (thrown instanceof AppError) return thrown;
  throw new Error(`expected an AppError, got ${String(thrown)}`);
}

describe('inference in a child process', () => {
  it('lists models without starting a process', async () => {
    const { inference, channels } = remote();
    const models = await inference.models();
    expect(models.map((model) => [model.id, model.variant, model.problem])).toEqual([
      ['tiny-detectron2', 'detectron2', null],
      ['tiny-torchvision', 'torchvision', null],
      ['tiny-zoo', 'zoo', null],
    ]);
    expect(channels).toHaveLength(0);
  });

  it('answers with instances, and tells its status', async () => {
    const { inference, states } = remote();
    const prediction = await inference.predict(ask);
    expect(prediction).toMatchObject({ modelId: 'tiny-torchvision', modelVersion: '1', width: 200, height: 150, provider: 'cpu' });
    expect(prediction.instances).toHaveLength(8);
    expect(prediction.totalMs).toBeGreaterThanOrEqual(prediction.runMs);
    expect(states).toContain('loading');
    expect(states).toContain('running');
    expect(inference.status()).toMatchObject({ state: 'idle', provider: 'cpu', modelId: 'tiny-torchvision' });
  });

  it('passes the reason of a failure on, with its code and detail', async () => {
    const { inference } = remote();
    const error = await failure(inference.predict({ ...ask, path: `${tiny}/nowhere.jpg` }));
    expect(error.code).toBe('not-found');
    expect(error.detail['path']).toBe(`${tiny}/nowhere.jpg`);
    expect((await failure(inference.predict({ ...ask, modelId: 'nobody' }))).code).toBe('not-found');
  });

  it('fails what was asked when the process is killed, starts it again, and answers later questions', async () => {
    const { inference, channels, states } = remote();
    await inference.predict(ask);
    const asked = Array.from({ length: 30 }, () => inference.predict({ ...ask, priority: 'batch' }));
    const ends = asked.map((one) =>
      one.then(
        () => null,
        (error: unknown) => error,
      ),
    );
    await asked[0];
    channels[0]?.kill();
    const errors = (await Promise.all(ends)).filter((error) => error !== null);
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'model-run', message: 'The inference process stopped (signal SIGKILL).' });
    }
    expect(states).toContain('restarting');
    expect((await inference.predict(ask)).instances).toHaveLength(8);
    expect(channels).toHaveLength(2);
  });

  it('gives up a question at once when it is cancelled', async () => {
    const { inference } = remote();
    await inference.predict(ask);
    const abort = new AbortController();
    const first = inference.predict(ask);
    const second = failure(inference.predict({ ...ask, priority: 'batch' }, abort.signal));
    abort.abort();
    expect((await second).code).toBe('cancelled');
    expect((await first).instances).toHaveLength(8);
  });

  it('follows another choice of providers and threads with a new process, once nothing is asked of the old one', async () => {
    const { inference, channels } = remote();
    await inference.predict(ask);
    const last = inference.predict({ ...ask, priority: 'batch' });
    await inference.configure({ providers: ['cpu'], threads: 2 });
    expect(inference.status()).toMatchObject({ provider: null, attempts: [], threads: 2 });
    expect((await last).instances).toHaveLength(8);
    expect(channels).toHaveLength(1);
    expect((await inference.predict(ask)).instances).toHaveLength(8);
    expect(channels).toHaveLength(2);
    expect(inference.status()).toMatchObject({ provider: 'cpu', threads: 2 });
  });

  it('can be closed while another choice waits for the last question', async () => {
    const { inference } = remote();
    await inference.predict(ask);
    const last = failure(inference.predict(ask));
    await inference.configure({ providers: null, threads: 1 });
    await inference.close();
    expect((await last).code).toBe('cancelled');
  });

  it('says so when a process cannot start, and does not try for ever', async () => {
    let starts = 0;
    const inference = createRemoteInference({
      spawn: () => {
        starts++;
        return forkChannel(`${tiny}/no-such-child.ts`);
      },
      modelFolders: [tiny],
      backOffMs: [10],
    });
    open.push(inference);
    const error = await failure(inference.predict(ask));
    expect(error.code).toBe('model-run');
    expect(error.message).toContain('exit code 1');
    await new Promise<void>((resolve) => {
      inference.onStatus((status) => {
        if (status.state === 'failed') resolve();
      });
    });
    expect(starts).toBe(2);
    expect((await failure(inference.predict(ask))).code).toBe('model-run');
    expect(starts).toBe(3);
  });

  it('does not try a provider again that ended the process', async () => {
    const opened: unknown[] = [];
    const noted: string[] = [];
    const exits: (() => void)[] = [];
    const inference = createRemoteInference({
      // Stands for Electron or Node starting a process; what it "runs" dies as a GPU driver may make it die.
      spawn: () => {
        let hear: (message: unknown) => void = () => undefined;
        return {
          send(message) {
            if (message.kind === 'open') opened.push(message.refused);
            if (message.kind === 'ask') {
              hear({ kind: 'trying', provider: opened.length === 1 ? 'webgpu' : 'cpu' });
              exits.at(-1)?.();
            }
            if (message.kind === 'close') exits.at(-1)?.();
          },
          onMessage(listener) {
            hear = listener;
          },
          onExit(listener) {
            exits.push(() => listener({ code: null, signal: 'SIGSEGV' }));
          },
          kill: () => undefined,
        };
      },
      modelFolders: [tiny],
      backOffMs: [1, 1, 1],
      record: {
        folder: tiny,
        refuse: (provider, reason) => {
          noted.push(`${provider}: ${reason}`);
          return Promise.resolve();
        },
      },
    });
    open.push(inference);
    await failure(inference.predict(ask));
    await failure(inference.predict(ask));
    expect(opened).toHaveLength(2);
    expect(opened[1]).toEqual([
      { provider: 'webgpu', ok: false, reason: 'the inference process stopped while it was tried (signal SIGSEGV)' },
    ]);
    // Kept for the next start of the app; what ended on the CPU says nothing of a provider.
    expect(noted).toEqual(['webgpu: the inference process stopped while it was tried (signal SIGSEGV)']);
    // The user may want it tried again.
    await inference.configure({ providers: null, threads: null });
    await failure(inference.predict(ask));
    expect(opened.at(-1)).toEqual([]);
  });
});

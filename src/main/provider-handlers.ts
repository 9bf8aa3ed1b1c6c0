import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { GpuProgress, GpuStatus, ProviderChoice, ProvidersReport } from '../shared/answers/providers.ts';
import type { CallName, Handlers } from '../shared/contract.ts';
import { AppError, toWireError } from '../shared/errors.ts';
import type { PROVIDER_CALLS } from '../shared/calls/providers.ts';
import { TOLERANCE_TEXT } from './inference/compare-outputs.ts';
import { deviceKey, gpuDevices } from './inference/gpu-devices.ts';
import { installGpu, removeGpu } from './inference/gpu-install.ts';
import { ortVersion } from './inference/gpu-package.ts';
import { gpuStatus, packageHere } from './inference/gpu-status.ts';
import type { Inference } from './inference/inference.ts';
import { createProviderRecord } from './inference/provider-record.ts';
import type { ProviderRecord } from './inference/provider-record.ts';
import { chosenOrder, inferenceThreads, providerOrder } from './inference/providers.ts';
import { paced } from './paced.ts';
import type { Project } from './project.ts';
import type { SettingsChange } from './settings.ts';
import type { Settings } from '../shared/answers.ts';

export interface ProviderHandlersOptions {
  readonly inference: Inference;
  /** Throws where no project is open. */
  readonly current: () => Project;
  readonly settings: { get(): Settings; set(change: SettingsChange): Settings };
  readonly appFolder: string;
  readonly tell: (name: 'gpu.progress', progress: GpuProgress) => void;
  /** Fires when the studio closes. */
  readonly closing: AbortSignal;
  readonly env?: NodeJS.ProcessEnv;
}

/** Of the libraries for NVIDIA GPUs, all versions. */
export function gpuFolderOf(appFolder: string): string {
  return join(appFolder, 'gpu');
}

/** Where what is kept of providers lies. */
export function recordFolderOf(appFolder: string): string {
  return join(appFolder, 'providers');
}

/** What is kept of providers on this machine. */
export function providerRecord(appFolder: string): ProviderRecord {
  return createProviderRecord({
    folder: recordFolderOf(appFolder),
    ortVersion: ortVersion(),
    device: async () => deviceKey(await gpuDevices()),
  });
}

type ProviderHandlers = Pick<Handlers, Extract<keyof typeof PROVIDER_CALLS, CallName>>;

/** Names of ONNX Runtime for this platform's providers, best first; the process that has them says which of them work. */
const ALL_PROVIDERS = ['tensorrt', 'cuda', 'dml', 'coreml', 'webgpu', 'cpu'] as const;

/** The studio's methods about providers: what is there, the user's choice, measuring, and the GPU libraries. */
export function createProviderHandlers(options: ProviderHandlersOptions): ProviderHandlers {
  const { inference, settings } = options;
  const record = providerRecord(options.appFolder);
  const gpuFolder = gpuFolderOf(options.appFolder);
  const progress = paced<GpuProgress>(100, (told) => options.tell('gpu.progress', told));
  const env = options.env ?? process.env;
  let measuring: AbortController | null = null;
  let installing: { readonly abort: AbortController; readonly work: Promise<GpuStatus> } | null = null;

  async function report(): Promise<ProvidersReport> {
    const status = inference.status();
    const { providers: chosen, threads } = settings.get();
    const restriction = env['MASKLOOP_PROVIDERS'] || null;
    const automatic = providerOrder(process.platform, process.arch, ALL_PROVIDERS);
    const order = restriction === null ? chosenOrder(automatic, chosen) : restriction.split(',').map((name) => name.trim().toLowerCase());
    const [gpu, refusals, comparisons, timings] = await Promise.all([
      gpuStatus(gpuFolder, env),
      record.refusals(),
      record.comparisons(),
      record.timings(),
    ]);
    const listed = [...new Set([...order, 'cpu', ...automatic])];
    return {
      ortVersion: gpu.ortVersion,
      platform: `${process.platform} ${process.arch}`,
      cores: availableParallelism(),
      devices: gpu.devices,
      providers: listed.map((provider) => ({
        provider,
        allowed: provider === 'cpu' || order.includes(provider),
        attempt: status.attempts.find((attempt) => attempt.provider === provider) ?? null,
        refusal: refusals.find((refusal) => refusal.provider === provider) ?? null,
      })),
      restriction,
      chosen,
      threads: { chosen: threads, automatic: inferenceThreads(availableParallelism()), used: status.threads },
      timings,
      comparisons,
      tolerance: TOLERANCE_TEXT,
      gpu,
    };
  }

  function choiceNow(): ProviderChoice {
    const { providers, threads } = settings.get();
    return { providers, threads };
  }

  async function install(signal: AbortSignal): Promise<GpuStatus> {
    const wanted = packageHere(env);
    if (wanted === null)
      throw new AppError('unsupported', (await gpuStatus(gpuFolder, env)).unsupported ?? 'There is nothing to install here.');
    try {
      await installGpu({ package: wanted, folder: gpuFolder, signal, onProgress: (told) => progress.push(told) });
      // A process finds the libraries only when it starts with them.
      await record.forget();
      await inference.configure(choiceNow());
      return await gpuStatus(gpuFolder, env);
    } catch (thrown) {
      progress.push({ stage: 'failed', done: 0, total: null, failure: toWireError(thrown) });
      throw thrown;
    } finally {
      progress.flush();
    }
  }

  return {
    'providers.report': report,
    'providers.choose': async (choice) => {
      settings.set(choice);
      await inference.configure(choiceNow());
      return report();
    },
    'providers.retry': async () => {
      await record.forget();
      await inference.configure(choiceNow());
      return report();
    },
    'providers.measure': async ({ modelId, imageId, runs }) => {
      const { place, store } = options.current();
      const image = store.images.get(imageId);
      const abort = new AbortController();
      measuring?.abort();
      measuring = abort;
      try {
        const request = { modelId, path: join(place.folder, image.path), runs };
        return await inference.measure(request, AbortSignal.any([abort.signal, options.closing]));
      } finally {
        if (measuring === abort) measuring = null;
      }
    },
    'providers.cancelMeasure': () => {
      measuring?.abort();
      return Promise.resolve(null);
    },
    'gpu.install': () => {
      if (installing === null) {
        const abort = new AbortController();
        const work = install(AbortSignal.any([abort.signal, options.closing])).finally(() => {
          installing = null;
        });
        installing = { abort, work };
      }
      return installing.work;
    },
    'gpu.cancel': () => {
      installing?.abort.abort();
      return Promise.resolve(null);
    },
    'gpu.remove': async () => {
      if (installing !== null) throw new AppError('conflict', 'The libraries are being installed: cancel that first.');
      await removeGpu(gpuFolder);
      await inference.configure(choiceNow());
      return gpuStatus(gpuFolder, env);
    },
  };
}

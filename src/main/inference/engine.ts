import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { performance } from 'node:perf_hooks';
import * as ort from 'onnxruntime-node';
import type { EngineStatus, ProviderAttempt } from '../../shared/answers.ts';
import { AppError } from '../../shared/errors.ts';
import type { UsableModel } from './catalog.ts';
import { createCatalog, modelInfo } from './catalog.ts';
import { FAMILIES } from './families/families.ts';
import type { InputTensor, OutputTensor } from './families/family.ts';
import type { Inference, PredictRequest, Prediction } from './inference.ts';
import type { Decoding } from './pixels.ts';
import { beginDecoding } from './pixels.ts';
import { absentHardware, inferenceThreads, providerOrder, restrictProviders, shortReason } from './providers.ts';
import { cancelled, createQueue } from './queue.ts';

/**
 * The engine: the only importer of onnxruntime-node. Sessions, providers, the queue. It lives in a
 * process of its own on the desktop and in the browser host, since a native crash must not take an
 * annotator's window with it, and since ONNX Runtime's Node binding holds the event loop while it runs.
 */
export interface EngineOptions {
  /** Folders of model folders, in order of precedence. */
  readonly modelFolders: readonly string[];
  /** As `MASKLOOP_PROVIDERS`, e.g. `cpu`; every provider of the platform otherwise. */
  readonly providers?: string | undefined;
  /** Providers that are not even tried, with why: they have ended a process before. */
  readonly refused?: readonly ProviderAttempt[];
  readonly threads?: number;
  /** Told before a provider is tried, and null once the model has run with it. */
  readonly onTrying?: (provider: string | null) => void;
}

interface Loaded {
  readonly model: UsableModel;
  readonly session: ort.InferenceSession;
  readonly provider: string;
  readonly attempts: readonly ProviderAttempt[];
}

/** Sessions kept: switching between two models is common, between three is not. */
const SESSIONS = 2;

/** Beyond this, resizing to a model's longest side leaves nothing of the shorter one, and graphs fail. */
const MAX_ASPECT = 100;

/** @throws Error when `providers` names one that does not exist. */
export function createEngine(options: EngineOptions): Inference {
  // It reports what it could not load to the terminal too; those reasons are in `attempts`.
  ort.env.logLevel = 'fatal';
  const available = ort.listSupportedBackends().map((backend) => backend.name);
  const wish = restrictProviders(options.providers, available);
  const order = wish ?? providerOrder(process.platform, process.arch, available);
  const threads = options.threads ?? inferenceThreads(availableParallelism());
  const catalog = createCatalog(options.modelFolders);
  const queue = createQueue();
  const listeners = new Set<(status: EngineStatus) => void>();
  const proven = new WeakSet<ort.InferenceSession>();
  let loaded: Loaded[] = [];
  let ahead: { readonly path: string; readonly limit: number; readonly decoding: Promise<Decoding> } | null = null;
  let status: EngineStatus = {
    state: 'idle',
    provider: null,
    attempts: options.refused ?? [],
    threads,
    modelId: null,
    lastMs: null,
    lastRunMs: null,
    message: null,
  };

  function tell(change: Partial<EngineStatus>): void {
    status = { ...status, ...change };
    for (const listener of listeners) listener(status);
  }

  /** The session for a model, made with the first provider of `order` that works. */
  async function load(id: string): Promise<Loaded> {
    const model = await catalog.use(id);
    const ready = loaded.find(
      (entry) => entry.model.file === model.file && entry.model.manifest.file.sha256 === model.manifest.file.sha256,
    );
    if (ready) {
      loaded = [ready, ...loaded.filter((entry) => entry !== ready)];
      return { ...ready, model };
    }
    return open(model, order, options.refused ?? []);
  }

  async function open(model: UsableModel, providers: readonly string[], before: readonly ProviderAttempt[]): Promise<Loaded> {
    const { id } = model.manifest;
    const attempts = [...before];
    const refused = new Set(before.map((attempt) => attempt.provider));
    for (const provider of providers) {
      if (refused.has(provider)) continue;
      const absent = wish === null ? absentHardware(provider, process.platform, existsSync) : null;
      if (absent !== null) {
        attempts.push({ provider, ok: false, reason: absent });
        continue;
      }
      // Told before it is tried, so that who watches this process knows what ended it.
      options.onTrying?.(provider);
      tell({ state: 'loading', modelId: id, attempts, message: `Loading ${id} on ${provider}` });
      let session: ort.InferenceSession;
      try {
        session = await createSession(model, provider, threads);
      } catch (thrown) {
        attempts.push({ provider, ok: false, reason: shortReason(messageOf(thrown)) });
        continue;
      }
      attempts.push({ provider, ok: true, reason: null });
      const entry: Loaded = { model, session, provider, attempts };
      loaded = [entry, ...loaded];
      await Promise.all(loaded.splice(SESSIONS).map((old) => old.session.release()));
      tell({ provider, attempts, modelId: id, message: null });
      return entry;
    }
    tell({ state: 'failed', attempts, modelId: id });
    const said = attempts.at(-1)?.reason ?? 'no provider is left';
    throw new AppError('model-load', `${id}: ${model.file} cannot be loaded: ${said}`, { modelId: id, file: model.file });
  }

  /** Runs; where a provider made a session but cannot run the graph, the next one does. */
  async function run(
    entry: Loaded,
    feeds: Readonly<Record<string, InputTensor>>,
  ): Promise<{ readonly outputs: Readonly<Record<string, OutputTensor>>; readonly entry: Loaded }> {
    const { id } = entry.model.manifest;
    try {
      const outputs = plainOutputs(await entry.session.run(ortFeeds(feeds)));
      if (!proven.has(entry.session)) options.onTrying?.(null);
      proven.add(entry.session);
      return { outputs, entry };
    } catch (thrown) {
      const reason = shortReason(messageOf(thrown));
      if (entry.provider === 'cpu') {
        throw new AppError('model-run', `${id}: ${entry.model.file} failed: ${reason}`, { modelId: id }, thrown);
      }
      loaded = loaded.filter((other) => other.session !== entry.session);
      await entry.session.release().catch(() => undefined);
      const failed = { provider: entry.provider, ok: false, reason: `could not run the model: ${reason}` };
      const attempts = [...entry.attempts.filter((attempt) => attempt.provider !== entry.provider), failed];
      return run(await open(entry.model, order.slice(order.indexOf(entry.provider) + 1), attempts), feeds);
    }
  }

  function decodingOf(path: string, limit: number): Promise<Decoding> {
    if (ahead?.path === path && ahead.limit === limit) {
      const { decoding } = ahead;
      ahead = null;
      return decoding;
    }
    return beginDecoding(path, limit);
  }

  async function predictNow(request: PredictRequest, signal: AbortSignal | undefined): Promise<Prediction> {
    if (signal?.aborted) throw cancelled();
    let entry = await load(request.modelId);
    // Loading a model is told as a state of its own, and would spoil the measure of its first answer.
    const startedAt = performance.now();
    const { manifest } = entry.model;
    const family = FAMILIES[manifest.family];
    const limit = family.decodeLimit(manifest);
    tell({ state: 'running', modelId: manifest.id, provider: entry.provider, attempts: entry.attempts, message: null });

    const decodeAt = performance.now();
    const decoding = await decodingOf(request.path, limit);
    const image = await decoding.pixels;
    const full = decoding.header;
    if (Math.max(full.width, full.height) > MAX_ASPECT * Math.min(full.width, full.height)) {
      const reason = `${full.width} × ${full.height} is more than ${MAX_ASPECT} times as long as wide; no model takes that`;
      throw new AppError('unsupported', `${basename(request.path)}: ${reason}.`, { path: request.path, reason });
    }
    if (signal?.aborted) throw cancelled();

    if (request.next !== null && request.next !== request.path) {
      const next = beginDecoding(request.next, limit);
      // The next question meets its failure; here it only must not be an unhandled one.
      await next.then((begun) => void begun.pixels.catch(() => undefined)).catch(() => undefined);
      ahead = { path: request.next, limit, decoding: next };
    }

    const prepareAt = performance.now();
    const prepared = family.prepare(manifest, image, full);
    const runAt = performance.now();
    const answer = await run(entry, prepared.feeds);
    entry = answer.entry;
    const finishAt = performance.now();
    if (signal?.aborted) throw cancelled();
    const instances = family.decode(manifest, answer.outputs, prepared.transform);
    const endAt = performance.now();
    tell({ lastMs: endAt - startedAt, lastRunMs: finishAt - runAt, provider: entry.provider, attempts: entry.attempts });
    return {
      modelId: manifest.id,
      modelVersion: manifest.version,
      width: full.width,
      height: full.height,
      instances,
      provider: entry.provider,
      decodeMs: prepareAt - decodeAt,
      prepareMs: runAt - prepareAt,
      runMs: finishAt - runAt,
      finishMs: endAt - finishAt,
      totalMs: endAt - startedAt,
    };
  }

  return {
    async models() {
      return (await catalog.list()).map(modelInfo);
    },
    predict(request, signal) {
      return queue.add(
        request.priority,
        async () => {
          try {
            const prediction = await predictNow(request, signal);
            tell({ state: 'idle' });
            return prediction;
          } catch (thrown) {
            const failed = thrown instanceof AppError && thrown.code === 'model-load';
            tell({ state: failed ? 'failed' : 'idle', message: failed ? thrown.message : null });
            throw thrown;
          }
        },
        signal,
      );
    },
    status: () => status,
    onStatus(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      await queue.close();
      await ahead?.decoding.then((begun) => begun.pixels).catch(() => undefined);
      const sessions = loaded;
      loaded = [];
      await Promise.all(sessions.map((entry) => entry.session.release()));
    },
  };
}

async function createSession(model: UsableModel, provider: string, threads: number): Promise<ort.InferenceSession> {
  const session = await ort.InferenceSession.create(model.file, {
    executionProviders: [provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Every image has another size: remembered allocation patterns would only hold memory.
    enableMemPattern: false,
    logSeverityLevel: 4,
  });
  const { input, outputs, id } = model.manifest;
  const missing = [
    ...(session.inputNames.includes(input.name) ? [] : [`input "${input.name}"`]),
    ...Object.values(outputs)
      .filter((name) => !session.outputNames.includes(name))
      .map((name) => `output "${name}"`),
  ];
  if (missing.length === 0) return session;
  await session.release();
  throw new AppError(
    'model-load',
    `the manifest of ${id} names ${missing.join(', ')}; the file has inputs ${session.inputNames.join(', ')} and outputs ${session.outputNames.join(', ')}`,
    { modelId: id },
  );
}

function ortFeeds(feeds: Readonly<Record<string, InputTensor>>): Record<string, ort.Tensor> {
  return Object.fromEntries(Object.entries(feeds).map(([name, { data, dims }]) => [name, new ort.Tensor('float32', data, dims)]));
}

function plainOutputs(outputs: ort.InferenceSession.OnnxValueMapType): Readonly<Record<string, OutputTensor>> {
  const plain: Record<string, OutputTensor> = {};
  for (const [name, { data, dims, type }] of Object.entries(outputs)) {
    if (!(data instanceof Float32Array || data instanceof BigInt64Array || data instanceof Int32Array)) {
      throw new Error(`output "${name}" is ${type}; float32, int64 and int32 are understood`);
    }
    plain[name] = { dims, data };
  }
  return plain;
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { performance } from 'node:perf_hooks';
import { pipeline } from 'node:stream/promises';
import type { EngineStatus, ProviderAttempt } from '../../shared/answers.ts';
import type { PromptAnswer } from '../../shared/calls/prompts.ts';
import { AppError } from '../../shared/errors.ts';
import type { UsableModel } from './catalog.ts';
import { createCatalog, modelInfo } from './catalog.ts';
import { createEmbeddings } from './embeddings.ts';
import { examine } from './examine.ts';
import { FAMILIES } from './families/families.ts';
import type { Embedded, EmbedRequest, Inference, PredictRequest, Prediction, PromptRequest } from './inference.ts';
import { matteNow } from './mattes.ts';
import type { Decoding } from './pixels.ts';
import { beginDecoding, readHeader } from './pixels.ts';
import { everything, everythingOptions } from './prompts/everything.ts';
import { createPrompting } from './prompts/prompting.ts';
import { createReplacing } from './prompts/replacing.ts';
import type { Priority } from './queue.ts';
import { cancelled, createQueue } from './queue.ts';
import { sessionFile } from './session-file.ts';
import type { ProviderChoice } from '../../shared/answers/providers.ts';
import { measureModel } from './provider-bench.ts';
import type { ProviderRecord } from './provider-record.ts';
import { readSignature } from './session-graph.ts';
import { createSessions } from './sessions.ts';
import type { SessionOptions } from './sessions.ts';

/**
 * The engine: models, the queue, one question at a time. It lives in a process of its own on the desktop
 * and in the browser host, since a native crash must not take an annotator's window with it, and since
 * ONNX Runtime's Node binding holds the event loop while it runs.
 */
export interface EngineOptions {
  /** Folders of model folders, in order of precedence. */
  readonly modelFolders: readonly string[];
  /** As `MASKLOOP_PROVIDERS`, e.g. `cpu`; every provider of the platform otherwise. */
  readonly providers?: string | undefined;
  /** Providers that are not even tried, with why: they have ended a process before. */
  readonly refused?: readonly ProviderAttempt[];
  readonly threads?: number;
  /** The user's choice; `providers` and `threads` go before it. */
  readonly choice?: ProviderChoice;
  /** What is kept of providers; in memory when left out. */
  readonly record?: ProviderRecord;
  /** See `SessionOptions.ways`. */
  readonly ways?: SessionOptions['ways'];
  /** Told before a provider is tried, and null once the model has run with it. */
  readonly onTrying?: (provider: string | null) => void;
}

/** Beyond this, resizing to a model's longest side leaves nothing of the shorter one, and graphs fail. */
const MAX_ASPECT = 100;

/** @throws Error when `providers` names one that does not exist. */
export function createEngine(options: EngineOptions): Inference {
  const catalog = createCatalog(options.modelFolders);
  const queue = createQueue();
  const listeners = new Set<(status: EngineStatus) => void>();
  const sessions = createSessions({ ...options, tell });
  const prompting = createPrompting(sessions, createEmbeddings());
  const replacing = createReplacing();
  let ahead: { readonly path: string; readonly limit: number; readonly decoding: Promise<Decoding> } | null = null;
  let status: EngineStatus = {
    state: 'idle',
    provider: null,
    attempts: options.refused ?? [],
    threads: sessions.threads(),
    modelId: null,
    lastMs: null,
    lastRunMs: null,
    message: null,
  };

  function tell(change: Partial<EngineStatus>): void {
    status = { ...status, ...change };
    for (const listener of listeners) listener(status);
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
    const model = await catalog.use(request.modelId);
    const { manifest } = model;
    if (manifest.family === 'sam') return everythingNow(model, request, signal);
    let session = await sessions.open(sessionFile(model, 'model'));
    // Loading a model is told as a state of its own, and would spoil the measure of its first answer.
    const startedAt = performance.now();
    const family = FAMILIES[manifest.family];
    const limit = family.decodeLimit(manifest);
    tell({ state: 'running', modelId: manifest.id, provider: session.provider, attempts: session.attempts, message: null });

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
    const answer = await sessions.run(session, prepared.feeds, {
      decode: (outputs) => family.decode(manifest, outputs, prepared.transform),
      threshold: manifest.thresholds.score,
      regions: manifest.family === 'semantic' || manifest.family === 'salient',
    });
    session = answer.session;
    const finishAt = performance.now();
    if (signal?.aborted) throw cancelled();
    const instances = family.decode(manifest, answer.outputs, prepared.transform, request.options);
    const tags = family.tags?.(manifest, answer.outputs);
    const endAt = performance.now();
    tell({ lastMs: endAt - startedAt, lastRunMs: finishAt - runAt, provider: session.provider, attempts: session.attempts });
    return {
      modelId: manifest.id,
      modelVersion: manifest.version,
      width: full.width,
      height: full.height,
      instances,
      ...(tags ? { tags } : {}),
      provider: session.provider,
      decodeMs: prepareAt - decodeAt,
      prepareMs: runAt - prepareAt,
      runMs: finishAt - runAt,
      finishMs: endAt - finishAt,
      totalMs: endAt - startedAt,
    };
  }

  /** 'Segment everything', as the answer to a whole image. */
  async function everythingNow(model: UsableModel, request: PredictRequest, signal: AbortSignal | undefined): Promise<Prediction> {
    const startedAt = performance.now();
    const { id, version, thresholds } = model.manifest;
    const options = everythingOptions(request.options, thresholds.keep);
    const [{ width, height }, imageSha] = await Promise.all([readHeader(request.path), fileSha(request.path)]);
    const about = { modelId: id, path: request.path, imageSha, width, height, cache: null, priority: 'user' } as const;
    const prepareAt = performance.now();
    const step = async (share: number): Promise<void> => {
      tell({ state: 'running', modelId: id, message: `Segmenting everything: ${Math.round(100 * share)} %` });
      await queue.giveWay();
    };
    const found = await everything(prompting, model, about, options, step, signal);
    const totalMs = performance.now() - startedAt;
    tell({ lastMs: totalMs, lastRunMs: found.runMs, provider: found.provider, message: null });
    const { instances, provider, embedMs, runMs } = found;
    const decodeMs = prepareAt - startedAt;
    const finishMs = totalMs - decodeMs - embedMs - runMs;
    return {
      modelId: id,
      modelVersion: version,
      width,
      height,
      instances,
      provider,
      decodeMs,
      prepareMs: embedMs,
      runMs,
      finishMs,
      totalMs,
    };
  }

  async function embedNow(request: EmbedRequest, signal: AbortSignal | undefined): Promise<Embedded> {
    if (signal?.aborted) throw cancelled();
    const embedded = await prompting.embed(await catalog.use(request.modelId), request, signal);
    if (embedded.provider !== null) tell({ provider: embedded.provider, lastMs: embedded.ms });
    return embedded;
  }

  async function promptNow(request: PromptRequest, signal: AbortSignal): Promise<PromptAnswer> {
    if (signal.aborted) throw cancelled();
    const answer = await prompting.prompt(await catalog.use(request.modelId), request, signal);
    tell({ modelId: request.modelId, provider: answer.provider, lastMs: answer.totalMs, lastRunMs: answer.runMs });
    return answer;
  }

  /** One question at a time; the status says when it is over. */
  function inTurn<T>(priority: Priority, work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    return queue.add(
      priority,
      async () => {
        try {
          const answer = await work();
          tell({ state: 'idle' });
          return answer;
        } catch (thrown) {
          const failed = thrown instanceof AppError && thrown.code === 'model-load';
          tell({ state: failed ? 'failed' : 'idle', message: failed ? thrown.message : null });
          throw thrown;
        }
      },
      signal,
    );
  }

  return {
    async models() {
      return (await catalog.list()).map(modelInfo);
    },
    predict: (request, signal) => inTurn(request.priority, () => predictNow(request, signal), signal),
    matte: (request, signal) => inTurn(request.priority, () => matteNow(catalog, sessions, request, signal), signal),
    signature: ({ path }, signal) => queue.add('user', () => readSignature(path), signal),
    // What fails here is the examined model's matter, not the engine's.
    examine: (request, signal) =>
      queue.add('user', () => examine(sessions, request).finally(() => tell({ state: 'idle', message: null })), signal),
    embed: (request, signal) => inTurn(request.priority, () => embedNow(request, signal), signal),
    prompt(request, signal) {
      const turn = replacing.enter(request, signal);
      return inTurn(
        request.priority,
        () => {
          turn.begun();
          return promptNow(request, turn.signal);
        },
        turn.signal,
      );
    },
    measure: (request, signal) =>
      inTurn('user', async () => measureModel(sessions, await catalog.use(request.modelId), request, signal), signal),
    configure: (choice) => queue.add('user', () => sessions.configure(choice)),
    status: () => status,
    onStatus(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      await queue.close();
      await ahead?.decoding.then((begun) => begun.pixels).catch(() => undefined);
      await prompting.close();
      await sessions.close();
    },
  };
}

/** Hex digest of a file's content. */
async function fileSha(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

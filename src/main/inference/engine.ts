import { basename } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { EngineStatus, ProviderAttempt } from '../../shared/answers.ts';
import { AppError } from '../../shared/errors.ts';
import type { UsableModel } from './catalog.ts';
import { createCatalog, modelInfo } from './catalog.ts';
import { FAMILIES } from './families/families.ts';
import { graphNames, weightFiles } from './manifest.ts';
import type { Inference, PredictRequest, Prediction } from './inference.ts';
import type { Decoding } from './pixels.ts';
import { beginDecoding } from './pixels.ts';
import { cancelled, createQueue } from './queue.ts';
import type { SessionFile } from './sessions.ts';
import { createSessions } from './sessions.ts';

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
  let ahead: { readonly path: string; readonly limit: number; readonly decoding: Promise<Decoding> } | null = null;
  let status: EngineStatus = {
    state: 'idle',
    provider: null,
    attempts: options.refused ?? [],
    threads: sessions.threads,
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
    let session = await sessions.open(sessionFile(model, 'model'));
    // Loading a model is told as a state of its own, and would spoil the measure of its first answer.
    const startedAt = performance.now();
    const { manifest } = model;
    if (manifest.family === 'sam') {
      throw new AppError('unsupported', `${manifest.id} answers prompts; it has no answer for a whole image.`, { modelId: manifest.id });
    }
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
    const answer = await sessions.run(session, prepared.feeds);
    session = answer.session;
    const finishAt = performance.now();
    if (signal?.aborted) throw cancelled();
    const instances = family.decode(manifest, answer.outputs, prepared.transform);
    const endAt = performance.now();
    tell({ lastMs: endAt - startedAt, lastRunMs: finishAt - runAt, provider: session.provider, attempts: session.attempts });
    return {
      modelId: manifest.id,
      modelVersion: manifest.version,
      width: full.width,
      height: full.height,
      instances,
      provider: session.provider,
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
      await sessions.close();
    },
  };
}

/** What the sessions have to know of the file that does `role` in a model. @throws AppError `invalid` where it has none. */
export function sessionFile(model: UsableModel, role: string): SessionFile {
  const { manifest, files } = model;
  const weights = weightFiles(manifest).find((file) => file.role === role);
  const path = files[role];
  if (!weights || path === undefined) throw new AppError('invalid', `${manifest.id}: has no file "${role}".`, { modelId: manifest.id });
  return { modelId: manifest.id, path, bytes: weights.bytes, sha256: weights.sha256, ...graphNames(manifest, role) };
}

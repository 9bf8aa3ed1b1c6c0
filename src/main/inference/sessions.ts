import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import * as ort from 'onnxruntime-node';
import type { EngineStatus, ProviderAttempt } from '../../shared/answers.ts';
import { AppError } from '../../shared/errors.ts';
import type { InputTensor, OutputTensor } from './families/family.ts';
import { absentHardware, inferenceThreads, providerOrder, restrictProviders, shortReason } from './providers.ts';

/**
 * Sessions of ONNX Runtime: which provider a file runs on, and which files stay loaded. The only user of
 * onnxruntime-node.
 */
export interface SessionFile {
  readonly modelId: string;
  /** Absolute path. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Names that the manifest promises; a file without one of them is refused. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** A file that is loaded. */
export interface OpenSession {
  readonly file: SessionFile;
  readonly provider: string;
  readonly attempts: readonly ProviderAttempt[];
}

export interface Ran {
  readonly outputs: Readonly<Record<string, OutputTensor>>;
  /** Another one where the provider could not run the graph and the next one did. */
  readonly session: OpenSession;
}

export interface Sessions {
  readonly threads: number;
  /** Loads with the first provider that works, or takes what is loaded. @throws AppError `model-load`. */
  open(file: SessionFile): Promise<OpenSession>;
  /**
   * Runs; where a provider made a session but cannot run the graph, the next one does.
   * @throws AppError `model-run` when the last one cannot either.
   */
  run(session: OpenSession, feeds: Readonly<Record<string, InputTensor>>): Promise<Ran>;
  close(): Promise<void>;
}

export interface SessionOptions {
  /** As `MASKLOOP_PROVIDERS`, e.g. `cpu`; every provider of the platform otherwise. */
  readonly providers?: string | undefined;
  /** Providers that are not even tried, with why: they have ended a process before. */
  readonly refused?: readonly ProviderAttempt[] | undefined;
  readonly threads?: number | undefined;
  /** Told before a provider is tried, and null once the model has run with it. */
  readonly onTrying?: ((provider: string | null) => void) | undefined;
  readonly tell: (change: Partial<EngineStatus>) => void;
}

interface Loaded extends OpenSession {
  readonly session: ort.InferenceSession;
}

/**
 * Weights that stay loaded, in bytes of their files: an encoder and a decoder that work together, and
 * another model or two beside them. What was used longest ago goes first.
 */
const LOADED_BYTES = 640 * 2 ** 20;

/** @throws Error when `providers` names one that does not exist. */
export function createSessions(options: SessionOptions): Sessions {
  // It reports what it could not load to the terminal too; those reasons are in `attempts`.
  ort.env.logLevel = 'fatal';
  const available = ort.listSupportedBackends().map((backend) => backend.name);
  const wish = restrictProviders(options.providers, available);
  const order = wish ?? providerOrder(process.platform, process.arch, available);
  const threads = options.threads ?? inferenceThreads(availableParallelism());
  const proven = new WeakSet<ort.InferenceSession>();
  const { tell } = options;
  /** Last used first. */
  let loaded: Loaded[] = [];

  async function open(file: SessionFile, providers: readonly string[], before: readonly ProviderAttempt[]): Promise<Loaded> {
    const { modelId } = file;
    const attempts = [...before];
    const refused = new Set(before.map((attempt) => attempt.provider));
    for (const provider of providers) {
      if (refused.has(provider)) continue;
      const absent = unfit(file, provider) ?? (wish === null ? absentHardware(provider, process.platform, existsSync) : null);
      if (absent !== null) {
        attempts.push({ provider, ok: false, reason: absent });
        continue;
      }
      // Told before it is tried, so that who watches this process knows what ended it.
      options.onTrying?.(provider);
      tell({ state: 'loading', modelId, attempts, message: `Loading ${modelId} on ${provider}` });
      let session: ort.InferenceSession;
      try {
        session = await createSession(file, provider, threads);
      } catch (thrown) {
        attempts.push({ provider, ok: false, reason: shortReason(messageOf(thrown)) });
        continue;
      }
      attempts.push({ provider, ok: true, reason: null });
      const entry: Loaded = { file, session, provider, attempts };
      await keep(entry);
      tell({ provider, attempts, modelId, message: null });
      return entry;
    }
    tell({ state: 'failed', attempts, modelId });
    const said = attempts.at(-1)?.reason ?? 'no provider is left';
    throw new AppError('model-load', `${modelId}: ${file.path} cannot be loaded: ${said}`, { modelId, file: file.path });
  }

  async function keep(entry: Loaded): Promise<void> {
    let bytes = 0;
    const all = [entry, ...loaded];
    const kept = all.filter(({ file }, i) => {
      bytes += file.bytes;
      return i === 0 || bytes <= LOADED_BYTES;
    });
    loaded = kept;
    await Promise.all(all.filter((old) => !kept.includes(old)).map((old) => old.session.release()));
  }

  function ready(file: SessionFile): Loaded | undefined {
    return loaded.find((entry) => entry.file.path === file.path && entry.file.sha256 === file.sha256);
  }

  async function run(asked: OpenSession, feeds: Readonly<Record<string, InputTensor>>): Promise<Ran> {
    const { modelId, path } = asked.file;
    // It may have been let go while another model was loaded.
    const entry = ready(asked.file) ?? (await open(asked.file, order, options.refused ?? []));
    try {
      const outputs = plainOutputs(await entry.session.run(ortFeeds(feeds)));
      if (!proven.has(entry.session)) options.onTrying?.(null);
      proven.add(entry.session);
      return { outputs, session: entry };
    } catch (thrown) {
      const reason = shortReason(messageOf(thrown));
      if (entry.provider === 'cpu') {
        throw new AppError('model-run', `${modelId}: ${path} failed: ${reason}`, { modelId }, thrown);
      }
      loaded = loaded.filter((other) => other.session !== entry.session);
      await entry.session.release().catch(() => undefined);
      const failed = { provider: entry.provider, ok: false, reason: `could not run the model: ${reason}` };
      const attempts = [...entry.attempts.filter((attempt) => attempt.provider !== entry.provider), failed];
      return run(await open(entry.file, order.slice(order.indexOf(entry.provider) + 1), attempts), feeds);
    }
  }

  return {
    threads,
    async open(file) {
      const entry = ready(file);
      if (!entry) return open(file, order, options.refused ?? []);
      loaded = [entry, ...loaded.filter((other) => other !== entry)];
      return entry;
    },
    run,
    async close() {
      const sessions = loaded;
      loaded = [];
      await Promise.all(sessions.map((entry) => entry.session.release()));
    },
  };
}

/** A file that was optimised for one provider runs on that one only: ONNX Runtime writes `.ort` for the CPU. */
function unfit(file: SessionFile, provider: string): string | null {
  if (provider === 'cpu' || !file.path.endsWith('.ort')) return null;
  return 'the file is in the .ort format, optimised for the CPU';
}

async function createSession(file: SessionFile, provider: string, threads: number): Promise<ort.InferenceSession> {
  const session = await ort.InferenceSession.create(file.path, {
    executionProviders: [provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Every image has another size: remembered allocation patterns would only hold memory.
    enableMemPattern: false,
    logSeverityLevel: 4,
  });
  const missing = [
    ...file.inputs.filter((name) => !session.inputNames.includes(name)).map((name) => `input "${name}"`),
    ...file.outputs.filter((name) => !session.outputNames.includes(name)).map((name) => `output "${name}"`),
  ];
  if (missing.length === 0) return session;
  await session.release();
  throw new AppError(
    'model-load',
    `the manifest of ${file.modelId} names ${missing.join(', ')}; the file has inputs ${session.inputNames.join(', ')} and outputs ${session.outputNames.join(', ')}`,
    { modelId: file.modelId },
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

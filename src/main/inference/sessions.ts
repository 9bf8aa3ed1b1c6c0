import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { EngineStatus, ProviderAttempt } from '../../shared/answers.ts';
import type { Measured, ProviderChoice } from '../../shared/answers/providers.ts';
import { AppError } from '../../shared/errors.ts';
import type { Reading } from './compare-outputs.ts';
import { measureProviders } from './provider-measure.ts';
import type { ProviderRecord } from './provider-record.ts';
import { createProviderRecord } from './provider-record.ts';
import { createProviderTrial } from './provider-trial.ts';
import type { Feeds, Graph, Outputs, Way } from './session-graph.ts';
import { availableProviders, loadGraph, messageOf, ORT_VERSION, unfit } from './session-graph.ts';
import { absentHardware, chosenOrder, inferenceThreads, providerOrder, restrictProviders, shortReason } from './providers.ts';

/**
 * Sessions of ONNX Runtime: which provider a file runs on, and which files stay loaded.
 */
export interface SessionFile {
  readonly modelId: string;
  readonly modelVersion: string;
  /** What the file does in a model of several, e.g. `encoder`; `model` where it is the only one. */
  readonly role: string;
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
  readonly outputs: Outputs;
  /** Another one where the provider could not run the graph and the next one did. */
  readonly session: OpenSession;
}

export interface Sessions {
  readonly threads: () => number;
  /** Loads with the first provider that works, or takes what is loaded. @throws AppError `model-load`. */
  open(file: SessionFile): Promise<OpenSession>;
  /**
   * Runs; where a provider made a session but cannot run the graph, or answers otherwise than the CPU
   * (looked at once, see provider-trial.ts; `reading` says how answers are read), the next one does.
   * @throws AppError `model-run` when the last one cannot either.
   */
  run(session: OpenSession, feeds: Feeds, reading?: Reading | null): Promise<Ran>;
  /** Runs a file `runs` times with each provider that can, after one run that is not counted, and compares it with the CPU. */
  measure(file: SessionFile, feeds: Feeds, reading: Reading | null, runs: number, signal?: AbortSignal): Promise<readonly Measured[]>;
  /** Lets go of what is loaded; later sessions follow the choice. */
  configure(choice: ProviderChoice): Promise<void>;
  close(): Promise<void>;
}

export interface SessionOptions {
  /** As `MASKLOOP_PROVIDERS`, e.g. `cpu`; every provider of the platform otherwise. */
  readonly providers?: string | undefined;
  /** Providers that are not even tried, with why: they have ended a process before. */
  readonly refused?: readonly ProviderAttempt[] | undefined;
  readonly threads?: number | undefined;
  /** The user's; `providers` and `threads` above go before it. */
  readonly choice?: ProviderChoice | undefined;
  /** What is kept of providers; in memory when left out. */
  readonly record?: ProviderRecord | undefined;
  /**
   * Other ways to run a file, by name: tried before the providers and compared with the CPU like one, e.g.
   * the CPU with another optimisation of the graph.
   */
  readonly ways?: Readonly<Record<string, Way>> | undefined;
  /** Told before a provider is tried, and null once the model has run with it. */
  readonly onTrying?: ((provider: string | null) => void) | undefined;
  readonly tell: (change: Partial<EngineStatus>) => void;
}

interface Loaded extends OpenSession {
  readonly graph: Graph;
}

/**
 * Weights that stay loaded, in bytes of their files: an encoder and a decoder that work together, and
 * another model or two beside them. What was used longest ago goes first.
 */
const LOADED_BYTES = 640 * 2 ** 20;

/** @throws Error when `providers` names one that does not exist. */
export function createSessions(options: SessionOptions): Sessions {
  const available = availableProviders();
  const wish = restrictProviders(options.providers, available);
  const ways = options.ways ?? {};
  const record = options.record ?? createProviderRecord({ folder: null, ortVersion: ORT_VERSION, device: () => Promise.resolve('') });
  const trial = createProviderTrial(record);
  let order: readonly string[] = [];
  let threads = 1;
  choose(options.choice ?? { providers: null, threads: null });
  const proven = new WeakSet<Graph>();
  const { tell } = options;
  const trying = (provider: string | null): void => {
    record.trying(provider === 'cpu' || (provider !== null && Object.hasOwn(ways, provider)) ? null : provider);
    options.onTrying?.(provider);
  };
  /** Last used first. */
  let loaded: Loaded[] = [];

  function choose(choice: ProviderChoice): void {
    order = [...Object.keys(ways), ...(wish ?? chosenOrder(providerOrder(process.platform, process.arch, available), choice.providers))];
    threads = options.threads ?? choice.threads ?? inferenceThreads(availableParallelism());
  }

  /** Why a provider need not be tried for a file, or null. */
  async function whyNot(file: SessionFile, provider: string): Promise<string | null> {
    if (Object.hasOwn(ways, provider)) return trial.barred(file, provider);
    const absent = unfit(file, provider) ?? (wish === null ? absentHardware(provider, process.platform, existsSync) : null);
    return absent ?? trial.barred(file, provider);
  }

  async function runOnce(file: SessionFile, provider: string, feeds: Feeds): Promise<Outputs> {
    const graph = await loadGraph(file, provider, threads, ways[provider]);
    try {
      return await graph.run(feeds);
    } finally {
      await graph.release();
    }
  }

  async function open(file: SessionFile, providers: readonly string[], before: readonly ProviderAttempt[]): Promise<Loaded> {
    const { modelId } = file;
    const attempts = [...before];
    const refused = new Set(before.map((attempt) => attempt.provider));
    for (const provider of providers) {
      if (refused.has(provider)) continue;
      const absent = await whyNot(file, provider);
      if (absent !== null) {
        attempts.push({ provider, ok: false, reason: absent });
        continue;
      }
      // Told before it is tried, so that who watches this process knows what ended it.
      trying(provider);
      tell({ state: 'loading', modelId, attempts, message: `Loading ${modelId} on ${provider}` });
      let graph: Graph;
      try {
        graph = await loadGraph(file, provider, threads, ways[provider]);
      } catch (thrown) {
        attempts.push({ provider, ok: false, reason: shortReason(messageOf(thrown)) });
        continue;
      }
      attempts.push({ provider, ok: true, reason: null });
      const entry: Loaded = { file, graph, provider, attempts };
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
    await Promise.all(all.filter((old) => !kept.includes(old)).map((old) => old.graph.release()));
  }

  async function releaseAll(): Promise<void> {
    const sessions = loaded;
    loaded = [];
    await Promise.all(sessions.map((entry) => entry.graph.release()));
  }

  function ready(file: SessionFile): Loaded | undefined {
    return loaded.find((entry) => entry.file.path === file.path && entry.file.sha256 === file.sha256);
  }

  async function run(asked: OpenSession, feeds: Feeds, reading: Reading | null = null): Promise<Ran> {
    const { modelId, path } = asked.file;
    // It may have been let go while another model was loaded.
    const entry = ready(asked.file) ?? (await open(asked.file, order, options.refused ?? []));
    let refusal: string | null;
    try {
      const startedAt = performance.now();
      const outputs = await entry.graph.run(feeds);
      const ms = performance.now() - startedAt;
      // The first run of a session makes its kernels and buffers; it says nothing about the next ones.
      if (proven.has(entry.graph)) note(entry, ms);
      else trying(null);
      proven.add(entry.graph);
      refusal = await trial.check(entry.file, entry.provider, outputs, reading, () => {
        tell({ message: `Comparing ${modelId} on ${entry.provider} with the CPU` });
        return runOnce(entry.file, 'cpu', feeds);
      });
      if (refusal === null) return { outputs, session: entry };
    } catch (thrown) {
      const reason = shortReason(messageOf(thrown));
      if (entry.provider === 'cpu') {
        throw new AppError('model-run', `${modelId}: ${path} failed: ${reason}`, { modelId }, thrown);
      }
      refusal = `could not run the model: ${reason}`;
    }
    loaded = loaded.filter((other) => other.graph !== entry.graph);
    await entry.graph.release().catch(() => undefined);
    const failed = { provider: entry.provider, ok: false, reason: refusal };
    const attempts = [...entry.attempts.filter((attempt) => attempt.provider !== entry.provider), failed];
    return run(await open(entry.file, order.slice(order.indexOf(entry.provider) + 1), attempts), feeds, reading);
  }

  function note({ file, provider }: OpenSession, ms: number): void {
    const modelId = file.role === 'model' ? file.modelId : `${file.modelId}, ${file.role}`;
    record.ran({ modelId, modelVersion: file.modelVersion, provider, threads, ms });
  }

  return {
    threads: () => threads,
    async open(file) {
      const entry = ready(file);
      if (!entry) return open(file, order, options.refused ?? []);
      loaded = [entry, ...loaded.filter((other) => other !== entry)];
      return entry;
    },
    run,
    async measure(file, feeds, reading, runs, signal) {
      try {
        return await measureProviders(order, { file, feeds, reading, runs, signal }, { threads, ways, whyNot, note, record, tell, trying });
      } finally {
        // Who asked shows the times next, and reads them from the file: they may belong to another process.
        await record.flush();
      }
    },
    async configure(choice) {
      await releaseAll();
      choose(choice);
      tell({ threads, provider: null, attempts: options.refused ?? [], lastMs: null, lastRunMs: null });
    },
    async close() {
      await releaseAll();
      await record.flush();
    },
  };
}

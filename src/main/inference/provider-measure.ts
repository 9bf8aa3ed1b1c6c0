import { performance } from 'node:perf_hooks';
import type { EngineStatus } from '../../shared/answers.ts';
import type { Measured } from '../../shared/answers/providers.ts';
import type { Reading } from './compare-outputs.ts';
import { compareOutputs, refusalOf } from './compare-outputs.ts';
import type { ProviderRecord } from './provider-record.ts';
import { refusalText } from './provider-trial.ts';
import { shortReason } from './providers.ts';
import type { Feeds, Outputs, Way } from './session-graph.ts';
import { loadGraph, messageOf } from './session-graph.ts';
import type { OpenSession, SessionFile } from './sessions.ts';

/** What is measured: a file with its input, `runs` times. */
export interface Measurement {
  readonly file: SessionFile;
  readonly feeds: Feeds;
  readonly reading: Reading | null;
  readonly runs: number;
  readonly signal: AbortSignal | undefined;
}

/** What the measuring takes from the sessions beside which it is done. */
export interface MeasuringBeside {
  readonly threads: number;
  readonly ways: Readonly<Record<string, Way>>;
  readonly whyNot: (file: SessionFile, provider: string) => Promise<string | null>;
  readonly note: (session: OpenSession, ms: number) => void;
  readonly record: ProviderRecord;
  readonly tell: (change: Partial<EngineStatus>) => void;
  readonly trying: (provider: string | null) => void;
}

/**
 * Runs a file with each provider of `order` that can, after one run that is not counted, and compares its
 * outputs with the CPU's. Answers in that order; a provider that cannot says why. Never fails for a
 * provider's sake; throws the signal's reason.
 */
export async function measureProviders(order: readonly string[], what: Measurement, beside: MeasuringBeside): Promise<readonly Measured[]> {
  const { file, reading } = what;
  const { record, tell } = beside;
  try {
    const cpu = await measureOne('cpu', what, beside);
    const results: Measured[] = [];
    for (const provider of order) {
      const { measured, outputs } = provider === 'cpu' ? cpu : await measureOne(provider, what, beside);
      if (provider === 'cpu' || outputs === null || cpu.outputs === null) {
        results.push(measured);
        continue;
      }
      const comparison = compareOutputs(cpu.outputs, outputs, reading);
      const refusal = refusalOf(comparison);
      const reason = refusalText(refusal ?? null);
      if (refusal !== undefined) {
        await record.compared(file.sha256, { modelId: file.modelId, provider, ok: refusal === null, reason, comparison });
      }
      results.push({ ...measured, reason, comparison });
    }
    return results;
  } finally {
    tell({ message: null });
  }
}

async function measureOne(
  provider: string,
  { file, feeds, runs, signal }: Measurement,
  { threads, ways, whyNot, note, tell, trying }: MeasuringBeside,
): Promise<{ readonly measured: Measured; readonly outputs: Outputs | null }> {
  const nothing: Measured = { provider, runMs: [], loadMs: null, reason: await whyNot(file, provider), comparison: null };
  if (nothing.reason !== null) return { measured: nothing, outputs: null };
  trying(provider);
  tell({ message: `Measuring ${file.modelId} on ${provider}` });
  try {
    const startedAt = performance.now();
    const graph = await loadGraph(file, provider, threads, ways[provider]);
    const loadMs = performance.now() - startedAt;
    try {
      const outputs = await graph.run(feeds);
      const runMs: number[] = [];
      while (runMs.length < runs) {
        // A run holds the event loop: whoever cancels is heard between two of them.
        await new Promise((resolve) => setImmediate(resolve));
        signal?.throwIfAborted();
        const at = performance.now();
        await graph.run(feeds);
        const ms = performance.now() - at;
        runMs.push(ms);
        note({ file, provider, attempts: [] }, ms);
      }
      runMs.sort((a, b) => a - b);
      return { measured: { provider, runMs, loadMs, reason: null, comparison: null }, outputs };
    } finally {
      await graph.release();
    }
  } catch (thrown) {
    signal?.throwIfAborted();
    return { measured: { ...nothing, reason: shortReason(messageOf(thrown)) }, outputs: null };
  } finally {
    trying(null);
  }
}

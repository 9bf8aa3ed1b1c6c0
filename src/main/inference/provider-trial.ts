import type { Comparison } from '../../shared/answers/providers.ts';
import type { Reading } from './compare-outputs.ts';
import { compareOutputs, refusalOf } from './compare-outputs.ts';
import type { OutputTensor } from './families/family.ts';
import type { ProviderRecord } from './provider-record.ts';

type Outputs = Readonly<Record<string, OutputTensor>>;

/** Which providers a file may run on, by what is kept of them and by a comparison with the CPU. */
export interface ProviderTrial {
  /** Why the provider is not even tried for this file, or null. */
  barred(file: TriedFile, provider: string): Promise<string | null>;
  /**
   * Compares the outputs of a provider with the CPU's of the same input, once per file, provider, ONNX
   * Runtime and device; `onCpu` is only called when that is due.
   * @returns why the provider must not be used for this file, or null.
   */
  check(
    file: TriedFile,
    provider: string,
    outputs: Outputs,
    reading: Reading | null,
    onCpu: () => Promise<Outputs>,
  ): Promise<string | null>;
}

export interface TriedFile {
  readonly modelId: string;
  readonly sha256: string;
}

/** Images that showed nothing to compare, after which the comparison of a file is given up until the next start. */
const EMPTY_IMAGES = 6;

export function createProviderTrial(record: ProviderRecord): ProviderTrial {
  /** Of this process: what needs no further look, and how often a look showed nothing. */
  const settled = new Set<string>();
  const fruitless = new Map<string, number>();
  const keyOf = (file: TriedFile, provider: string): string => `${provider} ${file.sha256}`;

  return {
    async barred(file, provider) {
      if (provider === 'cpu') return null;
      const refusal = await record.refusal(provider);
      if (refusal !== null) return refusal.reason;
      const kept = await record.comparison(file.sha256, provider);
      if (kept?.ok === true) settled.add(keyOf(file, provider));
      return kept === null || kept.ok ? null : kept.reason;
    },
    async check(file, provider, outputs, reading, onCpu) {
      const key = keyOf(file, provider);
      if (provider === 'cpu' || settled.has(key)) return null;
      let comparison: Comparison;
      try {
        comparison = compareOutputs(await onCpu(), outputs, reading);
      } catch {
        // What the CPU cannot run or nobody can decode has nothing to be compared with; the prediction itself will say so.
        settled.add(key);
        return null;
      }
      const refusal = refusalOf(comparison);
      if (refusal === undefined) {
        const times = (fruitless.get(key) ?? 0) + 1;
        fruitless.set(key, times);
        if (times >= EMPTY_IMAGES) settled.add(key);
        return null;
      }
      settled.add(key);
      const reason = refusalText(refusal);
      await record.compared(file.sha256, { modelId: file.modelId, provider, ok: refusal === null, reason, comparison });
      return reason;
    },
  };
}

/** A refusal as it is told and kept. */
export function refusalText(refusal: string | null): string | null {
  return refusal === null ? null : `its answers are not the CPU’s: ${refusal}`;
}

import type { ProviderAttempt } from '../answers.ts';
import type { WireError } from '../errors.ts';

/** A graphics processor, as the system names it. */
export interface GpuDevice {
  readonly name: string;
  /** Null where it is not known. */
  readonly driver: string | null;
  readonly memoryMb: number | null;
}

/** A library that a provider needs from the system. `hint` says how to get it where it is missing. */
export interface SystemLibrary {
  readonly name: string;
  readonly provider: 'cuda' | 'tensorrt';
  /** Where it was found, or null. */
  readonly path: string | null;
  readonly hint: string | null;
}

/** The libraries that ONNX Runtime needs for NVIDIA GPUs on Linux, which come apart. */
export interface GpuStatus {
  /** Null where the libraries can be installed here; else why there is nothing to install. */
  readonly unsupported: string | null;
  readonly ortVersion: string;
  readonly package: { readonly name: string; readonly version: string } | null;
  /** Where they lie, or would. */
  readonly folder: string;
  readonly installed: { readonly bytes: number; readonly files: readonly string[]; readonly installedAtMs: number } | null;
  /** Bytes of a download that broke off and can be gone on with. */
  readonly unfinishedBytes: number;
  readonly devices: readonly GpuDevice[];
  readonly libraries: readonly SystemLibrary[];
  /** What to do next, one sentence. */
  readonly next: string;
}

export interface GpuProgress {
  readonly stage: 'asking' | 'downloading' | 'checking' | 'unpacking' | 'done' | 'failed';
  /** Bytes. */
  readonly done: number;
  readonly total: number | null;
  /** Of `failed`. */
  readonly failure?: WireError;
}

/** How much the outputs of two providers differ on one image; the first is the CPU's. */
export interface Comparison {
  /** Instances that the CPU is sure of, and how many of them the other found too. */
  readonly expected: number;
  readonly matched: number;
  /** Instances that the other is sure of, and the CPU has nothing of. */
  readonly extra: number;
  /** Over the matched ones; 1 and 0 where there are none. */
  readonly minIou: number;
  readonly maxScoreDifference: number;
  /** Over all output tensors of equal shape: the largest difference, absolute and against the largest value; null where no shape was equal. */
  readonly maxDifference: number | null;
  readonly maxRelative: number | null;
  /** Root mean square of the difference against that of the CPU's values, of the worst tensor. */
  readonly relativeRms: number | null;
}

/** A comparison that is remembered: for this model's file, provider, ONNX Runtime and device it is not made again. */
export interface KeptComparison {
  readonly modelId: string;
  readonly provider: string;
  readonly ok: boolean;
  /** Null where `ok`. */
  readonly reason: string | null;
  readonly comparison: Comparison;
  readonly atMs: number;
}

/** Milliseconds in `session.run` of real predictions. */
export interface ModelTiming {
  readonly modelId: string;
  readonly modelVersion: string;
  readonly provider: string;
  /** Runs recorded, of which `medianMs` is over the last ones. */
  readonly runs: number;
  readonly medianMs: number;
  readonly bestMs: number;
  readonly threads: number;
  readonly atMs: number;
}

/** A provider that ended a process, or was refused for a model, over restarts of the app. */
export interface KeptRefusal {
  readonly provider: string;
  readonly reason: string;
  readonly atMs: number;
}

export interface ProvidersReport {
  readonly ortVersion: string;
  readonly platform: string;
  readonly cores: number;
  readonly devices: readonly GpuDevice[];
  /** Every provider of this build, in the order in which they are tried, the forbidden ones at the end. */
  readonly providers: readonly {
    readonly provider: string;
    readonly allowed: boolean;
    /** What came of it when a model was loaded last in this run of the app; null where it was not tried. */
    readonly attempt: ProviderAttempt | null;
    readonly refusal: KeptRefusal | null;
  }[];
  /** `MASKLOOP_PROVIDERS`, which goes before the settings; null where it is not set. */
  readonly restriction: string | null;
  /** The user's, or null for automatic. */
  readonly chosen: readonly string[] | null;
  readonly threads: { readonly chosen: number | null; readonly automatic: number; readonly used: number };
  readonly timings: readonly ModelTiming[];
  readonly comparisons: readonly KeptComparison[];
  readonly tolerance: string;
  readonly gpu: GpuStatus;
}

/** What the user chose; null is automatic. */
export interface ProviderChoice {
  /** Providers to try, in their order; the CPU is always the last. */
  readonly providers: readonly string[] | null;
  /** Threads inside one operator on the CPU. */
  readonly threads: number | null;
}

/** One provider's answer to a measurement. */
export interface Measured {
  readonly provider: string;
  /** Of the runs, sorted; empty where it could not run. */
  readonly runMs: readonly number[];
  readonly loadMs: number | null;
  readonly reason: string | null;
  readonly comparison: Comparison | null;
}

import { existsSync, readdirSync, rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Comparison, KeptComparison, KeptRefusal, ModelTiming } from '../../shared/answers/providers.ts';
import { readKept, writeKept } from '../kept-json.ts';

/**
 * What is known about providers from one start to the next: comparisons with the CPU and times of real
 * runs (written where models run), and refusals of providers that ended a process (written by its host,
 * which outlived it). All of it holds for one version of ONNX Runtime on one device with its driver.
 */
export interface ProviderRecord {
  comparison(sha256: string, provider: string): Promise<KeptComparison | null>;
  compared(sha256: string, result: Omit<KeptComparison, 'atMs'>): Promise<void>;
  /** A run took `ms` in the graph. Written after a while, and by `flush`. */
  ran(run: RunTime): void;
  /** Noted at once, and taken back with null or by an orderly end: what is still there belongs to a process that crashed. */
  trying(provider: string | null): void;
  refusal(provider: string): Promise<KeptRefusal | null>;
  refuse(provider: string, reason: string): Promise<void>;
  /** Of this version and device, newest first. */
  comparisons(): Promise<readonly KeptComparison[]>;
  timings(): Promise<readonly ModelTiming[]>;
  refusals(): Promise<readonly KeptRefusal[]>;
  /** Tries everything again: forgets refusals, and the comparisons that were not good. */
  forget(): Promise<void>;
  flush(): Promise<void>;
}

export interface RunTime {
  readonly modelId: string;
  readonly modelVersion: string;
  readonly provider: string;
  readonly threads: number;
  readonly ms: number;
}

export interface RecordOptions {
  /** Of the record's files; null keeps it in memory. */
  readonly folder: string | null;
  readonly ortVersion: string;
  /** Of the graphics processors and their drivers; asked when it is first needed. */
  readonly device: () => Promise<string>;
  readonly clock?: () => number;
}

const figure = z.number().nullable();
const comparisonSchema: z.ZodType<Comparison> = z.object({
  expected: z.number(),
  matched: z.number(),
  extra: z.number(),
  minIou: z.number(),
  maxScoreDifference: z.number(),
  maxDifference: figure,
  maxRelative: figure,
  relativeRms: figure,
});
const place = { ort: z.string(), device: z.string(), provider: z.string(), atMs: z.number() };
const comparedSchema = z.object({
  ...place,
  sha256: z.string(),
  modelId: z.string(),
  ok: z.boolean(),
  reason: z.string().nullable(),
  comparison: comparisonSchema,
});
const timedSchema = z.object({
  ...place,
  modelId: z.string(),
  modelVersion: z.string(),
  threads: z.number(),
  runs: z.number(),
  ms: z.array(z.number()),
});
const refusedSchema = z.object({ ...place, reason: z.string() });
const measuredSchema = z.object({ comparisons: z.array(comparedSchema), timings: z.array(timedSchema) });
const refusalsSchema = z.object({ refusals: z.array(refusedSchema) });
type Compared = z.infer<typeof comparedSchema>;
type Timed = z.infer<typeof timedSchema>;

/** Times kept of a model on a provider. */
const LAST_RUNS = 25;
/** Rows kept of a kind, newest first. */
const MOST = 400;
const WRITE_AFTER_MS = 4000;

export function createProviderRecord(options: RecordOptions): ProviderRecord {
  const { folder, ortVersion } = options;
  const clock = options.clock ?? Date.now;
  let memory: z.infer<typeof measuredSchema> = { comparisons: [], timings: [] };
  let crashes: z.infer<typeof refusalsSchema> = { refusals: [] };
  let unwritten: RunTime[] = [];
  let timer: NodeJS.Timeout | null = null;
  let device: Promise<string> | null = null;

  const marker = folder === null ? null : join(folder, `trying-${process.pid}.json`);
  let marked = false;

  function trying(provider: string | null): void {
    if (folder === null || marker === null || (provider === null && !marked)) return;
    try {
      if (provider === null) rmSync(marker, { force: true });
      else writeKept(marker, { provider });
      if (provider !== null && !marked) process.once('exit', () => rmSync(marker, { force: true }));
      marked = provider !== null;
    } catch {
      // The folder cannot be written: then nothing is kept of providers at all.
    }
  }

  /** Processes that ended while they tried a provider: each is made a refusal, once. */
  async function takeMarkers(): Promise<void> {
    if (folder === null || !existsSync(folder)) return;
    for (const name of readdirSync(folder, { encoding: 'utf8' })) {
      const pid = Number(/^trying-(\d+)\.json$/.exec(name)?.[1]);
      if (!(pid > 0) || isAlive(pid)) continue;
      const path = join(folder, name);
      const found = readKept(path, z.object({ provider: z.string() }), { provider: '' });
      rmSync(path, { force: true });
      if (found.provider === '' || (await refusalOf(found.provider)) !== null) continue;
      await refuse(found.provider, 'a process ended while it was tried; if you ended that yourself, try again');
    }
  }

  async function refusalOf(provider: string): Promise<KeptRefusal | null> {
    return (await here(refused().refusals)).find((row) => row.provider === provider) ?? null;
  }

  async function refuse(provider: string, reason: string): Promise<void> {
    const row = { provider, reason, ort: ortVersion, device: await deviceOf(provider), atMs: clock() };
    const others = refused().refusals.filter((old) => old.provider !== provider || old.device !== row.device);
    keepRefused({ refusals: [row, ...others].slice(0, MOST) });
  }

  function deviceNow(): Promise<string> {
    device ??= options.device();
    return device;
  }

  // Another process of the app may have written meanwhile: files are read anew before each change.
  function measured(): z.infer<typeof measuredSchema> {
    return folder === null ? memory : readKept(join(folder, 'measured.json'), measuredSchema, { comparisons: [], timings: [] });
  }
  function keepMeasured(next: z.infer<typeof measuredSchema>): void {
    if (folder === null) memory = next;
    else writeKept(join(folder, 'measured.json'), next);
  }
  function refused(): z.infer<typeof refusalsSchema> {
    return folder === null ? crashes : readKept(join(folder, 'refused.json'), refusalsSchema, { refusals: [] });
  }
  function keepRefused(next: z.infer<typeof refusalsSchema>): void {
    if (folder === null) crashes = next;
    else writeKept(join(folder, 'refused.json'), next);
  }

  /** The CPU is the same whatever graphics processor is there. */
  async function deviceOf(provider: string): Promise<string> {
    return provider === 'cpu' ? (cpus()[0]?.model.trim() ?? 'cpu') : deviceNow();
  }

  async function here<T extends { readonly ort: string; readonly device: string; readonly provider: string }>(
    rows: readonly T[],
  ): Promise<T[]> {
    const kept: T[] = [];
    for (const row of rows) if (row.ort === ortVersion && row.device === (await deviceOf(row.provider))) kept.push(row);
    return kept;
  }

  async function flush(): Promise<void> {
    if (timer) clearTimeout(timer);
    timer = null;
    const runs = unwritten;
    unwritten = [];
    if (runs.length === 0) return;
    const places = new Map<string, string>();
    for (const { provider } of runs) places.set(provider, await deviceOf(provider));
    const now = measured();
    let timings: readonly Timed[] = now.timings;
    for (const run of runs) timings = withRun(timings, run, { ort: ortVersion, device: places.get(run.provider) ?? '', atMs: clock() });
    keepMeasured({ ...now, timings: timings.slice(0, MOST) });
  }

  return {
    async comparison(sha256, provider) {
      const rows = await here(measured().comparisons);
      return rows.find((row) => row.sha256 === sha256 && row.provider === provider) ?? null;
    },
    async compared(sha256, result) {
      const row: Compared = { ...result, sha256, ort: ortVersion, device: await deviceOf(result.provider), atMs: clock() };
      const now = measured();
      const others = now.comparisons.filter(
        (old) => old.sha256 !== sha256 || old.provider !== row.provider || old.ort !== row.ort || old.device !== row.device,
      );
      keepMeasured({ ...now, comparisons: [row, ...others].slice(0, MOST) });
    },
    ran(run) {
      unwritten.push(run);
      timer ??= setTimeout(() => void flush().catch(() => undefined), WRITE_AFTER_MS).unref();
    },
    trying,
    async refusal(provider) {
      await takeMarkers();
      return refusalOf(provider);
    },
    refuse,
    comparisons: async () =>
      (await here(measured().comparisons)).map(({ modelId, provider, ok, reason, comparison, atMs }) => ({
        modelId,
        provider,
        ok,
        reason,
        comparison,
        atMs,
      })),
    timings: async () => {
      await flush();
      return (await here(measured().timings)).map(({ modelId, modelVersion, provider, threads, runs, ms, atMs }) => ({
        modelId,
        modelVersion,
        provider,
        threads,
        runs,
        medianMs: median(ms),
        bestMs: Math.min(...ms),
        atMs,
      }));
    },
    refusals: async () => {
      await takeMarkers();
      return (await here(refused().refusals)).map(({ provider, reason, atMs }) => ({ provider, reason, atMs }));
    },
    forget() {
      keepRefused({ refusals: [] });
      const now = measured();
      keepMeasured({ ...now, comparisons: now.comparisons.filter(({ ok }) => ok) });
      return Promise.resolve();
    },
    flush,
  };
}

function withRun(
  timings: readonly Timed[],
  run: RunTime,
  at: { readonly ort: string; readonly device: string; readonly atMs: number },
): readonly Timed[] {
  const { ms, ...rest } = run;
  const same = (row: Timed): boolean =>
    row.modelId === run.modelId &&
    row.modelVersion === run.modelVersion &&
    row.provider === run.provider &&
    row.threads === run.threads &&
    row.ort === at.ort &&
    row.device === at.device;
  const before = timings.find(same);
  const row: Timed = { ...rest, ...at, runs: (before?.runs ?? 0) + 1, ms: [ms, ...(before?.ms ?? [])].slice(0, LAST_RUNS) };
  return [row, ...timings.filter((old) => !same(old))];
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    // It is there, and somebody else's.
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM';
  }
}

/** Of at least one value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const [low, high] = [sorted[(sorted.length - 1) >> 1] ?? 0, sorted[half] ?? 0];
  return (low + high) / 2;
}

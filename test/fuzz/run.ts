import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { FORMATS, knownFormat } from '../../src/main/formats/registry.ts';
import type { FormatId } from '../../src/main/formats/dataset.ts';
import { FORMAT_IDS } from '../../src/main/formats/dataset.ts';
import { fuzzDatasets } from './datasets.ts';
import { fuzzOnce } from './fuzz.ts';

/**
 * `npm run fuzz -- [--format F] [--count N] [--seed S] [--from I]`: reads N damaged datasets of a format, or of each. A reader
 * that does not come back is ended and named: the reading is in a thread of its own.
 */
const STUCK_MS = 30_000;

interface Job {
  readonly format: FormatId;
  readonly count: number;
  readonly seed: number;
  readonly from: number;
  readonly folder: string;
}

interface Tally {
  readonly kinds: Readonly<Record<string, number>>;
  readonly findings: number;
  readonly slowest: { readonly input: number; readonly ms: number };
  readonly failures: readonly string[];
}

if (isMainThread) await main();
else await work(workerData as Job);

async function work({ format: id, count, seed, from, folder }: Job): Promise<void> {
  const format = knownFormat(id);
  const datasets = await fuzzDatasets(format, folder);
  const kinds: Record<string, number> = {};
  const failures: string[] = [];
  let findings = 0;
  let slowest = { input: from, ms: 0 };
  for (let n = from; n < from + count; n++) {
    parentPort?.postMessage({ input: n });
    try {
      const outcome = await fuzzOnce(format, datasets, seed, n);
      kinds[outcome.kind] = (kinds[outcome.kind] ?? 0) + 1;
      findings += outcome.findings;
      if (outcome.ms > slowest.ms) slowest = { input: n, ms: outcome.ms };
    } catch (thrown) {
      failures.push(thrown instanceof Error ? thrown.message : String(thrown));
    }
  }
  parentPort?.postMessage({ kinds, findings, slowest, failures } satisfies Tally);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { format: { type: 'string' }, count: { type: 'string' }, seed: { type: 'string' }, from: { type: 'string' } },
  });
  const wanted = FORMAT_IDS.find((id) => id === values.format);
  if (values.format !== undefined && wanted === undefined)
    throw new Error(`There is no format ${values.format}: ${FORMAT_IDS.join(', ')}.`);
  const count = Number(values.count ?? 1000);
  const folder = await mkdtemp(join(tmpdir(), 'maskloop-fuzz-'));
  try {
    for (const format of FORMATS) {
      if (wanted !== undefined && format.id !== wanted) continue;
      const started = performance.now();
      const job: Job = { format: format.id, count, seed: Number(values.seed ?? 1), from: Number(values.from ?? 0), folder };
      const tally = await watched(job);
      const seconds = ((performance.now() - started) / 1000).toFixed(0);
      const kinds = Object.entries(tally.kinds).map(([kind, times]) => `${times} ${kind}`);
      console.log(
        `${format.id}: ${count} inputs in ${seconds} s: ${kinds.join(', ')}; ${tally.findings} findings; slowest ${Math.round(tally.slowest.ms)} ms (input ${tally.slowest.input}); ${tally.failures.length} failures`,
      );
      for (const failure of tally.failures.slice(0, 20)) console.log(`  ${failure}`);
      if (tally.failures.length > 0) process.exitCode = 1;
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function watched(job: Job): Promise<Tally> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: job });
    let input = -1;
    let since = Date.now();
    const watch = setInterval(() => {
      if (Date.now() - since < STUCK_MS) return;
      end();
      void worker.terminate();
      resolve({
        kinds: {},
        findings: 0,
        slowest: { input, ms: STUCK_MS },
        failures: [`${job.format}, input ${input} of seed ${job.seed} did not come back.`],
      });
    }, 1000);
    const end = (): void => clearInterval(watch);
    worker.on('message', (message: Tally | { readonly input: number }) => {
      since = Date.now();
      if ('input' in message) {
        input = message.input;
        return;
      }
      end();
      resolve(message);
    });
    worker.on('error', (thrown: Error) => {
      end();
      reject(thrown);
    });
  });
}

import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';

/** Durations of one thing done many times, milliseconds. */
export interface Samples {
  readonly name: string;
  readonly ms: readonly number[];
}

/** One line of the table: something of ours beside a named reference of the same run. */
export interface Row {
  readonly what: string;
  readonly ours: Samples;
  readonly reference: Samples;
  /** What a reader must know to judge the ratio, or ''. */
  readonly note: string;
}

/**
 * Measures several things in turn, one of each a round, so that whatever else the machine does falls on
 * all of them alike. The first `warm` rounds don't count.
 */
export async function measureInTurn(
  things: readonly { readonly name: string; readonly run: (round: number) => unknown }[],
  rounds: number,
  warm: number,
): Promise<Samples[]> {
  const samples = things.map(({ name }) => ({ name, ms: [] as number[] }));
  for (let round = 0; round < warm + rounds; round++) {
    for (const [i, thing] of things.entries()) {
      const start = performance.now();
      await thing.run(round);
      const ms = performance.now() - start;
      if (round >= warm) samples[i]?.ms.push(ms);
    }
  }
  return samples;
}

/** The value below which a share of the samples lies (nearest rank). NaN for none. */
function quantile({ ms }: Samples, share: number): number {
  const sorted = [...ms].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? NaN;
}

const median = (samples: Samples): number => quantile(samples, 0.5);

export function machine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const load = loadavg()
    .map((value) => value.toFixed(1))
    .join(' ');
  return `${model}, ${availableParallelism()} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GB, ${process.platform}-${process.arch}, Node ${process.versions.node}, load ${load}`;
}

export function number(value: number): string {
  return Number.isNaN(value) ? '–' : value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** The rows as a Markdown table: medians, 95th percentiles, and the ratio of the medians. */
export function table(rows: readonly Row[]): string {
  const cells = [
    ['what', 'ours', 'p50 ms', 'p95 ms', 'reference', 'p50 ms', 'p95 ms', 'ratio', 'n', 'note'],
    ...rows.map(({ what, ours, reference, note }) => [
      what,
      ours.name,
      number(median(ours)),
      number(quantile(ours, 0.95)),
      reference.name,
      number(median(reference)),
      number(quantile(reference, 0.95)),
      `${number(median(ours) / median(reference))}×`,
      String(ours.ms.length),
      note,
    ]),
  ];
  const line = (row: readonly string[]): string => `| ${row.join(' | ')} |`;
  const [head = [], ...rest] = cells;
  return [line(head), line(head.map(() => '---')), ...rest.map(line)].join('\n');
}

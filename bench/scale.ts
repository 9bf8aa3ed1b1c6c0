import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { number } from './measure.ts';
import { scaleShape, writeScaleDataset, writeScaleImages, writeScaleResults } from './scale-data.ts';
import type { StepFigures } from './scale-step.ts';

const run = promisify(execFile);
const STEP = fileURLToPath(new URL('scale-step.ts', import.meta.url));
const REFERENCE = fileURLToPath(new URL('scale-reference.py', import.meta.url));

/** Our steps in their order, each with Python's; null where Python has nothing like it. */
const STEPS = [
  ['scan', null],
  ['import', 'store'],
  ['open', 'load'],
  ['export', 'export-check'],
  ['statistics', 'statistics'],
  ['statistics again', 'statistics'],
  ['evaluate', 'evaluate'],
] as const;

interface ReferenceFigures {
  readonly ms: number;
  readonly cpuMs: number;
  readonly peakMb: number;
}

/**
 * A dataset of `times` train2017 in `folder`, which must be empty or absent, and every step on it beside Python, in turn,
 * each in a process of its own. Answers with a Markdown table; `say` is told what goes on.
 */
export async function benchScale(folder: string, times: number, say: (line: string) => void): Promise<string> {
  const shape = scaleShape(times);
  await mkdir(folder, { recursive: true });
  const dataset = join(folder, 'instances.json');
  const results = join(folder, 'results.json');
  say(`Writing ${shape.images} images and ${shape.annotations} annotations into ${folder}`);
  await writeScaleDataset(dataset, shape);
  await writeScaleResults(results, shape);
  await writeScaleImages(join(folder, 'photos'), shape.images);
  const { size } = await stat(dataset);

  const head = [
    'step',
    'ours s',
    'CPU s',
    'peak MB',
    'late p99 ms',
    'late most ms',
    'Python s',
    'CPU s',
    'peak MB',
    'time',
    'CPU',
    'memory',
    'result',
  ];
  const rows: string[][] = [];
  /** What Python does again and again is measured once. */
  const known = new Map<string, ReferenceFigures | null>();
  for (const [step, reference] of STEPS) {
    say(`${step} …`);
    const env = { ...process.env, MASKLOOP_HOME: join(folder, 'home') };
    const { stdout } = await run(process.execPath, [STEP, step, folder], { env, maxBuffer: 1 << 26 });
    const ours = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as StepFigures;
    const theirs = reference === null ? null : (known.get(reference) ?? (await python(reference, dataset, results)));
    if (reference !== null) known.set(reference, theirs);
    rows.push([
      step,
      number(ours.ms / 1000),
      number(ours.cpuMs / 1000),
      number(ours.peakMb),
      number(ours.lateP99),
      number(ours.lateMost),
      theirs ? number(theirs.ms / 1000) : '–',
      theirs ? number(theirs.cpuMs / 1000) : '–',
      theirs ? number(theirs.peakMb) : '–',
      theirs ? `${number(ours.ms / theirs.ms)}×` : '–',
      theirs ? `${number(ours.cpuMs / theirs.cpuMs)}×` : '–',
      theirs ? `${number(ours.peakMb / theirs.peakMb)}×` : '–',
      ours.result,
    ]);
    say(`  ${rows.at(-1)?.join(' | ') ?? ''}`);
    if (step === 'export') await rm(join(folder, 'coco'), { recursive: true, force: true });
  }
  const line = (row: readonly string[]): string => `| ${row.join(' | ')} |`;
  const what = `${shape.images} images, ${shape.annotations} annotations, ${(size / 2 ** 20).toFixed(0)} MB of JSON`;
  return [what, '', line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Null where there is no Python, or it ran out of memory: then that is what the table shows. */
async function python(step: string, dataset: string, results: string): Promise<ReferenceFigures | null> {
  const program = ['/usr/bin/python3', '/usr/local/bin/python3'].find(existsSync) ?? 'python3';
  try {
    const { stdout } = await run(program, [REFERENCE, step, dataset, results], { maxBuffer: 1 << 20 });
    return JSON.parse(stdout) as ReferenceFigures;
  } catch {
    return null;
  }
}

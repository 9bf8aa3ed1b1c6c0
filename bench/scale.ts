import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { number } from './measure.ts';
import { scaleShape, writeScaleDataset, writeScaleImages, writeScaleResults } from './scale-data.ts';
import type { StepFigures } from './scale-step.ts';

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
  ['evaluate boxes', 'evaluate'],
  ['evaluate', 'evaluate'],
] as const;

const HEAD = [
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
  'load',
  'result',
];

export interface ScaleOptions {
  /** 1 is the size of train2017. */
  readonly times: number;
  /** Lines of the table, each as soon as its step is done: what was measured is not lost with the rest. */
  readonly print: (line: string) => void;
  /** What goes on, for whoever waits. */
  readonly say: (line: string) => void;
  /** Ends the step that runs, and throws. */
  readonly signal: AbortSignal;
}

interface ReferenceFigures {
  readonly ms: number;
  readonly cpuMs: number;
  readonly peakMb: number;
}

/** What a process measured, or why it did not. */
type Outcome<T> = { readonly figures: T } | { readonly failure: string };

/**
 * A dataset of `times` train2017 in `folder`, which must be empty or absent, and every step on it beside Python, in turn,
 * each in a process of its own. Prints a Markdown table line by line. Answers whether all of our steps were done; one that
 * was not has its reason in its row, as a reference that was not.
 */
export async function benchScale(folder: string, { times, print, say, signal }: ScaleOptions): Promise<boolean> {
  const shape = scaleShape(times);
  await mkdir(folder, { recursive: true });
  const dataset = join(folder, 'instances.json');
  const results = join(folder, 'results.json');
  say(`Writing ${shape.annotations} annotations into ${folder} …`);
  await writeScaleDataset(dataset, shape);
  say(`Writing as many results …`);
  await writeScaleResults(results, shape);
  say(`Writing ${shape.images} images …`);
  await writeScaleImages(join(folder, 'photos'), shape.images);
  const { size } = await stat(dataset);

  const line = (row: readonly string[]): void => print(`| ${row.join(' | ')} |`);
  print(`${shape.images} images, ${shape.annotations} annotations, ${(size / 2 ** 20).toFixed(0)} MB of JSON\n`);
  line(HEAD);
  line(HEAD.map(() => '---'));
  /** What Python does again and again is measured once. */
  const known = new Map<string, Outcome<ReferenceFigures>>();
  const env = { ...process.env, MASKLOOP_HOME: join(folder, 'home') };
  const program = ['/usr/bin/python3', '/usr/local/bin/python3'].find(existsSync) ?? 'python3';
  let done = true;
  for (const [step, reference] of STEPS) {
    say(`${step} …`);
    const ours = await outcome<StepFigures>(process.execPath, [STEP, step, folder], env, signal);
    if ('failure' in ours) {
      done = false;
      say(`${step} failed: ${ours.failure}`);
    }
    let theirs = reference === null ? null : known.get(reference);
    if (theirs === undefined && reference !== null) {
      say(`${step}: Python, ${reference} …`);
      theirs = await outcome<ReferenceFigures>(program, [REFERENCE, reference, dataset, results], env, signal);
      known.set(reference, theirs);
    }
    line(rowOf(step, ours, theirs ?? null));
    if (step === 'export') await rm(join(folder, 'coco'), { recursive: true, force: true });
  }
  return done;
}

function rowOf(step: string, ours: Outcome<StepFigures>, theirs: Outcome<ReferenceFigures> | null): string[] {
  const mine = 'figures' in ours ? ours.figures : null;
  const their = theirs && 'figures' in theirs ? theirs.figures : null;
  const said = [
    'figures' in ours ? ours.figures.result : `failed: ${ours.failure}`,
    ...(theirs && 'failure' in theirs ? [`Python: ${theirs.failure}`] : []),
  ];
  const ratio = (a: number | undefined, b: number | undefined): string => (a === undefined || b === undefined ? '–' : `${number(a / b)}×`);
  const shown = (value: number | undefined): string => number(value ?? NaN);
  return [
    step,
    shown(mine ? mine.ms / 1000 : undefined),
    shown(mine ? mine.cpuMs / 1000 : undefined),
    shown(mine?.peakMb),
    shown(mine?.lateP99),
    shown(mine?.lateMost),
    shown(their ? their.ms / 1000 : undefined),
    shown(their ? their.cpuMs / 1000 : undefined),
    shown(their?.peakMb),
    ratio(mine?.ms, their?.ms),
    ratio(mine?.cpuMs, their?.cpuMs),
    ratio(mine?.peakMb, their?.peakMb),
    number(loadavg()[0] ?? NaN),
    said.join('; ').replaceAll('|', '/'),
  ];
}

/** Runs a program whose last line is JSON. What it says beside that goes on to our own standard error. */
function outcome<T>(program: string, args: readonly string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Outcome<T>> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let said = '';
    child.stdout.on('data', (data: Buffer) => void (out += data.toString()));
    child.stderr.on('data', (data: Buffer) => {
      process.stderr.write(data);
      said = (said + data.toString()).slice(-4000);
    });
    child.on('error', (error) => {
      // One that is being ended still writes into the folder that is removed next: it is waited for.
      if (!signal.aborted) resolve({ failure: error.message });
    });
    child.on('close', (code, killed) => {
      const last = (text: string): string => text.trim().split('\n').at(-1) ?? '';
      if (signal.aborted) reject(new Error('The bench was stopped.'));
      else if (killed === 'SIGKILL') resolve({ failure: 'killed, as the system does with what takes more memory than there is' });
      else if (killed !== null) resolve({ failure: `ended by ${killed}` });
      else if (code !== 0) resolve({ failure: /MemoryError/.test(said) ? 'out of memory' : last(said) || `ended with ${code}` });
      else resolve({ figures: JSON.parse(last(out)) as T });
    });
  });
}

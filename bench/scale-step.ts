import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { createSession, on } from '../src/main/cli-session.ts';
import { createServingStudio } from '../src/main/local-studio.ts';
import { evaluateCocoFiles } from '../src/main/evaluation/coco-files.ts';
import type { Session } from '../src/main/cli-session.ts';

/**
 * One step of the scale bench in a process of its own, so that its peak of memory is its own:
 * `node bench/scale-step.ts STEP FOLDER`. Everything goes through the studio of the browser host and the contract, as from a
 * window; the delay of the event loop is what the window's other calls would wait. Prints one JSON object.
 */
export interface StepFigures {
  readonly ms: number;
  /** Of all threads; what counts on a machine that does other things too. */
  readonly cpuMs: number;
  /** Of the whole process with its threads. */
  readonly peakMb: number;
  /** Milliseconds that the event loop was late, 99th percentile and most. */
  readonly lateP99: number;
  readonly lateMost: number;
  /** What came out, to see that it was done. */
  readonly result: string;
}

const [step = '', folder = ''] = process.argv.slice(2);
const photos = join(folder, 'photos');
const dataset = join(folder, 'instances.json');
const results = join(folder, 'results.json');
const quiet = { json: true, say: () => undefined, progress: () => undefined, result: () => undefined, error: () => undefined };

/** Milliseconds between two lines about what goes on. */
const TOLD_MS = 10_000;
let toldAt = performance.now();

function tell(stage: string, done: number, total: number): void {
  if (performance.now() - toldAt < TOLD_MS) return;
  toldAt = performance.now();
  process.stderr.write(`  ${step}: ${stage}, ${total > 0 ? Math.floor((100 * done) / total) : 0} %\n`);
}

/** The project, its scan over: that is measured as a step of its own. */
async function opened(session: Session): Promise<void> {
  await session.call('project.open', { folder: photos });
  await session.studio.scanned();
}

const STEPS: Readonly<Record<string, (session: Session, start: () => void) => Promise<string>>> = {
  async scan(session, start) {
    start();
    await opened(session);
    return `${(await session.call('project.current', {}))?.images ?? 0} images`;
  },
  async import(session, start) {
    await opened(session);
    start();
    const plan = await session.call('import.read', { place: dataset, format: 'coco' });
    const report = await session.call('import.commit', { id: plan.id, asDone: true });
    return `${report.annotations} annotations on ${report.images} images`;
  },
  async open(session, start) {
    start();
    await session.call('project.open', { folder: photos });
    const { rows } = await session.call('images.list', { offset: 0, limit: 200 });
    const document = await session.call('document.load', { imageId: rows[0]?.id ?? 1 });
    return `${rows.length} rows, ${document.annotations.length} annotations on the first image`;
  },
  async export(session, start) {
    await opened(session);
    start();
    let writtenMs = 0;
    const from = performance.now();
    const stop = on(session, 'export.progress', ({ stage }) => {
      if (stage === 'comparing' && writtenMs === 0) writtenMs = performance.now() - from;
    });
    const report = await session.call('export.coco', { out: join(folder, 'coco') });
    stop();
    return `written in ${(writtenMs / 1000).toFixed(1)} s, then compared; ${report.annotations} annotations, ${report.untouched} as they were imported, compared ${report.verified.annotationsCompared}, ${report.parts[0]?.bytes ?? 0} bytes`;
  },
  async statistics(session, start) {
    await opened(session);
    start();
    const report = await session.call('statistics.get', {});
    return `${JSON.stringify(report).length} characters of figures`;
  },
  async 'statistics again'(session, start) {
    await opened(session);
    start();
    const report = await session.call('statistics.get', {});
    return `${JSON.stringify(report).length} characters of figures`;
  },
  async evaluate(_session, start) {
    start();
    return await evaluated(false);
  },
  async 'evaluate boxes'(_session, start) {
    start();
    return await evaluated(true);
  },
};

async function evaluated(boxesOnly: boolean): Promise<string> {
  const { bbox, segm } = await evaluateCocoFiles(dataset, results, { boxesOnly, onProgress: tell });
  const masks = segm === null ? '' : `; masks: AP ${segm.figures.AP.toFixed(4)}`;
  return `boxes: AP ${bbox.figures.AP.toFixed(4)}, AP50 ${bbox.figures.AP50.toFixed(4)}${masks}`;
}

const work = STEPS[step];
if (!work) throw new Error(`There is no step ${step}: ${Object.keys(STEPS).join(', ')}`);
const studio = createServingStudio();
const delay = monitorEventLoopDelay({ resolution: 5 });
let started = 0;
let before = process.cpuUsage();
const session = createSession(studio, quiet, new AbortController().signal);
on(session, 'scan.progress', ({ read, found }) => tell('files', read, found));
on(session, 'import.progress', ({ stage, done, total }) => tell(stage, done, total));
on(session, 'export.progress', ({ stage, done, total }) => tell(stage, done, total));
on(session, 'statistics.progress', ({ stage, done, total }) => tell(stage, done, total));
const result = await work(session, () => {
  delay.enable();
  before = process.cpuUsage();
  started = performance.now();
});
const ms = performance.now() - started;
const { user, system } = process.cpuUsage(before);
// What held the loop until the very end is only seen by a timer that fires behind it.
await setTimeout(50);
delay.disable();
const figures: StepFigures = {
  ms,
  cpuMs: (user + system) / 1000,
  peakMb: process.resourceUsage().maxRSS / 1024,
  lateP99: delay.percentile(99) / 1e6,
  lateMost: delay.max / 1e6,
  result,
};
await studio.close();
console.log(JSON.stringify(figures));
process.exit(0);

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchAnnotator } from './annotator.ts';
import { benchClassical } from './classical.ts';
import { benchExport } from './export.ts';
import { benchMasks } from './masks.ts';
import type { Row } from './measure.ts';
import { machine, table } from './measure.ts';
import { benchPredict } from './predict.ts';
import { makeProject } from './project.ts';
import { benchPrompt } from './prompt.ts';
import { benchSave } from './save.ts';
import { benchScale } from './scale.ts';
import { benchSwitch } from './switch.ts';
import { benchThroughput } from './throughput.ts';

/**
 * `npm run bench`: prints one Markdown table, each line one thing of ours beside a named reference that
 * was measured in the same run, in turn with it. `--quick` does few rounds, to see that it works.
 */
const argv = process.argv.slice(2);
const { values } = parseArgs({
  // `--scale` alone is `--scale 1`.
  args: argv.flatMap((arg, i) => (arg === '--scale' && !/^[0-9.]+$/.test(argv[i + 1] ?? '') ? [arg, '1'] : [arg])),
  options: {
    quick: { type: 'boolean', default: false },
    scenes: { type: 'string', default: '24' },
    /** Objects for the simulated annotator, a number or `all`: ten seconds each on two cores. */
    annotator: { type: 'string', default: '40' },
    /** Instead: import, open, export, statistics and evaluation of a dataset so many times as large as COCO train2017. */
    scale: { type: 'string' },
  },
});
const rounds = values.quick ? 5 : 200;
const scenes = values.quick ? 3 : Number(values.scenes);
const objects = values.annotator === 'all' ? Infinity : values.quick ? 1 : Number(values.annotator);

const folder = await mkdtemp(join(tmpdir(), 'maskloop-bench-'));
try {
  console.log(`Machine: ${machine()}\n`);
  if (values.scale !== undefined) {
    // The step that runs ends with us, and gigabytes of files do not stay behind.
    const stop = new AbortController();
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(new Error(`Stopped by ${name}.`)));
    const done = await benchScale(folder, {
      times: Number(values.scale),
      print: (line) => console.log(line),
      say: (line) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`),
      signal: stop.signal,
    });
    console.log(`\nAt the end: ${machine()}`);
    if (!done) process.exitCode = 1;
  } else {
    const project = await makeProject(folder, scenes);
    const rows: Row[] = [];
    rows.push(...(await benchPredict(project, Math.ceil(rounds / 10))));
    rows.push(...(await benchThroughput(project, Math.ceil(rounds / 10))));
    rows.push(...(await benchPrompt(project, Math.ceil(rounds / 4))));
    rows.push(...(await benchSwitch(project, rounds)));
    rows.push(await benchSave(project, rounds));
    rows.push(await benchExport(project, Math.ceil(rounds / 20)));
    rows.push(...(await benchMasks(Math.ceil(rounds / 10))));
    rows.push(...(await benchClassical(Math.ceil(rounds / 20))));
    project.store.close();
    console.log(table(rows));
    console.log(`\n${await benchAnnotator(objects)}`);
  }
} finally {
  await rm(folder, { recursive: true });
}

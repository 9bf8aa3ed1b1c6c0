import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { BundleReport, ModelScore, ReturnReport } from '../shared/answers/bundles.ts';
import type { CallInput } from '../shared/contract.ts';
import { count, duration, EXIT, exitOf } from './cli-console.ts';
import type { Outcome } from './cli-jobs.ts';
import type { Session } from './cli-session.ts';
import { on, openProject } from './cli-session.ts';

/** What the command line says of a bundle beyond what every export has. */
export interface BundleArguments {
  readonly anyState?: true;
  readonly replace?: true;
  readonly images?: string;
}

/** A bundle has its images with it, whatever an export does with them unasked. */
export function bundleFlags({ anyState, replace, images }: BundleArguments): Pick<BundleFlags, 'anyState' | 'replace' | 'images'> {
  return { anyState: anyState === true, replace: replace === true, images: images === 'link' ? 'link' : 'copy' };
}

/** `maskloop models return` and `maskloop models history`. */
export function addReturnCommands(models: Command, withStudio: (job: (session: Session) => Promise<Outcome>) => Promise<void>): void {
  models
    .command('return <folder> <model>')
    .description('bring a trained model back: add it, and measure it beside the former one on the held-out images')
    .option('--former <id>', 'model to compare with (default: the one measured last, or last used in the project)')
    .option('--no-former', 'compare with nothing')
    .option('--any-state', 'also on images that are not done')
    .option('--json', 'print one JSON object instead of text')
    .action((folder: string, model: string, { former, anyState = false }: { former?: string | false; anyState?: boolean }) =>
      withStudio((session) =>
        returnJob(session, folder, {
          path: resolve(model),
          ...(former === undefined ? {} : { former: former === false ? null : former }),
          ...(anyState ? { states: [] } : {}),
        }),
      ),
    );
  models
    .command('history <folder>')
    .description('what every model reached on the held-out images, newest first')
    .option('--json', 'print one JSON object instead of text')
    .action((folder: string) => withStudio((session) => historyJob(session, folder)));
}

export interface BundleFlags {
  readonly out: string;
  readonly includeEmpty: boolean;
  readonly pixelSpace: 'oriented' | 'raw';
  readonly images: 'copy' | 'link';
  /** Also images that nobody marked as done. */
  readonly anyState: boolean;
  readonly replace: boolean;
}

/** `maskloop export --format mask-rcnn`: a folder that trains as it lies. */
export async function bundleJob(session: Session, folder: string, flags: BundleFlags): Promise<Outcome> {
  await openProject(session, folder);
  const stop = on(session, 'bundle.progress', ({ stage, done, total }) => {
    const what = { images: 'Images', writing: 'Writing: image', comparing: 'Comparing: instance' }[stage];
    session.console.progress(`${what} ${done} of ${total}`);
  });
  const cancel = (): void => void session.call('bundle.cancel', {});
  session.signal.addEventListener('abort', cancel, { once: true });
  try {
    session.signal.throwIfAborted();
    const { anyState, replace, ...rest } = flags;
    const report = await session.call('bundle.write', {
      ...rest,
      out: resolve(flags.out),
      overwrite: replace,
      ...(anyState ? { states: [] } : {}),
    });
    sayBundle(session, report);
    return { code: exitOf(report.skipped), value: report };
  } finally {
    session.signal.removeEventListener('abort', cancel);
    stop();
  }
}

function sayBundle({ console }: Session, report: BundleReport): void {
  const { verified } = report;
  if (report.splitsMade !== null) console.say(report.splitsMade);
  for (const { split, images, emptyImages, annotations } of report.parts) {
    console.say(`${split.padEnd(5)} ${count(images, 'image')} (${emptyImages} without an instance), ${count(annotations, 'instance')}`);
  }
  console.say(
    `  read back and compared: ${count(verified.annotationsCompared, 'instance')}, smallest IoU ${verified.minIou}; ${report.copied} files copied, ${report.linked} linked; in ${duration(report.ms)}`,
  );
  for (const warning of report.warnings) console.say(`  careful: ${warning}`);
  for (const { path, reason } of report.skipped) console.say(`  left out ${path}: ${reason}`);
  console.say(`Train with: python3 ${join(report.out, 'train_torchvision.py')} (see README.md there)`);
}

/** `maskloop models return`: takes a trained model and measures it beside the one before it. */
export async function returnJob(session: Session, folder: string, wanted: CallInput<'return.start'>): Promise<Outcome> {
  await openProject(session, folder);
  const stop = on(session, 'return.progress', ({ stage, modelId, done, total }) => {
    const what = { adding: 'Adding', predicting: `Predicting with ${modelId ?? ''}: image`, evaluating: 'Measuring: image' }[stage];
    session.console.progress(total > 0 ? `${what} ${done} of ${total}` : what);
  });
  const cancel = (): void => void session.call('return.cancel', {});
  session.signal.addEventListener('abort', cancel, { once: true });
  try {
    session.signal.throwIfAborted();
    const report = await session.call('return.start', wanted);
    sayReturn(session, report);
    return { code: EXIT.ok, value: report };
  } finally {
    session.signal.removeEventListener('abort', cancel);
    stop();
  }
}

function sayReturn({ console }: Session, report: ReturnReport): void {
  const { after, before } = report;
  console.say(`${report.modelId} ${report.modelVersion} ${report.known ? 'was here already' : 'was added'}`);
  console.say(`On “${after.split}”: ${count(after.images, 'image')}, ${count(after.instances, 'instance')}, kept out of training`);
  console.say(scoreHeading());
  if (before !== null) console.say(scoreLine('before', before));
  console.say(scoreLine('after', after));
  if (report.noBefore !== null) console.say(`  ${report.noBefore}`);
  for (const { name, AP, AP50, instances } of after.perClass) {
    const was = before?.perClass.find((row) => row.name === name);
    console.say(
      `  ${name}: mask AP ${was === undefined ? '' : `${figure(was.AP)} → `}${figure(AP)}, AP50 ${figure(AP50)}, ${count(instances, 'instance')}`,
    );
  }
  for (const warning of report.warnings) console.say(`  careful: ${warning}`);
}

/** `maskloop models history`: what every model reached, newest first. */
export async function historyJob(session: Session, folder: string): Promise<Outcome> {
  await openProject(session, folder);
  const scores = await session.call('return.list', {});
  if (scores.length === 0) session.console.say('No model was measured here yet: maskloop models return FOLDER MODEL.onnx');
  else session.console.say(scoreHeading());
  for (const score of scores) session.console.say(scoreLine(new Date(score.atMs).toISOString().slice(0, 16).replace('T', ' '), score));
  return { code: EXIT.ok, value: scores };
}

const WIDTH = 16;

function scoreHeading(): string {
  return `${''.padEnd(WIDTH)}  mask AP   AP50   AP75  box AP  split  model`;
}

function scoreLine(what: string, { segm, bbox, split, modelId, modelVersion }: ModelScore): string {
  const figures = [segm.AP, segm.AP50, segm.AP75, bbox.AP].map((value) => figure(value).padStart(6)).join(' ');
  return `${what.padEnd(WIDTH)}   ${figures}  ${split.padEnd(5)}  ${modelId} ${modelVersion}`;
}

function figure(value: number): string {
  return value < 0 ? '–' : value.toFixed(3);
}

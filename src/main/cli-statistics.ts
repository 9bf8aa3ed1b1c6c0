import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import type { SplitReport } from '../shared/answers/splits.ts';
import type { StatisticsReport } from '../shared/answers/statistics.ts';
import type { SplitKind } from '../shared/calls/splits.ts';
import { NEAR_BITS, SPLIT_KINDS } from '../shared/calls/splits.ts';
import type { CallInput } from '../shared/contract.ts';
import { AppError } from '../shared/errors.ts';
import { count, duration, EXIT } from './cli-console.ts';
import type { Outcome } from './cli-jobs.ts';
import { wholeNumber } from './cli-numbers.ts';
import type { Session } from './cli-session.ts';
import { on, openProject } from './cli-session.ts';

type MakeCommand = (name: string, description: string) => Command;
type WithStudio = (job: (session: Session) => Promise<Outcome>) => Promise<void>;

interface SplitArguments {
  readonly by?: SplitKind;
  readonly shares: readonly number[];
  readonly names: readonly string[];
  readonly seed: number;
  readonly pattern?: string;
  readonly nearBits: number;
  readonly all?: true;
  readonly dryRun?: true;
  readonly addNew?: string | true;
  readonly clear?: true;
}

/** `maskloop split`: divides the images into train, val and test, and freezes that. */
export function addSplitCommand(command: MakeCommand, withStudio: WithStudio): void {
  command('split <folder>', 'divide the images into train, val and test, once; without --by, show how they are divided')
    .addOption(new Option('--by <kind>', 'what decides').choices(SPLIT_KINDS.filter((kind) => kind !== 'imported')))
    .option('--shares <list>', 'shares of the parts', numbers, [70, 15, 15])
    .option('--names <list>', 'names of the parts', (text: string) => text.split(',').map((name) => name.trim()), ['train', 'val', 'test'])
    .option('--seed <number>', 'another seed is another division', wholeNumber, 1)
    .option('--pattern <regex>', 'with --by pattern: its first group names what stays together, e.g. "^(site-\\d+)_"')
    .option('--near-bits <bits>', 'with --by near-duplicate: bits of 128 that may differ', wholeNumber, NEAR_BITS)
    .option('--all', 'also images that nobody has annotated')
    .option('--dry-run', 'only show what would be done')
    .option('--add-new [part]', 'put images that came later into this part, or divide them by the shares; none is moved')
    .option('--clear', 'take the division away')
    .action((folder: string, options: SplitArguments) => withStudio((session) => splitJob(session, folder, options)));
}

async function splitJob(session: Session, folder: string, options: SplitArguments): Promise<Outcome> {
  if ([options.by, options.addNew, options.clear].filter((one) => one !== undefined).length > 1) {
    throw new AppError('invalid', '--by, --add-new and --clear are three different things: give one of them.');
  }
  if (options.names.length !== options.shares.length) {
    throw new AppError(
      'invalid',
      `There are ${options.shares.length} shares and ${options.names.length} names: each part has one of both.`,
    );
  }
  await openProject(session, folder);
  if (options.clear) {
    await session.call('splits.clear', {});
    session.console.say('The images are not divided any more.');
    return { code: EXIT.ok, value: null };
  }
  const report = await withProgress(session, () => askSplit(session, options));
  if (report === null) session.console.say('The images are not divided. `maskloop split FOLDER --by class` does it.');
  else sayPlan(session, report, options.dryRun === true);
  return { code: EXIT.ok, value: report };
}

function askSplit(session: Session, options: SplitArguments): Promise<SplitReport | null> {
  if (options.addNew !== undefined) return session.call('splits.addNew', { to: options.addNew === true ? null : options.addNew });
  if (options.by === undefined) return session.call('splits.get', {});
  const wanted: CallInput<'splits.make'> = {
    kind: options.by,
    parts: options.shares.map((share, i) => ({ name: options.names[i] ?? '', share })),
    seed: options.seed,
    pattern: options.pattern ?? '',
    nearBits: options.nearBits,
    images: options.all ? 'all' : 'annotated',
  };
  return session.call(options.dryRun ? 'splits.preview' : 'splits.make', wanted);
}

function sayPlan({ console }: Session, report: SplitReport, dry: boolean): void {
  const total = report.parts.reduce((sum, part) => sum + part.images, 0);
  for (const part of report.parts) {
    console.say(`${part.name}: ${count(part.images, 'image')} (${percent(part.images, total)}), ${count(part.instances, 'instance')}`);
  }
  const classes = report.parts[0]?.classes ?? [];
  for (const { labelId, name } of classes) {
    const shares = report.parts.map((part) => part.classes.find((one) => one.labelId === labelId)?.instances ?? 0);
    console.say(`  ${name}: ${shares.join(' / ')}`);
  }
  if (report.unassigned > 0) console.say(`${count(report.unassigned, 'image')} in no part`);
  if (report.groups) {
    const more = report.groups.listed;
    console.say(
      `${count(report.groups.count, 'group')} kept together, ${more.length}${more.length === 100 ? ' or more' : ''} of several images`,
    );
    if (report.groups.plain > 0) console.say(`${count(report.groups.plain, 'image')} too plain to be compared`);
    for (const group of more.slice(0, 10)) console.say(`  ${group.name}: ${count(group.images, 'image')}, ${group.part}`);
  }
  if (dry) console.say('Nothing was kept: --dry-run.');
  else if (!report.intact) console.say('The division is not as it was when it was made.');
}

/** `maskloop stats`: what the window's page of statistics shows. */
export function addStatsCommand(command: MakeCommand, withStudio: WithStudio): void {
  command('stats <folder>', 'classes, sizes, instances per image, empties and time; --json has every figure')
    .option('--split <name>', 'only images of this split; "none" for those in no split')
    .option('--class <name>', 'sizes, shapes and places of this class only')
    .action((folder: string, options: { split?: string; class?: string }) =>
      withStudio(async (session) => {
        await openProject(session, folder);
        const labels = await session.call('labels.list', {});
        const label = labels.find(({ name }) => name === options.class);
        if (options.class !== undefined && !label) {
          throw new AppError(
            'not-found',
            `There is no class “${options.class}”: ${labels.map(({ name }) => name).join(', ') || 'none at all'}.`,
          );
        }
        const report = await withProgress(session, () =>
          session.call('statistics.get', {
            ...(options.split === undefined ? {} : { split: options.split === 'none' ? null : options.split }),
            ...(label ? { labelId: label.id } : {}),
          }),
        );
        sayStatistics(session, report);
        return { code: EXIT.ok, value: report };
      }),
    );
}

function sayStatistics({ console }: Session, report: StatisticsReport): void {
  console.say(`${count(report.images, 'image')}, ${count(report.instances, 'instance')} on ${report.annotated} of them`);
  for (const { state, images, empty } of report.states) {
    if (images > 0) console.say(`  ${state}: ${count(images, 'image')}, ${empty} without an instance`);
  }
  for (const one of report.classes) {
    console.say(
      `${one.name}: ${count(one.instances, 'instance')} on ${count(one.images, 'image')}; small ${one.small}, medium ${one.medium}, large ${one.large}`,
    );
  }
  for (const { name, images, instances } of report.splits) {
    if (name !== null) console.say(`${name}: ${count(images, 'image')}, ${count(instances, 'instance')}`);
  }
  const { time } = report;
  if (time.medianMsPerInstance !== null) {
    console.say(
      `${duration(time.totalMs)} of work on ${count(time.images, 'image')}, ${duration(time.medianMsPerInstance)} per instance in the median (pauses count as at most ${duration(time.pauseMs)})`,
    );
  }
}

const STAGES = { measuring: 'Measuring instances', hashing: 'Looking at photos', comparing: 'Comparing photos' } as const;

async function withProgress<T>(session: Session, work: () => Promise<T>): Promise<T> {
  const stop = on(session, 'statistics.progress', ({ stage, done, total }) =>
    session.console.progress(`${STAGES[stage]}: ${done} of ${total}`),
  );
  const cancel = (): void => void session.call('statistics.cancel', {});
  session.signal.addEventListener('abort', cancel, { once: true });
  try {
    session.signal.throwIfAborted();
    return await work();
  } finally {
    session.signal.removeEventListener('abort', cancel);
    stop();
  }
}

function percent(part: number, total: number): string {
  return `${total === 0 ? 0 : Math.round((100 * part) / total)} %`;
}

function numbers(text: string): number[] {
  const found = text.split(',').map(Number);
  if (found.some((n) => !Number.isFinite(n) || n < 0))
    throw new InvalidArgumentError('Write numbers with commas between them, e.g. 70,15,15.');
  return found;
}

import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { ImportCommitOptions, ImportPlan, ImportReadOptions, ImportReport } from '../shared/calls/imports.ts';
import type { Finding, FormatId } from '../shared/formats.ts';
import { FORMAT_IDS } from '../shared/formats.ts';
import { AppError } from '../shared/errors.ts';
import { count, duration, EXIT } from './cli-console.ts';
import { regionsOption } from './cli-convert.ts';
import { listImportsJob, undoImportJob } from './cli-import-undo.ts';
import type { Outcome } from './cli-jobs.ts';
import { wholeNumber } from './cli-numbers.ts';
import type { Session } from './cli-session.ts';
import { on, openProject } from './cli-session.ts';

interface ImportFlags {
  readonly annotations?: string;
  readonly from?: FormatId;
  readonly images?: string;
  readonly onConflict: ImportCommitOptions['onConflict'];
  readonly pixels: ImportReadOptions['pixels'];
  readonly regions: ImportReadOptions['regions'];
  readonly done?: true;
  readonly report?: string;
  readonly dryRun?: true;
  readonly undo?: number | true;
  readonly list?: true;
}

/** Lines of findings that are said; `--report` and the report beside the project have all. */
const SAID = 20;
const PAGE = 1000;

export function addImportCommand(
  command: (name: string, description: string) => Command,
  withStudio: (job: (session: Session) => Promise<Outcome>) => Promise<void>,
): void {
  command('import <folder>', 'take annotations of another tool into the project of a folder, with a report')
    .option('--annotations <place>', 'the file or folder to read')
    .addOption(new Option('--from <format>', 'its format, where it is not plain').choices([...FORMAT_IDS]))
    .option('--images <dir>', 'folder of its images, where that is another one: files of the same content are the same image')
    .addOption(
      new Option('--on-conflict <way>', 'images that have instances: leave them, add to them, or replace what they have')
        .choices(['skip', 'add', 'replace'])
        .default('skip'),
    )
    .addOption(
      new Option('--pixels <space>', 'coordinates are of the image as EXIF turns it, as in the file, or what sizes say')
        .choices(['auto', 'oriented', 'raw'])
        .default('auto'),
    )
    .addOption(regionsOption())
    .option('--done', 'images of the dataset are done')
    .option('--report <file>', 'write what was found as JSON')
    .option('--dry-run', 'only read and report')
    .option(
      '--undo [import]',
      'take a whole import back, the last one or that of this number, where nothing was changed since',
      wholeNumber,
    )
    .option('--list', 'the imports of the project, with their numbers')
    .action((folder: string, flags: ImportFlags) => withStudio((session) => chosenJob(session, folder, flags)));
}

function chosenJob(session: Session, folder: string, flags: ImportFlags): Promise<Outcome> {
  const { annotations, undo, list } = flags;
  if ([annotations, undo, list].filter((one) => one !== undefined).length !== 1) {
    throw new AppError('invalid', 'Give one of --annotations PLACE, --undo and --list.');
  }
  if (list) return listImportsJob(session, folder);
  if (undo !== undefined) return undoImportJob(session, folder, { importId: undo === true ? null : undo, dryRun: flags.dryRun === true });
  return importJob(session, folder, annotations ?? '', flags);
}

async function importJob(session: Session, folder: string, annotations: string, flags: ImportFlags): Promise<Outcome> {
  const { console } = session;
  await openProject(session, folder);
  const stop = on(session, 'import.progress', ({ stage, done, total }) => {
    const part = total > 0 ? Math.floor((100 * done) / total) : 100;
    console.progress(`${stage === 'reading' ? 'Reading' : stage === 'matching' ? 'Matching images' : 'Writing'}: ${part} %`);
  });
  const cancel = (): void => void session.call('import.cancel', {});
  session.signal.addEventListener('abort', cancel, { once: true });
  try {
    session.signal.throwIfAborted();
    const plan = await session.call('import.read', {
      place: resolve(annotations),
      format: flags.from ?? null,
      images: flags.images === undefined ? null : resolve(flags.images),
      pixels: flags.pixels,
      regions: flags.regions,
    });
    const { rows } = await session.call('import.findings', { id: plan.id, offset: 0, limit: SAID });
    session.signal.throwIfAborted();
    const findings = flags.report === undefined ? null : await everyFinding(session, plan.id);
    const dry = flags.dryRun === true;
    const report = dry
      ? null
      : await session.call('import.commit', { id: plan.id, onConflict: flags.onConflict, asDone: flags.done === true });
    sayRead(session, plan, rows);
    if (report) sayTaken(session, report);
    else console.say('Nothing was changed (--dry-run).');
    const value = report ?? plan;
    if (flags.report !== undefined) {
      await writeFile(resolve(flags.report), `${JSON.stringify({ ...value, findings }, null, 2)}\n`);
      console.say(`  ${resolve(flags.report)}`);
    }
    const partly = plan.instances.refused > 0 || plan.images.missing > 0 || (report?.skippedImages ?? 0) > 0;
    return { code: partly ? EXIT.partly : EXIT.ok, value };
  } finally {
    session.signal.removeEventListener('abort', cancel);
    stop();
  }
}

async function everyFinding(session: Session, id: number): Promise<Finding[]> {
  const all: Finding[] = [];
  for (;;) {
    const { rows, total } = await session.call('import.findings', { id, offset: all.length, limit: PAGE });
    all.push(...rows);
    if (all.length >= total || rows.length === 0) return all;
  }
}

function sayRead({ console }: Session, plan: ImportPlan, findings: readonly Finding[]): void {
  const { images, instances } = plan;
  console.say(`Read ${plan.place} as ${plan.format} in ${duration(plan.ms)}`);
  console.say(
    `  ${count(images.total, 'image')}: ${images.byPath} by path, ${images.byName} by name, ${images.byContent} by content, ${images.missing} not found`,
  );
  console.say(`  ${count(instances.taken, 'instance')} (${instances.crowds} crowds) to take, ${instances.refused} refused`);
  for (const { name, images: all, applied, kept } of plan.splits) {
    console.say(`  split ${name}: ${count(all, 'image')}, ${applied} get it${kept > 0 ? `, ${kept} stay in another` : ''}`);
  }
  if (plan.conflicts > 0) console.say(`  ${count(plan.conflicts, 'image')} have instances already`);
  for (const row of plan.findingCounts) console.say(`  ${row.kind}: ${row.reason}: ${row.count}`);
  for (const finding of findings) console.say(`    ${finding.message}`);
  const told = plan.findingCounts.reduce((sum, row) => sum + row.count, 0);
  if (told > findings.length) console.say(`    … and ${told - findings.length} more`);
}

function sayTaken({ console }: Session, report: ImportReport): void {
  const made = report.categories.filter((category) => !category.known).length;
  console.say(
    `Took ${count(report.annotations, 'instance')} on ${count(report.images, 'image')}, ${count(made, 'new class')}, in ${duration(report.ms)}`,
  );
  if (report.skippedImages > 0) {
    console.say(`  ${count(report.skippedImages, 'image')} left as they are, since they have instances (--on-conflict)`);
  }
  if (report.replacedAnnotations > 0) console.say(`  ${count(report.replacedAnnotations, 'instance')} replaced; undo brings them back`);
  if (report.splitImages > 0) console.say(`  ${count(report.splitImages, 'image')} put into the splits of the dataset`);
  console.say(`  ${report.file}`);
  console.say(`  \`maskloop import FOLDER --undo ${report.importId}\` takes all of it back`);
}

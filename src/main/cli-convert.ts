import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { DatasetExportReport, FindingCount } from '../shared/calls/formats.ts';
import type { Finding, FormatId } from '../shared/formats.ts';
import { FORMAT_IDS } from '../shared/formats.ts';
import type { Console } from './cli-console.ts';
import { count, duration, EXIT, exitOf } from './cli-console.ts';
import type { Outcome } from './cli-jobs.ts';
import { convert } from './convert.ts';
import { listFormats } from './formats/registry.ts';

interface ConvertFlags {
  readonly from: FormatId | 'auto';
  readonly to: FormatId;
  readonly images?: string;
  readonly copyImages?: true;
  readonly linkImages?: true;
  readonly skipEmpty?: true;
  readonly regions: 'class' | 'components';
  readonly report?: string;
}

/** How maps of classes are cut into instances, of `import` and `convert`. */
export function regionsOption(): Option {
  return new Option('--regions <way>', 'of maps that do not tell instances apart: each connected piece, or one instance for each class')
    .choices(['components', 'class'])
    .default('class');
}

/** `maskloop convert` and `maskloop formats`. */
export function addConvertCommand(
  command: (name: string, description: string) => Command,
  host: { readonly console: Console; readonly signal: AbortSignal; readonly finish: (outcome: Outcome) => void },
): void {
  command('convert <in> <out>', 'one dataset format to another, without a project')
    .addOption(new Option('--from <format>', 'what <in> is').choices(['auto', ...FORMAT_IDS]).default('auto'))
    .addOption(new Option('--to <format>', 'what to write').choices([...FORMAT_IDS]).makeOptionMandatory())
    .option('--images <dir>', 'folder of the images, where it is not <in>')
    .addOption(new Option('--copy-images', 'put copies of the images beside the annotations').conflicts('linkImages'))
    .addOption(new Option('--link-images', 'put hard links there; copies where the disk cannot'))
    .addOption(regionsOption())
    .option('--skip-empty', 'leave out images without instances')
    .option('--report <file>', 'also write the whole report as JSON')
    .action(async (place: string, out: string, flags: ConvertFlags) => {
      host.finish(await convertJob(host.console, host.signal, place, out, flags));
    });
  command('formats', 'the dataset formats that are read and written, and what each cannot hold').action(() => {
    const formats = listFormats();
    for (const { id, name, reads, writes, limits } of formats) {
      host.console.say(`${id}: ${name} (${[reads ? 'read' : '', writes ? 'written' : ''].filter((word) => word !== '').join(', ')})`);
      for (const limit of limits) host.console.say(`    ${limit}`);
    }
    host.finish({ code: EXIT.ok, value: formats });
  });
}

async function convertJob(console: Console, signal: AbortSignal, place: string, out: string, flags: ConvertFlags): Promise<Outcome> {
  const stages = { reading: 'Reading', writing: 'Writing', comparing: 'Comparing', images: 'Images' };
  const report = await convert(
    {
      place,
      out,
      from: flags.from === 'auto' ? null : flags.from,
      to: flags.to,
      images: flags.images ?? null,
      regions: flags.regions,
      put: flags.copyImages ? 'copy' : flags.linkImages ? 'link' : 'leave',
      includeEmpty: flags.skipEmpty !== true,
    },
    signal,
    ({ stage, done, total }) => console.progress(`${stages[stage]}: ${done} of ${total}`),
  );
  const { read, written } = report;
  const { counts } = read;
  console.say(
    `Read ${report.from}: ${count(counts.instances, 'instance')} on ${count(counts.images, 'image')}, ${count(counts.categories, 'class')}`,
  );
  sayFindings(console, read.findingCounts, read.findings);
  console.say(
    `Wrote ${report.to}: ${count(written.annotations, 'instance')} on ${count(written.images, 'image')}, in ${duration(report.ms)}`,
  );
  if ('readBack' in written) sayReadBack(console, written);
  else {
    const { annotationsCompared, minIou } = written.verified;
    console.say(`  read back and compared: ${count(annotationsCompared, 'instance')}, smallest IoU ${minIou}`);
  }
  sayFindings(console, written.findingCounts, written.findings);
  console.say(`  ${report.out}`);
  if (flags.report !== undefined) await writeFile(flags.report, JSON.stringify(report, null, 2) + '\n');
  const refused = read.findingCounts.some(({ kind }) => kind === 'refused');
  const code = 'readBack' in written ? exitOfDataset(written) : exitOf(written.skipped);
  return { code: refused ? EXIT.partly : code, value: report };
}

/** 3 where instances or images are not in the files that were to be, see `exitOf`. */
export function exitOfDataset({ readBack, findingCounts }: DatasetExportReport): number {
  const unreadable = findingCounts.some(({ reason }) => reason === 'image-unreadable');
  return unreadable || readBack.lost > 0 ? EXIT.partly : EXIT.ok;
}

/** What reading a written dataset again showed. */
export function sayReadBack(console: Console, { readBack, limits }: DatasetExportReport): void {
  const { annotationsCompared, imagesCompared, minIou, meanIou, lost } = readBack;
  const ious = minIou === null ? '' : `, smallest IoU ${minIou}, mean ${meanIou ?? 1}`;
  console.say(`  read back and compared: ${count(annotationsCompared, 'instance')} on ${count(imagesCompared, 'image')}${ious}`);
  if (lost > 0) console.say(`  not in the files: ${count(lost, 'instance')}`);
  for (const limit of limits) console.say(`  ${limit}`);
}

/** Findings by reason, with the first of each. */
export function sayFindings(console: Console, counts: readonly FindingCount[], findings: readonly Finding[]): void {
  for (const { kind, reason, count: times } of counts) {
    const example = findings.find((finding) => finding.kind === kind && finding.reason === reason);
    console.say(`  ${kind} ${times}× ${reason}${example ? `: ${example.message}` : ''}`);
  }
}

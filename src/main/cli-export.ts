import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import type { ExportReport } from '../shared/answers.ts';
import type { CocoExportInput } from '../shared/calls/coco-export.ts';
import { FORMAT_IDS } from '../shared/formats.ts';
import type { BundleArguments } from './cli-bundle.ts';
import { bundleFlags, bundleJob } from './cli-bundle.ts';
import { count, duration, exitOf } from './cli-console.ts';
import { exportDatasetJob } from './cli-export-dataset.ts';
import type { Outcome } from './cli-jobs.ts';
import type { Session } from './cli-session.ts';
import { on, openProject } from './cli-session.ts';

interface ExportFlags extends BundleArguments {
  readonly format: string;
  readonly out: string;
  readonly skipEmpty?: true;
  readonly onlyDone?: true;
  readonly pixels: 'oriented' | 'raw';
  readonly segmentation: 'imported' | 'polygons' | 'rle';
  readonly simplify: number;
  readonly split: 'one' | 'each';
  readonly images?: 'leave' | 'copy' | 'link';
}

/** How many lines of a kind are printed; `--json` has all of them. */
const LISTED = 20;

/** `maskloop export`. */
export function addExportCommand(
  command: (name: string, description: string) => Command,
  withStudio: (job: (session: Session) => Promise<Outcome>) => Promise<void>,
): void {
  command('export <folder>', 'write a dataset, read it back and compare')
    .addOption(new Option('--format <format>', 'format').choices([...FORMAT_IDS, 'mask-rcnn']).makeOptionMandatory())
    .requiredOption('--out <dir>', 'folder to write into')
    .option('--skip-empty', 'leave out images without annotations')
    .option('--only-done', 'leave out images that are not done')
    .addOption(
      new Option('--images <how>', 'image files beside the annotations (coco: leave, else copy)').choices(['leave', 'copy', 'link']),
    )
    .addOption(new Option('--pixels <space>', 'oriented as shown, or raw as in the file').choices(['oriented', 'raw']).default('oriented'))
    .addOption(
      new Option('--segmentation <form>', 'coco: as imported, polygons where they can hold it, or RLE')
        .choices(['imported', 'polygons', 'rle'])
        .default('imported'),
    )
    .option('--simplify <px>', 'coco: leave out vertices that lie no more than so many pixels beside the outline', pixels, 0)
    .addOption(new Option('--split <files>', 'coco: one file, or one for each split').choices(['one', 'each']).default('one'))
    .option('--any-state', 'mask-rcnn: also images that are not done')
    .option('--replace', 'mask-rcnn: replace an earlier bundle; what was trained in it stays')
    .action((folder: string, options: ExportFlags) =>
      withStudio((session) => {
        const wanted = { out: options.out, includeEmpty: options.skipEmpty !== true, pixelSpace: options.pixels };
        if (options.format === 'mask-rcnn') return bundleJob(session, folder, { ...wanted, ...bundleFlags(options) });
        const states = options.onlyDone === true ? ['done' as const] : [];
        const format = FORMAT_IDS.find((id) => id === options.format) ?? 'coco';
        if (format !== 'coco') {
          const { out, includeEmpty } = wanted;
          return exportDatasetJob(session, folder, { format, out, includeEmpty, states, images: options.images ?? 'copy' });
        }
        return exportJob(session, folder, {
          ...wanted,
          states,
          segmentation: options.segmentation,
          simplifyPx: options.simplify,
          split: options.split,
          images: options.images ?? 'leave',
        });
      }),
    );
}

function pixels(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 100))
    throw new InvalidArgumentError(`"${text}" is not a number of pixels from 0 to 100.`);
  return value;
}

export async function exportProject(session: Session, options: CocoExportInput): Promise<ExportReport> {
  const stop = on(session, 'export.progress', ({ stage, done, total }) => {
    const what = { writing: 'Writing: record', comparing: 'Comparing: instance', images: 'Images:' }[stage];
    session.console.progress(`${what} ${done} of ${total}`);
  });
  const cancel = (): void => void session.call('export.cancel', {});
  session.signal.addEventListener('abort', cancel, { once: true });
  try {
    session.signal.throwIfAborted();
    return await session.call('export.coco', { ...options, out: resolve(options.out) });
  } finally {
    session.signal.removeEventListener('abort', cancel);
    stop();
  }
}

async function exportJob(session: Session, folder: string, options: CocoExportInput): Promise<Outcome> {
  await openProject(session, folder);
  const report = await exportProject(session, options);
  sayExported(session, report, resolve(options.out));
  return { code: exitOf(report.skipped), value: report };
}

/** `out` is the folder that was written into; the report names files relative to it. */
export function sayExported({ console }: Session, report: ExportReport, out: string): void {
  const { verified, simplification, imageFiles } = report;
  console.say(
    `Exported ${count(report.annotations, 'instance')} on ${count(report.images, 'image')} (${report.emptyImages} without any), ${count(report.categories.length, 'class')}, in ${duration(report.ms)}`,
  );
  if (report.untouched > 0) console.say(`  as they were imported, byte for byte: ${count(report.untouched, 'instance')}`);
  console.say(
    `  read back and compared: ${count(verified.annotationsCompared, 'instance')}, smallest IoU ${verified.minIou}, largest difference of area ${verified.maxAreaDifference} and of box ${verified.maxBoxDifference} px`,
  );
  if (simplification !== null) {
    const { worst } = simplification;
    console.say(
      `  simplified: ${simplification.pointsBefore} points are ${simplification.pointsAfter}; IoU ${simplification.meanIou.toFixed(4)} on average, ${simplification.worstIou.toFixed(4)} at worst${worst === null ? '' : ` (annotation ${worst.id} of ${worst.path})`}`,
    );
  }
  const { copied, linked, present } = imageFiles;
  if (copied + linked + present > 0) console.say(`  images: ${copied} copied, ${linked} linked, ${present} there already`);
  for (const { kind, reason, count: times } of report.findingCounts) console.say(`  ${kind}: ${reason} (${times}×)`);
  const { listed, more } = first(report.skipped);
  for (const { path, reason } of listed) console.say(`  left out ${path}: ${reason}`);
  if (more > 0) console.say(`  and ${more} more that are left out (--json lists them)`);
  for (const file of report.files) console.say(`  ${join(out, file)}`);
}

function first<T>(rows: readonly T[]): { readonly listed: readonly T[]; readonly more: number } {
  return { listed: rows.slice(0, LISTED), more: Math.max(0, rows.length - LISTED) };
}

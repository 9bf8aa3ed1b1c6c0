import { resolve } from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { CallInput } from '../shared/contract.ts';
import type { View } from '../shared/views/view.ts';
import { VIEWS } from '../shared/views/view.ts';
import { count, duration, EXIT } from './cli-console.ts';
import type { Outcome } from './cli-jobs.ts';
import { score } from './cli-numbers.ts';
import type { Session } from './cli-session.ts';
import { on, openProject } from './cli-session.ts';

/** `maskloop render`: the four views as pictures. */
export function addRenderCommand(
  command: (name: string, description: string) => Command,
  withStudio: (job: (session: Session) => Promise<Outcome>) => Promise<void>,
): void {
  command('render <folder>', 'write the images with their instances drawn over them')
    .requiredOption('--out <dir>', 'folder to write into')
    .addOption(new Option('--view <view>', 'which of the four views').choices([...VIEWS]).default('instance'))
    .option('--suggestions', 'also undecided suggestions')
    .option('--min-score <score>', 'lowest score of the suggestions, 0 to 1; means --suggestions', score)
    .option('--images <glob>', 'only these, e.g. "train/*.jpg"; a pattern without / fits in any folder')
    .option('--no-text', 'without names, scores and legend')
    .option('--index', 'semantic class numbers as palette PNGs instead of pictures, and classes.txt')
    .option('--overwrite', 'replace pictures that are there')
    .action((folder: string, options: RenderArguments) => withStudio((session) => renderJob(session, folder, options)));
}

/** `maskloop counts`. */
export function addCountsCommand(
  command: (name: string, description: string) => Command,
  withStudio: (job: (session: Session) => Promise<Outcome>) => Promise<void>,
): void {
  command('counts <folder>', 'count instances by class, and by image as CSV')
    .option('--csv <file>', 'CSV to write, a line for each image and class')
    .option('--min-score <score>', 'lowest score of the suggestions that are counted, 0 to 1', score, 0)
    .option('--overwrite', 'replace the CSV if it is there')
    .action((folder: string, options: { csv?: string; minScore: number; overwrite?: true }) =>
      withStudio(async (session) => {
        await openProject(session, folder);
        const file = options.csv === undefined ? null : resolve(options.csv);
        const report = await session.call('counts.write', { minScore: options.minScore, file, overwrite: options.overwrite === true });
        for (const { name, annotations, suggestions, images } of report.classes) {
          session.console.say(
            `${name}: ${count(annotations, 'annotation')}, ${count(suggestions, 'suggestion')}, on ${count(images, 'image')}`,
          );
        }
        if (report.file !== null) session.console.say(report.file);
        return { code: EXIT.ok, value: report };
      }),
    );
}

interface RenderArguments {
  readonly out: string;
  readonly view: View;
  readonly suggestions?: true;
  readonly minScore?: number;
  readonly images?: string;
  readonly text: boolean;
  readonly index?: true;
  readonly overwrite?: true;
}

async function renderJob(session: Session, folder: string, options: RenderArguments): Promise<Outcome> {
  await openProject(session, folder);
  const report = await withPictureProgress(
    session,
    (done, total) => `Drawing: ${done} of ${count(total, 'image')}`,
    () =>
      session.call('overlays.render', {
        out: resolve(options.out),
        view: options.view,
        minScore: options.minScore ?? (options.suggestions ? 0 : null),
        text: options.text,
        indexed: options.index === true,
        pattern: options.images ?? null,
        overwrite: options.overwrite === true,
      } satisfies CallInput<'overlays.render'>),
  );
  session.console.say(`${count(report.files.length, 'picture')} in ${report.out}, in ${duration(report.ms)}`);
  for (const { path, reason } of report.skipped) session.console.say(`  left out ${path}: ${reason}`);
  return { code: report.skipped.length > 0 ? EXIT.partly : EXIT.ok, value: report };
}

/** Shows how far a job that writes pictures is, and lets Ctrl-C cancel it. */
export async function withPictureProgress<T>(
  session: Session,
  line: (done: number, total: number) => string,
  work: () => Promise<T>,
): Promise<T> {
  const stop = on(session, 'pictures.progress', ({ done, total }) => session.console.progress(line(done, total)));
  const cancel = (): void => void session.call('pictures.cancel', {});
  session.signal.addEventListener('abort', cancel, { once: true });
  try {
    session.signal.throwIfAborted();
    return await work();
  } finally {
    session.signal.removeEventListener('abort', cancel);
    stop();
  }
}

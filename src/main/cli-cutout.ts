import { resolve } from 'node:path';
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { CutoutBackground, CutoutOptions } from '../shared/calls/cutouts.ts';
import { CUTOUT_CALLS } from '../shared/calls/cutouts.ts';
import { count, duration, EXIT } from './cli-console.ts';
import type { Console } from './cli-console.ts';
import type { Outcome } from './cli-jobs.ts';
import { score, wholeNumber } from './cli-numbers.ts';
import { withPictureProgress } from './cli-render.ts';
import type { Session } from './cli-session.ts';
import { openProject } from './cli-session.ts';
import { writeCutouts } from './cutout-job.ts';
import { imageFiles, modelSubjects } from './cutout-model.ts';
import { localInference } from './local-studio.ts';

interface CutoutArguments {
  readonly out: string;
  readonly class?: string[];
  readonly images?: string;
  readonly model?: string;
  readonly full?: true;
  readonly margin: number;
  readonly background?: CutoutBackground;
  readonly soft: number;
  readonly together?: true;
  readonly suggestions?: true;
  readonly minScore?: number;
  readonly overwrite?: true;
}

/** `maskloop cutout`: objects as pictures of their own. `finish` takes what a job that needs no project leaves. */
export function addCutoutCommand(
  command: (name: string, description: string) => Command,
  host: {
    readonly withStudio: (job: (session: Session) => Promise<Outcome>) => Promise<void>;
    readonly console: Console;
    readonly signal: AbortSignal;
    readonly finish: (outcome: Outcome) => void;
  },
): void {
  command('cutout <folder>', 'cut objects out: PNGs with soft borders, or on another background')
    .requiredOption('--out <dir>', 'folder to write into')
    .option('--class <name...>', 'only objects of these classes')
    .option('--images <glob>', 'only these, e.g. "train/*.jpg"; a pattern without / fits in any folder')
    .option('--model <id>', 'what this model finds now, instead of what the project holds; needs no project and makes none')
    .option('--crop', 'the object with a margin (default)')
    .option('--full', 'the frame of the whole image')
    .option('--margin <px>', 'pixels around a cropped object', wholeNumber, 8)
    .option('--background <what>', '#rrggbb, linear:#rrggbb,#rrggbb[,degrees], or an image file', parseBackground)
    .option('--soft <px>', 'pixels on both sides of the border in which alpha follows the image; 0 is a hard edge', softness, 4)
    .option('--together', 'all objects of an image in one picture')
    .option('--suggestions', 'also undecided suggestions')
    .option('--min-score <score>', "lowest score of suggestions, or of the model's objects, 0 to 1", score)
    .option('--overwrite', 'replace pictures that are there')
    .action(async (folder: string, options: CutoutArguments) => {
      const wanted = toOptions(options);
      if (options.model !== undefined) return host.finish(await cutByModel(host.console, host.signal, folder, wanted));
      return host.withStudio(async (session) => {
        await openProject(session, folder);
        const line = (done: number, total: number): string => `Cutting out: ${done} of ${count(total, 'image')}`;
        return told(session.console, await withPictureProgress(session, line, () => session.call('cutouts.write', wanted)));
      });
    });
}

function toOptions(options: CutoutArguments): CutoutOptions {
  return CUTOUT_CALLS['cutouts.write'].input.parse({
    out: resolve(options.out),
    frame: options.full === true ? 'full' : 'crop',
    margin: options.margin,
    softPx: options.soft,
    ...(options.background ? { background: options.background } : {}),
    together: options.together === true,
    overwrite: options.overwrite === true,
    target: {
      kind: 'images',
      pattern: options.images ?? null,
      labels: options.class ?? [],
      minScore: options.minScore ?? (options.suggestions === true ? 0 : null),
      modelId: options.model ?? null,
    },
  } satisfies Parameters<(typeof CUTOUT_CALLS)['cutouts.write']['input']['parse']>[0]);
}

async function cutByModel(console: Console, signal: AbortSignal, folder: string, { target, ...job }: CutoutOptions): Promise<Outcome> {
  const inference = await localInference();
  try {
    if (target.kind !== 'images' || target.modelId === null) throw new Error('A model is named.');
    const files = await imageFiles(folder, target.pattern);
    const { modelId, labels, minScore } = target;
    const subjects = await modelSubjects(inference, files, { modelId, labels, minScore, signal });
    const report = await writeCutouts(subjects, job, signal, (done, total) => {
      console.progress(`Cutting out: ${done} of ${count(total, 'image')}`);
    });
    return told(console, report);
  } finally {
    await inference.close();
  }
}

function told(console: Console, report: Awaited<ReturnType<typeof writeCutouts>>): Outcome {
  console.say(`${count(report.objects, 'object')} in ${count(report.files.length, 'picture')} in ${report.out}, in ${duration(report.ms)}`);
  for (const { path, reason } of report.skipped) console.say(`  left out ${path}: ${reason}`);
  return { code: report.skipped.length > 0 ? EXIT.partly : EXIT.ok, value: report };
}

/** `#rgb` is taken as well, as people write it. */
function parseColor(text: string): string {
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(text);
  const color = short
    ? `#${short
        .slice(1)
        .flatMap((sign) => [sign, sign])
        .join('')}`
    : text;
  if (!/^#[0-9a-f]{6}$/i.test(color)) throw new InvalidArgumentError(`"${text}" is not a colour like #ffffff.`);
  return color;
}

function parseBackground(text: string): CutoutBackground {
  if (text.startsWith('#')) return { kind: 'color', color: parseColor(text) };
  if (text.startsWith('linear:')) {
    const [from, to, angle = '90', ...rest] = text.slice('linear:'.length).split(',');
    const degrees = Number(angle);
    if (from === undefined || to === undefined || rest.length > 0 || !(Math.abs(degrees) <= 360)) {
      throw new InvalidArgumentError(`"${text}" is not like linear:#ffffff,#8899aa or linear:#ffffff,#8899aa,45.`);
    }
    return { kind: 'linear', from: parseColor(from), to: parseColor(to), angle: degrees };
  }
  return { kind: 'image', path: resolve(text), fit: 'cover', x: 0, y: 0 };
}

function softness(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 64))
    throw new InvalidArgumentError(`"${text}" is not a number of pixels from 0 to 64.`);
  return value;
}

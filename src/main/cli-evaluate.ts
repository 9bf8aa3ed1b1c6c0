import { resolve } from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { EvaluationReport, KindEvaluation } from '../shared/answers/evaluation.ts';
import type { EvaluationSource } from '../shared/calls/evaluation.ts';
import { AppError } from '../shared/errors.ts';
import type { CocoEvaluation } from '../shared/evaluate/coco.ts';
import type { OverlapKind } from '../shared/evaluate/dataset.ts';
import type { CocoFigures } from '../shared/evaluate/figures.ts';
import type { ImageState } from '../shared/records.ts';
import type { Console } from './cli-console.ts';
import { count, duration, EXIT } from './cli-console.ts';
import type { Outcome } from './cli-jobs.ts';
import { predictImages } from './cli-jobs.ts';
import { score, wholeNumber } from './cli-numbers.ts';
import type { Session } from './cli-session.ts';
import { on, openProject } from './cli-session.ts';
import { evaluateModel } from './evaluate-model.ts';
import { evaluationLines } from './evaluate.ts';
import { evaluateCocoFiles } from './evaluation/coco-files.ts';
import { localInference } from './local-studio.ts';

interface EvaluateFlags {
  readonly gt?: string;
  readonly dt?: string;
  readonly truth?: string;
  readonly results?: string;
  readonly images?: string;
  readonly model?: string;
  readonly run?: number;
  readonly split?: string;
  readonly anyState?: true;
  readonly minScore: number;
  readonly kind?: OverlapKind;
}

interface EvaluateContext {
  readonly withStudio: (job: (session: Session) => Promise<Outcome>) => Promise<void>;
  readonly console: Console;
  readonly signal: AbortSignal;
  readonly finish: (outcome: Outcome) => void;
}

/** `maskloop evaluate`: of two COCO files, of a model on the images of a COCO file, or on a project. */
export function addEvaluateCommand(
  command: (name: string, description: string) => Command,
  { withStudio, console, signal, finish }: EvaluateContext,
): void {
  command('evaluate [folder]', 'COCO figures: of results against a truth, or of a run, a model or results against a project')
    .option('--gt <file>', 'COCO dataset with the truth')
    .option('--dt <file>', 'COCO results')
    .addOption(new Option('--truth <file>', 'the same as --gt').conflicts('gt'))
    .addOption(new Option('--results <file>', 'the same as --dt').conflicts('dt'))
    .option('--images <dir>', "folder of the truth's images, with --model")
    .option('--model <id>', 'model to run on them; of a project: on what it has not looked at')
    .option('--run <number>', 'run of the project', wholeNumber)
    .option('--split <name>', 'only images of this split of the project, e.g. val')
    .option('--any-state', 'also images of the project that are not done')
    .option('--min-score <score>', 'leave out detections of a project below it, 0 to 1', score, 0)
    .addOption(new Option('--kind <kind>', 'only the figures by masks or by boxes').choices(['segm', 'bbox']))
    .addHelpText('after', '\nWith --gt, --dt and --json the object is {"bbox":{…},"segm":{…}}, each with the twelve figures and perClass.')
    .action(async (folder: string | undefined, flags: EvaluateFlags) => {
      if (folder !== undefined) await withStudio((session) => projectJob(session, folder, flags));
      else finish(await filesJob(console, signal, flags));
    });
}

/** The object that `--json` prints. */
function figuresObject(evaluation: CocoEvaluation): CocoFigures & { readonly perClass: CocoEvaluation['categories'] } {
  return { ...evaluation.figures, perClass: evaluation.categories };
}

async function filesJob(console: Console, signal: AbortSignal, flags: EvaluateFlags): Promise<Outcome> {
  const truth = flags.gt ?? flags.truth;
  const results = flags.dt ?? flags.results;
  const { images, model } = flags;
  if (truth === undefined) throw new AppError('invalid', 'Give --gt FILE and --dt FILE, or the folder of a project.', {});
  if (results !== undefined && images === undefined && model === undefined) {
    const startedMs = performance.now();
    const { bbox, segm, notes } = await evaluateCocoFiles(truth, results, {
      signal,
      boxesOnly: flags.kind === 'bbox',
      onProgress: (stage, done, total) =>
        console.progress(
          stage === 'reading' ? `Reading: ${Math.round((100 * done) / total)} %` : `Comparing: ${done} of ${count(total, 'image')}`,
        ),
    });
    for (const evaluation of [bbox, segm]) {
      if (evaluation === null || (flags.kind !== undefined && flags.kind !== evaluation.kind)) continue;
      for (const line of evaluationLines(evaluation)) console.say(line);
    }
    for (const note of notes) console.say(note);
    console.say(`In ${duration(performance.now() - startedMs)}`);
    return { code: EXIT.ok, bare: true, value: { bbox: figuresObject(bbox), segm: segm && figuresObject(segm) } };
  }
  if (results !== undefined || images === undefined || model === undefined) {
    throw new AppError('invalid', 'Give either --dt FILE, or --images DIR and --model ID.', {});
  }
  return modelJob(console, signal, truth, images, model, flags.kind ?? 'segm');
}

/** A model that is run on the images of a COCO file, without a project. */
async function modelJob(
  console: Console,
  signal: AbortSignal,
  truthPath: string,
  imageFolder: string,
  modelId: string,
  kind: OverlapKind,
): Promise<Outcome> {
  const inference = await localInference();
  try {
    const evaluated = await evaluateModel(inference, {
      truthPath,
      imageFolder,
      modelId,
      signal,
      onProgress: (done, total) => console.progress(`Predicting: ${done} of ${count(total, 'image')}`),
    });
    console.say(
      `Model ${evaluated.modelId} ${evaluated.modelVersion} on ${evaluated.provider}: ${Math.round(evaluated.meanTotalMs)} ms an image, ${Math.round(evaluated.meanRunMs)} ms of it in the model`,
    );
    for (const line of evaluationLines(evaluated[kind])) console.say(line);
    for (const { path, reason } of evaluated.failures) console.say(`  ${path}: ${reason}`);
    return { code: evaluated.failures.length > 0 ? EXIT.partly : EXIT.ok, value: evaluated };
  } finally {
    await inference.close();
  }
}

async function projectJob(session: Session, folder: string, flags: EvaluateFlags): Promise<Outcome> {
  const results = flags.dt ?? flags.results;
  const given = [flags.run, flags.model, results].filter((value) => value !== undefined);
  if (given.length !== 1 || flags.gt !== undefined || flags.truth !== undefined) {
    throw new AppError('invalid', 'Of a project, give one of --run NUMBER, --model ID or --dt FILE; the truth is the project.', {});
  }
  await openProject(session, folder);
  const states: readonly ImageState[] = flags.anyState ? [] : ['done'];
  if (flags.model !== undefined) await predictMissing(session, flags.model, states, flags.split ?? null);
  const source: EvaluationSource =
    flags.run !== undefined
      ? { kind: 'run', runId: flags.run }
      : flags.model !== undefined
        ? { kind: 'model', modelId: flags.model }
        : { kind: 'file', path: resolve(results ?? '') };
  const stop = on(session, 'evaluation.progress', ({ stage, done, total }) =>
    session.console.progress(stage === 'reading' ? 'Reading the results' : `Comparing: ${done} of ${count(total, 'image')}`),
  );
  const cancel = (): void => void session.call('evaluation.cancel', {});
  session.signal.addEventListener('abort', cancel, { once: true });
  try {
    const report = await session.call('evaluation.run', {
      source,
      split: flags.split ?? null,
      states: [...states],
      minScore: flags.minScore,
    });
    sayReport(session.console, report, flags.kind ?? null);
    return { code: EXIT.ok, value: report };
  } finally {
    session.signal.removeEventListener('abort', cancel);
    stop();
  }
}

/** Lets the model look at the images that are to be compared and that it has not seen yet. */
async function predictMissing(session: Session, modelId: string, states: readonly ImageState[], split: string | null): Promise<void> {
  const missing = await session.call('evaluation.missing', { modelId, split, states: [...states] });
  if (missing.length === 0) return;
  await predictImages(session, { model: modelId, all: true, resume: null, imageIds: missing });
}

function sayReport(console: Console, report: EvaluationReport, kind: OverlapKind | null): void {
  const { left, unmatched } = report;
  for (const own of [report.bbox, report.segm]) {
    if (kind !== null && kind !== own.kind) continue;
    for (const line of evaluationLines(asEvaluation(report, own))) console.say(line);
  }
  console.say(
    `${report.source.name}${report.split === null ? '' : ` on ${report.split}`}: ${count(report.images, 'image')}, in ${duration(report.ms)}`,
  );
  const reasons: readonly [number, string][] = [
    [left.state, 'not done (--any-state takes them)'],
    [left.split, 'in another split'],
    [left.notPredicted, 'not looked at by the model'],
    [left.unreadable, 'unusable'],
  ];
  for (const [number, reason] of reasons) if (number > 0) console.say(`  left out ${count(number, 'image')}: ${reason}`);
  if (unmatched.detections > 0) {
    console.say(`  left out ${count(unmatched.detections, 'detection')} that fit no image or class: ${unmatched.names.join(', ')}`);
  }
}

function asEvaluation(report: EvaluationReport, { kind, figures, perClass }: KindEvaluation): CocoEvaluation {
  return {
    kind,
    images: report.images,
    truths: report.truths,
    detections: report.detections,
    figures,
    categories: perClass.map(({ labelId, name, truths, figures: own }) => ({ categoryId: labelId, name, truths, ...own })),
  };
}

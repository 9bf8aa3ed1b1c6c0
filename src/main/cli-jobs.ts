import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { acceptAbove } from '../shared/accept.ts';
import type { ModelInfo, RunFailure, RunInfo, RunOptions } from '../shared/answers.ts';
import type { CallInput } from '../shared/contract.ts';
import { isEmpty } from '../shared/diff.ts';
import { AppError } from '../shared/errors.ts';
import type { ImageRecord } from '../shared/records.ts';
import { count, duration, EXIT } from './cli-console.ts';
import type { Session } from './cli-session.ts';
import { engineLines, finishRun, openProject } from './cli-session.ts';

/** What a job leaves: an exit code, and what `--json` prints. */
export interface Outcome {
  readonly code: number;
  readonly value: unknown;
  /** `--json` prints the value itself, without the envelope. */
  readonly bare?: true;
}

const PAGE = 500;

/** Every image of the open project, a page at a time. */
export async function* everyImage(session: Session): AsyncGenerator<ImageRecord> {
  for (let offset = 0; ; offset += PAGE) {
    const page = await session.call('images.list', { offset, limit: PAGE });
    yield* page.rows;
    if (offset + page.rows.length >= page.total || page.rows.length === 0) return;
  }
}

export interface Unreadable {
  readonly path: string;
  readonly reason: string;
}

export async function scanJob(session: Session, folder: string): Promise<Outcome> {
  const project = await openProject(session, folder);
  const unreadable: Unreadable[] = [];
  for await (const image of everyImage(session)) {
    if (image.error !== null) unreadable.push({ path: image.path, reason: image.error });
  }
  session.console.say(
    `${project.folder}: ${count(project.images, 'image')}, ${unreadable.length} of them unusable, ${count(project.annotations, 'annotation')}, ${project.done} done`,
  );
  for (const { path, reason } of unreadable) session.console.say(`  ${path}: ${reason}`);
  session.console.say(`Project file: ${project.file}`);
  return { code: unreadable.length > 0 ? EXIT.partly : EXIT.ok, value: { project, unreadable } };
}

export interface PredictOptions {
  /** Null takes the only model that is ready, and complains where there are several. */
  readonly model: string | null;
  /** Also images that somebody has worked on. */
  readonly all: boolean;
  /** Goes on with this run instead of starting one. */
  readonly resume: number | null;
  /** A COCO results file that is written at the end, or none. */
  readonly results?: string | null;
  /** What the model is told beside the image. */
  readonly set?: RunOptions;
  /** Only these images, instead of the folder. */
  readonly imageIds?: readonly number[];
}

export interface Predicted {
  readonly run: RunInfo;
  readonly failures: readonly RunFailure[];
  readonly ms: number;
}

/** Predicts the open project's images. */
export async function predictImages(session: Session, options: PredictOptions): Promise<Predicted> {
  const startedMs = Date.now();
  const { resume } = options;
  const run = await finishRun(session, async () => {
    if (resume !== null) return session.call('predict.resume', { runId: resume });
    const model = await chooseModel(session, options.model);
    const classes = model.labels.length > 0 ? `, ${count(model.labels.length, 'class')}` : '';
    session.console.say(`Model: ${model.name} (${model.id} ${model.version})${classes}`);
    const { imageIds } = options;
    const scope: CallInput<'predict.start'>['scope'] = imageIds
      ? { kind: 'images', imageIds: [...imageIds] }
      : { kind: 'folder', untouched: !options.all };
    return session.call('predict.start', { modelId: model.id, scope, options: options.set ?? {} });
  });
  const failures = await session.call('runs.failures', { runId: run.id });
  if (run.state === 'failed') throw new AppError('model-run', run.message ?? `Run ${run.id} failed.`, { runId: run.id });
  return { run, failures, ms: Date.now() - startedMs };
}

export async function predictJob(session: Session, folder: string, options: PredictOptions): Promise<Outcome> {
  await openProject(session, folder);
  const predicted = await predictImages(session, options);
  await sayPredicted(session, predicted);
  const { results = null } = options;
  const written = results === null ? null : await session.call('runs.writeResults', { runId: predicted.run.id, file: resolve(results) });
  if (written !== null) {
    session.console.say(`${written.file}: ${count(written.results, 'result')} on ${count(written.images, 'image')}`);
  }
  const engine = await session.call('engine.status', {});
  const value = { ...predicted, engine, ...(written === null ? {} : { results: written }) };
  return { code: predicted.failures.length > 0 ? EXIT.partly : EXIT.ok, value };
}

export async function sayPredicted(session: Session, { run, failures, ms }: Predicted): Promise<void> {
  session.console.say(
    `Run ${run.id}: ${count(run.total, 'image')}, ${count(run.suggestions, 'suggestion')}, ${failures.length} failed, in ${duration(ms)}`,
  );
  for (const failure of failures) session.console.say(`  ${failure.path}: ${failure.reason}`);
  for (const line of engineLines(await session.call('engine.status', {}))) session.console.say(line);
}

async function chooseModel(session: Session, id: string | null): Promise<ModelInfo> {
  const models = await session.call('models.list', {});
  const known = models.map((model) => model.id).join(', ') || 'none';
  if (id === null) {
    const ready = models.filter((model) => model.problem === null && model.family !== 'classical');
    const only = ready[0];
    if (ready.length === 1 && only !== undefined) return only;
    throw new AppError('invalid', `Say which model to use with --model. There are: ${known}.`, {});
  }
  const found = models.find((model) => model.id === id);
  if (found === undefined) throw new AppError('not-found', `There is no model "${id}". There are: ${known}.`, { modelId: id });
  if (found.problem !== null) throw new AppError('model-load', `Model ${id} cannot be used: ${found.problem}`, { modelId: id });
  return found;
}

/** Accepts what is pending at or above `minScore`, one saved edit per image. */
export async function acceptSuggestions(session: Session, minScore: number): Promise<{ images: number; accepted: number }> {
  let images = 0;
  let accepted = 0;
  for await (const image of everyImage(session)) {
    session.signal.throwIfAborted();
    if (image.pending === 0) continue;
    const document = await session.call('document.load', { imageId: image.id });
    const diff = acceptAbove(document, minScore, randomUUID);
    if (isEmpty(diff)) continue;
    // The parsed form of a diff is what the call takes; ours is built from parsed records.
    const input: CallInput<'document.apply'> = { imageId: image.id, base: document.revision, diff };
    await session.call('document.apply', input);
    images += 1;
    accepted += diff.added.length;
    session.console.progress(`Accepting: ${count(accepted, 'suggestion')} on ${count(images, 'image')}`);
  }
  return { images, accepted };
}

export async function acceptJob(session: Session, folder: string, minScore: number): Promise<Outcome> {
  await openProject(session, folder);
  const { images, accepted } = await acceptSuggestions(session, minScore);
  session.console.say(`Accepted ${count(accepted, 'suggestion')} with a score of ${minScore} or more on ${count(images, 'image')}.`);
  return { code: EXIT.ok, value: { images, accepted, minScore } };
}

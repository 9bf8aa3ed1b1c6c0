import type { RunInfo } from '../../shared/answers.ts';
import type { BundleSplit, ModelScore, ReturnProgress, ReturnReport, ScoreFigures } from '../../shared/answers/bundles.ts';
import type { EvaluationReport } from '../../shared/answers/evaluation.ts';
import type { ReturnOptions } from '../../shared/calls/bundles.ts';
import type { EvaluationOptions } from '../../shared/calls/evaluation.ts';
import { AppError } from '../../shared/errors.ts';
import type { CocoFigures } from '../../shared/evaluate/figures.ts';
import type { ImageRecord, ImageState } from '../../shared/records.ts';
import type { Catalog, CatalogEntry } from '../inference/catalog.ts';
import { weightFiles } from '../inference/manifest.ts';
import type { Project } from '../project.ts';
import type { TrainedModel } from './trained-model.ts';
import { addTrained, readTrained } from './trained-model.ts';

export interface ReturningOptions {
  readonly project: Project;
  readonly catalog: Catalog;
  /** The user's own models. */
  readonly modelFolder: string;
  /** Evaluates a run on a split of the open project. */
  readonly evaluate: (options: EvaluationOptions) => Promise<EvaluationReport>;
  /** The list of models has changed. */
  readonly modelAdded: () => Promise<void>;
  readonly onProgress: (progress: ReturnProgress) => void;
  readonly signal: AbortSignal;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** Families whose suggestions have classes and instances of their own. */
const COMPARABLE = ['mask-rcnn', 'yolo-seg', 'instance-maps', 'semantic'];

/**
 * Takes a trained model in, runs the former one and it on the images that are held out (`test`, else `val`; only those that
 * are done, or in other states as asked), measures both by COCO's rules and keeps the figures. `former`: a model's id, null for
 * none, undefined for the one that was measured last, or whose suggestions the project has.
 *
 * Throws AppError as `readTrained` and `addTrained`; `invalid` where nothing is held out or no class is the project's;
 * `not-found`, `model-load`, `model-run` of a model; `cancelled`.
 */
export async function bringBack({ path, former, states }: ReturnOptions, options: ReturningOptions): Promise<ReturnReport> {
  const { project, catalog, modelFolder, onProgress } = options;
  onProgress({ stage: 'adding', modelId: null, done: 0, total: 0 });
  await project.scanned();
  const trained = await readTrained(path);
  const held = heldOut(project, states);
  const { split, images } = held;
  const classes = new Set(project.store.labels.list().map(({ name }) => name));
  const shared = trained.manifest.labels.filter((name) => classes.has(name));
  if (shared.length === 0) {
    throw new AppError('invalid', `None of its classes is one of the project's: ${trained.manifest.labels.slice(0, 8).join(', ')}.`, {
      path: trained.file,
    });
  }
  const { id, known } = await addTrained(trained, modelFolder, await catalog.list());
  if (!known) await options.modelAdded();
  const entries = await catalog.list();
  const found = chooseFormer(former, id, project, entries);
  const before = found.id === null ? null : await measured(found.id, held, options);
  const after = await measured(id, held, options);
  return {
    modelId: id,
    modelVersion: after.modelVersion,
    known,
    states,
    after,
    before,
    noBefore: found.why,
    warnings: warningsOf(trained, classes, split, images),
  };
}

interface HeldOut {
  readonly split: BundleSplit;
  readonly states: readonly ImageState[];
  readonly images: readonly ImageRecord[];
}

/** The images that measure, in the project's order. Throws `invalid` where there are none. */
function heldOut(project: Project, states: readonly ImageState[]): HeldOut {
  const { store } = project;
  const divided = store.splits.all();
  let others = 0;
  for (const split of ['test', 'val'] as const) {
    const own = divided.filter(({ name }) => name === split).map(({ imageId }) => store.images.get(imageId));
    const readable = own.filter(({ error }) => error === null);
    const images = readable.filter(({ state }) => states.length === 0 || states.includes(state));
    if (images.length > 0) return { split, states, images };
    others ||= readable.length;
  }
  throw new AppError(
    'invalid',
    divided.length === 0
      ? 'No image is held out: split the images into train, val and test first.'
      : `No image in “test” or “val” is ${states.join(' or ') || 'there'}: mark those whose annotations are the truth as done.`,
    { key: 'splits', state: others },
  );
}

/** The model to compare with. A run makes classes of all that a model names, so only one that fits is taken unasked. */
function chooseFormer(
  wanted: string | null | undefined,
  id: string,
  project: Project,
  entries: readonly CatalogEntry[],
): { readonly id: string | null; readonly why: string | null } {
  if (wanted === null) return { id: null, why: 'Nothing to compare with was asked for.' };
  if (wanted !== undefined) {
    if (wanted === id) throw new AppError('invalid', `${id} is the model that came back: compare it with another one.`, { modelId: id });
    return { id: wanted, why: null };
  }
  const classes = new Set(project.store.labels.list().map(({ name }) => name));
  const fits = (modelId: string): boolean => {
    const entry = entries.find((candidate) => candidate.id === modelId);
    const { manifest } = entry ?? {};
    return (
      modelId !== id &&
      entry?.problem === null &&
      !!manifest &&
      COMPARABLE.includes(manifest.family) &&
      manifest.labels.some((name) => classes.has(name))
    );
  };
  const scored = project.store.scores.list().map(({ modelId }) => modelId);
  const ran = project.store.runs.list().map(({ modelId }) => modelId);
  const first = [...scored, ...ran].find(fits);
  return first === undefined
    ? { id: null, why: 'No other model was used in this project that is still here: there is nothing to compare with yet.' }
    : { id: first, why: null };
}

/** Runs a model on the hold-out and keeps what it reached. */
async function measured(modelId: string, { split, states, images }: HeldOut, options: ReturningOptions): Promise<ModelScore> {
  const { project, catalog, signal, onProgress } = options;
  const { manifest } = await catalog.use(modelId);
  const run = await predicted(modelId, images, options);
  signal.throwIfAborted();
  onProgress({ stage: 'evaluating', modelId, done: 0, total: 0 });
  const report = await options.evaluate({ source: { kind: 'run', runId: run.id }, split, states: [...states], minScore: 0 });
  signal.throwIfAborted();
  return project.store.scores.add({
    modelId,
    modelVersion: run.modelVersion,
    sha256: weightFiles(manifest)[0]?.sha256 ?? '',
    atMs: Math.round(options.clock()),
    split,
    images: report.images,
    instances: report.truths - report.crowds,
    runId: run.id,
    segm: brief(report.segm.figures),
    bbox: brief(report.bbox.figures),
    perClass: report.segm.perClass
      .filter(({ truths }) => truths > 0)
      .map(({ name, figures, truths }) => ({ name, AP: figures.AP, AP50: figures.AP50, instances: truths })),
  });
}

function brief({ AP, AP50, AP75 }: CocoFigures): ScoreFigures {
  return { AP, AP50, AP75 };
}

async function predicted(modelId: string, images: readonly ImageRecord[], options: ReturningOptions): Promise<RunInfo> {
  const { jobs } = options.project;
  const { signal, onProgress } = options;
  signal.throwIfAborted();
  const started = await jobs.start(
    modelId,
    images.map(({ id }) => id),
  );
  const tell = (): void => {
    const run = jobs.list().find(({ id }) => id === started.id);
    onProgress({ stage: 'predicting', modelId, done: run?.finished ?? 0, total: images.length });
  };
  tell();
  const telling = setInterval(tell, PROGRESS_MS).unref();
  const stop = (): void => void jobs.cancel(started.id);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const run = await jobs.finished(started.id);
    signal.throwIfAborted();
    if (run.state !== 'done')
      throw new AppError('model-run', `${modelId} could not be measured: ${run.message ?? `its run was ${run.state}`}.`, { modelId });
    if (run.failed > 0) throw new AppError('model-run', failures(run, options.project), { modelId });
    return run;
  } finally {
    clearInterval(telling);
    signal.removeEventListener('abort', stop);
  }
}

const PROGRESS_MS = 200;

/** Figures over other images than those of the other model would compare nothing. */
function failures(run: RunInfo, { store }: Project): string {
  const [first] = store.runs.failures(run.id);
  return `${run.modelId} failed on ${run.failed} of ${run.total} held-out images, so nothing is compared; the first: ${first?.path ?? ''}: ${first?.reason ?? ''}`;
}

function warningsOf(
  trained: TrainedModel,
  classes: ReadonlySet<string>,
  split: BundleSplit,
  images: readonly ImageRecord[],
): readonly string[] {
  const warnings: string[] = [];
  const held = new Set(images.map(({ path }) => path));
  const { saw } = trained;
  if (saw === null) warnings.push('No training.json lies beside the model: nobody can tell whether it saw these images in training.');
  const leaked = (saw?.train ?? []).filter((path) => held.has(path)).length;
  if (leaked > 0)
    warnings.push(`It was trained on ${leaked} of these ${held.size} images: the split changed since, and the figures are too good.`);
  if (split === 'val' && (saw?.val ?? []).some((path) => held.has(path)))
    warnings.push(
      'Its weights were chosen by “val”, which is also what measures it here: the figures are a little too good. A “test” split would not be.',
    );
  const unknown = trained.manifest.labels.filter((name) => !classes.has(name));
  if (unknown.length > 0) warnings.push(`The project did not have these of its classes: ${unknown.join(', ')}.`);
  const never = [...classes].filter((name) => !trained.manifest.labels.includes(name));
  if (never.length > 0) warnings.push(`It does not know these classes of the project: ${never.join(', ')}.`);
  return warnings;
}

import type {
  EvaluationCases,
  EvaluationLook,
  EvaluationProgress,
  EvaluationReport,
  KindEvaluation,
  PrecisionRecall,
} from '../../shared/answers/evaluation.ts';
import type { EvaluationOptions } from '../../shared/calls/evaluation.ts';
import { AppError } from '../../shared/errors.ts';
import type { ComparedImage, DetectionObject, TruthObject } from '../../shared/evaluate/compare.ts';
import { compareImage } from '../../shared/evaluate/compare.ts';
import type { OverlapKind } from '../../shared/evaluate/dataset.ts';
import type { CategoryCurves } from '../../shared/evaluate/figures.ts';
import { figuresOf, RECALL_POINTS } from '../../shared/evaluate/figures.ts';
import { addOutcomes, emptyCounts, outcomesOf } from '../../shared/evaluate/outcomes.ts';
import type { Tally } from '../../shared/evaluate/tally.ts';
import { createTally } from '../../shared/evaluate/tally.ts';
import { geometryRuns } from '../../shared/mask/raster.ts';
import { rleToCounts } from '../../shared/mask/rle.ts';
import { runsArea, runsBox } from '../../shared/mask/runs.ts';
import type { Annotation, Label } from '../../shared/records.ts';
import type { CasesQuery } from './cases.ts';
import { listCases } from './cases.ts';
import type { Detections } from './detections.ts';
import { openDetections } from './detections.ts';
import type { Detected, EvaluatedImage, EvaluationProject } from './project-source.ts';
import { openEvaluationProject } from './project-source.ts';

/** Smaller overlaps are neither kept nor asked about (`evaluation.look`). */
const LEAST_IOU = 0.1;

/** One image of an evaluation, as it is kept: ids and overlaps, no masks. */
export interface KeptImage {
  readonly image: EvaluatedImage;
  /** Ids of the truths, in the order they were given. */
  readonly annotationIds: readonly string[];
  /** The run whose suggestions were compared; for a file the detections themselves. */
  readonly detected: readonly Detected[];
  readonly segm: ComparedImage;
  readonly bbox: ComparedImage;
}

/** An evaluation that can be looked at with other thresholds. */
export interface EvaluatedProject {
  readonly report: EvaluationReport;
  look(asked: { readonly kind: OverlapKind; readonly iou: number; readonly minScore: number }): EvaluationLook;
  cases(asked: CasesQuery): EvaluationCases;
}

/** What is told while it works; both may throw to stop. */
export interface Watching {
  tell(progress: EvaluationProgress): void;
  /** Called between images. */
  pause(): void;
}

/**
 * Compares what a model proposed with what people said, on the images of a project, by COCO's rules: the truth's size is its
 * mask's area, crowds forgive. A detection's size is its mask's area by masks and its box's by boxes, and the box is the model's own.
 * Throws AppError `not-found` (run), `invalid` (nothing to compare; a results file), `storage`, `io`.
 */
export async function evaluateProject(file: string, id: number, options: EvaluationOptions, watching: Watching): Promise<EvaluatedProject> {
  const started = performance.now();
  const project = openEvaluationProject(file);
  try {
    const detections = await openDetections(project, file, options, (done, total) => {
      watching.pause();
      watching.tell({ stage: 'reading', done, total });
    });
    const { chosen, left } = choose(project, options, detections);
    const { labels } = project;
    const places = new Map(labels.map((label, place) => [label.id, place]));
    const tallies = { segm: createTally(labels.length), bbox: createTally(labels.length) };
    const kept: KeptImage[] = [];
    let truthCount = 0;
    let crowds = 0;
    let found = 0;
    for (const [index, image] of chosen.entries()) {
      watching.pause();
      watching.tell({ stage: 'comparing', done: index, total: chosen.length });
      const annotations = project.annotations(image.id);
      const detected = detections.of(image.id) ?? [];
      const truths = annotations.map((annotation) => truthOf(annotation, image, places));
      const objects = detected.map((detection) => detectionOf(detection, places));
      const compared = (kind: OverlapKind): ComparedImage =>
        compareImage(image.id, truths, objects, { kind, leastIou: LEAST_IOU, across: true });
      const one: KeptImage = {
        image,
        annotationIds: annotations.map((annotation) => annotation.id),
        detected: slim(detected),
        segm: compared('segm'),
        bbox: compared('bbox'),
      };
      tallies.segm.add(one.segm);
      tallies.bbox.add(one.bbox);
      kept.push(one);
      crowds += truths.filter(({ crowd }) => crowd).length;
      truthCount += truths.length;
      found += detected.length;
    }
    watching.tell({ stage: 'comparing', done: chosen.length, total: chosen.length });
    const report: EvaluationReport = {
      id,
      source: detections.source,
      split: options.split,
      minScore: options.minScore,
      images: chosen.length,
      left,
      truths: truthCount,
      crowds,
      detections: found,
      unmatched: detections.unmatched,
      segm: kindOf('segm', labels, tallies.segm),
      bbox: kindOf('bbox', labels, tallies.bbox),
      ms: performance.now() - started,
    };
    return {
      report,
      look: ({ kind, iou, minScore }) => lookAt(id, labels, kept, kind, iou, minScore),
      cases: (asked) => listCases(file, labels, kept, asked),
    };
  } finally {
    project.close();
  }
}

/** Which images are compared, and how many are not, by reason. */
function choose(
  project: EvaluationProject,
  { split, states }: EvaluationOptions,
  detections: Detections,
): { chosen: EvaluatedImage[]; left: EvaluationReport['left'] } {
  const left = { state: 0, split: 0, notPredicted: 0, unreadable: 0 };
  const chosen = project.images.filter((image) => {
    if (split !== null && image.split !== split) left.split++;
    else if (states.length > 0 && !states.includes(image.state)) left.state++;
    else if (!image.usable) left.unreadable++;
    else if (detections.of(image.id) === null) left.notPredicted++;
    else return true;
    return false;
  });
  if (chosen.length > 0) return { chosen, left };
  const splits = [...new Set(project.images.flatMap((image) => image.split ?? []))].sort();
  if (split !== null && !splits.includes(split)) {
    throw new AppError(
      'invalid',
      splits.length === 0
        ? `There is no split “${split}”: this project is not divided yet.`
        : `There is no split “${split}”. There are: ${splits.join(', ')}.`,
      { split },
    );
  }
  const reasons = [
    left.split > 0 ? `${left.split} are in another split` : '',
    left.state > 0 ? `${left.state} are not ${states.join(' or ')}` : '',
    left.unreadable > 0 ? `${left.unreadable} cannot be read` : '',
    left.notPredicted > 0 ? `${left.notPredicted} were not looked at by ${detections.source.name}` : '',
  ].filter((reason) => reason !== '');
  throw new AppError('invalid', `There is no image to evaluate on: of ${project.images.length}, ${reasons.join(', ') || 'none is left'}.`, {
    ...left,
  });
}

function truthOf(annotation: Annotation, image: EvaluatedImage, places: ReadonlyMap<number, number>): TruthObject {
  let runs: Uint32Array;
  try {
    runs = geometryRuns(annotation.geometry, image.width, image.height);
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    throw new AppError(thrown.code, `${image.path}: instance ${annotation.id}: ${thrown.message}`, { path: image.path }, thrown);
  }
  return {
    category: places.get(annotation.labelId) ?? 0,
    area: runsArea(runs),
    crowd: annotation.crowd,
    counts: true,
    box: runsBox(runs, image.height),
    mask: { size: [image.height, image.width], runs: () => runs },
  };
}

function detectionOf({ labelId, score, box, rle }: Detected, places: ReadonlyMap<number, number>): DetectionObject {
  const runs = rleToCounts(rle);
  return {
    category: places.get(labelId) ?? 0,
    score,
    area: { segm: runsArea(runs), bbox: box[2] * box[3] },
    box,
    mask: { size: rle.size, runs: () => runs },
  };
}

/** Suggestions are read again when they are shown; what came from a file has to stay. */
function slim(detected: readonly Detected[]): readonly Detected[] {
  return detected.map((one) => (one.id === null ? one : { ...one, rle: { size: one.rle.size, counts: '' } }));
}

function kindOf(kind: OverlapKind, labels: readonly Label[], tally: Tally): KindEvaluation {
  const curves = tally.curves();
  const counts = tally.detections();
  const perClass = labels.flatMap(({ id, name }, place) => {
    const own = curves[place];
    const found = counts[place] ?? 0;
    // Classes that are neither there nor proposed say nothing.
    if (!own || (own.truths[0] === 0 && found === 0)) return [];
    return [{ labelId: id, name, figures: figuresOf([own]), truths: own.truths[0] ?? 0, detections: found }];
  });
  const withTruth = curves.filter((own) => own.curves.length > 0);
  return {
    kind,
    figures: figuresOf(curves),
    perClass,
    curves: [
      { labelId: null, ...curveOf(withTruth), scores: null },
      ...labels.flatMap(({ id }, place) => {
        const own = curves[place];
        return own && own.curves.length > 0
          ? [{ labelId: id, ...curveOf([own]), scores: Array.from(own.scores, (score) => (Number.isNaN(score) ? null : score)) }]
          : [];
      }),
    ],
  };
}

/** Mean curves of categories. */
function curveOf(categories: readonly CategoryCurves[]): Pick<PrecisionRecall, 'at50' | 'at75' | 'mean'> {
  const mean = (thresholds: readonly number[]): number[] =>
    RECALL_POINTS.map((_, point) => {
      let sum = 0;
      for (const { curves } of categories) for (const t of thresholds) sum += curves[t]?.[point] ?? 0;
      return sum / Math.max(1, categories.length * thresholds.length);
    });
  return { at50: mean([0]), at75: mean([5]), mean: mean([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) };
}

function lookAt(
  id: number,
  labels: readonly Label[],
  kept: readonly KeptImage[],
  kind: OverlapKind,
  iou: number,
  minScore: number,
): EvaluationLook {
  const counts = emptyCounts(labels.length);
  for (const image of kept) addOutcomes(counts, image[kind], outcomesOf(image[kind], iou, minScore));
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const column = (place: number): number => sum(counts.confusion.map((row) => row[place] ?? 0));
  const shown = labels.flatMap((_, place) => (sum(counts.confusion[place] ?? []) + column(place) > 0 ? [place] : []));
  const withBackground = [...shown, labels.length];
  return {
    id,
    kind,
    iou,
    minScore,
    perClass: shown.map((place) => ({
      labelId: labels[place]?.id ?? 0,
      tp: counts.tp[place] ?? 0,
      fp: counts.fp[place] ?? 0,
      fn: counts.fn[place] ?? 0,
    })),
    tp: sum(counts.tp),
    fp: sum(counts.fp),
    fn: sum(counts.fn),
    ignored: counts.ignored,
    confusion: {
      labelIds: shown.map((place) => labels[place]?.id ?? 0),
      counts: withBackground.map((row) => withBackground.map((place) => counts.confusion[row]?.[place] ?? 0)),
    },
  };
}

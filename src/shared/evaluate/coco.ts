import { AppError } from '../errors.ts';
import { runsArea, runsBox } from '../mask/runs.ts';
import type { Box } from '../records.ts';
import type { DetectionObject, ObjectMask, TruthObject } from './compare.ts';
import { compareImage } from './compare.ts';
import type { CocoDataset, CocoDetection, CocoImage, CocoSegmentation, CocoTruth, OverlapKind } from './dataset.ts';
import { segmentationRuns } from './dataset.ts';
import type { CategoryCurves, CocoFigures } from './figures.ts';
import { figuresOf } from './figures.ts';
import { createTally } from './tally.ts';

export interface CategoryFigures extends CocoFigures {
  readonly categoryId: number;
  readonly name: string;
  /** Truths that count (no crowds). */
  readonly truths: number;
}

export interface CocoEvaluation {
  readonly kind: OverlapKind;
  readonly images: number;
  readonly truths: number;
  readonly detections: number;
  readonly figures: CocoFigures;
  /** By rising category id. */
  readonly categories: readonly CategoryFigures[];
}

/** The figures of each category and of all of them. `categories` and `curves` are in the same order. */
export function evaluationOf(
  categories: readonly { readonly id: number; readonly name: string }[],
  curves: readonly CategoryCurves[],
): Pick<CocoEvaluation, 'figures' | 'categories'> {
  return {
    figures: figuresOf(curves),
    categories: categories.flatMap(({ id, name }, i) => {
      const own = curves[i];
      return own ? [{ categoryId: id, name, truths: own.truths[0] ?? 0, ...figuresOf([own]) }] : [];
    }),
  };
}

/**
 * Evaluates detections against a dataset, by masks or by boxes. Detections of categories that the dataset
 * does not have are left out, as in pycocotools.
 * Throws `invalid`, naming the place, for a detection of an unknown image, a score that is no number, a missing box or
 * segmentation, or a mask that is broken or of another size.
 */
export function evaluateCoco(dataset: CocoDataset, detections: readonly CocoDetection[], kind: OverlapKind): CocoEvaluation {
  const categories = [...dataset.categories].sort((a, b) => a.id - b.id);
  const places = new Map(categories.map(({ id }, place) => [id, place]));
  const byImage = new Map(
    dataset.images.map((image) => [image.id, { image, truths: [] as TruthObject[], found: [] as DetectionObject[] }]),
  );
  for (const truth of dataset.annotations) {
    const own = byImage.get(truth.image_id);
    if (!own)
      throw new AppError('invalid', `An annotation is of image ${truth.image_id}, which the dataset does not have.`, {
        imageId: truth.image_id,
      });
    const category = places.get(truth.category_id);
    if (category !== undefined) own.truths.push(truthObject(truth, category, own.image, kind));
  }
  const form = resultsForm(detections[0]);
  detections.forEach((detection, index) => {
    const own = byImage.get(detection.image_id);
    if (!own)
      throw new AppError('invalid', `Detection ${index} is of image ${detection.image_id}, which the dataset does not have.`, { index });
    const category = places.get(detection.category_id);
    if (category !== undefined) own.found.push(detectionObject(detection, category, own.image, form, `Detection ${index}`));
  });
  const tally = createTally(categories.length);
  for (const { image, truths, found } of byImage.values()) {
    tally.add(compareImage(image.id, truths, found, { kind, leastIou: 0.5, across: false }));
  }
  return {
    kind,
    images: dataset.images.length,
    truths: dataset.annotations.length,
    detections: detections.length,
    ...evaluationOf(categories, tally.curves()),
  };
}

/** What a results file holds; as in pycocotools' `loadRes`, the first result decides it for all. */
export type ResultsForm = 'boxes' | 'masks';

export function resultsForm(first: CocoDetection | undefined): ResultsForm {
  return (first?.bbox?.length ?? 0) > 0 || !first?.segmentation ? 'boxes' : 'masks';
}

/**
 * A truth as pycocotools reads it: its size is the file's `area`. A truth whose id is 0 never counts as found there.
 * Throws `invalid` where masks are compared and it has none.
 */
export function truthObject(truth: CocoTruth, category: number, image: CocoImage, kind: OverlapKind): TruthObject {
  if (kind === 'segm' && !truth.segmentation) {
    throw new AppError('invalid', `Annotation ${truth.id} has no segmentation.`, { annotation: truth.id });
  }
  return {
    category,
    area: truth.area,
    crowd: truth.iscrowd === 1,
    counts: truth.id !== 0,
    box: truth.bbox,
    mask: kind === 'segm' && truth.segmentation ? unpacked(truth.segmentation, image, `Annotation ${truth.id}`) : null,
  };
}

/**
 * A detection as pycocotools' `loadRes` reads it: of a file of boxes its size is the box's, and its mask, where it has none, the
 * box filled; of a file of masks its size is the mask's, and so is its box, where it has none.
 * Throws `invalid`, naming `what`, where it has neither, or no score.
 */
export function detectionObject(
  detection: CocoDetection,
  category: number,
  image: CocoImage,
  form: ResultsForm,
  what: string,
): DetectionObject {
  const { score, bbox, segmentation } = detection;
  if (!Number.isFinite(score)) throw new AppError('invalid', `${what} has no score.`, { imageId: image.id });
  if (form === 'boxes') {
    if (!bbox) throw new AppError('invalid', `${what} has no bbox, as the first detection has.`, { imageId: image.id });
    const area = bbox[2] * bbox[3];
    return { category, score, area: { segm: area, bbox: area }, box: bbox, mask: unpacked(segmentation ?? [cornersOf(bbox)], image, what) };
  }
  if (!segmentation) throw new AppError('invalid', `${what} has no segmentation.`, { imageId: image.id });
  const mask = unpacked(segmentation, image, what);
  const runs = mask.runs();
  const area = runsArea(runs);
  return { category, score, area: { segm: area, bbox: area }, box: bbox ?? runsBox(runs, mask.size[0]), mask };
}

function cornersOf([x, y, width, height]: Box): number[] {
  return [x, y, x, y + height, x + width, y + height, x + width, y];
}

/** A segmentation that is unpacked once, when it is looked at. Errors name `what`. */
function unpacked(segmentation: CocoSegmentation, image: CocoImage, what: string): ObjectMask {
  let runs: Uint32Array | null = null;
  return {
    size: 'counts' in segmentation ? segmentation.size : [image.height, image.width],
    runs() {
      try {
        return (runs ??= segmentationRuns(segmentation, image).runs);
      } catch (thrown) {
        if (!(thrown instanceof AppError)) throw thrown;
        throw new AppError(thrown.code, `${what} of image ${image.id}: ${thrown.message}`, { ...thrown.detail, imageId: image.id }, thrown);
      }
    },
  };
}

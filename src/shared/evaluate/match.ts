import { boxIou } from '../geometry/measure.ts';
import { rleArea, rleBox, rleIou } from '../mask/rle.ts';
import { AppError } from '../errors.ts';
import type { Box, Rle } from '../records.ts';
import type { CocoDataset, CocoDetection, CocoImage, CocoTruth, OverlapKind } from './dataset.ts';
import { segmentationToRle } from './dataset.ts';

/** COCO looks at no more than this many detections of an image and class, best scores first. */
const MOST_DETECTIONS = 100;

/** A truth of one image and class. `index` is its place in the dataset's annotations. */
export interface Truth {
  readonly index: number;
  readonly area: number;
  readonly crowd: boolean;
}

/** A detection of one image and class. `index` is its place in the results. */
export interface Detection {
  readonly index: number;
  readonly score: number;
  readonly area: number;
}

/** The truths and detections of one image and class with their overlaps: what matching needs. */
export interface Cell {
  readonly imageId: number;
  readonly categoryId: number;
  readonly truths: readonly Truth[];
  /** By falling score, equal scores in file order, at most `MOST_DETECTIONS`. */
  readonly detections: readonly Detection[];
  /** `detections × truths`, row-major. */
  readonly overlaps: Float64Array;
}

export interface AreaRange {
  readonly name: 'all' | 'small' | 'medium' | 'large';
  readonly least: number;
  readonly most: number;
}

/** COCO's size ranges, square pixels, both ends included. */
export const AREA_RANGES: readonly AreaRange[] = [
  { name: 'all', least: 0, most: 1e10 },
  { name: 'small', least: 0, most: 32 ** 2 },
  { name: 'medium', least: 32 ** 2, most: 96 ** 2 },
  { name: 'large', least: 96 ** 2, most: 1e10 },
];

/** How one cell came out at one IoU threshold and size range. */
export interface Matching {
  /** Per truth: counts neither as found nor as missed (a crowd, or out of the size range). */
  readonly truthIgnored: readonly boolean[];
  /** Per detection: the place in `truths` of its match, or -1. */
  readonly matches: readonly number[];
  /** Per detection: counts neither way. */
  readonly detectionIgnored: readonly boolean[];
}

/**
 * Groups a dataset and results by category, then image (both by rising id), and computes the overlaps
 * (COCOeval `_prepare`, `computeIoU`). A detection's area is its box's where the results have boxes, else its
 * mask's, as `loadRes` does. Throws `invalid`, naming the place, for a detection of an unknown image, a score
 * that is no number, or a missing box or segmentation.
 */
export function prepareCells(dataset: CocoDataset, detections: readonly CocoDetection[], kind: OverlapKind): Cell[] {
  const images = new Map(dataset.images.map((image) => [image.id, image]));
  const groups = new Map<number, Map<number, Places>>();
  for (const { id } of [...dataset.categories].sort((a, b) => a.id - b.id)) groups.set(id, new Map());
  const placesOf = (categoryId: number, imageId: number): Places | undefined => {
    const byImage = groups.get(categoryId);
    const found = byImage?.get(imageId) ?? { truths: [], detections: [] };
    byImage?.set(imageId, found);
    return byImage && found;
  };
  dataset.annotations.forEach((truth, index) => placesOf(truth.category_id, truth.image_id)?.truths.push({ truth, index }));
  detections.forEach((detection, index) => {
    if (!images.has(detection.image_id)) {
      throw new AppError('invalid', `Detection ${index} is of image ${detection.image_id}, which the dataset does not have.`, { index });
    }
    if (!Number.isFinite(detection.score)) throw new AppError('invalid', `Detection ${index} has no score.`, { index });
    placesOf(detection.category_id, detection.image_id)?.detections.push({ detection, index });
  });
  // As in `loadRes`, the first result decides what the list holds.
  const boxed = (detections[0]?.bbox?.length ?? 0) > 0;

  return [...groups].flatMap(([categoryId, byImage]) =>
    [...byImage]
      .sort((a, b) => a[0] - b[0])
      .map(([imageId, places]) => {
        const image = images.get(imageId);
        if (!image) throw new AppError('invalid', `An annotation is of image ${imageId}, which the dataset does not have.`, { imageId });
        const truths = places.truths.map(({ truth, index }) => ({ index, area: truth.area, crowd: truth.iscrowd === 1 }));
        const crowd = truths.map((truth) => truth.crowd);
        const best = places.detections.sort((a, b) => b.detection.score - a.detection.score).slice(0, MOST_DETECTIONS);
        const measured = best.map(({ detection, index }) => measure(detection, `Detection ${index}`, image, kind, boxed));
        const overlaps =
          kind === 'segm'
            ? rleIou(
                measured.flatMap(({ rle }) => rle ?? []),
                places.truths.map(({ truth }) => maskOf(truth, `Annotation ${truth.id}`, image)),
                crowd,
              )
            : Float64Array.from(measured.flatMap(({ box }) => places.truths.map(({ truth }, g) => boxIou(box, truth.bbox, crowd[g]))));
        const found = best.map(({ detection, index }, d) => ({ index, score: detection.score, area: measured[d]?.area ?? 0 }));
        return { imageId, categoryId, truths, detections: found, overlaps };
      }),
  );
}

/** What belongs to one category and image. */
interface Places {
  readonly truths: { readonly truth: CocoTruth; readonly index: number }[];
  readonly detections: { readonly detection: CocoDetection; readonly index: number }[];
}

/** The mask (for `segm`), box and area of a detection. `boxed`: the results have boxes, so areas are theirs. */
function measure(
  detection: CocoDetection,
  what: string,
  image: CocoImage,
  kind: OverlapKind,
  boxed: boolean,
): { rle: Rle | null; box: Box; area: number } {
  const rle = kind === 'segm' || !boxed ? maskOf(detection, what, image) : null;
  if (!boxed && rle) return { rle, box: rleBox(rle), area: rleArea(rle) };
  const box = detection.bbox;
  if (!box) throw new AppError('invalid', `${what} has no bbox, as the first detection has.`, { imageId: image.id });
  return { rle, box, area: box[2] * box[3] };
}

function maskOf(from: CocoDetection | CocoTruth, what: string, image: CocoImage): Rle {
  if (from.segmentation) return segmentationToRle(from.segmentation, image);
  throw new AppError('invalid', `${what} has no segmentation.`, { imageId: image.id });
}

/**
 * COCO's greedy matching (COCOeval `evaluateImg`): detections by falling score, each takes the free truth it
 * overlaps most, at least `iouThreshold`; the later of equal ones; ignored truths only when no other fits; a
 * crowd takes any number. Truths that are ignored come last.
 *
 * One difference: pycocotools marks a match by the truth's id, so one with id 0 never counts as matched. Here it does.
 */
export function matchCell(cell: Cell, iouThreshold: number, range: AreaRange): Matching {
  const { truths, detections, overlaps } = cell;
  const outside = (area: number): boolean => area < range.least || area > range.most;
  const truthIgnored = truths.map(({ area, crowd }) => crowd || outside(area));
  const order = truths.map((_, g) => g).sort((a, b) => Number(truthIgnored[a]) - Number(truthIgnored[b]));
  const taken = truths.map(() => false);
  const matches: number[] = [];
  const detectionIgnored: boolean[] = [];
  detections.forEach(({ area }, d) => {
    let best = Math.min(iouThreshold, 1 - 1e-10);
    let match = -1;
    for (const g of order) {
      if (taken[g] && !truths[g]?.crowd) continue;
      if (match >= 0 && !truthIgnored[match] && truthIgnored[g]) break;
      const overlap = overlaps[d * truths.length + g] ?? 0;
      if (overlap < best) continue;
      best = overlap;
      match = g;
    }
    if (match >= 0) taken[match] = true;
    matches.push(match);
    detectionIgnored.push(match >= 0 ? truthIgnored[match] === true : outside(area));
  });
  return { truthIgnored, matches, detectionIgnored };
}

import { boxIou } from '../geometry/measure.ts';
import { rleArea, rleBox, rleIou } from '../mask/rle.ts';
import { AppError } from '../errors.ts';
import type { Box, Rle } from '../records.ts';
import type { CocoDataset, CocoDetection, OverlapKind } from './dataset.ts';
import { segmentationToRle } from './dataset.ts';

/** COCO looks at no more than this many detections of an image and class, best scores first. */
export const MOST_DETECTIONS = 100;

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
 * (COCOeval `_prepare`, `computeIoU`). A detection's area is its box's where it has one, else its mask's, as
 * `loadRes` does. Throws `invalid`, naming the place, for a detection of an unknown image, a score that is no
 * number, or a missing box or segmentation.
 */
export function prepareCells(dataset: CocoDataset, detections: readonly CocoDetection[], kind: OverlapKind): Cell[] {
  const images = new Map(dataset.images.map((image) => [image.id, image]));
  const groups = new Map<number, Map<number, { truths: number[]; detections: number[] }>>();
  for (const { id } of [...dataset.categories].sort((a, b) => a.id - b.id)) groups.set(id, new Map());
  const group = (categoryId: number, imageId: number) => {
    const byImage = groups.get(categoryId);
    let found = byImage?.get(imageId);
    if (byImage && !found) byImage.set(imageId, (found = { truths: [], detections: [] }));
    return found;
  };
  dataset.annotations.forEach((truth, index) => group(truth.category_id, truth.image_id)?.truths.push(index));
  // As in `loadRes`, the first result decides what the list holds.
  const boxed = (detections[0]?.bbox?.length ?? 0) > 0;
  detections.forEach((detection, index) => {
    if (!images.has(detection.image_id)) {
      throw new AppError('invalid', `Detection ${index} is of image ${detection.image_id}, which the dataset does not have.`, { index });
    }
    if (!Number.isFinite(detection.score)) throw new AppError('invalid', `Detection ${index} has no score.`, { index });
    group(detection.category_id, detection.image_id)?.detections.push(index);
  });

  const cells: Cell[] = [];
  for (const [categoryId, byImage] of groups) {
    for (const [imageId, places] of [...byImage].sort((a, b) => a[0] - b[0])) {
      const image = images.get(imageId);
      if (!image) {
        throw new AppError('invalid', `An annotation is of image ${imageId}, which the dataset does not have.`, { imageId });
      }
      const mask = (what: string, from: CocoDetection | CocoDataset['annotations'][number] | undefined): Rle => {
        if (from?.segmentation) return segmentationToRle(from.segmentation, image);
        throw new AppError('invalid', `${what} has no segmentation.`, { imageId });
      };
      const box = (what: string, given: Box | undefined, rle: () => Rle): Box => {
        if (given?.length === 4) return given;
        if (boxed) throw new AppError('invalid', `${what} has no bbox.`, { imageId });
        return rleBox(rle());
      };
      const sorted = [...places.detections]
        .sort((a, b) => (detections[b]?.score ?? 0) - (detections[a]?.score ?? 0))
        .slice(0, MOST_DETECTIONS);
      const crowd = places.truths.map((index) => dataset.annotations[index]?.iscrowd === 1);
      const found = sorted.map((index) => {
        const detection = detections[index];
        const what = `Detection ${index}`;
        const rle = kind === 'segm' ? mask(what, detection) : null;
        const own = rle && !boxed ? null : box(what, detection?.bbox, () => mask(what, detection));
        return { index, rle, box: own, score: detection?.score ?? 0 };
      });
      let overlaps: Float64Array;
      if (kind === 'segm') {
        const truthMasks = places.truths.map((index) => mask(`Annotation ${dataset.annotations[index]?.id}`, dataset.annotations[index]));
        overlaps = rleIou(found.flatMap(({ rle }) => rle ?? []), truthMasks, crowd);
      } else {
        const boxes = places.truths.map((index): Box => dataset.annotations[index]?.bbox ?? [0, 0, 0, 0]);
        overlaps = Float64Array.from(found.flatMap((d) => boxes.map((b, g) => boxIou(d.box ?? [0, 0, 0, 0], b, crowd[g]))));
      }
      cells.push({
        imageId,
        categoryId,
        truths: places.truths.map((index, g) => ({ index, area: dataset.annotations[index]?.area ?? 0, crowd: crowd[g] === true })),
        detections: found.map((d) => ({ index: d.index, score: d.score, area: d.box ? d.box[2] * d.box[3] : d.rle ? rleArea(d.rle) : 0 })),
        overlaps,
      });
    }
  }
  return cells;
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

import { boxIou } from '../geometry/measure.ts';
import { AppError } from '../errors.ts';
import type { Box, Rle } from '../records.ts';
import { runsArea, runsBox, runsOverlap } from '../mask/runs.ts';
import type { OverlapKind } from './dataset.ts';
import { MOST_DETECTIONS } from './figures.ts';

/** A mask that is only unpacked where it is looked at. */
export interface ObjectMask {
  readonly size: Rle['size'];
  runs(): Uint32Array;
}

/** A truth of one image. */
export interface TruthObject {
  /** Place in the list of categories. */
  readonly category: number;
  /** Square pixels; decides the size range that it counts in. */
  readonly area: number;
  readonly crowd: boolean;
  /** False: it can be taken, but whoever takes it does not count as right (see `uncounted` in `ComparedImage`). */
  readonly counts: boolean;
  readonly box: Box;
  readonly mask: ObjectMask | null;
}

/** A detection of one image. */
export interface DetectionObject {
  readonly category: number;
  readonly score: number;
  /** Square pixels, by which it falls into a size range where it found nothing. */
  readonly area: Readonly<Record<OverlapKind, number>>;
  readonly box: Box;
  readonly mask: ObjectMask | null;
}

/**
 * One image's truths and detections with the overlaps that can matter, in arrays: what matching needs at every
 * threshold. Truths are sorted by category; detections by category, then falling score, equal scores in their given order, at
 * most `MOST_DETECTIONS` of a category.
 */
export interface ComparedImage {
  /** The image's id: equal scores of different images are ranked by it. */
  readonly order: number;
  /** Places in the lists that were given. */
  readonly truthPlace: Uint32Array;
  readonly truthCategory: Uint32Array;
  readonly truthArea: Float64Array;
  readonly crowd: Uint8Array;
  /** 1: pycocotools marks a match by the truth's id, so that one whose id is 0 never counts as found. */
  readonly uncounted: Uint8Array;
  readonly detectionPlace: Uint32Array;
  readonly detectionCategory: Uint32Array;
  readonly detectionArea: Float64Array;
  readonly score: Float64Array;
  /** Overlaps of detection d: `pairTruth` and `pairIou` from `pairFrom[d]` to `pairFrom[d + 1]`, truths by rising place. */
  readonly pairFrom: Uint32Array;
  readonly pairTruth: Uint32Array;
  readonly pairIou: Float64Array;
}

export interface CompareOptions {
  readonly kind: OverlapKind;
  /** Smaller overlaps are not kept. COCO's figures need those from 0.5 on. */
  readonly leastIou: number;
  /** Also overlaps between categories, for a confusion matrix. */
  readonly across: boolean;
}

/**
 * Computes the overlaps of one image (COCOeval `computeIoU`). Truths and detections without a mask overlap nothing by masks.
 * Throws `invalid` where the mask of a truth and that of a detection are of different sizes.
 */
export function compareImage(
  order: number,
  truths: readonly TruthObject[],
  detections: readonly DetectionObject[],
  { kind, leastIou, across }: CompareOptions,
): ComparedImage {
  const truthPlace = Uint32Array.from(truths.keys()).sort((a, b) => (truths[a]?.category ?? 0) - (truths[b]?.category ?? 0) || a - b);
  const detectionPlace = best(detections);
  const measuredTruths = Array.from(truthPlace, (place) => truths[place]).flatMap((truth) => (truth ? [lazily(truth, kind)] : []));
  const pairFrom = new Uint32Array(detectionPlace.length + 1);
  const pairTruth: number[] = [];
  const pairIou: number[] = [];
  detectionPlace.forEach((place, d) => {
    const object = detections[place];
    const detection = object && lazily(object, kind);
    measuredTruths.forEach((truth, g) => {
      if (!detection || (!across && truth.category !== detection.category)) return;
      const iou = kind === 'segm' ? maskOverlap(detection, truth) : boxIou(detection.box(), truth.box(), truth.crowd);
      if (iou < leastIou) return;
      pairTruth.push(g);
      pairIou.push(iou);
    });
    pairFrom[d + 1] = pairTruth.length;
  });
  const of = (place: number): TruthObject | undefined => truths[place];
  return {
    order,
    truthPlace,
    truthCategory: truthPlace.map((place) => of(place)?.category ?? 0),
    truthArea: Float64Array.from(truthPlace, (place) => of(place)?.area ?? 0),
    crowd: Uint8Array.from(truthPlace, (place) => (of(place)?.crowd ? 1 : 0)),
    uncounted: Uint8Array.from(truthPlace, (place) => (of(place)?.counts ? 0 : 1)),
    detectionPlace,
    detectionCategory: detectionPlace.map((place) => detections[place]?.category ?? 0),
    detectionArea: Float64Array.from(detectionPlace, (place) => detections[place]?.area[kind] ?? 0),
    score: Float64Array.from(detectionPlace, (place) => detections[place]?.score ?? 0),
    pairFrom,
    pairTruth: Uint32Array.from(pairTruth),
    pairIou: Float64Array.from(pairIou),
  };
}

/** Places of the detections that count, in the order of `ComparedImage`. */
function best(detections: readonly DetectionObject[]): Uint32Array {
  const sorted = Uint32Array.from(detections.keys()).sort((a, b) => {
    const [one, other] = [detections[a], detections[b]];
    return one && other ? one.category - other.category || other.score - one.score || a - b : 0;
  });
  let rank = 0;
  let before = -1;
  return sorted.filter((place) => {
    const category = detections[place]?.category ?? 0;
    rank = category === before ? rank + 1 : 0;
    before = category;
    return rank < MOST_DETECTIONS;
  });
}

/** An object whose mask's box and area are worked out when they are first asked for. */
interface Measured {
  readonly category: number;
  readonly crowd: boolean;
  box(): Box;
  mask(): { readonly size: Rle['size']; readonly runs: Uint32Array; readonly box: Box; readonly area: number } | null;
}

function lazily(object: TruthObject | DetectionObject, kind: OverlapKind): Measured {
  let measured: ReturnType<Measured['mask']> | undefined;
  return {
    category: object.category,
    crowd: 'crowd' in object && object.crowd,
    box: () => object.box,
    mask() {
      if (measured !== undefined) return measured;
      if (kind !== 'segm' || !object.mask) return (measured = null);
      const { size } = object.mask;
      const runs = object.mask.runs();
      return (measured = { size, runs, box: runsBox(runs, size[0]), area: runsArea(runs) });
    },
  };
}

/** IoU of two masks, or the share of the detection inside a crowd (maskApi.c `rleIou`). */
function maskOverlap(detection: Measured, truth: Measured): number {
  const a = detection.mask();
  const b = truth.mask();
  if (!a || !b) return 0;
  if (a.size[0] !== b.size[0] || a.size[1] !== b.size[1]) {
    throw new AppError('invalid', `Masks of ${a.size[1]}×${a.size[0]} and ${b.size[1]}×${b.size[0]} pixels do not belong to one image.`);
  }
  if (boxIou(a.box, b.box) === 0) return 0;
  const overlap = runsOverlap(a.runs, b.runs);
  return overlap === 0 ? 0 : overlap / (truth.crowd ? a.area : a.area + b.area - overlap);
}

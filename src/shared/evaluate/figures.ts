/**
 * COCO's detection figures: pycocotools `COCOeval.summarize` (cocoapi `PythonAPI/pycocotools/cocoeval.py`, after
 * Lin et al., "Microsoft COCO", 2014) in our own words, equal to it to rounding. -1 where there is no truth to count.
 */
export interface CocoFigures {
  /** Mean over IoU 0.50, 0.55 ... 0.95. */
  readonly AP: number;
  readonly AP50: number;
  readonly AP75: number;
  readonly APsmall: number;
  readonly APmedium: number;
  readonly APlarge: number;
  /** Mean recall given 1, 10 or 100 detections per image and class. */
  readonly AR1: number;
  readonly AR10: number;
  readonly AR100: number;
  readonly ARsmall: number;
  readonly ARmedium: number;
  readonly ARlarge: number;
}

/** 0.50, 0.55 ... 0.95, as `numpy.linspace` gives them. */
export const IOU_THRESHOLDS: readonly number[] = Array.from({ length: 10 }, (_, i) => (i === 9 ? 0.95 : 0.5 + i * ((0.95 - 0.5) / 9)));
/** 0, 0.01 ... 1. */
export const RECALL_POINTS: readonly number[] = Array.from({ length: 101 }, (_, i) => (i === 100 ? 1 : i * 0.01));
/** COCO looks at no more than this many detections of an image and class, best scores first. */
export const MOST_DETECTIONS = 100;

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

/** What recall is asked for: a size range (its place in `AREA_RANGES`) and detections per image and class. */
export const RECALL_CASES: readonly (readonly [range: number, limit: number])[] = [
  [0, 1],
  [0, 10],
  [0, MOST_DETECTIONS],
  [1, MOST_DETECTIONS],
  [2, MOST_DETECTIONS],
  [3, MOST_DETECTIONS],
];

/** One category's accumulated precision and recall (COCOeval `accumulate`). */
export interface CategoryCurves {
  /** Truths that count, per size range. */
  readonly truths: readonly number[];
  /** Per size range, per IoU threshold: mean precision over the recall points; null without a truth. */
  readonly precision: readonly (readonly number[] | null)[];
  /** Per recall case, per IoU threshold; null without a truth. */
  readonly recall: readonly (readonly number[] | null)[];
  /** All sizes: precision at each recall point, per IoU threshold. */
  readonly curves: readonly Float64Array[];
  /** All sizes, IoU 0.50: score at which each recall point is reached; NaN where it is not. */
  readonly scores: Float64Array;
}

/** The twelve figures of one or more categories: means over those that have a truth to count. */
export function figuresOf(categories: readonly CategoryCurves[]): CocoFigures {
  const precision = (range: number, threshold: number | null = null): number =>
    mean(categories.flatMap((category) => pick(category.precision[range], threshold)));
  const recall = (which: number): number => mean(categories.flatMap((category) => pick(category.recall[which], null)));
  return {
    AP: precision(0),
    AP50: precision(0, 0),
    AP75: precision(0, 5),
    APsmall: precision(1),
    APmedium: precision(2),
    APlarge: precision(3),
    AR1: recall(0),
    AR10: recall(1),
    AR100: recall(2),
    ARsmall: recall(3),
    ARmedium: recall(4),
    ARlarge: recall(5),
  };
}

function pick(values: readonly number[] | null | undefined, threshold: number | null): readonly number[] {
  if (!values) return [];
  return threshold === null ? values : values.slice(threshold, threshold + 1);
}

/** -1 for nothing, as COCO prints it. */
function mean(values: readonly number[]): number {
  return values.length === 0 ? -1 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

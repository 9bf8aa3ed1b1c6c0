import type { CocoDataset, CocoDetection, OverlapKind } from './dataset.ts';
import type { AreaRange, Cell } from './match.ts';
import { AREA_RANGES, matchCell, prepareCells } from './match.ts';

/**
 * COCO's detection figures: pycocotools `COCOeval` (cocoapi `PythonAPI/pycocotools/cocoeval.py`, after
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

export interface CategoryFigures {
  readonly categoryId: number;
  readonly name: string;
  readonly AP: number;
  readonly AP50: number;
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

/** 0.50, 0.55 ... 0.95. */
const IOU_THRESHOLDS: readonly number[] = Array.from({ length: 10 }, (_, i) => (i === 9 ? 0.95 : 0.5 + i * ((0.95 - 0.5) / 9)));
const RECALL_POINTS: readonly number[] = Array.from({ length: 101 }, (_, i) => (i === 100 ? 1 : i * 0.01));
const DETECTION_LIMITS = [1, 10, 100] as const;
/** `numpy.spacing(1)`: keeps 0 / 0 from being no number. */
const EPSILON = Number.EPSILON;

/** Precision and recall of one category, size range and detection limit; null when no truth counts. */
interface Curve {
  /** Mean precision over the recall points, per IoU threshold. */
  readonly precision: readonly number[];
  readonly recall: readonly number[];
  readonly truths: number;
}

/**
 * Evaluates detections against a dataset, by masks or by boxes. Detections of categories that the dataset
 * does not have are left out, as in pycocotools. Throws `invalid` as `prepareCells`.
 */
export function evaluateCoco(dataset: CocoDataset, detections: readonly CocoDetection[], kind: OverlapKind): CocoEvaluation {
  const cells = prepareCells(dataset, detections, kind);
  const byCategory = new Map<number, Cell[]>([...dataset.categories].sort((a, b) => a.id - b.id).map(({ id }) => [id, []]));
  for (const cell of cells) byCategory.get(cell.categoryId)?.push(cell);

  const curves = (name: AreaRange['name'], limit: number): Map<number, Curve> => {
    const range = AREA_RANGES.find((candidate) => candidate.name === name) ?? ALL;
    const found = new Map<number, Curve>();
    for (const [categoryId, own] of byCategory) {
      const curve = curveOf(own, range, limit);
      if (curve) found.set(categoryId, curve);
    }
    return found;
  };
  const [all1, all10, all] = DETECTION_LIMITS.map((limit) => curves('all', limit));
  const [small, medium, large] = (['small', 'medium', 'large'] as const).map((name) => curves(name, 100));
  const precision = (of: Map<number, Curve> | undefined, threshold?: number): number =>
    mean([...(of?.values() ?? [])].flatMap((curve) => (threshold === undefined ? curve.precision : (curve.precision[threshold] ?? []))));
  const recall = (of: Map<number, Curve> | undefined): number => mean([...(of?.values() ?? [])].flatMap((curve) => curve.recall));

  const names = new Map(dataset.categories.map(({ id, name }) => [id, name]));
  return {
    kind,
    images: dataset.images.length,
    truths: dataset.annotations.length,
    detections: detections.length,
    figures: {
      AP: precision(all),
      AP50: precision(all, 0),
      AP75: precision(all, 5),
      APsmall: precision(small),
      APmedium: precision(medium),
      APlarge: precision(large),
      AR1: recall(all1),
      AR10: recall(all10),
      AR100: recall(all),
      ARsmall: recall(small),
      ARmedium: recall(medium),
      ARlarge: recall(large),
    },
    categories: [...byCategory.keys()].map((categoryId) => {
      const curve = all?.get(categoryId);
      return {
        categoryId,
        name: names.get(categoryId) ?? String(categoryId),
        AP: curve ? mean(curve.precision) : -1,
        AP50: curve?.precision[0] ?? -1,
        truths: curve?.truths ?? 0,
      };
    }),
  };
}

const ALL: AreaRange = { name: 'all', least: 0, most: 1e10 };

/** COCOeval `accumulate` for one category. */
function curveOf(cells: readonly Cell[], range: AreaRange, limit: number): Curve | null {
  const precision: number[] = [];
  const recall: number[] = [];
  let truths = 0;
  for (const threshold of IOU_THRESHOLDS) {
    truths = 0;
    const found: { score: number; hit: boolean }[] = [];
    for (const cell of cells) {
      const matching = matchCell(cell, threshold, range);
      truths += matching.truthIgnored.filter((ignored) => !ignored).length;
      cell.detections.slice(0, limit).forEach(({ score }, d) => {
        if (!matching.detectionIgnored[d]) found.push({ score, hit: (matching.matches[d] ?? -1) >= 0 });
      });
    }
    if (truths === 0) return null;
    // Array.sort is stable, as numpy's merge sort: equal scores keep the order of the images.
    found.sort((a, b) => b.score - a.score);
    const point = precisionRecall(found, truths);
    precision.push(point.precision);
    recall.push(point.recall);
  }
  return { precision, recall, truths };
}

/** Area under the interpolated precision at 101 recall points, and the recall that is reached. */
function precisionRecall(found: readonly { hit: boolean }[], truths: number): { precision: number; recall: number } {
  const recalls: number[] = [];
  const precisions: number[] = [];
  let hits = 0;
  found.forEach(({ hit }, i) => {
    if (hit) hits++;
    recalls.push(hits / truths);
    precisions.push(hits / (i + 1 + EPSILON));
  });
  for (let i = precisions.length - 1; i > 0; i--) {
    precisions[i - 1] = Math.max(precisions[i - 1] ?? 0, precisions[i] ?? 0);
  }
  let at = 0;
  const sampled = RECALL_POINTS.map((wanted) => {
    while (at < recalls.length && (recalls[at] ?? 0) < wanted) at++;
    return precisions[at] ?? 0;
  });
  return { precision: mean(sampled), recall: recalls.at(-1) ?? 0 };
}

/** -1 for nothing, as COCO prints it. */
function mean(values: readonly number[]): number {
  return values.length === 0 ? -1 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

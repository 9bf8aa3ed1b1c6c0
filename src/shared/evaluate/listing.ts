import type { CocoDataset, CocoDetection, OverlapKind } from './dataset.ts';
import { AREA_RANGES, matchCell, prepareCells } from './match.ts';

/** A detection and the truth it found. Indices are places in the results and in the dataset's annotations. */
export interface TruePositive {
  readonly detection: number;
  readonly truth: number;
  readonly iou: number;
}

/** What came out right and wrong on one image. */
export interface ImageListing {
  readonly imageId: number;
  readonly truePositives: readonly TruePositive[];
  /** Detections that found nothing. */
  readonly falsePositives: readonly number[];
  /** Truths that nothing found; crowds never are. */
  readonly falseNegatives: readonly number[];
  /** Detections that fell into a crowd: neither right nor wrong. */
  readonly ignored: readonly number[];
}

/**
 * Right and wrong per image at one IoU threshold, by COCO's matching within a class, with only detections
 * of at least `minScore`. Every image of the dataset is listed, by rising id. Throws `invalid` as `prepareCells`.
 */
export function listMatches(
  dataset: CocoDataset,
  detections: readonly CocoDetection[],
  kind: OverlapKind,
  iouThreshold = 0.5,
  minScore = 0,
): ImageListing[] {
  interface Draft {
    truePositives: TruePositive[];
    falsePositives: number[];
    falseNegatives: number[];
    ignored: number[];
  }
  const byImage = new Map<number, Draft>();
  for (const { id } of [...dataset.images].sort((a, b) => a.id - b.id)) {
    byImage.set(id, { truePositives: [], falsePositives: [], falseNegatives: [], ignored: [] });
  }
  const [all] = AREA_RANGES;
  for (const cell of prepareCells(dataset, detections, kind)) {
    const listing = byImage.get(cell.imageId);
    if (!listing || !all) continue;
    // Detections come by falling score, so what is below the threshold is a tail.
    const kept = cell.detections.filter(({ score }) => score >= minScore);
    const matching = matchCell({ ...cell, detections: kept }, iouThreshold, all);
    const found = new Set<number>();
    kept.forEach(({ index }, d) => {
      const match = matching.matches[d] ?? -1;
      const truth = cell.truths[match];
      if (matching.detectionIgnored[d]) listing.ignored.push(index);
      else if (truth) {
        found.add(match);
        listing.truePositives.push({ detection: index, truth: truth.index, iou: cell.overlaps[d * cell.truths.length + match] ?? 0 });
      } else listing.falsePositives.push(index);
    });
    cell.truths.forEach(({ index }, g) => {
      if (!found.has(g) && !matching.truthIgnored[g]) listing.falseNegatives.push(index);
    });
  }
  return [...byImage].map(([imageId, draft]) => ({ imageId, ...draft }));
}

import type { ComparedImage } from './compare.ts';

/** How each object of one image came out at one IoU threshold and score. Places are those of the `ComparedImage`. */
export interface Outcomes {
  /** Per detection: `RIGHT`, `WRONG`, `IGNORED` (fell into a crowd) or `HIDDEN` (its score is too low). */
  readonly detection: Uint8Array;
  /** Per detection: the truth it found, or, where it is wrong, the one of another category that it was paired with; -1 for none. */
  readonly truthOf: Int32Array;
  /** Per truth: the detection that found it or was paired with it; -1 for none. */
  readonly detectionOf: Int32Array;
  /** Per truth: whether a detection of its category found it. Crowds are never missed. */
  readonly found: Uint8Array;
}

export const RIGHT = 1;
export const WRONG = 2;
export const IGNORED = 3;
export const HIDDEN = 0;

/**
 * COCO's greedy matching within a category (see `createTally`) at one threshold, with only detections of at least
 * `minScore`. Then what is left over is paired between categories, largest overlap first: those pairs are confusions. Each
 * truth and each detection is in one pair at most, so that the rows of a confusion matrix sum up to the truths and its
 * columns to the detections. The image must have been compared `across` categories and down to `iouThreshold`.
 */
export function outcomesOf(image: ComparedImage, iouThreshold: number, minScore: number): Outcomes {
  const { crowd, truthCategory, detectionCategory, score, pairFrom, pairTruth, pairIou } = image;
  const detection = new Uint8Array(score.length);
  const truthOf = new Int32Array(score.length).fill(-1);
  const detectionOf = new Int32Array(crowd.length).fill(-1);
  const found = new Uint8Array(crowd.length);
  const least = Math.min(iouThreshold, 1 - 1e-10);
  for (let d = 0; d < score.length; d++) {
    if ((score[d] ?? 0) < minScore) continue;
    let match = -1;
    for (let pass = 0; pass < 2 && match < 0; pass++) {
      let best = least;
      for (let i = pairFrom[d] ?? 0; i < (pairFrom[d + 1] ?? 0); i++) {
        const g = pairTruth[i] ?? 0;
        if (crowd[g] !== pass || truthCategory[g] !== detectionCategory[d] || found[g] === 1) continue;
        if ((pairIou[i] ?? 0) < best) continue;
        best = pairIou[i] ?? 0;
        match = g;
      }
    }
    if (match >= 0 && crowd[match] === 1) {
      detection[d] = IGNORED;
      continue;
    }
    detection[d] = match >= 0 ? RIGHT : WRONG;
    truthOf[d] = match;
    if (match >= 0) {
      found[match] = 1;
      detectionOf[match] = d;
    }
  }

  const left: { readonly d: number; readonly g: number; readonly iou: number }[] = [];
  detection.forEach((outcome, d) => {
    if (outcome !== WRONG) return;
    for (let i = pairFrom[d] ?? 0; i < (pairFrom[d + 1] ?? 0); i++) {
      const g = pairTruth[i] ?? 0;
      const iou = pairIou[i] ?? 0;
      if (crowd[g] === 0 && truthCategory[g] !== detectionCategory[d] && detectionOf[g] === -1 && iou >= least) left.push({ d, g, iou });
    }
  });
  left.sort((a, b) => b.iou - a.iou || a.d - b.d);
  for (const { d, g } of left) {
    if (truthOf[d] !== -1 || detectionOf[g] !== -1) continue;
    truthOf[d] = g;
    detectionOf[g] = d;
  }
  return { detection, truthOf, detectionOf, found };
}

/** Right, wrong and missed per category, and which category was taken for which. */
export interface Counts {
  readonly tp: number[];
  readonly fp: number[];
  readonly fn: number[];
  ignored: number;
  /** Rows are truths, columns detections; the last of each is the background. */
  readonly confusion: number[][];
}

export function emptyCounts(categories: number): Counts {
  const zeros = (length: number): number[] => Array.from({ length }, () => 0);
  return {
    tp: zeros(categories),
    fp: zeros(categories),
    fn: zeros(categories),
    ignored: 0,
    confusion: Array.from({ length: categories + 1 }, () => zeros(categories + 1)),
  };
}

/** Adds one image's outcomes to the counts of all. */
export function addOutcomes(counts: Counts, image: ComparedImage, outcomes: Outcomes): void {
  const background = counts.tp.length;
  const add = (list: number[] | undefined, place: number): void => {
    if (list) list[place] = (list[place] ?? 0) + 1;
  };
  outcomes.detection.forEach((outcome, d) => {
    const category = image.detectionCategory[d] ?? 0;
    if (outcome === IGNORED) counts.ignored++;
    if (outcome !== RIGHT && outcome !== WRONG) return;
    add(outcome === RIGHT ? counts.tp : counts.fp, category);
    const g = outcomes.truthOf[d] ?? -1;
    add(counts.confusion[g < 0 ? background : (image.truthCategory[g] ?? 0)], category);
  });
  image.truthCategory.forEach((category, g) => {
    if (image.crowd[g] === 1 || outcomes.found[g] === 1) return;
    add(counts.fn, category);
    if ((outcomes.detectionOf[g] ?? -1) < 0) add(counts.confusion[category], background);
  });
}

import type { ComparedImage } from './compare.ts';
import type { CategoryCurves } from './figures.ts';
import { AREA_RANGES, IOU_THRESHOLDS, MOST_DETECTIONS, RECALL_CASES, RECALL_POINTS } from './figures.ts';

/** `numpy.spacing(1)`: keeps 0 / 0 from being no number. */
const EPSILON = Number.EPSILON;
/** An overlap of 1 is one, whatever rounding made of it (COCOeval `evaluateImg`). */
const THRESHOLDS = Float64Array.from(IOU_THRESHOLDS, (threshold) => Math.min(threshold, 1 - 1e-10));
const COUNT = THRESHOLDS.length;

/**
 * Adds up images, one at a time and in any order, and then gives the curves of each category. A detection takes 29 bytes;
 * nothing else of an image is kept.
 */
export interface Tally {
  add(image: ComparedImage): void;
  /** One for each category, in their order (COCOeval `accumulate`). */
  curves(): CategoryCurves[];
  /** Those of the category at this place alone: of a million detections all together take seconds. Null where there is no such place. */
  curvesOf(place: number): CategoryCurves | null;
  /** Per category: detections of any score that are kept. */
  detections(): number[];
}

export function createTally(categoryCount: number): Tally {
  const categories = Array.from({ length: categoryCount }, () => createScores());
  let taken = new Uint16Array(64);
  let ignored = new Uint8Array(64);

  return {
    add(image) {
      const truths = image.truthCategory.length;
      if (taken.length < truths) {
        taken = new Uint16Array(truths * 2);
        ignored = new Uint8Array(truths * 2);
      }
      const bits = AREA_RANGES.map((range, r) => {
        for (let g = 0; g < truths; g++) {
          const area = image.truthArea[g] ?? 0;
          ignored[g] = image.crowd[g] === 1 || area < range.least || area > range.most ? 1 : 0;
          const own = categories[image.truthCategory[g] ?? 0];
          if (own && ignored[g] === 0) own.truths[r] = (own.truths[r] ?? 0) + 1;
        }
        return match(image, range.least, range.most, taken, ignored);
      });
      let rank = 0;
      for (let d = 0; d < image.score.length; d++) {
        rank = d > 0 && image.detectionCategory[d] === image.detectionCategory[d - 1] ? rank + 1 : 0;
        categories[image.detectionCategory[d] ?? 0]?.push(image.score[d] ?? 0, image.order, rank, bits, d);
      }
    },
    curves: () => categories.map((category) => category.curves()),
    curvesOf: (place) => categories[place]?.curves() ?? null,
    detections: () => categories.map((category) => category.length()),
  };
}

/**
 * COCO's greedy matching of one image within each category (COCOeval `evaluateImg`), at all thresholds: detections by falling
 * score, each takes the free truth it overlaps most, at least the threshold; the later of equal ones; ignored truths only when
 * no other fits; a crowd takes any number. Answers with two groups of bits per detection, one bit a threshold: right (the low
 * ones) and counts neither way (the high ones). `taken` is overwritten.
 */
function match(image: ComparedImage, least: number, most: number, taken: Uint16Array, ignored: Uint8Array): Uint32Array {
  const { truthCategory, crowd, uncounted, detectionCategory, detectionArea, pairFrom, pairTruth, pairIou } = image;
  const out = new Uint32Array(detectionCategory.length);
  taken.fill(0, 0, truthCategory.length);
  const all = (1 << COUNT) - 1;
  for (let d = 0; d < out.length; d++) {
    const from = pairFrom[d] ?? 0;
    const to = pairFrom[d + 1] ?? 0;
    const area = detectionArea[d] ?? 0;
    const outside = area < least || area > most;
    let right = 0;
    let neither = outside ? all : 0;
    for (let t = 0; from < to && t < COUNT; t++) {
      const bit = 1 << t;
      let found = -1;
      for (let pass = 0; pass < 2 && found < 0; pass++) {
        let best = THRESHOLDS[t] ?? 1;
        for (let i = from; i < to; i++) {
          const g = pairTruth[i] ?? 0;
          if (ignored[g] !== pass || truthCategory[g] !== detectionCategory[d]) continue;
          if (((taken[g] ?? 0) & bit) !== 0 && crowd[g] !== 1) continue;
          const iou = pairIou[i] ?? 0;
          if (iou < best) continue;
          best = iou;
          found = g;
        }
      }
      if (found < 0) continue;
      taken[found] = (taken[found] ?? 0) | bit;
      const counted = uncounted[found] !== 1;
      if (counted) right |= bit;
      if (ignored[found] === 1) neither |= bit;
      else if (counted) neither &= ~bit;
    }
    out[d] = right | (neither << COUNT);
  }
  return out;
}

/** The detections of one category over all images, in arrays that grow. */
interface Scores {
  /** Truths that count, per size range. */
  readonly truths: number[];
  push(score: number, order: number, rank: number, bits: readonly Uint32Array[], d: number): void;
  length(): number;
  curves(): CategoryCurves;
}

function createScores(): Scores {
  const truths = AREA_RANGES.map(() => 0);
  let length = 0;
  let score = new Float64Array(16);
  let order = new Float64Array(16);
  let rank = new Uint8Array(16);
  let bits = AREA_RANGES.map(() => new Uint32Array(16));

  return {
    truths,
    length: () => length,
    push(newScore, newOrder, newRank, newBits, d) {
      if (length === score.length) {
        const more = length * 2;
        score = larger(score, new Float64Array(more));
        order = larger(order, new Float64Array(more));
        rank = larger(rank, new Uint8Array(more));
        bits = bits.map((own) => larger(own, new Uint32Array(more)));
      }
      score[length] = newScore;
      order[length] = newOrder;
      rank[length] = newRank;
      bits.forEach((own, r) => (own[length] = newBits[r]?.[d] ?? 0));
      length++;
    },
    curves() {
      // By falling score; equal ones in the order of the images, then of the image's list, as numpy's stable sort has them.
      const sorted = new Uint32Array(length).map((_, i) => i);
      sorted.sort((a, b) => (score[b] ?? 0) - (score[a] ?? 0) || (order[a] ?? 0) - (order[b] ?? 0) || (rank[a] ?? 0) - (rank[b] ?? 0));
      const precision: (number[] | null)[] = AREA_RANGES.map((_, r) => (truths[r] === 0 ? null : []));
      const recall: (number[] | null)[] = RECALL_CASES.map(([r]) => (truths[r] === 0 ? null : []));
      const curves: Float64Array[] = [];
      const scores = new Float64Array(RECALL_POINTS.length).fill(NaN);
      const walk: Walk = { recall: new Float64Array(length), precision: new Float64Array(length), at: new Uint32Array(length), length: 0 };
      RECALL_CASES.forEach(([r, limit], which) => {
        const count = truths[r] ?? 0;
        const own = bits[r];
        if (count === 0 || !own) return;
        for (let t = 0; t < COUNT; t++) {
          follow(walk, sorted, own, t, count, limit === MOST_DETECTIONS ? null : rank, limit);
          recall[which]?.push(walk.length === 0 ? 0 : (walk.recall[walk.length - 1] ?? 0));
          if (limit !== MOST_DETECTIONS) continue;
          const curve = sample(walk, r === 0 && t === 0 ? { scores, of: score } : null);
          precision[r]?.push(curve.reduce((sum, value) => sum + value, 0) / curve.length);
          if (r === 0) curves.push(curve);
        }
      });
      return { truths: [...truths], precision, recall, curves, scores };
    },
  };
}

/** Recall and precision after each detection that counts, and which it was. */
interface Walk {
  readonly recall: Float64Array;
  readonly precision: Float64Array;
  readonly at: Uint32Array;
  length: number;
}

/** `ranks`: only detections whose rank in their image is below `limit`; null for all. */
function follow(
  walk: Walk,
  sorted: Uint32Array,
  bits: Uint32Array,
  threshold: number,
  truths: number,
  ranks: Uint8Array | null,
  limit: number,
): void {
  const right = 1 << threshold;
  const neither = right << COUNT;
  let length = 0;
  let hits = 0;
  for (const i of sorted) {
    const own = bits[i] ?? 0;
    if ((own & neither) !== 0 || (ranks !== null && (ranks[i] ?? 0) >= limit)) continue;
    if ((own & right) !== 0) hits++;
    walk.recall[length] = hits / truths;
    walk.precision[length] = hits / (length + 1 + EPSILON);
    walk.at[length] = i;
    length++;
  }
  walk.length = length;
}

/** The precision at each recall point, made falling first (COCOeval `accumulate`); 0 beyond the recall that is reached. */
function sample(walk: Walk, keep: { readonly scores: Float64Array; readonly of: Float64Array } | null): Float64Array {
  const { recall, precision, length } = walk;
  for (let i = length - 1; i > 0; i--) {
    const after = precision[i] ?? 0;
    if (after > (precision[i - 1] ?? 0)) precision[i - 1] = after;
  }
  const curve = new Float64Array(RECALL_POINTS.length);
  let at = 0;
  for (const [point, wanted] of RECALL_POINTS.entries()) {
    while (at < length && (recall[at] ?? 0) < wanted) at++;
    if (at >= length) break;
    curve[point] = precision[at] ?? 0;
    if (keep) keep.scores[point] = keep.of[walk.at[at] ?? 0] ?? 0;
  }
  return curve;
}

function larger<A extends Float64Array | Uint32Array | Uint8Array>(from: A, to: A): A {
  to.set(from);
  return to;
}

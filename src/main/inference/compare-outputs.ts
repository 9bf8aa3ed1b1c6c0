import type { Comparison } from '../../shared/answers/providers.ts';
import { maskIou, mergeRle, rleArea } from '../../shared/mask/rle.ts';
import type { DecodedInstance, OutputTensor } from './families/family.ts';

/** How a model's answers are read for a comparison; a graph whose outputs are no answer yet (an encoder) has none. */
export interface Reading {
  readonly decode: (outputs: Readonly<Record<string, OutputTensor>>) => readonly DecodedInstance[];
  /** The model's own score threshold. */
  readonly threshold: number;
  /** Classes of pixels: all regions of a class count as one, since a single pixel can split one in two. */
  readonly regions: boolean;
}

/**
 * What a provider may differ by from the CPU. Half precision and TF32, which GPUs compute convolutions in,
 * move scores by some thousandths and borders by a pixel here and there; a broken kernel does not stop there.
 */
export const TOLERANCE = {
  /** An instance this far above the threshold has to be found by both. */
  sure: 0.05,
  /** Of those, at least this share; with fewer than 20 of them: all. */
  share: 0.95,
  minIou: 0.9,
  /** Masks of fewer pixels are nearly all border. */
  smallPx: 400,
  smallMinIou: 0.5,
  scoreDifference: 0.05,
  relativeRms: 0.05,
} as const;

/** The tolerance in words, for whoever reads the figures. */
export const TOLERANCE_TEXT =
  'Every instance that is clearly above the score threshold has to be found by both (of 20 and more: 95 %), with masks that overlap by ' +
  `an IoU of ${TOLERANCE.minIou} or more and scores within ${TOLERANCE.scoreDifference}. Outputs that are no instances yet, and images without ` +
  `an instance, are compared as numbers: the root mean square of the difference is at most ${100 * TOLERANCE.relativeRms} % of that of the values.`;

/**
 * Compares what two providers answered for one image. With a reading, instances decide: matched one to
 * one by class and best mask IoU. Tensors of equal shape are compared as numbers in any case.
 */
export function compareOutputs(
  cpu: Readonly<Record<string, OutputTensor>>,
  other: Readonly<Record<string, OutputTensor>>,
  reading: Reading | null,
): Comparison {
  const numbers = compareNumbers(cpu, other);
  if (reading === null) return { ...NO_INSTANCES, ...numbers };
  const { threshold, regions } = reading;
  const [mine, theirs] = [reading.decode(cpu), reading.decode(other)].map((instances) => (regions ? byClass(instances) : [...instances]));
  return { ...compareInstances(mine ?? [], theirs ?? [], threshold), ...numbers };
}

/**
 * Why a provider is refused, or null.
 * @returns `undefined` where the comparison shows nothing: no instance on the image and no number to compare.
 */
export function refusalOf(comparison: Comparison): string | null | undefined {
  const { expected, matched, extra, minIou, maxScoreDifference, maxDifference, maxRelative, relativeRms } = comparison;
  const why: string[] = [];
  if (maxDifference !== null && !Number.isFinite(maxDifference)) why.push('outputs are not finite');
  else if (expected + extra > 0) {
    if (matched < TOLERANCE.share * expected) why.push(`${expected - matched} of ${expected} instances were not found`);
    if (extra > (1 - TOLERANCE.share) * Math.max(expected, 1)) why.push(`${extra} found that the CPU has nothing of`);
    if (matched > 0 && minIou < TOLERANCE.minIou)
      why.push(`least mask IoU ${minIou.toFixed(3)}, at least ${TOLERANCE.minIou} is asked for`);
    if (maxScoreDifference > TOLERANCE.scoreDifference) {
      why.push(`scores differ by ${maxScoreDifference.toFixed(3)}, ${TOLERANCE.scoreDifference} is allowed`);
    }
  } else if (relativeRms !== null) {
    if (relativeRms > TOLERANCE.relativeRms) {
      why.push(
        `outputs differ by ${percent(relativeRms)} (root mean square), ${percent(TOLERANCE.relativeRms)} is allowed; at most ${figure(maxDifference ?? 0)}, ${percent(maxRelative ?? 0)} of the largest value`,
      );
    }
  } else return undefined;
  return why.length === 0 ? null : why.join('; ');
}

type Instances = Pick<Comparison, 'expected' | 'matched' | 'extra' | 'minIou' | 'maxScoreDifference'>;
type Numbers = Pick<Comparison, 'maxDifference' | 'maxRelative' | 'relativeRms'>;

const NO_INSTANCES: Instances = { expected: 0, matched: 0, extra: 0, minIou: 1, maxScoreDifference: 0 };

function compareInstances(mine: readonly DecodedInstance[], theirs: readonly DecodedInstance[], threshold: number): Instances {
  const sure = threshold + TOLERANCE.sure;
  const pairs = mine
    .flatMap((expected, i) =>
      theirs.flatMap((found, j) => (found.label === expected.label ? [{ i, j, iou: maskIou(expected.rle, found.rle) }] : [])),
    )
    .filter(({ iou }) => iou >= TOLERANCE.smallMinIou)
    .sort((a, b) => b.iou - a.iou);
  const left = new Map<number, { readonly j: number; readonly iou: number }>();
  const taken = new Set<number>();
  for (const { i, j, iou } of pairs) {
    if (left.has(i) || taken.has(j)) continue;
    left.set(i, { j, iou });
    taken.add(j);
  }
  let [expected, matched, minIou, maxScoreDifference] = [0, 0, 1, 0];
  for (const [i, instance] of mine.entries()) {
    if (instance.score < sure) continue;
    expected++;
    const match = left.get(i);
    const found = match === undefined ? undefined : theirs[match.j];
    if (match === undefined || found === undefined) continue;
    matched++;
    maxScoreDifference = Math.max(maxScoreDifference, Math.abs(instance.score - found.score));
    if (rleArea(instance.rle) >= TOLERANCE.smallPx) minIou = Math.min(minIou, match.iou);
  }
  const extra = theirs.filter((found, j) => found.score >= sure && !taken.has(j)).length;
  return { expected, matched, extra, minIou, maxScoreDifference };
}

/** One instance a class, of all its regions, surely there. */
function byClass(instances: readonly DecodedInstance[]): DecodedInstance[] {
  const classes = new Map<string, DecodedInstance[]>();
  for (const instance of instances) classes.set(instance.label, [...(classes.get(instance.label) ?? []), instance]);
  return [...classes.values()].flatMap((parts) => {
    const [first] = parts;
    if (first === undefined) return [];
    const rle = mergeRle(
      parts.map((part) => part.rle),
      'union',
    );
    // A few pixels of a class may be there or not.
    return rleArea(rle) < TOLERANCE.smallPx ? [] : [{ ...first, score: Number.MAX_VALUE, rle }];
  });
}

function compareNumbers(cpu: Readonly<Record<string, OutputTensor>>, other: Readonly<Record<string, OutputTensor>>): Numbers {
  let compared = false;
  let [maxDifference, maxRelative, relativeRms] = [0, 0, 0];
  for (const [name, mine] of Object.entries(cpu)) {
    const theirs = other[name];
    if (!(mine.data instanceof Float32Array) || !(theirs?.data instanceof Float32Array)) continue;
    if (mine.data.length === 0 || mine.dims.join() !== theirs.dims.join()) continue;
    compared = true;
    const { worst, largest, squares, values } = differenceOf(mine.data, theirs.data);
    maxDifference = Math.max(maxDifference, worst);
    maxRelative = Math.max(maxRelative, share(worst, largest));
    relativeRms = Math.max(relativeRms, share(Math.sqrt(squares), Math.sqrt(values)));
  }
  return compared ? { maxDifference, maxRelative, relativeRms } : { maxDifference: null, maxRelative: null, relativeRms: null };
}

/** A value that is not finite on one side only differs without bounds; where the CPU's is not either, nothing can be said of it. */
function differenceOf(a: Float32Array, b: Float32Array): { worst: number; largest: number; squares: number; values: number } {
  let [worst, largest, squares, values] = [0, 0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] ?? 0, b[i] ?? 0];
    if (!Number.isFinite(x)) continue;
    const difference = Number.isFinite(y) ? Math.abs(x - y) : Number.POSITIVE_INFINITY;
    worst = Math.max(worst, difference);
    largest = Math.max(largest, Math.abs(x));
    squares += difference * difference;
    values += x * x;
  }
  return { worst, largest, squares, values };
}

function share(part: number, whole: number): number {
  return part === 0 ? 0 : part / Math.max(whole, Number.EPSILON);
}

function percent(value: number): string {
  return `${figure(100 * value)} %`;
}

function figure(value: number): string {
  return Number(value.toPrecision(3)).toString();
}

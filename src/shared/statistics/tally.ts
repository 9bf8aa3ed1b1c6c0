import type { RangeCount } from '../answers/statistics.ts';
import type { Range } from './ranges.ts';
import { AREA_RANGES, COUNT_RANGES, HEAT_CELLS, heatCell, PAUSE_MS, rangeIndex, RATIO_RANGES, SIZES, TIME_RANGES } from './ranges.ts';

/** What counts of an instance: pixels filled, and their box. */
export interface TallyInstance {
  readonly labelId: number;
  readonly crowd: boolean;
  readonly area: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface LabelTally {
  instances: number;
  images: number;
  crowds: number;
  /** By `SIZES`. */
  readonly sizes: number[];
}

/** Counts instances image by image; memory does not grow with them. */
export interface Tally {
  /** All instances of one image of `width` × `height` pixels. Call it for each image once, also without any. */
  image(width: number, height: number, instances: readonly TallyInstance[]): void;
  /** By label. */
  readonly labels: ReadonlyMap<number, LabelTally>;
  readonly annotated: number;
  readonly instances: number;
  readonly crowds: number;
  sizes(): RangeCount[];
  areas(): RangeCount[];
  ratios(): RangeCount[];
  perImage(): RangeCount[];
  /** Row by row. */
  heat(): number[];
}

export function counted(ranges: readonly Range[], counts: ArrayLike<number>): RangeCount[] {
  return ranges.map(({ from, to }, i) => ({ from, to, count: counts[i] ?? 0 }));
}

/** With `only`, everything but `labels` counts instances of that class alone. */
export function createTally(only: number | null): Tally {
  const labels = new Map<number, LabelTally>();
  const sizes = new Float64Array(SIZES.length);
  const areas = new Float64Array(AREA_RANGES.length);
  const ratios = new Float64Array(RATIO_RANGES.length);
  const perImage = new Float64Array(COUNT_RANGES.length);
  const heat = new Float64Array(HEAT_CELLS * HEAT_CELLS);
  const add = (counts: Float64Array, i: number): void => void (counts[i] = (counts[i] ?? 0) + 1);
  let annotated = 0;
  let total = 0;
  let crowds = 0;
  /** Labels seen on the image of now. */
  const here = new Set<number>();

  function labelOf(labelId: number): LabelTally {
    let label = labels.get(labelId);
    if (!label) labels.set(labelId, (label = { instances: 0, images: 0, crowds: 0, sizes: SIZES.map(() => 0) }));
    return label;
  }

  return {
    labels,
    get annotated() {
      return annotated;
    },
    get instances() {
      return total;
    },
    get crowds() {
      return crowds;
    },
    image(width, height, instances) {
      here.clear();
      let count = 0;
      for (const one of instances) {
        const label = labelOf(one.labelId);
        const size = rangeIndex(SIZES, one.area);
        label.instances += 1;
        label.sizes[size] = (label.sizes[size] ?? 0) + 1;
        if (one.crowd) label.crowds += 1;
        here.add(one.labelId);
        if (only !== null && one.labelId !== only) continue;
        count += 1;
        if (one.crowd) crowds += 1;
        add(sizes, size);
        add(areas, rangeIndex(AREA_RANGES, one.area));
        if (one.height <= 0 || width <= 0 || height <= 0) continue;
        add(ratios, rangeIndex(RATIO_RANGES, one.width / one.height));
        add(heat, heatCell(one.y + one.height / 2, height) * HEAT_CELLS + heatCell(one.x + one.width / 2, width));
      }
      for (const labelId of here) labelOf(labelId).images += 1;
      total += count;
      if (count > 0) annotated += 1;
      add(perImage, rangeIndex(COUNT_RANGES, count));
    },
    sizes: () => counted(SIZES, sizes),
    areas: () => counted(AREA_RANGES, areas),
    ratios: () => counted(RATIO_RANGES, ratios),
    perImage: () => counted(COUNT_RANGES, perImage),
    heat: () => [...heat],
  };
}

/** A change of an image, in the order of its revisions. */
export interface TallyChange {
  readonly imageId: number;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** Instances that it added. */
  readonly added: number;
}

/** Work, as the journal tells it. The time before an image's first change is not known and counts as none. */
export interface TimeTally {
  change(change: TallyChange): void;
  result(): {
    readonly images: number;
    readonly totalMs: number;
    readonly medianMsPerInstance: number | null;
    readonly timedInstances: number;
    readonly perImage: RangeCount[];
  };
}

/** Give it the changes image by image. */
export function createTimeTally(): TimeTally {
  const perImage = new Float64Array(TIME_RANGES.length);
  /** Milliseconds per instance, and how many instances took that long. */
  const paces: [ms: number, instances: number][] = [];
  let images = 0;
  let totalMs = 0;
  let imageId: number | null = null;
  let before = 0;
  let changes = 0;
  let spent = 0;

  function close(): void {
    if (changes < 2) return;
    images += 1;
    totalMs += spent;
    const i = rangeIndex(TIME_RANGES, spent);
    perImage[i] = (perImage[i] ?? 0) + 1;
  }

  return {
    change(change) {
      if (change.imageId === imageId) {
        // A clock that was set back takes no time away.
        const pause = Math.min(PAUSE_MS, Math.max(0, change.atMs - before));
        spent += pause;
        changes += 1;
        if (change.added > 0) paces.push([pause / change.added, change.added]);
      } else {
        close();
        imageId = change.imageId;
        spent = 0;
        changes = 1;
      }
      before = change.atMs;
    },
    result() {
      close();
      imageId = null;
      changes = 0;
      const timedInstances = paces.reduce((sum, [, instances]) => sum + instances, 0);
      return { images, totalMs, timedInstances, medianMsPerInstance: weightedMedian(paces), perImage: counted(TIME_RANGES, perImage) };
    },
  };
}

/** The value that half of the weight is at or below; null without any. */
function weightedMedian(values: [value: number, weight: number][]): number | null {
  values.sort((a, b) => a[0] - b[0]);
  const half = values.reduce((sum, [, weight]) => sum + weight, 0) / 2;
  let sum = 0;
  for (const [value, weight] of values) {
    sum += weight;
    if (sum >= half) return value;
  }
  return null;
}

import { seededRandom } from '../scenes/random.ts';

/** What is put into one part as a whole: an image, or a group of images that belong together. */
export interface Unit {
  /** Number of images; positive. */
  readonly images: number;
  /** Images that show a class, by class; empty to leave classes out of it. */
  readonly labels: ReadonlyMap<number, number>;
  /** Instances, by class; the same classes. */
  readonly instances: ReadonlyMap<number, number>;
  /** Index of the part that it is in already, or -1. */
  readonly fixed: number;
}

/**
 * Divides units so that each part gets its share of the images, and of the images of each class: iterative
 * stratification (Sechidis, Tsoumakas & Vlahavas, "On the Stratification of Multi-Label Data", ECML PKDD 2011,
 * algorithm 1), with units weighed by their images. The rarest class left is divided first, each unit going where most
 * of that class is wanted, then where most images are wanted, then by chance. What is left of differences, in images, in
 * images of a class and in its instances, is then lessened by moving single units (`settle`). Parts without a share get
 * nothing; fixed units stay and are counted in.
 *
 * Answers with the index of a part for each unit. The same units, shares and seed give the same answer. Throws
 * RangeError where no share is positive.
 */
export function stratify(units: readonly Unit[], shares: readonly number[], seed: number): Int32Array {
  const sum = shares.reduce((total, share) => total + Math.max(0, share), 0);
  if (!(sum > 0)) throw new RangeError('stratify: no share is positive');
  const random = seededRandom(seed);
  const open = shares.flatMap((share, part) => (share > 0 ? [part] : []));
  const parts = new Int32Array(units.length).fill(-1);
  /** Images still wanted, by part; and of each class, by class and part. */
  const wanted = new Float64Array(shares.length);
  const wantedOf = new Map<number, Float64Array>();
  /** Units by class, in a random order. */
  const unitsOf = new Map<number, number[]>();
  const leftOf = new Map<number, number>();

  for (const unit of units) {
    for (const part of open) wanted[part] = (wanted[part] ?? 0) + (unit.images * (shares[part] ?? 0)) / sum;
    for (const [label, images] of unit.labels) {
      let want = wantedOf.get(label);
      if (!want) wantedOf.set(label, (want = new Float64Array(shares.length)));
      for (const part of open) want[part] = (want[part] ?? 0) + (images * (shares[part] ?? 0)) / sum;
    }
  }

  function take(u: number, part: number): void {
    const unit = units[u];
    if (!unit) return;
    parts[u] = part;
    wanted[part] = (wanted[part] ?? 0) - unit.images;
    for (const [label, images] of unit.labels) {
      const want = wantedOf.get(label);
      if (want) want[part] = (want[part] ?? 0) - images;
      leftOf.set(label, (leftOf.get(label) ?? 0) - 1);
    }
  }

  const order = shuffled(units.length, random.next);
  for (const u of order) {
    for (const label of units[u]?.labels.keys() ?? []) {
      const list = unitsOf.get(label);
      if (list) list.push(u);
      else unitsOf.set(label, [u]);
      leftOf.set(label, (leftOf.get(label) ?? 0) + 1);
    }
  }
  units.forEach((unit, u) => {
    if (unit.fixed >= 0) take(u, unit.fixed);
  });

  /** The part that wants most, first by `want`, then by images, then by chance. */
  function neediest(want: Float64Array | null): number {
    let best: number[] = [];
    for (const part of open) {
      const first = best[0];
      const by = first === undefined ? 1 : compare(want, part, first) || compare(wanted, part, first);
      if (by > 0) best = [part];
      else if (by === 0) best.push(part);
    }
    return best[best.length === 1 ? 0 : Math.floor(random.next() * best.length)] ?? open[0] ?? 0;
  }

  for (let label = rarest(leftOf); label !== null; label = rarest(leftOf)) {
    const want = wantedOf.get(label) ?? null;
    const waiting = (unitsOf.get(label) ?? []).filter((u) => parts[u] === -1);
    // A large group fits only while much is wanted.
    const of = label;
    waiting.sort((a, b) => (units[b]?.labels.get(of) ?? 0) - (units[a]?.labels.get(of) ?? 0));
    for (const u of waiting) take(u, neediest(want));
    leftOf.delete(label);
  }
  const rest = order.filter((u) => parts[u] === -1).sort((a, b) => (units[b]?.images ?? 0) - (units[a]?.images ?? 0));
  for (const u of rest) take(u, neediest(null));
  settle(units, shares, parts, order);
  return parts;
}

/** Passes over all units; fewer when nothing moves any more. */
const MOST_PASSES = 12;

/**
 * Moves units to other parts while that lessens the sum of squared differences from what the shares ask for, each
 * relative to its total: of each class its images and its instances, and of all images and instances, which weigh as
 * much as several classes do.
 */
function settle(units: readonly Unit[], shares: readonly number[], parts: Int32Array, order: readonly number[]): void {
  const open = shares.flatMap((share, part) => (share > 0 ? [part] : []));
  const sum = open.reduce((total, part) => total + (shares[part] ?? 0), 0);
  const images = createBalance(shares, sum);
  const instances = createBalance(shares, sum);
  const countOf = units.map((unit) => [...unit.instances.values()].reduce((total, weight) => total + weight, 0));
  const labelImages = new Map<number, Balance>();
  const labelInstances = new Map<number, Balance>();
  const of = (balances: Map<number, Balance>, label: number): Balance => {
    let balance = balances.get(label);
    if (!balance) balances.set(label, (balance = createBalance(shares, sum)));
    return balance;
  };
  units.forEach((unit, u) => {
    const part = parts[u] ?? -1;
    images.add(part, unit.images);
    instances.add(part, countOf[u] ?? 0);
    for (const [label, weight] of unit.labels) of(labelImages, label).add(part, weight);
    for (const [label, weight] of unit.instances) of(labelInstances, label).add(part, weight);
  });
  const wholeWeight = Math.max(4, labelImages.size / 2);

  for (let pass = 0, moved = true; pass < MOST_PASSES && moved; pass++) {
    moved = false;
    for (const u of order) {
      const unit = units[u];
      if (!unit || unit.fixed >= 0) continue;
      const from = parts[u] ?? -1;
      let best = from;
      let least = -1e-9;
      for (const to of open) {
        if (to === from) continue;
        let change = wholeWeight * (images.change(from, to, unit.images) + instances.change(from, to, countOf[u] ?? 0));
        for (const [label, weight] of unit.labels) change += of(labelImages, label).change(from, to, weight);
        for (const [label, weight] of unit.instances) change += of(labelInstances, label).change(from, to, weight);
        if (change < least) [least, best] = [change, to];
      }
      if (best === from) continue;
      moved = true;
      parts[u] = best;
      images.move(from, best, unit.images);
      instances.move(from, best, countOf[u] ?? 0);
      for (const [label, weight] of unit.labels) of(labelImages, label).move(from, best, weight);
      for (const [label, weight] of unit.instances) of(labelInstances, label).move(from, best, weight);
    }
  }
}

/** How far each part is above its share of one quantity. */
interface Balance {
  add(part: number, weight: number): void;
  /** By how much moving so much changes the sum of squared differences over the total. */
  change(from: number, to: number, weight: number): number;
  move(from: number, to: number, weight: number): void;
}

function createBalance(shares: readonly number[], sum: number): Balance {
  const has = new Float64Array(shares.length);
  let total = 0;
  const above = (part: number): number => (has[part] ?? 0) - (total * Math.max(0, shares[part] ?? 0)) / sum;
  const give = (part: number, weight: number): void => void (has[part] = (has[part] ?? 0) + weight);
  return {
    add(part, weight) {
      give(part, weight);
      total += weight;
    },
    // (b + w)² - b² + (a - w)² - a²
    change: (from, to, weight) => (total === 0 ? 0 : (2 * weight * (above(to) - above(from) + weight)) / total),
    move(from, to, weight) {
      give(from, -weight);
      give(to, weight);
    },
  };
}

/** Above 0 where `a` has more than `b`; differences of rounding count as none. */
function compare(values: Float64Array | null, a: number, b: number): number {
  if (!values) return 0;
  const difference = (values[a] ?? 0) - (values[b] ?? 0);
  return Math.abs(difference) < 1e-9 ? 0 : difference;
}

/** The class with the fewest units left, the lowest id of several; null when none has any. */
function rarest(leftOf: ReadonlyMap<number, number>): number | null {
  let found: number | null = null;
  let fewest = Infinity;
  for (const [label, left] of leftOf) {
    if (left > 0 && (left < fewest || (left === fewest && label < (found ?? Infinity)))) {
      found = label;
      fewest = left;
    }
  }
  return found;
}

/** 0 to n - 1 in a random order (Fisher and Yates; Durstenfeld, CACM 1964). `next` answers a number in [0, 1). */
function shuffled(n: number, next: () => number): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    const a = order[i] ?? 0;
    order[i] = order[j] ?? 0;
    order[j] = a;
  }
  return order;
}

import type { Breath } from './formats/breath.ts';

/** Items sorted at once: some milliseconds. */
const SLICE = 2048;

/**
 * What `[...items].sort(compare)` answers, equal ones in their order, without holding the thread: hundreds of thousands of paths
 * take a second. Throws as the breath.
 */
export async function sortInSteps<T>(items: readonly T[], compare: (a: T, b: T) => number, breath: Breath): Promise<T[]> {
  let runs: T[][] = [];
  for (let start = 0; start < items.length; start += SLICE) {
    runs.push(items.slice(start, start + SLICE).sort(compare));
    if (breath.due()) await breath.take();
  }
  while (runs.length > 1) {
    const longer: T[][] = [];
    for (let i = 0; i < runs.length; i += 2) longer.push(await merged(runs[i] ?? [], runs[i + 1] ?? [], compare, breath));
    runs = longer;
  }
  return runs[0] ?? [];
}

async function merged<T>(a: readonly T[], b: readonly T[], compare: (a: T, b: T) => number, breath: Breath): Promise<T[]> {
  const out: T[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const end = out.length + SLICE;
    while (out.length < end && (i < a.length || j < b.length)) {
      const [first, second] = [a[i], b[j]];
      if (j >= b.length || (i < a.length && compare(first as T, second as T) <= 0)) {
        out.push(first as T);
        i++;
      } else {
        out.push(second as T);
        j++;
      }
    }
    if (breath.due()) await breath.take();
  }
  return out;
}

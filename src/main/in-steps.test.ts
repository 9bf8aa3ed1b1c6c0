import { expect, it } from 'vitest';
import { seededRandom } from '../shared/scenes/random.ts';
import { createBreath } from './formats/breath.ts';
import { sortInSteps } from './in-steps.ts';

it.each([0, 1, 2047, 2048, 2049, 4096, 10_001, 30_000])('sorts %i as sort does, equal ones in their order', async (count) => {
  const random = seededRandom(count + 1);
  const items = Array.from({ length: count }, (_, at) => ({ at, value: random.integer(0, 1 + (count >> 2)) }));
  const compare = (a: { value: number }, b: { value: number }): number => a.value - b.value;
  const before = [...items];
  expect(await sortInSteps(items, compare, createBreath())).toEqual([...items].sort(compare));
  expect(items).toEqual(before);
});

it('lets others through, and stops when it is told to', async () => {
  const abort = new AbortController();
  const breath = createBreath(abort.signal);
  const sorting = sortInSteps(
    Array.from({ length: 100_000 }, (_, i) => (i * 7919) % 100_003),
    (a, b) => a - b,
    { due: () => true, take: () => breath.take() },
  );
  setImmediate(() => abort.abort(new Error('enough')));
  await expect(sorting).rejects.toThrow('enough');
});

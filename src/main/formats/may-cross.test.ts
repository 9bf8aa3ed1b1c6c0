import { expect, it } from 'vitest';
import { isSelfCrossing } from '../../shared/geometry/crossing.ts';
import { seededRandom } from '../../shared/scenes/random.ts';
import { contentHash } from './content-hash.ts';
import { mayCross } from './may-cross.ts';

it('never passes a ring that crosses itself, and passes most of those that do not', () => {
  const random = seededRandom(7);
  const next = (): number => random.range(0, 1);
  let [crossing, asked, simple] = [0, 0, 0];
  for (let i = 0; i < 4000; i++) {
    const points = 3 + Math.floor(next() * 12);
    // On a coarse grid, so that rings often touch; or star-shaped, so that they do not cross.
    const ring =
      i % 2 === 0
        ? Array.from({ length: 2 * points }, () => Math.floor(next() * 7))
        : Array.from({ length: points }, (_, k) => [k, 3 + 20 * next()] as const).flatMap(([k, r]) => {
            const angle = (2 * Math.PI * k) / points;
            return [30 + r * Math.cos(angle), 30 + r * Math.sin(angle)];
          });
    const crosses = isSelfCrossing(ring);
    const may = mayCross(ring);
    if (crosses) {
      crossing++;
      expect(may, ring.join()).toBe(true);
    } else if (i % 2 === 1) {
      simple++;
      if (may) asked++;
    }
  }
  expect(crossing).toBeGreaterThan(500);
  expect(asked).toBeLessThan(simple / 50);
});

it('hashes equal values to equal numbers, and others apart', () => {
  const value = { size: [3, 4], counts: 'abc' };
  expect(contentHash(value, [1.5])).toBe(contentHash({ ...value }, [1.5]));
  const seen = new Set<number>();
  for (let i = 0; i < 20_000; i++) seen.add(contentHash([[i % 100, Math.floor(i / 100) + 0.1, 3]], i % 2 === 0));
  expect(seen.size).toBe(20_000);
  expect(new Set([[], [[]], '', 0, null, true, false, {}, [0], ['0']].map((v) => contentHash(v))).size).toBe(10);
});

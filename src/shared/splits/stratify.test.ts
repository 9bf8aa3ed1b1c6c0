import { describe, expect, it } from 'vitest';
import { seededRandom } from '../scenes/random.ts';
import type { Unit } from './stratify.ts';
import { stratify } from './stratify.ts';

const SHARES = [70, 15, 15];

/** Images with several classes, from common to rare. */
function photos(count: number, classes: number, seed: number): Unit[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => {
    const labels = new Map<number, number>();
    for (let label = 1; label <= classes; label++) if (random.chance(0.7 / label ** 1.3)) labels.set(label, 1);
    return { images: 1, labels, instances: labels, fixed: -1 };
  });
}

function sums(units: readonly Unit[], parts: Int32Array, label: number | null): number[] {
  const sum = SHARES.map(() => 0);
  units.forEach((unit, i) => {
    const part = parts[i] ?? -1;
    sum[part] = (sum[part] ?? 0) + (label === null ? unit.images : (unit.labels.get(label) ?? 0));
  });
  return sum;
}

describe('stratify', () => {
  it('gives every part its share of the images and of every class, the rare ones too', () => {
    for (const seed of [1, 2, 3]) {
      const units = photos(1000, 20, seed);
      const parts = stratify(units, SHARES, seed);
      const images = sums(units, parts, null);
      SHARES.forEach((share, i) => expect(Math.abs((images[i] ?? 0) - share * 10)).toBeLessThanOrEqual(2));
      for (let label = 1; label <= 20; label++) {
        const found = sums(units, parts, label);
        const total = found.reduce((a, b) => a + b, 0);
        // Within two images of the exact share; what chance does is several times that.
        found.forEach((n, i) => expect(Math.abs(n - (total * (SHARES[i] ?? 0)) / 100), `class ${label}`).toBeLessThanOrEqual(2.5));
      }
    }
  });

  it('balances instances where some images have many', () => {
    const random = seededRandom(8);
    const units = Array.from({ length: 80 }, (): Unit => {
      const label = random.integer(1, 10);
      return { images: 1, labels: new Map([[label, 1]]), instances: new Map([[label, Math.ceil(30 * random.next() ** 4)]]), fixed: -1 };
    });
    const parts = stratify(units, SHARES, 1);
    const all = [0, 0, 0];
    units.forEach((unit, i) => unit.instances.forEach((n) => (all[parts[i] ?? 0] = (all[parts[i] ?? 0] ?? 0) + n)));
    const total = all.reduce((a, b) => a + b, 0);
    all.forEach((n, i) => expect(Math.abs(n / total - (SHARES[i] ?? 0) / 100)).toBeLessThanOrEqual(0.06));
    sums(units, parts, null).forEach((n, i) => expect(Math.abs(n - (80 * (SHARES[i] ?? 0)) / 100)).toBeLessThanOrEqual(3));
  });

  it('divides images without classes by their shares to one image', () => {
    const units = Array.from({ length: 101 }, (): Unit => ({ images: 1, labels: new Map(), instances: new Map(), fixed: -1 }));
    expect(sums(units, stratify(units, SHARES, 7), null).map((n, i) => Math.abs(n - (101 * (SHARES[i] ?? 0)) / 100) <= 1)).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('answers the same for the same seed, and otherwise for another', () => {
    const units = photos(200, 6, 9);
    expect(stratify(units, SHARES, 4)).toEqual(stratify(units, SHARES, 4));
    expect(stratify(units, SHARES, 4)).not.toEqual(stratify(units, SHARES, 5));
  });

  it('leaves fixed units where they are, fills what is wanted beside them, and a part without a share empty', () => {
    const units = photos(300, 5, 2).map((unit, i): Unit => ({ ...unit, fixed: i < 100 ? 0 : -1 }));
    const parts = stratify(units, [50, 50, 0], 1);
    expect([...parts.slice(0, 100)].every((part) => part === 0)).toBe(true);
    const images = sums(units, parts, null);
    expect(images[2]).toBe(0);
    expect(Math.abs((images[0] ?? 0) - 150)).toBeLessThanOrEqual(3);
    expect(() => stratify(units, [0, 0], 1)).toThrow('no share');
  });

  it('puts large groups where they fit', () => {
    const random = seededRandom(3);
    const units = Array.from({ length: 60 }, (): Unit => {
      const images = random.integer(1, 12);
      const labels = new Map([[random.integer(1, 3), images]]);
      return { images, labels, instances: labels, fixed: -1 };
    });
    const parts = stratify(units, SHARES, 1);
    const total = units.reduce((sum, unit) => sum + unit.images, 0);
    sums(units, parts, null).forEach((n, i) => expect(Math.abs(n - (total * (SHARES[i] ?? 0)) / 100)).toBeLessThanOrEqual(12));
  });
});

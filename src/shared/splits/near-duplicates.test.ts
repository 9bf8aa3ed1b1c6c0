import { describe, expect, it } from 'vitest';
import { seededRandom } from '../scenes/random.ts';
import { HASH_BYTES, HASH_FIELDS, hashDistance, hashOf, nearGroups } from './near-duplicates.ts';

function noise(seed: number): number[] {
  const random = seededRandom(seed);
  return Array.from({ length: HASH_FIELDS ** 2 }, () => Math.floor(random.next() * 200));
}

describe('the hash of a picture', () => {
  it('bears brightness and contrast, and tells other pictures apart', () => {
    const grey = noise(1);
    expect(hashDistance(hashOf(grey), hashOf(grey.map((v) => Math.round(v * 0.6 + 30))))).toBeLessThanOrEqual(6);
    const distances = Array.from({ length: 40 }, (_, i) => hashDistance(hashOf(grey), hashOf(noise(i + 2))));
    expect(Math.min(...distances)).toBeGreaterThan(32);
  });

  it('is all zeros for a plain one', () => {
    expect(hashOf(noise(1).map((v) => 100 + (v % 9)))).toEqual(new Uint8Array(HASH_BYTES));
  });
});

describe('groups of near-duplicates', () => {
  it('are those that comparing every pair finds, and plain pictures stay alone', () => {
    const random = seededRandom(11);
    for (const bits of [0, 5, 14, 32]) {
      const hashes: Uint8Array[] = [];
      for (let i = 0; i < 60; i++) {
        const first = Uint8Array.from({ length: HASH_BYTES }, () => random.integer(0, 255));
        hashes.push(first);
        for (let copy = random.integer(0, 2); copy > 0; copy--) {
          const other = first.slice();
          for (let flip = random.integer(0, 18); flip > 0; flip--) {
            const bit = random.integer(0, 127);
            other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7));
          }
          hashes.push(other);
        }
      }
      hashes.push(new Uint8Array(HASH_BYTES), new Uint8Array(HASH_BYTES));
      const flat = new Uint8Array(hashes.length * HASH_BYTES);
      hashes.forEach((hash, i) => flat.set(hash, i * HASH_BYTES));
      const { group, plain } = nearGroups(flat, bits);
      expect(plain).toBe(2);

      // Every pair, and whatever links them: labels spread until nothing changes.
      const expected = hashes.map((_, i) => i);
      for (let changed = true; changed;) {
        changed = false;
        for (let i = 0; i < hashes.length - 2; i++) {
          for (let j = 0; j < hashes.length - 2; j++) {
            const [a, b] = [hashes[i], hashes[j]];
            if (!a || !b || hashDistance(a, b) > bits) continue;
            if ((expected[j] ?? 0) < (expected[i] ?? 0)) {
              expected[i] = expected[j] ?? 0;
              changed = true;
            }
          }
        }
      }
      expect([...group]).toEqual(expected);
    }
  });
});

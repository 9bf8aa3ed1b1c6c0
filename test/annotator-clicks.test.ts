import { expect, it } from 'vitest';
import { seededRandom } from '../src/shared/scenes/random.ts';
import { deepest, nextClick } from '../bench/annotator-clicks.ts';

it('finds the deepest point as a search over all pixels does', () => {
  const [width, height] = [23, 17];
  for (let seed = 1; seed <= 30; seed++) {
    const random = seededRandom(seed);
    const region = Uint8Array.from({ length: width * height }, () => (random.next() < 0.85 ? 1 : 0));
    let best = 0;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        if (!region[y * width + x]) continue;
        let nearest = Infinity;
        for (let v = -1; v <= height; v++) {
          for (let u = -1; u <= width; u++) {
            const inside = u >= 0 && v >= 0 && u < width && v < height && region[v * width + u];
            if (!inside) nearest = Math.min(nearest, Math.hypot(u - x, v - y));
          }
        }
        best = Math.max(best, nearest);
      }
    }
    expect(deepest(region, width, height).distance).toBeCloseTo(best, 9);
  }
});

it('clicks into what is missing, then into what is too much, and not where nothing is wrong', () => {
  const [width, height] = [40, 30];
  const square = (x: number, y: number, side: number): Uint8Array =>
    Uint8Array.from({ length: width * height }, (_, i) => {
      const [u, v] = [i % width, Math.floor(i / width)];
      return u >= x && u < x + side && v >= y && v < y + side ? 1 : 0;
    });
  const truth = square(5, 5, 11);
  expect(nextClick(truth, new Uint8Array(width * height), width, height)).toEqual({ x: 10.5, y: 10.5, positive: true });
  const both = truth.map((value, i) => value || square(25, 10, 9)[i] || 0);
  expect(nextClick(truth, both, width, height)).toEqual({ x: 29.5, y: 14.5, positive: false });
  expect(nextClick(truth, truth, width, height)).toBeNull();
});

import { describe, expect, it } from 'vitest';
import type { Bitmap } from '../mask/bitmap.ts';
import { signedDistance } from './distance.ts';
import { foreground } from './foreground.ts';
import { matte } from './matte.ts';
import { knownScene } from './scene.test-support.ts';

const meanSquare = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] ?? 0) - (b[i] ?? 0)) ** 2;
  return sum / a.length;
};

describe('signedDistance', () => {
  it('is the distance to the nearest pixel of the other side, by trying all', () => {
    const [width, height] = [23, 17];
    const data = Uint8Array.from({ length: width * height }, (_, i) => (((i * 7919) ^ (i >> 3)) % 5 < 2 ? 1 : 0));
    const distance = signedDistance({ width, height, data });
    for (let i = 0; i < data.length; i++) {
      let nearest = Infinity;
      for (let j = 0; j < data.length; j++) {
        if (data[j] !== data[i])
          nearest = Math.min(nearest, Math.hypot((i % width) - (j % width), Math.floor(i / width) - Math.floor(j / width)));
      }
      expect(distance[i]).toBeCloseTo((nearest - 0.5) * (data[i] === 1 ? 1 : -1), 4);
    }
  });

  it('sees no border where the image ends', () => {
    const distance = signedDistance({ width: 4, height: 3, data: new Uint8Array(12).fill(1) });
    expect([...distance]).toEqual(Array(12).fill(Infinity));
  });
});

describe('matte', () => {
  const scene = knownScene();
  const mask: Bitmap = { width: scene.width, height: scene.height, data: scene.mask };

  it('is the mask itself with a hard edge', () => {
    expect([...matte(scene.rgb, mask, 0)]).toEqual([...scene.mask]);
  });

  it('is exactly 1 and 0 beyond the band', () => {
    const soft = 6;
    const alpha = matte(scene.rgb, mask, soft);
    const distance = signedDistance(mask);
    const beyond = [...alpha.keys()].filter((i) => Math.abs(distance[i] ?? 0) >= soft);
    expect(beyond.length).toBeGreaterThan(1000);
    for (const i of beyond) expect(alpha[i]).toBe(scene.mask[i]);
  });

  it('finds the true alpha of a composite, far better than the mask or a blur of it', () => {
    const soft = 6;
    const error = meanSquare(matte(scene.rgb, mask, soft), scene.alpha);
    const ramp = Float32Array.from(signedDistance(mask), (d) => Math.min(1, Math.max(0, 0.5 + d / (2 * soft))));
    expect(error).toBeLessThan(meanSquare(scene.mask, scene.alpha) / 20);
    expect(error).toBeLessThan(meanSquare(ramp, scene.alpha) / 20);
  });

  it('follows a model where it hesitates, also beyond the band', () => {
    // The model is sure but for a wide, blurred border: what it says is a half-sized picture of the truth.
    const said = Uint8Array.from(scene.alpha, (_, i) => {
      const [x, y] = [i % scene.width, Math.floor(i / scene.width)];
      let sum = 0;
      for (let dy = -3; dy <= 3; dy++)
        for (let dx = -3; dx <= 3; dx++)
          sum +=
            scene.alpha[Math.min(scene.height - 1, Math.max(0, y + dy)) * scene.width + Math.min(scene.width - 1, Math.max(0, x + dx))] ??
            0;
      return Math.round((sum / 49) * 255);
    });
    const rough: Bitmap = { ...mask, data: Uint8Array.from(said, (value) => (value >= 128 ? 1 : 0)) };
    const blurred = meanSquare(
      Float32Array.from(said, (value) => value / 255),
      scene.alpha,
    );
    expect(meanSquare(matte(scene.rgb, rough, 1, said), scene.alpha)).toBeLessThan(blurred / 5);
  });

  it('shares every pixel between the object and the rest', () => {
    const rest = { ...mask, data: mask.data.map((value) => 1 - value) };
    const object = matte(scene.rgb, mask, 5);
    const other = matte(scene.rgb, rest, 5);
    for (let i = 0; i < object.length; i++) expect((object[i] ?? 0) + (other[i] ?? 0)).toBeCloseTo(1, 2);
  });

  it('keeps an object whole where the frame cuts it', () => {
    const data = new Uint8Array(40 * 30);
    for (let y = 0; y < 30; y++) data.fill(1, y * 40, y * 40 + 20);
    const rgb = new Uint8Array(40 * 30 * 3);
    for (let i = 0; i < data.length; i++) rgb.fill(data[i] === 1 ? 220 : 30, i * 3, i * 3 + 3);
    const alpha = matte(rgb, { width: 40, height: 30, data }, 4);
    for (let i = 0; i < alpha.length; i++) expect(alpha[i]).toBeCloseTo(data[i] ?? 0, 2);
  });
});

describe('foreground', () => {
  const scene = knownScene();

  it('leaves no fringe of the old background', () => {
    const own = foreground(scene.rgb, scene.alpha, scene.width, scene.height);
    let [error, fringe, pixels] = [0, 0, 0];
    for (let i = 0; i < scene.alpha.length; i++) {
      const a = scene.alpha[i] ?? 0;
      if (a <= 0.05 || a >= 0.95) continue;
      pixels += 1;
      scene.front(i % scene.width, Math.floor(i / scene.width)).forEach((value, c) => {
        error += (a * ((own[i * 3 + c] ?? 0) - value)) ** 2;
        fringe += (a * ((scene.rgb[i * 3 + c] ?? 0) - value)) ** 2;
      });
    }
    expect(pixels).toBeGreaterThan(500);
    expect(error).toBeLessThan(fringe / 20);
  });

  it('leaves what is wholly of the object as it is', () => {
    const own = foreground(scene.rgb, scene.alpha, scene.width, scene.height);
    for (let i = 0; i < scene.alpha.length; i++) {
      if (scene.alpha[i] === 1) expect([...own.subarray(i * 3, i * 3 + 3)]).toEqual([...scene.rgb.subarray(i * 3, i * 3 + 3)]);
    }
  });
});

import { describe, expect, it } from 'vitest';
import { coneOf, hexColour, labOf, scaledRgbOf } from './colour.ts';

function one(r: number, g: number, b: number): { width: number; height: number; data: Uint8Array } {
  return { width: 1, height: 1, data: Uint8Array.of(r, g, b) };
}

describe('colour spaces', () => {
  it.each([
    // Published values for sRGB primaries under D65 (Lindbloom's calculator).
    [
      [255, 255, 255],
      [100, 0, 0],
    ],
    [
      [0, 0, 0],
      [0, 0, 0],
    ],
    [
      [255, 0, 0],
      [53.24, 80.09, 67.2],
    ],
    [
      [0, 255, 0],
      [87.73, -86.18, 83.18],
    ],
    [
      [0, 0, 255],
      [32.3, 79.19, -107.86],
    ],
    [
      [119, 119, 119],
      [50.03, 0, 0],
    ],
  ] as const)('%j is L*a*b* %j', ([r, g, b], expected) => {
    const lab = labOf(one(r, g, b));
    expected.forEach((value, i) => expect(Math.abs(lab[i]! - value)).toBeLessThan(0.06));
  });

  it('puts hues near red side by side and greys on the axis', () => {
    const distance = (a: Float32Array, b: Float32Array): number => Math.hypot(a[0]! - b[0]!, a[1]! - b[1]!, a[2]! - b[2]!);
    expect(distance(coneOf(one(255, 0, 10)), coneOf(one(255, 10, 0)))).toBeLessThan(10);
    expect(distance(coneOf(one(255, 0, 0)), coneOf(one(0, 255, 255)))).toBeCloseTo(200, 4);
    expect([...coneOf(one(51, 51, 51))]).toEqual([0, 0, 20]);
  });

  it('scales RGB to a hundred and writes hex', () => {
    expect(scaledRgbOf(one(255, 0, 51))[0]).toBeCloseTo(100);
    expect(hexColour(255, 0.4, 16)).toBe('#ff0010');
  });
});

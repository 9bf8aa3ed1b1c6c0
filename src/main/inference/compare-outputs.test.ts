import { describe, expect, it } from 'vitest';
import { encodeRle } from '../../shared/mask/rle.ts';
import { rleBox } from '../../shared/mask/rle.ts';
import type { Reading } from './compare-outputs.ts';
import { compareOutputs, refusalOf } from './compare-outputs.ts';
import type { DecodedInstance, OutputTensor } from './families/family.ts';

/** A filled rectangle of a 100 × 100 image. */
function instance(label: string, score: number, x: number, y: number, w: number, h: number): DecodedInstance {
  const data = new Uint8Array(100 * 100);
  for (let row = y; row < y + h; row++) data.fill(1, row * 100 + x, row * 100 + x + w);
  const rle = encodeRle({ width: 100, height: 100, data });
  return { label, score, box: rleBox(rle), rle };
}

function tensor(values: readonly number[]): Readonly<Record<string, OutputTensor>> {
  return { out: { dims: [values.length], data: Float32Array.from(values) } };
}

/** Outputs stand for instances here: the comparison only sees them decoded. */
function reading(mine: readonly DecodedInstance[], theirs: readonly DecodedInstance[], regions = false): Reading {
  let asked = 0;
  return { decode: () => (asked++ === 0 ? mine : theirs), threshold: 0.5, regions };
}

const none: Readonly<Record<string, OutputTensor>> = {};
const cat = instance('cat', 0.9, 10, 10, 40, 40);
const dog = instance('dog', 0.8, 55, 10, 30, 30);

function verdict(mine: readonly DecodedInstance[], theirs: readonly DecodedInstance[], regions = false): string | null | undefined {
  return refusalOf(compareOutputs(none, none, reading(mine, theirs, regions)));
}

describe('comparing a provider with the CPU', () => {
  it('accepts what half precision does to instances', () => {
    const nearly = [instance('dog', 0.803, 55, 10, 30, 30), instance('cat', 0.894, 10, 10, 41, 40)];
    const comparison = compareOutputs(none, none, reading([cat, dog], nearly));
    expect(comparison).toMatchObject({ expected: 2, matched: 2, extra: 0 });
    expect(comparison.minIou).toBeCloseTo(40 / 41, 6);
    expect(comparison.maxScoreDifference).toBeCloseTo(0.006, 6);
    expect(refusalOf(comparison)).toBeNull();
  });

  it('lets an instance at the threshold be on either side of it', () => {
    expect(verdict([cat, instance('dog', 0.52, 55, 10, 30, 30)], [cat])).toBeNull();
    expect(verdict([cat], [cat, instance('dog', 0.54, 55, 10, 30, 30)])).toBeNull();
  });

  it('refuses with the figures', () => {
    expect(verdict([cat, dog], [cat])).toBe('1 of 2 instances were not found');
    expect(verdict([cat], [cat, dog])).toBe('1 found that the CPU has nothing of');
    expect(verdict([cat], [])).toBe('1 of 1 instances were not found');
    expect(verdict([cat], [instance('dog', 0.9, 10, 10, 40, 40)])).toMatch(/1 of 1 .* not found; 1 found that/);
    expect(verdict([cat], [instance('cat', 0.9, 13, 10, 40, 40)])).toBe('least mask IoU 0.860, at least 0.9 is asked for');
    expect(verdict([cat], [instance('cat', 0.8, 10, 10, 40, 40)])).toBe('scores differ by 0.100, 0.05 is allowed');
  });

  it('asks less of masks that are nearly all border', () => {
    expect(verdict([instance('cat', 0.9, 10, 10, 5, 5)], [instance('cat', 0.9, 11, 10, 5, 5)])).toBeNull();
    expect(verdict([instance('cat', 0.9, 10, 10, 5, 5)], [instance('cat', 0.9, 13, 10, 5, 5)])).toMatch(/1 of 1/);
  });

  it('lets one of many be missing', () => {
    const many = Array.from({ length: 40 }, (_, i) => instance('cat', 0.9, (i % 8) * 12, Math.floor(i / 8) * 20, 10, 15));
    expect(verdict(many, many.slice(1))).toBeNull();
    expect(verdict(many, many.slice(3))).toBe('3 of 40 instances were not found');
  });

  it('takes all regions of a class as one', () => {
    const whole = [instance('road', 1, 0, 0, 40, 100)];
    const split = [instance('road', 1, 0, 0, 40, 50), instance('road', 1, 0, 51, 40, 49)];
    expect(verdict(whole, split, true)).toBeNull();
    expect(verdict(whole, split)).not.toBeNull();
    expect(verdict(whole, [...split, instance('sky', 1, 60, 0, 10, 10)], true)).toBeNull();
    expect(verdict(whole, [...split, instance('sky', 1, 60, 0, 40, 40)], true)).toMatch(/1 found that/);
  });

  it('compares numbers where there is no instance', () => {
    const same = compareOutputs(tensor([1, -2, 3]), tensor([1.01, -2, 3]), null);
    expect(same.maxDifference).toBeCloseTo(0.01, 5);
    expect(same.maxRelative).toBeCloseTo(0.01 / 3, 5);
    expect(refusalOf(same)).toBeNull();
    expect(refusalOf(compareOutputs(tensor([1, -2, 3]), tensor([2, -2, 3]), null))).toBe(
      'outputs differ by 26.7 % (root mean square), 5 % is allowed; at most 1, 33.3 % of the largest value',
    );
    expect(refusalOf(compareOutputs(tensor([1, 2]), tensor([1, Number.NaN]), null))).toBe('outputs are not finite');
    expect(refusalOf(compareOutputs(tensor([1, Number.NEGATIVE_INFINITY]), tensor([1, 5]), null))).toBeNull();
  });

  it('says nothing of an image without instances and numbers', () => {
    expect(verdict([], [])).toBeUndefined();
    expect(refusalOf(compareOutputs(tensor([1, 2]), tensor([1, 2, 3]), null))).toBeUndefined();
    const quiet = reading([], []);
    expect(refusalOf(compareOutputs(tensor([1, 2]), tensor([1, 2]), quiet))).toBeNull();
  });
});

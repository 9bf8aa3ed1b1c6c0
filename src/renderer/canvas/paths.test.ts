import { describe, expect, it } from 'vitest';
import { ringArea } from '../../shared/geometry/polygon.ts';
import { contourOfRle } from '../../shared/mask/contour.ts';
import { encodeRle } from '../../shared/mask/rle.ts';
import { thinned } from './paths.ts';

/** The outline of a disc of 1200 pixels across, along its pixels. */
function disc(): readonly number[] {
  const side = 1200;
  const data = Uint8Array.from({ length: side * side }, (_, i) =>
    Math.hypot((i % side) - side / 2, Math.floor(i / side) - side / 2) < side / 2 - 1 ? 1 : 0,
  );
  return contourOfRle(encodeRle({ width: side, height: side, data }))[0]?.outer ?? [];
}

describe('paths for small scales', () => {
  it('leave out what cannot be seen, and lie where the outline lies', () => {
    const full = disc();
    for (const apart of [1.4, 2.8, 5.6, 11.2]) {
      const few = thinned(full, apart);
      expect(few.length).toBeLessThan(full.length / (apart > 2 ? 1.9 : 1.2));
      const all = new Set(Array.from({ length: full.length / 2 }, (_, i) => `${full[2 * i]},${full[2 * i + 1]}`));
      for (let i = 0; i < few.length; i += 2) expect(all.has(`${few[i]},${few[i + 1]}`)).toBe(true);
      expect(Math.abs(ringArea(few) / ringArea(full) - 1)).toBeLessThan(0.01);
    }
  });

  it('keep what is small: a speck stays to be seen, and nothing changes at full scale', () => {
    const speck = [4, 4, 5, 4, 5, 5, 4, 5];
    expect(thinned(speck, 11.2)).toBe(speck);
    expect(thinned(speck, 0.7)).toBe(speck);
  });
});

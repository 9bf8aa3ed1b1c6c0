import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { resizeBilinear } from './resize.ts';

/** The recorded answers are Pillow 9.4's `Image.resize(size, BILINEAR)` of the same made-up pixels. */
describe('bilinear resize, as Pillow', () => {
  const small = Uint8Array.from({ length: 7 * 5 * 3 }, (_, i) => (i * 37) % 251);

  it.each([
    [3, 2, [104, 102, 134, 146, 103, 120, 145, 143, 106, 115, 150, 109, 114, 132, 125, 127, 113, 125]],
    [1, 1, [126, 123, 120]],
    [
      7,
      2,
      [
        24, 61, 98, 135, 172, 198, 178, 32, 69, 106, 143, 180, 206, 83, 40, 77, 114, 151, 188, 214, 91, 72, 109, 146, 183, 220, 74, 54, 80,
        117, 154, 191, 148, 82, 51, 88, 125, 162, 199, 156, 90, 59,
      ],
    ],
  ])('to %i x %i, byte for byte', (width, height, expected) => {
    expect([...resizeBilinear(small, 7, 5, width, height)]).toEqual(expected);
  });

  it.each([
    [320, 200, '5291b57f06d115142e6c1b8d964d0f1e1cae8b03dd6dd801f63ca2c500b9d8d3'],
    [1000, 667, '9e96407c4dc4cb76486b6a70446741386ed45fdf3b3ede785ef684103f3fd943'],
    [97, 427, '516a999a538c133e964ece2242d9bc759bf07b2972fc61c1f53f5f91a1bbf98e'],
  ])('640 x 427 of noise to %i x %i, by its hash', (width, height, sha256) => {
    const noise = Uint8Array.from({ length: 640 * 427 * 3 }, (_, i) => Math.imul(i, 2654435761) >>> 13);
    const resized = resizeBilinear(noise, 640, 427, width, height);
    expect(createHash('sha256').update(resized).digest('hex')).toBe(sha256);
  });

  it('leaves an image of the right size as it is', () => {
    expect(resizeBilinear(small, 7, 5, 7, 5)).toEqual(small);
  });
});

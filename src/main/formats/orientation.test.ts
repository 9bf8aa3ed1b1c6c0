import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { Bitmap } from '../../shared/mask/bitmap.ts';
import { geometryToRle } from '../../shared/mask/raster.ts';
import { decodeRle, encodeRle } from '../../shared/mask/rle.ts';
import type { Geometry } from '../../shared/records.ts';
import { rawSize, turnFromRaw, turnToRaw } from './orientation.ts';

const RAW = { width: 7, height: 4 };
/** An L with a dot: no symmetry of the rectangle keeps it. */
const rawBitmap: Bitmap = {
  ...RAW,
  data: Uint8Array.from([0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0]),
};

/** The bitmap as an image viewer shows a file of that orientation: turned by sharp, by the EXIF tag. */
async function oriented(orientation: number): Promise<Bitmap> {
  const png = await sharp(Buffer.from(rawBitmap.data), { raw: { ...RAW, channels: 1 } })
    .withMetadata({ orientation })
    .png()
    .toBuffer();
  const { data, info } = await sharp(png).autoOrient().extractChannel(0).raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data: Uint8Array.from(data, (value) => (value > 0 ? 1 : 0)) };
}

describe.each([1, 2, 3, 4, 5, 6, 7, 8])('EXIF orientation %i', (orientation) => {
  it('turns a mask back to the pixels of the file', async () => {
    const shown = await oriented(orientation);
    expect(rawSize(shown, orientation)).toEqual(RAW);
    const turned = turnToRaw({ kind: 'mask', rle: encodeRle(shown) }, orientation, shown);
    expect(turned).toEqual({ kind: 'mask', rle: encodeRle(rawBitmap) });
    expect(turnFromRaw(turned, orientation, RAW)).toEqual({ kind: 'mask', rle: encodeRle(shown) });
  });

  it('turns a box and a polygon along pixel edges to the same pixels', async () => {
    const shown = await oriented(orientation);
    const box: Geometry = { kind: 'box', box: [1, 2, 2, 1] };
    const square: Geometry = { kind: 'polygon', parts: [{ outer: [1, 2, 3, 2, 3, 3, 1, 3], holes: [] }] };
    const mask: Geometry = { kind: 'mask', rle: geometryToRle(square, shown.width, shown.height) };
    const pixels = (geometry: Geometry): Bitmap => decodeRle(geometryToRle(turnToRaw(geometry, orientation, shown), RAW.width, RAW.height));
    expect(pixels(box)).toEqual(pixels(mask));
    expect(pixels(square)).toEqual(pixels(mask));
  });
});

it('refuses an orientation that EXIF does not have', () => {
  expect(() => turnToRaw({ kind: 'box', box: [0, 0, 1, 1] }, 9, RAW)).toThrow('not 1 to 8');
});

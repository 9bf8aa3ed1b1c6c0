import { AppError } from '../../shared/errors.ts';
import { decodeRle, encodeRle } from '../../shared/mask/rle.ts';
import type { Geometry, PolygonPart, Ring } from '../../shared/records.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Size of the image as stored in the file, from its size as oriented.
 * Orientations 5 to 8 exchange the sides (EXIF 2.32, tag 0x0112).
 */
export function rawSize(oriented: Size, orientation: number): Size {
  return orientation >= 5 ? { width: oriented.height, height: oriented.width } : { width: oriented.width, height: oriented.height };
}

/**
 * Turns a geometry from image space (oriented by EXIF) back to the pixels of the file itself.
 * `oriented` is the size as shown. Masks are moved pixel by pixel, vertices by the same map on the
 * continuous plane, so nothing is resampled. Throws `invalid` for an orientation outside 1..8.
 */
export function turnToRaw(geometry: Geometry, orientation: number, oriented: Size): Geometry {
  if (!Number.isInteger(orientation) || orientation < 1 || orientation > 8) {
    throw new AppError('invalid', `EXIF orientation ${orientation} is not 1 to 8`, { orientation });
  }
  if (orientation === 1) return geometry;
  const { width, height } = rawSize(oriented, orientation);
  switch (geometry.kind) {
    case 'polygon':
      return { kind: 'polygon', parts: geometry.parts.map((part) => turnPart(part, orientation, width, height)) };
    case 'box': {
      const [x, y, w, h] = geometry.box;
      const [ax, ay] = toRaw(x, y, orientation, width, height);
      const [bx, by] = toRaw(x + w, y + h, orientation, width, height);
      return { kind: 'box', box: [Math.min(ax, bx), Math.min(ay, by), Math.abs(bx - ax), Math.abs(by - ay)] };
    }
    case 'mask': {
      const from = decodeRle(geometry.rle);
      const data = new Uint8Array(width * height);
      for (let y = 0; y < from.height; y++) {
        for (let x = 0; x < from.width; x++) {
          if (from.data[y * from.width + x] !== 1) continue;
          // The centre of a pixel lands on the centre of a pixel.
          const [rx, ry] = toRaw(x + 0.5, y + 0.5, orientation, width, height);
          data[Math.floor(ry) * width + Math.floor(rx)] = 1;
        }
      }
      return { kind: 'mask', rle: encodeRle({ width, height, data }) };
    }
  }
}

/**
 * The inverse of `turnToRaw`: from the pixels of the file to image space, oriented by EXIF. `raw` is the size of the file's
 * own rows and columns. Throws `invalid` for an orientation outside 1..8.
 */
export function turnFromRaw(geometry: Geometry, orientation: number, raw: Size): Geometry {
  // A quarter turn is undone by the other one; every other orientation by itself.
  return turnToRaw(geometry, orientation === 6 ? 8 : orientation === 8 ? 6 : orientation, raw);
}

/**
 * The inverse of `turnToRaw`: a geometry of the file's own rows and columns as EXIF turns the image. `raw` is the size as
 * stored. Throws `invalid` for an orientation outside 1..8.
 */
export function turnToOriented(geometry: Geometry, orientation: number, raw: Size): Geometry {
  // A quarter turn is undone by the opposite one, everything else by itself.
  return turnToRaw(geometry, orientation === 6 ? 8 : orientation === 8 ? 6 : orientation, raw);
}

function turnPart(part: PolygonPart, orientation: number, width: number, height: number): PolygonPart {
  const turn = (ring: Ring): Ring => {
    const out: number[] = [];
    for (let i = 0; i + 1 < ring.length; i += 2) out.push(...toRaw(ring[i] ?? 0, ring[i + 1] ?? 0, orientation, width, height));
    return out;
  };
  return { outer: turn(part.outer), holes: part.holes.map(turn) };
}

/** One point of the oriented image in the file's own plane, whose size is `width` x `height`. */
function toRaw(x: number, y: number, orientation: number, width: number, height: number): [number, number] {
  switch (orientation) {
    case 2:
      return [width - x, y];
    case 3:
      return [width - x, height - y];
    case 4:
      return [x, height - y];
    case 5:
      return [y, x];
    case 6:
      return [y, height - x];
    case 7:
      return [width - y, height - x];
    case 8:
      return [width - y, x];
    default:
      return [x, y];
  }
}

import { rleFromCounts } from '../../../shared/mask/rle.ts';
import { runsFromFlips } from '../../../shared/mask/runs.ts';
import type { Rle } from '../../../shared/records.ts';
import type { Corners } from './boxes.ts';
import type { InputTransform } from './family.ts';

/** `[1, k, h, w]`, planar, over the whole input with its padding. */
export interface Prototypes {
  readonly count: number;
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/**
 * Mask of one instance (Bolya et al. 2019, eq. 1, cut to its box): the prototypes weighed with its
 * coefficients, on the cells around the box only; interpolated bilinearly, half-pixel centres, to the
 * image's own pixels; those whose centre lies in the box and whose value is above `level` (the logit of
 * the threshold). Cells of the padding count as the outermost of the picture. Null when empty.
 *
 * Along a column of the image the value is piecewise linear, so only those stretches between two cells
 * whose ends lie on different sides of `level` are looked at pixel by pixel: the work follows the cells
 * and the answer, not the image's size.
 *
 * @param box in image pixels.
 */
export function prototypeMask(
  prototypes: Prototypes,
  coefficients: Float32Array,
  box: Corners,
  transform: InputTransform,
  level: number,
): Rle | null {
  const { imageWidth, imageHeight } = transform;
  const across = along(
    imageWidth,
    box.x0,
    box.x1,
    transform.scaleX,
    transform.offsetX,
    transform.inputWidth,
    transform.paddedWidth,
    prototypes.width,
  );
  const down = along(
    imageHeight,
    box.y0,
    box.y1,
    transform.scaleY,
    transform.offsetY,
    transform.inputHeight,
    transform.paddedHeight,
    prototypes.height,
  );
  if (!across || !down) return null;
  const field = weigh(prototypes, coefficients, across, down);
  const cells = down.cell1 - down.cell0 + 1;
  const wide = across.cell1 - across.cell0 + 1;
  const column = new Float64Array(cells);
  const flips: number[] = [];
  for (let x = across.pixel0; x < across.pixel1; x++) {
    const at = across.position(x);
    const left = Math.min(Math.max(0, wide - 2), Math.floor(at));
    const share = at - left;
    const next = wide > 1 ? 1 : 0;
    for (let j = 0, i = left; j < cells; j++, i += wide) {
      const value = field[i] ?? 0;
      column[j] = value + ((field[i + next] ?? 0) - value) * share;
    }
    let inside = false;
    let y = down.pixel0;
    while (y < down.pixel1) {
      const position = down.position(y);
      const top = Math.min(Math.max(0, cells - 2), Math.floor(position));
      const upper = column[top] ?? 0;
      const lower = column[Math.min(cells - 1, top + 1)] ?? 0;
      // The first pixel beyond this pair of cells; rounding may only make it too small, and then it is looked at again.
      const end = top >= cells - 2 ? down.pixel1 : Math.max(y + 1, Math.min(down.pixel1, down.pixelFrom(top + 1)));
      if (upper > level === lower > level) {
        if (upper > level !== inside) {
          flips.push(x * imageHeight + y);
          inside = !inside;
        }
        y = end;
        continue;
      }
      for (; y < end; y++) {
        const value = upper + (lower - upper) * (down.position(y) - top);
        if (value > level === inside) continue;
        flips.push(x * imageHeight + y);
        inside = !inside;
      }
    }
    if (inside) flips.push(x * imageHeight + down.pixel1);
  }
  return flips.length === 0 ? null : rleFromCounts(runsFromFlips(flips, imageWidth * imageHeight), [imageHeight, imageWidth]);
}

/** One side: which pixels of the image, which cells around them, and where a pixel lies among those cells. */
interface Along {
  readonly pixel0: number;
  readonly pixel1: number;
  readonly cell0: number;
  readonly cell1: number;
  /** Of a pixel's centre, in cells from `cell0`, between 0 and `cell1 - cell0`. */
  position(pixel: number): number;
  /** The first pixel whose centre does not lie before a cell, counted from `cell0`. */
  pixelFrom(cell: number): number;
}

function along(
  size: number,
  from: number,
  to: number,
  scale: number,
  offset: number,
  picture: number,
  padded: number,
  cells: number,
): Along | null {
  const pixel0 = Math.max(0, Math.ceil(from - 0.5));
  const pixel1 = Math.min(size, Math.ceil(to - 0.5));
  if (!(pixel1 > pixel0)) return null;
  const step = (scale * cells) / padded;
  const shift = (offset * cells) / padded - 0.5;
  // Cells that lie wholly or for the larger part in the picture.
  const first = Math.min(cells - 1, Math.max(0, Math.round((offset * cells) / padded)));
  const last = Math.max(first, Math.min(cells - 1, Math.round(((offset + picture) * cells) / padded) - 1));
  const place = (pixel: number): number => Math.min(last, Math.max(first, (pixel + 0.5) * step + shift));
  const cell0 = Math.floor(place(pixel0));
  const cell1 = Math.min(last, Math.floor(place(pixel1 - 1)) + 1);
  return {
    pixel0,
    pixel1,
    cell0,
    cell1,
    position: (pixel) => place(pixel) - cell0,
    pixelFrom: (cell) => Math.ceil((cell + cell0 - shift) / step - 0.5),
  };
}

/** The weighed sum on the cells of a rectangle, row-major. */
function weigh({ count, width, height, data }: Prototypes, coefficients: Float32Array, across: Along, down: Along): Float32Array {
  const wide = across.cell1 - across.cell0 + 1;
  const field = new Float32Array(wide * (down.cell1 - down.cell0 + 1));
  for (let k = 0; k < count; k++) {
    const weight = coefficients[k] ?? 0;
    for (let row = down.cell0, o = 0; row <= down.cell1; row++) {
      let i = (k * height + row) * width + across.cell0;
      for (let column = 0; column < wide; column++, o++, i++) field[o] = (field[o] ?? 0) + weight * (data[i] ?? 0);
    }
  }
  return field;
}

import { rleFromCounts } from '../../../shared/mask/rle.ts';
import { runsFromFlips } from '../../../shared/mask/runs.ts';
import type { Rle } from '../../../shared/records.ts';
import type { Corners } from './boxes.ts';
import type { InputTransform } from './family.ts';

/** `[1, k, h, w]`, planar, over the whole input with its padding. */
interface Prototypes {
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
  const wide = across.cells;
  const next = wide > 1 ? 1 : 0;
  const { starts, shares } = down;
  const column = new Float64Array(down.cells + 1);
  const flips: number[] = [];
  for (let i = 0; i < across.count; i++) {
    const share = across.shares[i] ?? 0;
    for (let cell = 0, at = across.before[i] ?? 0; cell < down.cells; cell++, at += wide) {
      const value = field[at] ?? 0;
      column[cell] = value + ((field[at + next] ?? 0) - value) * share;
    }
    // Beyond the last cell the value stays.
    column[down.cells] = column[down.cells - 1] ?? 0;
    const base = (across.first + i) * imageHeight + down.first;
    let inside = false;
    for (let cell = 0; cell + 1 < starts.length; cell++) {
      const upper = column[cell] ?? 0;
      const lower = column[cell + 1] ?? 0;
      const start = starts[cell] ?? 0;
      const end = starts[cell + 1] ?? 0;
      if (upper > level === lower > level) {
        if (upper > level === inside || start === end) continue;
        flips.push(base + start);
        inside = !inside;
        continue;
      }
      for (let y = start; y < end; y++) {
        if (upper + (lower - upper) * (shares[y] ?? 0) > level === inside) continue;
        flips.push(base + y);
        inside = !inside;
      }
    }
    if (inside) flips.push(base + down.count);
  }
  return flips.length === 0 ? null : rleFromCounts(runsFromFlips(flips, imageWidth * imageHeight), [imageHeight, imageWidth]);
}

/** One side: which pixels of the image, which cells around them, and where each pixel lies among those cells. */
interface Along {
  /** First pixel, and how many. */
  readonly first: number;
  readonly count: number;
  /** First cell, and how many. */
  readonly cell: number;
  readonly cells: number;
  /** Of each pixel: the cell before its centre, counted from `cell`, and the share of the one after. */
  readonly before: Int32Array;
  readonly shares: Float64Array;
  /** Of each cell: the first pixel, counted from `first`, that does not lie before it; the count at the end. */
  readonly starts: Int32Array;
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
  const first = Math.max(0, Math.ceil(from - 0.5));
  const count = Math.min(size, Math.ceil(to - 0.5)) - first;
  if (!(count > 0)) return null;
  // Cells that lie for the larger part in the picture.
  const lowest = Math.min(cells - 1, Math.max(0, Math.round((offset * cells) / padded)));
  const highest = Math.max(lowest, Math.min(cells - 1, Math.round(((offset + picture) * cells) / padded) - 1));
  const place = (pixel: number): number => Math.min(highest, Math.max(lowest, (((pixel + 0.5) * scale + offset) * cells) / padded - 0.5));
  const cell = Math.floor(place(first));
  const last = Math.min(highest, Math.floor(place(first + count - 1)) + 1);
  const before = new Int32Array(count);
  const shares = new Float64Array(count);
  const starts = new Int32Array(last - cell + 2).fill(count);
  starts[0] = 0;
  let reached = 0;
  for (let i = 0; i < count; i++) {
    const at = place(first + i);
    // The last cell has none after it: what lies on it belongs to the pair before, wholly.
    const floor = Math.max(cell, Math.min(last - 1, Math.floor(at)));
    before[i] = floor - cell;
    shares[i] = at - floor;
    while (reached < floor - cell) starts[++reached] = i;
  }
  return { first, count, cell, cells: last - cell + 1, before, shares, starts };
}

/** The weighed sum on the cells of a rectangle, row-major. */
function weigh({ count, width, height, data }: Prototypes, coefficients: Float32Array, across: Along, down: Along): Float32Array {
  const field = new Float32Array(across.cells * down.cells);
  for (let k = 0; k < count; k++) {
    const weight = coefficients[k] ?? 0;
    for (let row = 0, o = 0; row < down.cells; row++) {
      let i = (k * height + down.cell + row) * width + across.cell;
      for (let column = 0; column < across.cells; column++, o++, i++) field[o] = (field[o] ?? 0) + weight * (data[i] ?? 0);
    }
  }
  return field;
}

import type { Box, Rle } from '../../../shared/records.ts';
import { rleFromCounts } from '../../../shared/mask/rle.ts';
import { runsFromFlips } from '../../../shared/mask/runs.ts';

/**
 * A mask as the decoder gives it: logits on a coarse grid that lies somewhere on the image. Positive is
 * inside. Between the centres of the cells it is interpolated bilinearly, beyond the outermost ones it
 * stays as they are (PyTorch's `interpolate` with `align_corners=False`, which SAM enlarges masks with).
 */
export interface MaskGrid {
  /** Row-major, `width * height`. */
  readonly logits: Float32Array;
  readonly width: number;
  readonly height: number;
  /** Where its top left corner lies in the image, and how many image pixels a cell covers. */
  readonly x: number;
  readonly y: number;
  readonly cellX: number;
  readonly cellY: number;
  /** The pixels of the image that it speaks about, whole ones; the rest of the grid is padding. */
  readonly view: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
}

export interface GridMask {
  readonly rle: Rle;
  /** Of its pixels. */
  readonly box: Box;
  readonly area: number;
}

/** What a mask fed back says about what lies outside of the grid that it came from. */
const OUTSIDE = -10;

/**
 * The mask at the image's own size, at logits of `threshold` and more. Along a column the logits are
 * straight between two rows of the grid, so each piece has at most one crossing, which is computed instead
 * of looked for: the time follows the grid's height and the mask's width. Null when empty.
 */
export function gridMask(grid: MaskGrid, imageWidth: number, imageHeight: number, threshold = 0): GridMask | null {
  const { logits, width, height, cellX, cellY, view } = grid;
  const inside = cellsInside(grid, threshold);
  if (!inside) return null;
  const top = Math.max(0, view.y);
  const bottom = Math.min(imageHeight, view.y + view.height);
  // A cell speaks for the pixels up to its neighbours' centres.
  const firstX = Math.max(0, view.x, Math.floor(grid.x + (inside.left - 0.5) * cellX) - 1);
  const endX = Math.min(imageWidth, view.x + view.width, Math.ceil(grid.x + (inside.right + 1.5) * cellX) + 1);
  const [firstRow, lastRow] = [Math.max(0, inside.top - 1), Math.min(height - 1, inside.bottom + 1)];
  const flips: number[] = [];
  let [area, minX, maxX, minY, maxY] = [0, Infinity, -1, Infinity, -1];
  /** The first pixel row whose centre is at or after a position of the grid, in rows. */
  const pixelAt = (row: number): number => Math.max(top, Math.min(bottom, Math.ceil(grid.y + (row + 0.5) * cellY - 0.5 - 1e-9)));
  for (let x = firstX; x < endX; x++) {
    const gx = Math.max(0, Math.min(width - 1, (x + 0.5 - grid.x) / cellX - 0.5));
    const left = Math.min(width - 2, Math.floor(gx));
    const share = gx - left;
    const at = (row: number): number => {
      const i = row * width + left;
      return (logits[i] ?? 0) * (1 - share) + (logits[i + 1] ?? 0) * share - threshold;
    };
    let before = at(firstRow);
    let from = before >= 0 ? (firstRow === 0 ? top : pixelAt(firstRow)) : -1;
    const end = (to: number): void => {
      if (to > from) {
        flips.push(x * imageHeight + from, x * imageHeight + to);
        area += to - from;
        [minX, maxX] = [Math.min(minX, x), x];
        [minY, maxY] = [Math.min(minY, from), Math.max(maxY, to - 1)];
      }
      from = -1;
    };
    for (let row = firstRow + 1; row <= lastRow; row++) {
      const value = at(row);
      if (value >= 0 !== before >= 0) {
        const crossing = pixelAt(row - 1 + before / (before - value));
        if (value >= 0) from = crossing;
        else end(crossing);
      }
      before = value;
    }
    if (from >= 0) end(lastRow === height - 1 ? bottom : pixelAt(lastRow));
  }
  if (area === 0) return null;
  const rle = rleFromCounts(runsFromFlips(flips, imageWidth * imageHeight), [imageHeight, imageWidth]);
  return { rle, box: [minX, minY, maxX - minX + 1, maxY - minY + 1], area };
}

/** The cells at or above a threshold, inclusive; null for none. */
export function cellsInside(
  grid: MaskGrid,
  threshold: number,
): { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number } | null {
  const { logits, width, height } = grid;
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if ((logits[i] ?? 0) < threshold) continue;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      bottom = y;
    }
  }
  return right < 0 ? null : { left, top, right, bottom };
}

/**
 * SAM's stability score: the IoU of the masks cut `offset` logits above and below the threshold, which lie
 * within each other (`calculate_stability_score`). 0 for an empty mask.
 */
export function stability(grid: MaskGrid, offset = 1): number {
  let [inner, outer] = [0, 0];
  for (const logit of grid.logits) {
    if (logit > offset) inner++;
    if (logit > -offset) outer++;
  }
  return outer === 0 ? 0 : inner / outer;
}

/** The interpolated logit at a point of the image; `OUTSIDE` for what the grid does not speak about. */
export function logitAt(grid: MaskGrid, x: number, y: number): number {
  const { logits, width, height, view } = grid;
  if (x < view.x || y < view.y || x > view.x + view.width || y > view.y + view.height) return OUTSIDE;
  const gx = Math.max(0, Math.min(width - 1, (x - grid.x) / grid.cellX - 0.5));
  const gy = Math.max(0, Math.min(height - 1, (y - grid.y) / grid.cellY - 0.5));
  const [left, top] = [Math.min(width - 2, Math.floor(gx)), Math.min(height - 2, Math.floor(gy))];
  const [shareX, shareY] = [gx - left, gy - top];
  const i = top * width + left;
  const upper = (logits[i] ?? 0) * (1 - shareX) + (logits[i + 1] ?? 0) * shareX;
  const lower = (logits[i + width] ?? 0) * (1 - shareX) + (logits[i + width + 1] ?? 0) * shareX;
  return upper * (1 - shareY) + lower * shareY;
}

/** The same mask on the grid of another view, to be fed back there. */
export function regrid(from: MaskGrid, onto: Omit<MaskGrid, 'logits'>): MaskGrid {
  const { width, height } = onto;
  const logits = new Float32Array(width * height);
  for (let row = 0, i = 0; row < height; row++) {
    const y = onto.y + (row + 0.5) * onto.cellY;
    for (let column = 0; column < width; column++, i++) logits[i] = logitAt(from, onto.x + (column + 0.5) * onto.cellX, y);
  }
  return { ...onto, logits };
}

import type { Rle } from '../../../shared/records.ts';
import { rleFromCounts } from '../../../shared/mask/rle.ts';
import { runsFromFlips } from '../../../shared/mask/runs.ts';

/**
 * Masks as probabilities on a grid, turned to RLE directly: column by column within a rectangle, so that
 * neither time nor memory depends on the image's size (only the answer is written in its coordinates).
 */
export interface MaskField {
  readonly data: Float32Array;
  /** Where this mask begins in `data`, and its size, row-major. */
  readonly offset: number;
  readonly width: number;
  readonly height: number;
}

/** Whole pixels of the image, `[x0, x1) x [y0, y1)`. */
export interface PixelRect {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

/** The rectangle of whole pixels that holds a box grown by `margin`, cut off at the image. */
export function pixelRect(
  box: { readonly x0: number; readonly y0: number; readonly x1: number; readonly y1: number },
  marginX: number,
  marginY: number,
  width: number,
  height: number,
): PixelRect {
  return {
    x0: Math.max(0, Math.floor(box.x0 - marginX)),
    y0: Math.max(0, Math.floor(box.y0 - marginY)),
    x1: Math.min(width, Math.ceil(box.x1 + marginX)),
    y1: Math.min(height, Math.ceil(box.y1 + marginY)),
  };
}

/**
 * A mask that has the image's own size: a pixel belongs from `threshold` on. Null when empty.
 */
export function thresholdField(field: MaskField, rect: PixelRect, threshold: number): Rle | null {
  const { data, offset, width, height } = field;
  const flips: number[] = [];
  for (let x = rect.x0; x < rect.x1; x++) {
    let inside = false;
    for (let y = rect.y0, i = offset + rect.y0 * width + x; y < rect.y1; y++, i += width) {
      if ((data[i] ?? 0) >= threshold === inside) continue;
      flips.push(x * height + y);
      inside = !inside;
    }
    if (inside) flips.push(x * height + rect.y1);
  }
  return asRle(flips, width, height);
}

/** What lies outside the grid: `zero` (Detectron2's paste) or the grid's own border. */
export type Outside = 'zero' | 'border';

/**
 * A mask whose grid covers the box `x0, y0, x1, y1` of an image of `imageWidth` x `imageHeight`,
 * interpolated bilinearly with half-pixel centres: the centre of pixel (x, y) is the grid's
 * `((x + 0.5 - x0) / (x1 - x0)) * width - 0.5`. With `outside: 'zero'` this is Detectron2's
 * `paste_masks_in_image` (torch `grid_sample`, `align_corners=False`). Null when empty.
 */
export function pasteField(
  field: MaskField,
  box: { readonly x0: number; readonly y0: number; readonly x1: number; readonly y1: number },
  rect: PixelRect,
  imageWidth: number,
  imageHeight: number,
  threshold: number,
  outside: Outside,
): Rle | null {
  const { data, offset, width, height } = field;
  const stepX = width / (box.x1 - box.x0);
  const stepY = height / (box.y1 - box.y0);
  if (!Number.isFinite(stepX) || !Number.isFinite(stepY) || stepX <= 0 || stepY <= 0) return null;
  const at = (column: number, row: number): number => {
    if (outside === 'border') {
      const i = column < 0 ? 0 : column >= width ? width - 1 : column;
      const j = row < 0 ? 0 : row >= height ? height - 1 : row;
      return data[offset + j * width + i] ?? 0;
    }
    if (column < 0 || row < 0 || column >= width || row >= height) return 0;
    return data[offset + row * width + column] ?? 0;
  };
  const flips: number[] = [];
  // One column of the grid, already interpolated sideways, with a row more at both ends.
  const column = new Float64Array(height + 2);
  for (let x = rect.x0; x < rect.x1; x++) {
    const gx = (x + 0.5 - box.x0) * stepX - 0.5;
    const left = Math.floor(gx);
    const shareX = gx - left;
    for (let row = -1; row <= height; row++) {
      column[row + 1] = at(left, row) * (1 - shareX) + at(left + 1, row) * shareX;
    }
    let inside = false;
    for (let y = rect.y0; y < rect.y1; y++) {
      const gy = (y + 0.5 - box.y0) * stepY - 0.5;
      const top = Math.floor(gy);
      const shareY = gy - top;
      const value = rowOf(column, top, height, outside) * (1 - shareY) + rowOf(column, top + 1, height, outside) * shareY;
      if (value >= threshold === inside) continue;
      flips.push(x * imageHeight + y);
      inside = !inside;
    }
    if (inside) flips.push(x * imageHeight + rect.y1);
  }
  return asRle(flips, imageWidth, imageHeight);
}

function rowOf(column: Float64Array, row: number, height: number, outside: Outside): number {
  if (row < -1 || row > height) {
    if (outside === 'zero') return 0;
    return column[row < 0 ? 0 : height + 1] ?? 0;
  }
  return column[row + 1] ?? 0;
}

function asRle(flips: number[], width: number, height: number): Rle | null {
  return flips.length === 0 ? null : rleFromCounts(runsFromFlips(flips, width * height), [height, width]);
}

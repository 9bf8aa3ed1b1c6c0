import { AppError } from '../errors.ts';
import type { Box, Ring, Rle } from '../records.ts';
import { checkedCounts, countsToString, polygonRuns, rleToCounts } from '../mask/rle.ts';

/**
 * What the evaluation reads of COCO's files: an instances file and a results list. Other keys may be there.
 * https://cocodataset.org/#format-data and #format-results
 */

/** Polygons, or RLE compressed (string) or not (numbers). `size` is `[height, width]`. */
export type CocoSegmentation =
  readonly Ring[] | { readonly size: readonly [height: number, width: number]; readonly counts: string | readonly number[] };

export interface CocoImage {
  readonly id: number;
  readonly width: number;
  readonly height: number;
}

export interface CocoTruth {
  readonly id: number;
  readonly image_id: number;
  readonly category_id: number;
  /** Square pixels; decides the size range that the object counts in. */
  readonly area: number;
  readonly bbox: Box;
  readonly iscrowd?: 0 | 1;
  readonly segmentation?: CocoSegmentation;
}

export interface CocoCategory {
  readonly id: number;
  readonly name: string;
}

export interface CocoDataset {
  readonly images: readonly CocoImage[];
  readonly annotations: readonly CocoTruth[];
  readonly categories: readonly CocoCategory[];
}

export interface CocoDetection {
  readonly image_id: number;
  readonly category_id: number;
  readonly score: number;
  readonly bbox?: Box;
  readonly segmentation?: CocoSegmentation;
}

/** Which overlap counts: of masks or of boxes. */
export type OverlapKind = 'segm' | 'bbox';

/**
 * Any COCO segmentation as runs, with the size they are of (pycocotools `annToRLE`): polygons on the image, an RLE on its
 * own size. Rings of fewer than three points have no pixel.
 * Throws `invalid` for broken counts or a coordinate that is no number.
 */
export function segmentationRuns(
  segmentation: CocoSegmentation,
  image: Pick<CocoImage, 'width' | 'height'>,
): { readonly size: Rle['size']; readonly runs: Uint32Array } {
  if (!('counts' in segmentation)) {
    const size: Rle['size'] = [image.height, image.width];
    return { size, runs: polygonRuns(segmentation, image.width, image.height) };
  }
  const { counts, size } = segmentation;
  return { size, runs: typeof counts === 'string' ? rleToCounts({ size, counts }) : checkedCounts(counts, size) };
}

/**
 * Any COCO segmentation as compressed RLE on an image (pycocotools `annToRLE`).
 * Throws `invalid` as `segmentationRuns`, and for a mask of another size.
 */
export function segmentationToRle(segmentation: CocoSegmentation, image: CocoImage): Rle {
  const { size, runs } = segmentationRuns(segmentation, image);
  if (size[0] !== image.height || size[1] !== image.width) {
    throw new AppError(
      'invalid',
      `A mask of ${size[1]}×${size[0]} pixels does not fit image ${image.id} of ${image.width}×${image.height}.`,
      { imageId: image.id },
    );
  }
  return { size, counts: countsToString(runs) };
}

import { AppError } from '../../shared/errors.ts';
import type { ComparedImage, DetectionObject, ObjectMask, TruthObject } from '../../shared/evaluate/compare.ts';
import { compareImage } from '../../shared/evaluate/compare.ts';
import type { OverlapKind } from '../../shared/evaluate/dataset.ts';
import { ringRuns } from '../../shared/mask/fill.ts';
import { rleToCounts } from '../../shared/mask/rle.ts';
import type { Box } from '../../shared/records.ts';
import type { TruthImage } from './coco-rows.ts';
import type { SpooledObject } from './spool.ts';

/** The heap's objects by image, each kind in the order of its file. */
export function byImage(objects: readonly SpooledObject[]): Map<number, { truths: SpooledObject[]; detections: SpooledObject[] }> {
  const images = new Map<number, { truths: SpooledObject[]; detections: SpooledObject[] }>();
  for (const object of objects) {
    let own = images.get(object.image);
    if (!own) {
      own = { truths: [], detections: [] };
      images.set(object.image, own);
    }
    (object.kind === 'truth' ? own.truths : own.detections).push(object);
  }
  return images;
}

/** Overlaps of one image by one kind. Throws `invalid` for broken counts and masks of different sizes, naming the results and the image. */
export function comparedImage(
  image: TruthImage,
  truths: readonly SpooledObject[],
  detections: readonly SpooledObject[],
  kind: OverlapKind,
  resultsPath: string,
): ComparedImage {
  const mask = (object: SpooledObject): ObjectMask | null => (kind === 'segm' ? maskOf(object, image) : null);
  try {
    return compareImage(
      image.id,
      truths.map((object): TruthObject => ({ ...object, mask: mask(object) })),
      detections.map(({ category, score, area, box, ...object }): DetectionObject => {
        const filled = kind === 'segm' && object.rle === null ? boxMask(box, image) : null;
        return { category, score, area: { segm: area, bbox: area }, box, mask: filled ?? mask({ category, score, area, box, ...object }) };
      }),
      { kind, leastIou: 0.5, across: false },
    );
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    const path = resultsPath;
    throw new AppError(thrown.code, `${path}: image ${image.id}: ${thrown.message}`, { ...thrown.detail, path, imageId: image.id }, thrown);
  }
}

function maskOf({ kind, place, rle }: SpooledObject, image: TruthImage): ObjectMask | null {
  if (!rle) return null;
  return {
    size: rle.size,
    runs() {
      try {
        return rleToCounts(rle);
      } catch (thrown) {
        if (!(thrown instanceof AppError)) throw thrown;
        throw new AppError(thrown.code, `${kind} number ${place}: ${thrown.message}`, { ...thrown.detail, imageId: image.id }, thrown);
      }
    },
  };
}

function boxMask([x, y, width, height]: Box, image: TruthImage): ObjectMask {
  const ring = [x, y, x, y + height, x + width, y + height, x + width, y];
  return { size: [image.height, image.width], runs: () => ringRuns(ring, image.width, image.height) };
}

import { AppError } from '../../shared/errors.ts';
import { rleToCounts } from '../../shared/mask/rle.ts';
import type { Geometry } from '../../shared/records.ts';

/** How far outside the image a shape may reach, in sizes of the image. */
const MARGIN = 1;

/**
 * Refuses geometry that cannot belong to an image of this size: rings of fewer than three points,
 * numbers that are not finite, shapes far outside, masks of another size or with broken runs.
 * Throws `invalid`, naming the annotation and what was wrong; `unsupported` for an image of unknown size.
 */
export function checkGeometry(annotationId: string, geometry: Geometry, width: number, height: number): void {
  const wrong = (why: string): AppError => new AppError('invalid', `Annotation ${annotationId}: ${why}.`, { annotationId });
  if (width === 0 || height === 0) {
    throw new AppError('unsupported', `Annotation ${annotationId}: the size of its image is unknown, because the file cannot be read.`, {
      annotationId,
    });
  }
  const point = (x: number, y: number): void => {
    if (!Number.isFinite(x) || !Number.isFinite(y)) throw wrong(`(${x}, ${y}) is not a point`);
    if (x < -MARGIN * width || x > (1 + MARGIN) * width || y < -MARGIN * height || y > (1 + MARGIN) * height) {
      throw wrong(`(${x}, ${y}) is far outside its ${width}×${height} image`);
    }
  };
  if (geometry.kind === 'box') {
    const [x, y, w, h] = geometry.box;
    if (!(w >= 0) || !(h >= 0)) throw wrong(`a box of ${w}×${h}`);
    point(x, y);
    point(x + w, y + h);
    return;
  }
  if (geometry.kind === 'polygon') {
    if (geometry.parts.length === 0) throw wrong('a polygon without parts');
    for (const part of geometry.parts) {
      for (const ring of [part.outer, ...part.holes]) {
        if (ring.length < 6 || ring.length % 2 !== 0) throw wrong(`a ring of ${ring.length} numbers; it needs at least three x, y pairs`);
        for (let i = 0; i < ring.length; i += 2) point(ring[i] ?? NaN, ring[i + 1] ?? NaN);
      }
    }
    return;
  }
  const [rows, columns] = geometry.rle.size;
  if (rows !== height || columns !== width) throw wrong(`its mask is ${columns}×${rows}, its image ${width}×${height}`);
  let sum = 0;
  try {
    for (const run of rleToCounts(geometry.rle)) sum += run;
  } catch (thrown) {
    throw new AppError(
      'invalid',
      `Annotation ${annotationId}: its mask's runs cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      { annotationId },
      thrown,
    );
  }
  if (sum !== rows * columns) throw wrong(`its mask's runs cover ${sum} of ${rows * columns} pixels`);
}

import { AppError } from '../errors.ts';
import { rasterizePatch } from '../mask/raster.ts';
import type { Label } from '../records.ts';
import type { ShownInstance } from './scene.ts';

/**
 * Which class each pixel is of: 0 for none, else the class's place in `labels` from 1, as the index PNGs of
 * Pascal VOC have it. Instances of one class are merged; where classes overlap, the one on top has the
 * pixel. Row-major. Throws `unsupported` for more than 255 classes.
 */
export function classMap(
  instances: readonly Pick<ShownInstance, 'labelId' | 'geometry'>[],
  labels: readonly Label[],
  width: number,
  height: number,
): Uint8Array {
  if (labels.length > 255) {
    throw new AppError('unsupported', `A class map has room for 255 classes; the project has ${labels.length}.`, {
      classes: labels.length,
    });
  }
  const indexOf = new Map(labels.map((label, i) => [label.id, i + 1]));
  const out = new Uint8Array(width * height);
  for (const { labelId, geometry } of instances) {
    const index = indexOf.get(labelId);
    const patch = index === undefined ? null : rasterizePatch(geometry, width, height);
    if (index === undefined || !patch) continue;
    const { bitmap } = patch;
    for (let y = 0; y < bitmap.height; y++) {
      const row = (y + patch.y) * width + patch.x;
      for (let x = 0; x < bitmap.width; x++) if (bitmap.data[y * bitmap.width + x] === 1) out[row + x] = index;
    }
  }
  return out;
}

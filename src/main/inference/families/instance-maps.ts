import { AppError } from '../../../shared/errors.ts';
import type { InstanceMapsManifest as Manifest } from '../manifest.ts';
import type { Corners } from './boxes.ts';
import type { DecodedInstance, Family, InputTransform, Outputs } from './family.ts';
import { inImage, placeInside } from './letterbox.ts';
import { prototypeMask } from './prototypes.ts';
import { resizeBilinear } from './resize.ts';
import { sampleLinear } from './sample-linear.ts';
import type { Floats } from './tensors.ts';
import { floats, imageTensor } from './tensors.ts';

/** A picture of at most this many pixels for each of the input's; more of the image cannot matter. */
const OVERSAMPLING = 16;
const ALONE = Float32Array.of(1);

/** What the graph says of one instance, its box in pixels of the input. */
interface Found {
  readonly label: string;
  readonly score: number;
  readonly box: Corners;
}

/**
 * Instances that come with a map over the whole input: RTMDet-Ins (Lyu et al. 2022) as MMDeploy exports it, its
 * suppression in the graph, and RF-DETR-Seg (Robinson et al. 2025), whose queries need none. A mask is the map,
 * interpolated to the image's own pixels and cut at the threshold; like the references, not cut to the box.
 */
export const instanceMaps: Family<Manifest> = {
  decodeLimit({ input: { fit } }) {
    return Math.min(64_000_000, Math.max(1_000_000, OVERSAMPLING * fit.width * fit.height));
  },

  prepare(manifest, image, full) {
    const { input, variant } = manifest;
    const transform = placeInside(input.fit, full);
    const { inputWidth: width, inputHeight: height } = transform;
    // MMDetection prepares with OpenCV, RF-DETR with Pillow's rule (torchvision's antialias).
    const resize = variant === 'mmdeploy' ? sampleLinear : resizeBilinear;
    const picture = { width, height, data: resize(image.data, image.width, image.height, width, height) };
    const pad = input.fit.mode === 'letterbox' ? input.fit.pad : [];
    return { feeds: { [input.name]: imageTensor(input, 'nchw', picture, transform, pad) }, transform };
  },

  decode(manifest, outputs, transform) {
    const { variant, thresholds } = manifest;
    const found = variant === 'mmdeploy' ? foundByMmdeploy(manifest, outputs) : foundByRfDetr(manifest, outputs, transform);
    const maps = floats(manifest.id, outputs, manifest.outputs.masks, [1, found.length, null, null], whatOf(manifest));
    const [, , height = 0, width = 0] = maps.dims;
    const size = width * height;
    // Logits are cut where their probability is the threshold.
    const level = variant === 'mmdeploy' ? thresholds.mask : Math.log(thresholds.mask / (1 - thresholds.mask));
    return found.flatMap((instance, i): DecodedInstance[] => {
      if (!instance) return [];
      const map = { count: 1, width, height, data: maps.data.subarray(i * size, (i + 1) * size) };
      const reach = reachOf(map, transform, level);
      const rle = reach && prototypeMask(map, ALONE, reach, transform, level);
      if (!rle) return [];
      const { x0, y0, x1, y1 } = inImage(instance.box, transform);
      return [{ label: instance.label, score: Math.min(1, instance.score), box: [x0, y0, x1 - x0, y1 - y0], rle }];
    });
  },
};

interface Cells {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** The part of the image outside of which the map cannot be above `level`, so that the rest need not be looked at. */
function reachOf({ width, height, data }: Cells, transform: InputTransform, level: number): Corners | null {
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (!((data[i] ?? 0) > level)) continue;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      bottom = y;
    }
  }
  if (right < 0) return null;
  // A pixel takes from the cells around it, and at the picture's border from those just inside: two cells more.
  const [wide, high] = [transform.paddedWidth / width, transform.paddedHeight / height];
  const box = { x0: (left - 2) * wide, y0: (top - 2) * high, x1: (right + 3) * wide, y1: (bottom + 3) * high };
  return inImage(box, transform);
}

function whatOf({ variant }: Manifest): string {
  return variant === 'mmdeploy' ? 'an instance segmentation of MMDeploy gives' : 'an RF-DETR-Seg gives';
}

/** Null for each that is too unsure, or of a class without a name. */
function foundByMmdeploy(manifest: Manifest, outputs: Outputs): readonly (Found | null)[] {
  const { data, dims } = floats(manifest.id, outputs, manifest.outputs.boxes, [1, null, 5], whatOf(manifest));
  const count = dims[1] ?? 0;
  const name = manifest.outputs.labels;
  const numbers = outputs[name];
  if (numbers?.data.length !== count) {
    const told = numbers ? `output "${name}" is ${numbers.dims.join(' × ')} for ${count} boxes` : `the model has no output "${name}"`;
    throw new AppError('model-run', `${manifest.id}: ${told}.`, { modelId: manifest.id, output: name });
  }
  const names = namesOf(manifest);
  return Array.from({ length: count }, (_, i) => {
    const [x0 = 0, y0 = 0, x1 = 0, y1 = 0, score = 0] = data.subarray(i * 5, i * 5 + 5);
    // A graph of fixed size fills its answer with boxes of class -1.
    const label = names.get(Number(numbers.data[i]));
    return label !== undefined && score >= manifest.thresholds.keep ? { label, score, box: { x0, y0, x1, y1 } } : null;
  });
}

/**
 * Each query counts for its best class. RF-DETR's own evaluation lets a query answer several; an annotator would see one
 * object twice.
 */
function foundByRfDetr(manifest: Manifest, outputs: Outputs, transform: InputTransform): readonly (Found | null)[] {
  const what = whatOf(manifest);
  const boxes = floats(manifest.id, outputs, manifest.outputs.boxes, [1, null, 4], what);
  const count = boxes.dims[1] ?? 0;
  const logits = floats(manifest.id, outputs, manifest.outputs.labels, [1, count, null], what);
  const names = namesOf(manifest);
  const { paddedWidth, paddedHeight } = transform;
  return Array.from({ length: count }, (_, i) => {
    const best = bestOf(logits, i, names);
    if (!best || !(best.score >= manifest.thresholds.keep)) return null;
    const [x = 0, y = 0, width = 0, height = 0] = boxes.data.subarray(i * 4, i * 4 + 4);
    const box = {
      x0: (x - width / 2) * paddedWidth,
      y0: (y - height / 2) * paddedHeight,
      x1: (x + width / 2) * paddedWidth,
      y1: (y + height / 2) * paddedHeight,
    };
    return { ...best, box };
  });
}

function bestOf({ dims, data }: Floats, row: number, names: ReadonlyMap<number, string>): { label: string; score: number } | null {
  const count = dims[2] ?? 0;
  let best: { label: string; score: number } | null = null;
  for (const [number, label] of names) {
    if (number >= count) continue;
    const score = 1 / (1 + Math.exp(-(data[row * count + number] ?? 0)));
    if (!best || score > best.score) best = { label, score };
  }
  return best;
}

function namesOf({ labels, labelIds }: Manifest): ReadonlyMap<number, string> {
  return new Map(labels.map((label, i) => [labelIds?.[i] ?? i, label]));
}

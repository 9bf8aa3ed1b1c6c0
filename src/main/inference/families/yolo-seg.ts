import type { YoloSegManifest } from '../manifest.ts';
import type { Candidate } from './boxes.ts';
import { suppressed } from './boxes.ts';
import type { DecodedInstance, Family } from './family.ts';
import { inImage, placeInside } from './letterbox.ts';
import { prototypeMask } from './prototypes.ts';
import { sampleLinear } from './sample-linear.ts';
import type { Floats } from './tensors.ts';
import { floats, imageTensor } from './tensors.ts';

/** A picture of at most this many pixels for each of the input's; more of the image cannot matter. */
const OVERSAMPLING = 16;

/** A box in pixels of the input, and where its coefficients are. */
interface Anchor extends Candidate {
  readonly index: number;
}

/**
 * YOLO's instance segmentation, as Ultralytics exports it (v8, 9, 11) and as YOLOv5 does: a letterboxed
 * picture in; boxes, class scores and mask coefficients at each anchor out, with prototypes for all. Each
 * anchor counts for its best class; the best boxes stay; a mask is the prototypes weighed, cut to its box.
 */
export const yoloSeg: Family<YoloSegManifest> = {
  decodeLimit({ input: { fit } }) {
    return Math.min(64_000_000, Math.max(1_000_000, OVERSAMPLING * fit.width * fit.height));
  },

  prepare(manifest, image, full) {
    const { input } = manifest;
    const transform = placeInside(input.fit, full);
    const { inputWidth: width, inputHeight: height } = transform;
    const picture = { width, height, data: sampleLinear(image.data, image.width, image.height, width, height) };
    const pad = input.fit.mode === 'letterbox' ? input.fit.pad : [];
    return { feeds: { [input.name]: imageTensor(input, 'nchw', picture, transform, pad) }, transform };
  },

  decode(manifest, outputs, transform) {
    const what = `a ${manifest.variant} YOLO of ${manifest.labels.length} classes gives`;
    const raw = floats(manifest.id, outputs, manifest.outputs.prototypes, [1, null, null, null], what);
    const [, count = 0, height = 0, width = 0] = raw.dims;
    const prototypes = { count, width, height, data: raw.data };
    const v8 = manifest.variant === 'v8';
    const values = (v8 ? 4 : 5) + manifest.labels.length + count;
    const dims = v8 ? [1, values, null] : [1, null, values];
    const predictions = floats(manifest.id, outputs, manifest.outputs.predictions, dims, what);
    const candidates = v8 ? anchorsOfV8(manifest, predictions) : anchorsOfV5(manifest, predictions);
    // The sign of the logit of a probability says on which side of it a value lies.
    const level = Math.log(manifest.thresholds.mask / (1 - manifest.thresholds.mask));
    const coefficients = new Float32Array(count);
    const instances: DecodedInstance[] = [];
    for (const anchor of suppressed(candidates, manifest.nms.iou, manifest.nms.maxInstances)) {
      const n = v8 ? (predictions.dims[2] ?? 0) : 1;
      const first = v8 ? (values - count) * n + anchor.index : anchor.index * values + values - count;
      for (let k = 0; k < count; k++) coefficients[k] = predictions.data[first + k * n] ?? 0;
      const box = inImage(anchor, transform);
      const rle = prototypeMask(prototypes, coefficients, box, transform, level);
      if (!rle) continue;
      const label = manifest.labels[anchor.label] ?? '';
      instances.push({ label, score: Math.min(1, anchor.score), box: [box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0], rle });
    }
    return instances;
  },
};

/** Channels first: row 0 to 3 centre and size, then one row for each class. */
function anchorsOfV8(manifest: YoloSegManifest, { dims, data }: Floats): Anchor[] {
  const n = dims[2] ?? 0;
  const best = new Float32Array(n);
  const label = new Int32Array(n);
  // Row after row through the memory, not column after column.
  for (let c = 0, o = 4 * n; c < manifest.labels.length; c++) {
    for (let i = 0; i < n; i++, o++) {
      const score = data[o] ?? 0;
      if (score > (best[i] ?? 0)) {
        best[i] = score;
        label[i] = c;
      }
    }
  }
  const anchors: Anchor[] = [];
  for (let i = 0; i < n; i++) {
    const score = best[i] ?? 0;
    if (!(score >= manifest.thresholds.keep)) continue;
    anchors.push(anchor(i, score, label[i] ?? 0, data[i] ?? 0, data[n + i] ?? 0, data[2 * n + i] ?? 0, data[3 * n + i] ?? 0));
  }
  return anchors;
}

/** Anchors first: centre, size, how sure it is of any object, then each class's share of that. */
function anchorsOfV5(manifest: YoloSegManifest, { dims, data }: Floats): Anchor[] {
  const [, n = 0, values = 0] = dims;
  const { keep } = manifest.thresholds;
  const anchors: Anchor[] = [];
  for (let i = 0, o = 0; i < n; i++, o += values) {
    const object = data[o + 4] ?? 0;
    if (!(object >= keep)) continue;
    let best = 0;
    let label = 0;
    for (let c = 0; c < manifest.labels.length; c++) {
      const share = data[o + 5 + c] ?? 0;
      if (share > best) {
        best = share;
        label = c;
      }
    }
    const score = object * best;
    if (score >= keep) anchors.push(anchor(i, score, label, data[o] ?? 0, data[o + 1] ?? 0, data[o + 2] ?? 0, data[o + 3] ?? 0));
  }
  return anchors;
}

function anchor(index: number, score: number, label: number, x: number, y: number, width: number, height: number): Anchor {
  return { index, score, label, x0: x - width / 2, y0: y - height / 2, x1: x + width / 2, y1: y + height / 2 };
}

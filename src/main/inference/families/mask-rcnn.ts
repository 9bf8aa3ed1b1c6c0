import { AppError } from '../../../shared/errors.ts';
import type { MaskRcnnManifest as Manifest } from '../manifest.ts';
import type { RgbImage } from '../pixels.ts';
import type { DecodedInstance, Family, InputTransform, OutputTensor } from './family.ts';
import { pasteField, pixelRect, thresholdField } from './mask-field.ts';
import { resizeBilinear } from './resize.ts';

/** The short side of Detectron's rule is at most 4096; more of the image than this cannot matter. */
const ZOO_DECODE_LIMIT = 64_000_000;

/**
 * Mask R-CNN. Three signatures:
 * - `torchvision` (torchvision.models.detection.MaskRCNN exported with its transform): the image as it
 *   is, boxes in its pixels, masks pasted at full size by the graph;
 * - `zoo` (ONNX model zoo MaskRCNN-12, from maskrcnn-benchmark): the caller resizes, subtracts the mean
 *   and pads; boxes in resized pixels; 28 x 28 masks that the caller pastes into their boxes;
 * - `detectron2` (`export_model.py --export-method tracing`): the same, but BGR from 0 to 255 with the
 *   mean subtracted inside, classes from 0 without a background, and outputs in the exporter's order.
 */
export const maskRcnn: Family<Manifest> = {
  decodeLimit(manifest) {
    return manifest.input.fit.mode === 'none' ? manifest.input.fit.maxPixels : ZOO_DECODE_LIMIT;
  },

  prepare(manifest, image, full) {
    const { fit } = manifest.input;
    let picture = image;
    let padTo = 1;
    if (fit.mode === 'stretch') {
      const { width, height } = fit;
      picture = { width, height, data: resizeBilinear(image.data, image.width, image.height, width, height) };
    } else if (fit.mode === 'short-side') {
      const shorter = Math.min(full.width, full.height);
      const longer = Math.max(full.width, full.height);
      let scale = fit.shortSide / shorter;
      if (longer * scale > fit.longSide) scale = fit.longSide / longer;
      // Truncated, as `int(scale * side)` in the reference code.
      const width = Math.max(1, Math.trunc(scale * full.width));
      const height = Math.max(1, Math.trunc(scale * full.height));
      picture = { width, height, data: resizeBilinear(image.data, image.width, image.height, width, height) };
      padTo = fit.padMultiple;
    }
    const width = Math.ceil(picture.width / padTo) * padTo;
    const height = Math.ceil(picture.height / padTo) * padTo;
    return {
      feeds: { [manifest.input.name]: { dims: [3, height, width], data: planes(manifest, picture, width, height) } },
      transform: {
        imageWidth: full.width,
        imageHeight: full.height,
        inputWidth: picture.width,
        inputHeight: picture.height,
        ...scales(manifest, picture, full),
        offsetX: 0,
        offsetY: 0,
        paddedWidth: width,
        paddedHeight: height,
      },
    };
  },

  decode(manifest, outputs, transform) {
    const boxes = floats(manifest, outputs, 'boxes', [null, 4]);
    const n = boxes.dims[0] ?? 0;
    const scores = floats(manifest, outputs, 'scores', [n]);
    const classes = output(manifest, outputs, 'labels', [n]).data;
    const pasted = manifest.variant !== 'torchvision';
    const masks = floats(manifest, outputs, 'masks', pasted ? [n, 1, null, null] : [n, 1, transform.inputHeight, transform.inputWidth]);
    const instances: DecodedInstance[] = [];
    for (let i = 0; i < n; i++) {
      const score = scores.data[i] ?? 0;
      if (!(score >= manifest.thresholds.keep)) continue;
      const inInput = {
        x0: boxes.data[i * 4] ?? 0,
        y0: boxes.data[i * 4 + 1] ?? 0,
        x1: boxes.data[i * 4 + 2] ?? 0,
        y1: boxes.data[i * 4 + 3] ?? 0,
      };
      const rle = maskOf(manifest, masks, i, inInput, transform);
      if (!rle) continue;
      const { imageWidth, imageHeight } = transform;
      const x0 = clamp(inInput.x0 / transform.scaleX, imageWidth);
      const y0 = clamp(inInput.y0 / transform.scaleY, imageHeight);
      const x1 = clamp(inInput.x1 / transform.scaleX, imageWidth);
      const y1 = clamp(inInput.y1 / transform.scaleY, imageHeight);
      instances.push({
        label: labelOf(manifest, Number(classes[i] ?? -1)),
        score: Math.min(1, score),
        box: [x0, y0, Math.max(0, x1 - x0), Math.max(0, y1 - y0)],
        rle,
      });
    }
    return instances;
  },
};

/**
 * The reference code has one scale for both sides and ignores that the resized size was truncated to
 * whole pixels; torchvision's graph answers in the pixels it was given.
 */
function scales(
  manifest: Manifest,
  picture: RgbImage,
  full: { readonly width: number; readonly height: number },
): { readonly scaleX: number; readonly scaleY: number } {
  const { fit } = manifest.input;
  if (fit.mode !== 'short-side') return { scaleX: picture.width / full.width, scaleY: picture.height / full.height };
  const shorter = Math.min(full.width, full.height);
  const longer = Math.max(full.width, full.height);
  const scale = Math.min(fit.shortSide / shorter, fit.longSide / longer);
  return { scaleX: scale, scaleY: scale };
}

/** Planar floats in the manifest's order and range, zero where padded. */
function planes(manifest: Manifest, picture: RgbImage, width: number, height: number): Float32Array {
  const { color, range, mean, std } = manifest.input;
  const out = new Float32Array(3 * width * height);
  for (let plane = 0; plane < 3; plane++) {
    const channel = color === 'rgb' ? plane : 2 - plane;
    // 256 possible values: the arithmetic once for each, in double, rounded to float at the end.
    const values = new Float32Array(256);
    for (let value = 0; value < 256; value++) {
      values[value] = ((value * range) / 255 - (mean[plane] ?? 0)) / (std[plane] ?? 1);
    }
    for (let y = 0; y < picture.height; y++) {
      let o = plane * width * height + y * width;
      let i = y * picture.width * 3 + channel;
      for (let x = 0; x < picture.width; x++, i += 3) out[o++] = values[picture.data[i] ?? 0] ?? 0;
    }
  }
  return out;
}

function maskOf(
  manifest: Manifest,
  masks: { readonly dims: readonly number[]; readonly data: Float32Array },
  index: number,
  inInput: { readonly x0: number; readonly y0: number; readonly x1: number; readonly y1: number },
  transform: InputTransform,
): DecodedInstance['rle'] | null {
  const height = masks.dims[2] ?? 0;
  const width = masks.dims[3] ?? 0;
  const field = { data: masks.data, offset: index * width * height, width, height };
  const { imageWidth, imageHeight, scaleX, scaleY } = transform;
  const box = { x0: inInput.x0 / scaleX, y0: inInput.y0 / scaleY, x1: inInput.x1 / scaleX, y1: inInput.y1 / scaleY };
  if (manifest.variant !== 'torchvision') {
    // Nothing lies farther out than half a cell of the grid.
    const rect = pixelRect(box, (box.x1 - box.x0) / width + 1, (box.y1 - box.y0) / height + 1, imageWidth, imageHeight);
    return pasteField(field, box, rect, imageWidth, imageHeight, manifest.thresholds.mask, 'zero');
  }
  // torchvision pads the 28 x 28 mask by one cell before it pastes, so a mask may reach over its box by that.
  const rect = pixelRect(box, (box.x1 - box.x0) / 14 + 2, (box.y1 - box.y0) / 14 + 2, imageWidth, imageHeight);
  if (width === imageWidth && height === imageHeight) return thresholdField(field, rect, manifest.thresholds.mask);
  const whole = { x0: 0, y0: 0, x1: imageWidth, y1: imageHeight };
  return pasteField(field, whole, rect, imageWidth, imageHeight, manifest.thresholds.mask, 'border');
}

function labelOf(manifest: Manifest, number: number): string {
  const label = manifest.labels[number - manifest.labelOffset];
  if (label !== undefined) return label;
  throw new AppError(
    'model-run',
    `${manifest.id}: the model answered class ${number}; its manifest names ${manifest.labels.length} classes from ${manifest.labelOffset}.`,
    { modelId: manifest.id, class: number },
  );
}

type OutputKey = keyof Manifest['outputs'];

function output(
  manifest: Manifest,
  outputs: Readonly<Record<string, OutputTensor>>,
  key: OutputKey,
  dims: readonly (number | null)[],
): OutputTensor {
  const name = manifest.outputs[key];
  const tensor = outputs[name];
  if (!tensor) {
    throw new AppError('model-run', `${manifest.id}: the model has no output "${name}" (outputs.${key}).`, {
      modelId: manifest.id,
      output: name,
    });
  }
  const fits = tensor.dims.length === dims.length && dims.every((dim, i) => dim === null || dim === tensor.dims[i]);
  const size = tensor.dims.reduce((product, dim) => product * dim, 1);
  if (!fits || size !== tensor.data.length) {
    const expected = dims.map((dim) => dim ?? 'any').join(' × ');
    throw new AppError(
      'model-run',
      `${manifest.id}: output "${name}" is ${tensor.dims.join(' × ')}; a ${manifest.variant} Mask R-CNN gives ${expected}.`,
      { modelId: manifest.id, output: name },
    );
  }
  return tensor;
}

function floats(
  manifest: Manifest,
  outputs: Readonly<Record<string, OutputTensor>>,
  key: OutputKey,
  dims: readonly (number | null)[],
): { readonly dims: readonly number[]; readonly data: Float32Array } {
  const tensor = output(manifest, outputs, key, dims);
  if (tensor.data instanceof Float32Array) return { dims: tensor.dims, data: tensor.data };
  throw new AppError('model-run', `${manifest.id}: output "${manifest.outputs[key]}" is not float32.`, { modelId: manifest.id });
}

function clamp(value: number, most: number): number {
  return Math.min(most, Math.max(0, value));
}

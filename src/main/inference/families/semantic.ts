import { AppError } from '../../../shared/errors.ts';
import type { SemanticManifest } from '../manifest.ts';
import { classMap } from './class-map.ts';
import type { DecodedInstance, Family, InputTransform, Outputs, OutputTensor } from './family.ts';
import { regions } from './regions.ts';
import { resizeBilinear } from './resize.ts';
import { imageTensor } from './tensors.ts';

/** A picture of at most this many pixels for each of the input's; more of the image cannot matter. */
const OVERSAMPLING = 16;

interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Semantic segmentation: one map of classes for the whole image (U-Net, SegNet, DeepLab, SegFormer, BiSeNet).
 * The manifest says how the image goes in and what the map holds. The map is interpolated bilinearly to
 * the image's size before the largest class is taken (Chen et al. 2017), and cut into regions.
 */
export const semantic: Family<SemanticManifest> = {
  decodeLimit(manifest) {
    const { fit } = manifest.input;
    if (fit.mode === 'native') return fit.maxPixels;
    const pixels = fit.mode === 'short-side' ? fit.shortSide * fit.longSide : fit.width * fit.height;
    return Math.min(64_000_000, Math.max(1_000_000, OVERSAMPLING * pixels));
  },

  prepare(manifest, image, full) {
    const placed = place(manifest, image, full);
    const { inputWidth, inputHeight } = placed;
    const picture = {
      width: inputWidth,
      height: inputHeight,
      data: resizeBilinear(image.data, image.width, image.height, inputWidth, inputHeight),
    };
    const { input } = manifest;
    const pad = input.fit.mode === 'stretch' ? [] : input.fit.pad;
    return { feeds: { [input.name]: imageTensor(input, input.layout, picture, placed, pad) }, transform: placed };
  },

  options: ['regions'],

  decode(manifest, outputs, transform, options = {}) {
    const mode = options['regions'] ?? manifest.regions.mode;
    if (mode !== 'components' && mode !== 'class') {
      throw new AppError('invalid', `${manifest.id}: the option "regions" is "${String(mode)}"; it can be "components" or "class".`, {
        modelId: manifest.id,
      });
    }
    return decodeRegions(manifest, outputs, transform, mode);
  },
};

/** @throws AppError `model-run` naming the output that is missing. */
export function outputOf(manifest: SemanticManifest, outputs: Outputs): OutputTensor {
  const name = manifest.outputs.map;
  const output = outputs[name];
  if (output) return output;
  throw new AppError('model-run', `${manifest.id}: the model has no output "${name}" (outputs.map).`, {
    modelId: manifest.id,
    output: name,
  });
}

/**
 * `decode` with the way to cut regions given: 8-connected pieces, or one region for each class, whatever
 * the manifest proposes.
 * @throws AppError `model-run` when the output is missing, of another shape, or names an unknown class.
 */
export function decodeRegions(
  manifest: SemanticManifest,
  outputs: Outputs,
  transform: InputTransform,
  mode: SemanticManifest['regions']['mode'],
): DecodedInstance[] {
  const map = classMap(manifest, outputOf(manifest, outputs), transform);
  const least = Math.max(1, manifest.regions.minArea / (transform.scaleX * transform.scaleY));
  const answered = manifest.labels.map((label) => (manifest.background.includes(label) ? null : label));
  return regions(map, answered, mode, least, manifest.thresholds.keep);
}

/** Where the picture lies in the input. Sizes are truncated to whole pixels, as `int(scale * side)` does. */
function place(manifest: SemanticManifest, image: Size, full: Size): InputTransform {
  const { fit } = manifest.input;
  let inputWidth: number;
  let inputHeight: number;
  let paddedWidth: number;
  let paddedHeight: number;
  let offsetX = 0;
  let offsetY = 0;
  if (fit.mode === 'stretch') {
    inputWidth = paddedWidth = fit.width;
    inputHeight = paddedHeight = fit.height;
  } else if (fit.mode === 'letterbox') {
    const scale = Math.min(fit.width / full.width, fit.height / full.height);
    inputWidth = scaled(scale, full.width, fit.width);
    inputHeight = scaled(scale, full.height, fit.height);
    paddedWidth = fit.width;
    paddedHeight = fit.height;
    if (fit.align === 'center') {
      offsetX = (paddedWidth - inputWidth) >> 1;
      offsetY = (paddedHeight - inputHeight) >> 1;
    }
  } else {
    if (fit.mode === 'short-side') {
      const scale = Math.min(fit.shortSide / Math.min(full.width, full.height), fit.longSide / Math.max(full.width, full.height));
      inputWidth = scaled(scale, full.width, fit.longSide);
      inputHeight = scaled(scale, full.height, fit.longSide);
    } else {
      // Decoding has already brought the image below `maxPixels`.
      inputWidth = image.width;
      inputHeight = image.height;
    }
    paddedWidth = Math.ceil(inputWidth / fit.padMultiple) * fit.padMultiple;
    paddedHeight = Math.ceil(inputHeight / fit.padMultiple) * fit.padMultiple;
  }
  return {
    imageWidth: full.width,
    imageHeight: full.height,
    inputWidth,
    inputHeight,
    scaleX: inputWidth / full.width,
    scaleY: inputHeight / full.height,
    offsetX,
    offsetY,
    paddedWidth,
    paddedHeight,
  };
}

function scaled(scale: number, side: number, most: number): number {
  // A product that should be whole may come out a hair below it.
  return Math.max(1, Math.min(most, Math.trunc(scale * side + 1e-6)));
}

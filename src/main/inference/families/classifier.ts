import { AppError } from '../../../shared/errors.ts';
import type { PredictedTag } from '../inference.ts';
import type { ClassifierManifest } from '../manifest.ts';
import type { RgbImage } from '../pixels.ts';
import type { Family, OutputTensor } from './family.ts';
import { resizeBilinear } from './resize.ts';
import { imageTensor } from './tensors.ts';

/** A picture of at most this many pixels for each of the input's; more of the image cannot matter. */
const OVERSAMPLING = 16;

/** A network that answers what a picture shows as a whole, prepared as torchvision and Pillow do. */
export const classifier: Family<ClassifierManifest> = {
  decodeLimit({ input: { fit } }) {
    return Math.min(64_000_000, Math.max(1_000_000, OVERSAMPLING * fit.width * fit.height));
  },

  prepare(manifest, image, full) {
    const { input } = manifest;
    const picture = fitted(input.fit, image, full);
    const { width, height } = picture;
    const transform = {
      imageWidth: full.width,
      imageHeight: full.height,
      inputWidth: width,
      inputHeight: height,
      scaleX: width / full.width,
      scaleY: height / full.height,
      offsetX: 0,
      offsetY: 0,
      paddedWidth: width,
      paddedHeight: height,
    };
    return { feeds: { [input.name]: imageTensor(input, input.layout, picture, transform, []) }, transform };
  },

  decode: () => [],

  tags(manifest, outputs) {
    const { labels, background, thresholds, most } = manifest;
    const tags: PredictedTag[] = [];
    for (const [i, score] of probabilities(manifest, outputs).entries()) {
      const label = labels[i] ?? '';
      if (score >= thresholds.keep && !background.includes(label)) tags.push({ label, score });
    }
    return tags.sort((a, b) => b.score - a.score).slice(0, most);
  },
};

/** `Resize(shortSide)` and `CenterCrop` of torchvision: the longer side truncated, the corner rounded half to even. */
function fitted(
  fit: ClassifierManifest['input']['fit'],
  image: RgbImage,
  full: { readonly width: number; readonly height: number },
): RgbImage {
  const { width, height } = fit;
  if (fit.mode === 'stretch') return { width, height, data: resizeBilinear(image.data, image.width, image.height, width, height) };
  const shorter = Math.min(full.width, full.height);
  const wide = Math.max(width, Math.trunc((fit.shortSide * full.width) / shorter));
  const high = Math.max(height, Math.trunc((fit.shortSide * full.height) / shorter));
  const whole = resizeBilinear(image.data, image.width, image.height, wide, high);
  const left = halfOf(wide - width);
  const top = halfOf(high - height);
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const from = ((y + top) * wide + left) * 3;
    data.set(whole.subarray(from, from + width * 3), y * width * 3);
  }
  return { width, height, data };
}

/** Python's `int(round(rest / 2))`. */
function halfOf(rest: number): number {
  const half = rest >> 1;
  return rest % 2 === 0 ? half : half + (half % 2);
}

function probabilities(manifest: ClassifierManifest, outputs: Readonly<Record<string, OutputTensor>>): Float64Array {
  const name = manifest.outputs.scores;
  const tensor = outputs[name];
  const wrong = (how: string): AppError =>
    new AppError('model-run', `${manifest.id}: output "${name}" ${how}.`, { modelId: manifest.id, output: name });
  if (!tensor)
    throw new AppError('model-run', `${manifest.id}: the model has no output "${name}".`, { modelId: manifest.id, output: name });
  if (!(tensor.data instanceof Float32Array)) throw wrong('is not float32');
  const count = manifest.labels.length;
  if (tensor.data.length !== count || tensor.dims.filter((dim) => dim !== 1).length > 1) {
    throw wrong(`is ${tensor.dims.join(' × ')}; a classifier of ${count} labels gives 1 × ${count}`);
  }
  const values = Float64Array.from(tensor.data);
  if (manifest.variant === 'sigmoid-logits') return values.map((value) => 1 / (1 + Math.exp(-value)));
  if (manifest.variant !== 'logits') return values.map((value) => Math.min(1, Math.max(0, value)));
  const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = values.map((value) => Math.exp(value - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((value) => value / sum);
}

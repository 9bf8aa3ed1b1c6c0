import { AppError } from '../../../shared/errors.ts';
import type { RgbImage } from '../pixels.ts';
import type { InputTensor, InputTransform, OutputTensor } from './family.ts';

/** How bytes become numbers: the keys that every family's `input` has. */
export interface Normalisation {
  readonly color: 'rgb' | 'bgr';
  readonly range: 1 | 255;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * `[1, 3, H, W]` or `[1, H, W, 3]`, normalised, the picture where `placed` says and `pad` (bytes, red
 * first) around it.
 */
export function imageTensor(
  { color, range, mean, std }: Normalisation,
  layout: 'nchw' | 'nhwc',
  picture: RgbImage,
  placed: InputTransform,
  pad: readonly number[],
): InputTensor {
  const { paddedWidth, paddedHeight, offsetX, offsetY } = placed;
  const pixels = paddedWidth * paddedHeight;
  const data = new Float32Array(3 * pixels);
  const planar = layout === 'nchw';
  const step = planar ? 1 : 3;
  for (let plane = 0; plane < 3; plane++) {
    const channel = color === 'rgb' ? plane : 2 - plane;
    const normal = (value: number): number => ((value * range) / 255 - (mean[plane] ?? 0)) / (std[plane] ?? 1);
    const start = planar ? plane * pixels : plane;
    if (paddedWidth !== picture.width || paddedHeight !== picture.height) {
      const fill = normal(pad[channel] ?? 0);
      if (planar) data.fill(fill, start, start + pixels);
      else for (let i = 0, o = start; i < pixels; i++, o += step) data[o] = fill;
    }
    // 256 possible values: the arithmetic once for each, in double, rounded to float at the end.
    const values = Float32Array.from({ length: 256 }, (_, value) => normal(value));
    for (let y = 0; y < picture.height; y++) {
      let o = start + ((y + offsetY) * paddedWidth + offsetX) * step;
      let i = y * picture.width * 3 + channel;
      for (let x = 0; x < picture.width; x++, i += 3, o += step) data[o] = values[picture.data[i] ?? 0] ?? 0;
    }
  }
  return { dims: planar ? [1, 3, paddedHeight, paddedWidth] : [1, paddedHeight, paddedWidth, 3], data };
}

/** A float32 output with the dims that were asked for; null is any. */
export interface Floats {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/**
 * @param what a phrase for the error: "a v8 YOLO gives".
 * @throws AppError `model-run` naming the output when it is missing, not float32 or of another shape.
 */
export function floats(
  modelId: string,
  outputs: Readonly<Record<string, OutputTensor>>,
  name: string,
  dims: readonly (number | null)[],
  what: string,
): Floats {
  const tensor = outputs[name];
  const wrong = (how: string): AppError => new AppError('model-run', `${modelId}: output "${name}" ${how}.`, { modelId, output: name });
  if (!tensor) throw new AppError('model-run', `${modelId}: the model has no output "${name}".`, { modelId, output: name });
  const fits = tensor.dims.length === dims.length && dims.every((dim, i) => dim === null || dim === tensor.dims[i]);
  const size = tensor.dims.reduce((product, dim) => product * dim, 1);
  if (!fits || size !== tensor.data.length) {
    throw wrong(`is ${tensor.dims.join(' × ')}; ${what} ${dims.map((dim) => dim ?? 'any').join(' × ')}`);
  }
  if (!(tensor.data instanceof Float32Array)) throw wrong('is not float32');
  return { dims: tensor.dims, data: tensor.data };
}

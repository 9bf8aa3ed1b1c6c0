import type { Rle } from '../../../shared/records.ts';
import type { ModelOptions, PredictedInstance, PredictedTag } from '../inference.ts';
import type { Manifest } from '../manifest.ts';
import type { RgbImage } from '../pixels.ts';

/** A float tensor on its way in, C order. */
export interface InputTensor {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** Whole numbers on their way in, for a graph that will have a size as int64. */
export interface WholeTensor {
  readonly dims: readonly number[];
  readonly data: BigInt64Array;
}

/** A tensor as the runtime answered it. */
export interface OutputTensor {
  readonly dims: readonly number[];
  readonly data: Float32Array | BigInt64Array | Int32Array;
}

/** How coordinates of the graph's input relate to those of the image. */
export interface InputTransform {
  /** Size of the oriented image, in which instances are answered. */
  readonly imageWidth: number;
  readonly imageHeight: number;
  /** Size of its picture in the input, without padding. */
  readonly inputWidth: number;
  readonly inputHeight: number;
  /** Input pixels for each image pixel. */
  readonly scaleX: number;
  readonly scaleY: number;
  /** Where the picture's top left corner lies in the input, and the input's size with its padding. */
  readonly offsetX: number;
  readonly offsetY: number;
  readonly paddedWidth: number;
  readonly paddedHeight: number;
}

export interface Prepared {
  readonly feeds: Readonly<Record<string, InputTensor>>;
  readonly transform: InputTransform;
}

/** What a graph answered, by the names of its outputs. */
export type Outputs = Readonly<Record<string, OutputTensor>>;

/** An instance with its mask, in image space. */
export type DecodedInstance = PredictedInstance & { readonly rle: Rle };

/**
 * A family is code, a model is a folder. Both directions are pure: pixels to tensors, tensors to
 * instances.
 */
export interface Family<M extends Manifest = Manifest> {
  /** The most pixels `prepare` wants to be given; a larger image is scaled down while it is decoded. */
  decodeLimit(manifest: M): number;
  /** `full` is the size of the oriented image, of which `image` may be a smaller picture. */
  prepare(manifest: M, image: RgbImage, full: { readonly width: number; readonly height: number }): Prepared;
  /** @throws AppError `model-run` when an output is missing or of another shape than the manifest says. */
  decode(manifest: M, outputs: Outputs, transform: InputTransform, options?: ModelOptions): DecodedInstance[];
  /** Names of the options that `decode` understands; none when absent. */
  readonly options?: readonly string[];
  /** What the picture shows as a whole, best first. @throws as `decode`. */
  tags?(manifest: M, outputs: Outputs): readonly PredictedTag[];
  /** How much each pixel of the image belongs to what it is about, row-major, 0 to 255. @throws as `decode`. */
  alpha?(manifest: M, outputs: Outputs, transform: InputTransform): Uint8Array;
}

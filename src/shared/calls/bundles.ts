import { z } from 'zod';
import type { BundleReport, ModelScore, ReturnReport } from '../answers/bundles.ts';
import { call, none } from '../call.ts';
import { IMAGE_STATES } from '../records.ts';

const bundle = z.object({
  /** Folder to write into; made where it is absent. */
  out: z.string().min(1),
  /** Only images in these states; empty for all. What is not annotated on an image teaches that it is background. */
  states: z.array(z.enum(IMAGE_STATES)).default(['done']),
  /** Images without an instance teach what is no object. */
  includeEmpty: z.boolean().default(true),
  /** `oriented`: as shown, by EXIF. `raw`: masks are turned back to the file's own orientation. */
  pixelSpace: z.enum(['oriented', 'raw']).default('oriented'),
  /** `link`: hard links, a copy where the disk cannot. */
  images: z.enum(['copy', 'link']).default('copy'),
  /** Replace an earlier bundle in the folder; what was trained in it (`runs`) stays. */
  overwrite: z.boolean().default(false),
});
export type BundleOptions = z.infer<typeof bundle>;

/** Out to a training. */
export const BUNDLE_CALLS = {
  /**
   * Writes a folder that retrains a Mask R-CNN: dataset by splits, scripts, class mapping. `conflict` where the folder is in
   * use, `invalid` where there is nothing to train on.
   */
  'bundle.write': call(bundle).answers<BundleReport>(),
  /** Stops the one that is written: that call fails with `cancelled`, and the folder is as it was. */
  'bundle.cancel': call(none).answers<null>(),
} as const;

const back = z.object({
  path: z.string().min(1),
  /** Null for none, left out for the latest one. */
  former: z.string().min(1).nullable().optional(),
  /** Only on images in these states; empty for all. What is not annotated on an image counts as wrongly found. */
  states: z.array(z.enum(IMAGE_STATES)).default(['done']),
});
export type ReturnOptions = z.infer<typeof back>;

/** Back with the model. */
export const RETURN_CALLS = {
  /**
   * Takes a trained model (`model.onnx` with `manifest.json` beside it, or their folder), runs it and the former one on the
   * images that were kept out of training, and measures both.
   */
  'return.start': call(back).answers<ReturnReport>(),
  /** It fails with `cancelled`; the model stays added. */
  'return.cancel': call(none).answers<null>(),
  /** Every measurement, newest first. */
  'return.list': call(none).answers<readonly ModelScore[]>(),
} as const;

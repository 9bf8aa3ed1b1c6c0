import { z } from 'zod';
import { common, contradiction, input, label, letterbox, oneFile, probability, stretch, tensorName, thresholds } from './parts.ts';

/** Ultralytics' instance segmentation: boxes with 32 coefficients each, and the prototypes that they weigh. */
export const yoloSeg = z
  .strictObject({
    ...common,
    ...oneFile,
    family: z.literal('yolo-seg'),
    /** `v8` (also 9 and 11): `[1, 4 + classes + k, n]`. `v5` (also 7): `[1, n, 5 + classes + k]`, the fifth an objectness. */
    variant: z.enum(['v8', 'v5']),
    /** `[1, 3, H, W]` */
    input: z.strictObject({ ...input, fit: z.discriminatedUnion('mode', [letterbox, stretch]) }),
    outputs: z.strictObject({
      predictions: tensorName,
      /** `[1, k, h, w]` */
      prototypes: tensorName,
    }),
    /** Names of the classes in the graph's order, from 0. */
    labels: z.array(label).min(1).max(2000),
    nms: z.strictObject({
      /** Of two boxes of a class with a larger IoU than this, the better one stays. */
      iou: z.number().min(0).max(1),
      /** The best ones are kept. */
      maxInstances: z.number().int().min(1).max(1000),
    }),
    thresholds: z.strictObject({
      ...thresholds,
      /** A pixel belongs to the mask above this probability. */
      mask: probability,
    }),
  })
  .superRefine((manifest, context) => {
    const { predictions, prototypes } = manifest.outputs;
    if (predictions === prototypes) contradiction(context, ['outputs'], 'gives one name to two outputs');
  });

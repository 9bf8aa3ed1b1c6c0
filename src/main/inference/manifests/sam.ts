import { z } from 'zod';
import { common, contradiction, label, normalised, ownSources, side, tensorName, thresholds } from './parts.ts';

/**
 * The SAM family: an encoder that looks at the image once, a decoder that answers prompts.
 * `sam2`: SAM 2 and 2.1, two maps of high resolution beside the embedding, decoder without the image's
 * size. `sam1`: SAM, MobileSAM, EdgeSAM, SAM-HQ as samexporter writes them; the decoder is told the size.
 * `efficient-sam`: EfficientSAM as its authors export it; the decoder takes lists of clicks with one axis more,
 * no negative ones, at most six marks, and no mask back.
 */
export const sam = z
  .strictObject({
    ...common,
    family: z.literal('sam'),
    variant: z.enum(['sam2', 'sam1', 'efficient-sam']),
    files: z.strictObject({ encoder: ownSources, decoder: ownSources }),
    /** Of the encoder. */
    input: z.strictObject({
      name: tensorName,
      ...normalised,
      /** `[1, 3, H, W]`, or `[H, W, 3]` where the graph turns it itself. */
      layout: z.enum(['nchw', 'hwc']),
      fit: z.discriminatedUnion('mode', [
        z.strictObject({ mode: z.literal('stretch'), width: side, height: side }),
        /** Scaled until it fits, proportions kept; the rest right and below is zero, after mean and std. */
        z.strictObject({ mode: z.literal('long-side'), width: side, height: side }),
      ]),
    }),
    encoder: z.strictObject({
      outputs: z.strictObject({
        /** `[1, 256, 64, 64]` */
        embedding: tensorName,
        /** `[1, 32, 256, 256]` and `[1, 64, 128, 128]`, sam2 only. */
        highRes0: tensorName.optional(),
        highRes1: tensorName.optional(),
      }),
    }),
    decoder: z.strictObject({
      inputs: z.strictObject({
        embedding: tensorName,
        highRes0: tensorName.optional(),
        highRes1: tensorName.optional(),
        /**
         * `[n, p, 2]` in pixels of the encoder's input, `[n, p]`: 1, 0, 2 and 3 (corners of a box), -1 (none).
         * efficient-sam: `[1, n, p, 2]` in pixels of the size it is told, `[1, n, p]`.
         */
        pointCoords: tensorName,
        pointLabels: tensorName,
        /** `[n, 1, 256, 256]` logits, `[1]`; not efficient-sam. */
        maskInput: tensorName.optional(),
        hasMaskInput: tensorName.optional(),
        /** `[2]`: height, width; sam1 (float32) and efficient-sam (int64). */
        imageSize: tensorName.optional(),
      }),
      outputs: z.strictObject({
        /**
         * sam2: `[n, 3, 256, 256]` logits over the input; sam1: `[n, m, H, W]` at the size it was told;
         * efficient-sam: `[1, n, m, H, W]` logits at that size.
         */
        masks: tensorName,
        /** `[n, m]`, efficient-sam `[1, n, m]`: the IoU that it predicts for each. */
        scores: tensorName,
        /** `[n, m, 256, 256]` logits, to be fed back; sam1 only. */
        lowRes: tensorName.optional(),
      }),
    }),
    /** What suggestions are called: the family knows no classes. */
    labels: z.array(label).length(1),
    thresholds: z.strictObject(thresholds),
  })
  .superRefine((manifest, context) => {
    const { variant, encoder, decoder } = manifest;
    const [two, one] = [variant === 'sam2', variant === 'sam1'];
    const keys: readonly [path: string[], name: string | undefined, wanted: boolean][] = [
      [['encoder', 'outputs', 'highRes0'], encoder.outputs.highRes0, two],
      [['encoder', 'outputs', 'highRes1'], encoder.outputs.highRes1, two],
      [['decoder', 'inputs', 'highRes0'], decoder.inputs.highRes0, two],
      [['decoder', 'inputs', 'highRes1'], decoder.inputs.highRes1, two],
      [['decoder', 'inputs', 'maskInput'], decoder.inputs.maskInput, two || one],
      [['decoder', 'inputs', 'hasMaskInput'], decoder.inputs.hasMaskInput, two || one],
      [['decoder', 'inputs', 'imageSize'], decoder.inputs.imageSize, !two],
      [['decoder', 'outputs', 'lowRes'], decoder.outputs.lowRes, one],
    ];
    for (const [path, name, wanted] of keys) {
      if ((name !== undefined) === wanted) continue;
      contradiction(context, path, wanted ? `is missing; the ${variant} variant needs it` : `has no meaning for the ${variant} variant`);
    }
  });

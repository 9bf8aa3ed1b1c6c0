import { z } from 'zod';
import { common, contradiction, input, label, letterbox, oneFile, probability, stretch, tensorName, thresholds } from './parts.ts';

/**
 * Instances with a map over the whole input each, nothing to be pasted or weighed. `mmdeploy`: RTMDet-Ins, and what
 * else MMDeploy exports with `export_postprocess_mask`. `rf-detr`: RF-DETR-Seg as its own exporter writes it.
 */
export const instanceMaps = z
  .strictObject({
    ...common,
    ...oneFile,
    family: z.literal('instance-maps'),
    variant: z.enum(['mmdeploy', 'rf-detr']),
    /** `[1, 3, H, W]` */
    input: z.strictObject({ ...input, fit: z.discriminatedUnion('mode', [letterbox, stretch]) }),
    outputs: z.strictObject({
      /**
       * mmdeploy: `[1, n, 5]`, corners in pixels of the input and the score. rf-detr: `[1, n, 4]`, centre and size in
       * parts of the input.
       */
      boxes: tensorName,
      /** mmdeploy: `[1, n]` int64, a class's number. rf-detr: `[1, n, k]`, a logit for each number. */
      labels: tensorName,
      /** `[1, n, h, w]` over the whole input. mmdeploy: probabilities. rf-detr: logits. */
      masks: tensorName,
    }),
    /** Names of the classes. */
    labels: z.array(label).min(1).max(2000),
    /** The graph's number of each, where they are not 0, 1, 2 …; what has another number is not answered. */
    labelIds: z.array(z.number().int().min(0).max(100_000)).optional(),
    thresholds: z.strictObject({
      ...thresholds,
      /** A pixel belongs to the mask above this probability. */
      mask: probability,
    }),
  })
  .superRefine((manifest, context) => {
    const { outputs, labels, labelIds } = manifest;
    if (new Set(Object.values(outputs)).size !== 3) contradiction(context, ['outputs'], 'gives one name to two outputs');
    if (labelIds === undefined) return;
    if (labelIds.length !== labels.length)
      contradiction(context, ['labelIds'], `has ${labelIds.length} numbers for ${labels.length} labels`);
    if (new Set(labelIds).size !== labelIds.length) contradiction(context, ['labelIds'], 'gives one number to two labels');
  });

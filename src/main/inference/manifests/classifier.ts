import { z } from 'zod';
import { common, contradiction, input, label, oneFile, side, stretch, tensorName, thresholds } from './parts.ts';

/** What a picture shows as a whole: image tags. */
export const classifier = z
  .strictObject({
    ...common,
    ...oneFile,
    family: z.literal('classifier'),
    /**
     * One label for a picture: `logits` (softmax is ours), `probabilities`. Any number of them, each by
     * itself: `sigmoid-logits`, `sigmoid`.
     */
    variant: z.enum(['logits', 'probabilities', 'sigmoid-logits', 'sigmoid']),
    /** `[1, 3, H, W]` or `[1, H, W, 3]`. */
    input: z.strictObject({
      ...input,
      layout: z.enum(['nchw', 'nhwc']),
      fit: z.discriminatedUnion('mode', [
        stretch,
        /** The shorter side becomes `shortSide`, and this size is cut out of the middle. */
        z.strictObject({ mode: z.literal('center-crop'), shortSide: side, width: side, height: side }),
      ]),
    }),
    /** `[1, labels]`; further dimensions of 1 don't matter. */
    outputs: z.strictObject({ scores: tensorName }),
    /** Every class's name in the graph's order. */
    labels: z.array(label).min(1).max(30_000),
    /** Labels that are not answered. */
    background: z.array(z.string()),
    /** At most as many tags, the best. */
    most: z.number().int().min(1).max(1000),
    thresholds: z.strictObject(thresholds),
  })
  .superRefine((manifest, context) => {
    const { labels, background, variant } = manifest;
    const { fit } = manifest.input;
    const stranger = background.find((name) => !labels.includes(name));
    if (stranger !== undefined) contradiction(context, ['background'], `names "${stranger}", which is no label`);
    const one = variant === 'logits' || variant === 'probabilities';
    if (one && labels.length < 2) contradiction(context, ['labels'], `has one name; the ${variant} variant needs two`);
    if (fit.mode === 'center-crop' && Math.max(fit.width, fit.height) > fit.shortSide) {
      contradiction(
        context,
        ['input', 'fit', 'shortSide'],
        `is ${fit.shortSide}, below what is cut out of it, ${fit.width} × ${fit.height}`,
      );
    }
  });

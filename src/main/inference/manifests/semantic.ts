import { z } from 'zod';
import {
  common,
  contradiction,
  input,
  label,
  letterbox,
  oneFile,
  pad,
  probability,
  shortSide,
  stretch,
  tensorName,
  thresholds,
} from './parts.ts';

const fit = z.discriminatedUnion('mode', [
  stretch,
  letterbox,
  z.strictObject({ ...shortSide, pad }),
  /** The image's own size, scaled down where it has more than `maxPixels`; padded right and below to a multiple. */
  z.strictObject({
    mode: z.literal('native'),
    maxPixels: z.number().int().min(10_000).max(16_000_000),
    padMultiple: z.number().int().min(1).max(512),
    pad,
  }),
]);

export const semantic = z
  .strictObject({
    ...common,
    ...oneFile,
    family: z.literal('semantic'),
    /**
     * What the output holds: `logits` or `probabilities` of one channel for each label, `argmax` (the
     * label's number), or one channel of foreground: `sigmoid` (probability) or `sigmoid-logits`.
     */
    variant: z.enum(['logits', 'probabilities', 'argmax', 'sigmoid', 'sigmoid-logits']),
    /** `[1, 3, H, W]` or `[1, H, W, 3]`. */
    input: z.strictObject({ ...input, layout: z.enum(['nchw', 'nhwc']), fit }),
    outputs: z.strictObject({ map: tensorName }),
    map: z.strictObject({
      layout: z.enum(['nchw', 'nhwc']),
      /** Whether the corner cells lie on the corner pixels (TensorFlow's old resize), or areas coincide (PyTorch). */
      alignCorners: z.boolean(),
    }),
    /** Every channel's name in order, background among them; one for one channel of foreground. */
    labels: z.array(label).min(1).max(1000),
    /** Labels that are not answered. */
    background: z.array(z.string()),
    regions: z.strictObject({
      /** 8-connected pieces as instances, or one region for each class; what is done unless the user chooses. */
      mode: z.enum(['components', 'class']),
      /** Least area of a region, in pixels of the input. */
      minArea: z.number().min(0),
    }),
    thresholds: z.strictObject({
      ...thresholds,
      /** A pixel is foreground from this probability on; for one channel of foreground only. */
      mask: probability.optional(),
    }),
  })
  .superRefine((manifest, context) => {
    const { labels, background, variant } = manifest;
    const stranger = background.find((name) => !labels.includes(name));
    if (stranger !== undefined) contradiction(context, ['background'], `names "${stranger}", which is no label`);
    if (labels.every((name) => background.includes(name))) contradiction(context, ['background'], 'leaves no label to be answered');
    const single = variant === 'sigmoid' || variant === 'sigmoid-logits';
    if (single && labels.length !== 1)
      contradiction(context, ['labels'], `has ${labels.length} names; the ${variant} variant has one channel`);
    if (!single && variant !== 'argmax' && labels.length < 2)
      contradiction(context, ['labels'], `has one name; the ${variant} variant needs two`);
    if (single !== (manifest.thresholds.mask !== undefined)) {
      contradiction(
        context,
        ['thresholds', 'mask'],
        single ? `is missing; the ${variant} variant needs it` : `has no meaning for the ${variant} variant`,
      );
    }
  });

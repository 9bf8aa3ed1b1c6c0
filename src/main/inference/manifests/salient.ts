import { z } from 'zod';
import { common, input, label, letterbox, oneFile, pad, probability, shortSide, stretch, tensorName, thresholds } from './parts.ts';

/** One map of how much each pixel belongs to what a picture is about: U²-Net, IS-Net, MODNet and other mattes. */
export const salient = z.strictObject({
  ...common,
  ...oneFile,
  family: z.literal('salient'),
  /** Whether the map holds probabilities (or alpha) or logits. */
  variant: z.enum(['probabilities', 'logits']),
  /** `[1, 3, H, W]` */
  input: z.strictObject({ ...input, fit: z.discriminatedUnion('mode', [stretch, letterbox, z.strictObject({ ...shortSide, pad })]) }),
  /** `[1, 1, h, w]` or `[1, h, w]`, over the whole input. */
  outputs: z.strictObject({ alpha: tensorName }),
  /** What suggestions are called. */
  labels: z.array(label).length(1),
  regions: z.strictObject({
    /** 8-connected pieces as instances, or everything as one; what is done unless the user chooses. */
    mode: z.enum(['components', 'class']),
    /** Least area of a piece, in pixels of the input. */
    minArea: z.number().min(0),
  }),
  thresholds: z.strictObject({
    ...thresholds,
    /** A pixel belongs to a suggestion's mask from this alpha on. */
    mask: probability,
  }),
});

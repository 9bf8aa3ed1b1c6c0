import { z } from 'zod';
import { common, contradiction, input, label, oneFile, probability, shortSide, side, tensorName, thresholds } from './parts.ts';

/** How an image becomes the input's size; Mask R-CNN pads with zeros. */
const fit = z.discriminatedUnion('mode', [
  /**
   * The image goes in as it is, the graph resizes (torchvision). Only an image of more than
   * `maxPixels` is scaled down first, and its instances are scaled back: the graph answers with one
   * full-size float mask for each instance, so memory is `instances * pixels * 4` bytes.
   */
  z.strictObject({ mode: z.literal('none'), maxPixels: z.number().int().min(10_000).max(16_000_000) }),
  z.strictObject(shortSide),
  /** To exactly this size, whatever becomes of the proportions: a graph that was traced at one size. */
  z.strictObject({ mode: z.literal('stretch'), width: side, height: side }),
]);

export const maskRcnn = z
  .strictObject({
    ...common,
    ...oneFile,
    family: z.literal('mask-rcnn'),
    /**
     * `torchvision`: full-size masks. `zoo` (ONNX model zoo) and `detectron2` (its tracing export):
     * small masks, mostly 28 x 28, to be pasted into their boxes.
     */
    variant: z.enum(['torchvision', 'zoo', 'detectron2']),
    /** `[3, H, W]`. */
    input: z.strictObject({ ...input, fit }),
    /** Names of the graph's outputs; exporters order them differently, so each is named. */
    outputs: z.strictObject({ boxes: tensorName, labels: tensorName, scores: tensorName, masks: tensorName }),
    /** Names of the classes; the graph's number of the first one is `labelOffset`. */
    labels: z.array(label).min(1),
    /** 1 where the graph's class 0 is the background. */
    labelOffset: z.number().int().min(0).max(1),
    thresholds: z.strictObject({
      ...thresholds,
      /** A pixel belongs to the mask from this probability on. */
      mask: probability,
    }),
  })
  .superRefine((manifest, context) => {
    const { outputs, variant } = manifest;
    const { mode } = manifest.input.fit;
    if (new Set(Object.values(outputs)).size !== 4) contradiction(context, ['outputs'], 'gives one name to two outputs');
    const takes = variant === 'torchvision' ? ['none'] : variant === 'zoo' ? ['short-side'] : ['short-side', 'stretch'];
    if (!takes.includes(mode)) {
      contradiction(context, ['input', 'fit', 'mode'], `is "${mode}"; the ${variant} variant takes "${takes.join('" or "')}"`);
    }
    if (variant === 'detectron2' && manifest.labelOffset !== 0) {
      contradiction(context, ['labelOffset'], 'is 1; Detectron2 counts its classes from 0 and answers no background');
    }
  });

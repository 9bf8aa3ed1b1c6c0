import { looksLikeClassMasks, readClassMasks } from './class-masks-read.ts';
import { CLASS_MASKS_LIMITS, writeClassMasks } from './class-masks-write.ts';
import type { Format } from './dataset.ts';

/**
 * A PNG file an image whose numbers or colours are classes, as semantic segmentation has them: CamVid's folders and lists,
 * Datumaro's "common semantic segmentation", `masks` beside `images` with any list of classes.
 */
export const CLASS_MASKS: Format = {
  id: 'class-masks',
  name: 'Class masks (PNG)',
  reader: { space: 'by-size', detect: looksLikeClassMasks, read: readClassMasks },
  writer: { limits: CLASS_MASKS_LIMITS, fidelity: null, write: writeClassMasks },
};

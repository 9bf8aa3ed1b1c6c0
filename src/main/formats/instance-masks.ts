import type { Format } from './dataset.ts';
import { looksLikeInstanceMasks, readInstanceMasks } from './instance-masks-read.ts';
import { INSTANCE_MASKS_LIMITS, writeInstanceMasks } from './instance-masks-write.ts';

/**
 * A PNG file an image whose numbers are instances: COCO's panoptic format both ways; MOTS and Cityscapes (class × 1000 +
 * instance) and plain 8- or 16-bit instance numbers are read.
 */
export const INSTANCE_MASKS: Format = {
  id: 'instance-masks',
  name: 'Instance masks (COCO panoptic PNG)',
  reader: { space: 'by-size', detect: looksLikeInstanceMasks, read: readInstanceMasks },
  writer: { limits: INSTANCE_MASKS_LIMITS, fidelity: 1, write: writeInstanceMasks },
};

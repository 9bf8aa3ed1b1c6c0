import { looksLikeCvat, readCvat } from './cvat-read.ts';
import { CVAT_LIMITS, writeCvat } from './cvat-write.ts';
import type { Format } from './dataset.ts';

/**
 * CVAT XML 1.1 (https://docs.cvat.ai/docs/dataset_management/formats/xml_format/), of images and of videos: a video's tracks
 * are read frame by frame. Ellipses and turned boxes are read as polygons, and written as what they were while nobody
 * has changed them.
 */
export const CVAT: Format = {
  id: 'cvat',
  name: 'CVAT XML 1.1',
  reader: { space: 'by-size', detect: looksLikeCvat, read: readCvat },
  writer: { limits: CVAT_LIMITS, fidelity: 1, write: writeCvat },
};

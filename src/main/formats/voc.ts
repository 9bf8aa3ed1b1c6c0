import type { Format } from './dataset.ts';
import { looksLikeVoc } from './voc-layout.ts';
import { readVoc } from './voc-read.ts';
import { VOC_LIMITS, writeVoc } from './voc-write.ts';

/**
 * Pascal VOC (Everingham et al., "The Pascal Visual Object Classes Challenge", development kit 2012): an XML file with boxes
 * an image, and two PNG files with the class and the object of each pixel. Read with CVAT's and Datumaro's `labelmap.txt`,
 * LabelMe's `class_names.txt`, and Roboflow's folders with image and XML side by side. Whether EXIF turned the image is
 * told by its size.
 */
export const VOC: Format = {
  id: 'voc',
  name: 'Pascal VOC',
  reader: { space: 'by-size', detect: looksLikeVoc, read: readVoc },
  writer: { limits: VOC_LIMITS, fidelity: 1, write: writeVoc },
};

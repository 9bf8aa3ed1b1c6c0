import type { Format } from './dataset.ts';
import { detectIsat, readIsat } from './isat-read.ts';
import { writeIsat } from './isat-write.ts';

/** ISAT with Segment Anything (https://github.com/yatengLG/ISAT_with_segment_anything): one JSON of polygons an image. */
export const ISAT: Format = {
  id: 'isat',
  name: 'ISAT',
  reader: { space: 'by-size', detect: detectIsat, read: readIsat },
  writer: {
    limits: [
      'Holes are joined to the border by lines without width: ISAT has polygons only.',
      'Boxes and masks become polygons.',
      'States of images and splits are not kept.',
    ],
    fidelity: 1,
    write: writeIsat,
  },
};

import type { Format } from './dataset.ts';
import { detectLabelme, readLabelme } from './labelme-read.ts';
import { writeLabelme } from './labelme-write.ts';

/** LabelMe (https://github.com/wkentaro/labelme): one JSON an image; X-AnyLabeling's files are a dialect of it and are read alike. */
export const LABELME: Format = {
  id: 'labelme',
  name: 'LabelMe',
  reader: { space: 'by-size', detect: detectLabelme, read: readLabelme },
  writer: {
    limits: [
      'Class colours, states of images and splits are not kept.',
      'Crowds are marked with a flag "iscrowd", which LabelMe itself does not know.',
      'Instances with holes, and masks, are mask shapes: LabelMe 5.2 and later shows them, X-AnyLabeling does not.',
    ],
    fidelity: 1,
    write: writeLabelme,
  },
};

import type { Format } from './dataset.ts';
import { detectYolo, readYolo } from './yolo-read.ts';
import { writeYolo } from './yolo-write.ts';

/** YOLO detection (https://docs.ultralytics.com/datasets/detect/): one box an instance, centre and size in fractions of the image. */
export const YOLO_BOX: Format = {
  id: 'yolo-box',
  name: 'YOLO boxes',
  reader: { space: 'oriented', detect: (place) => detectYolo(place, 'boxes'), read: readYolo },
  writer: {
    limits: [
      'Only boxes: the masks and polygons themselves are not kept.',
      'Crowds are left out: YOLO has no such mark.',
      'Ids, the order of painting, states of images and class colours are not kept.',
    ],
    fidelity: 1,
    keeps: 'boxes',
    write: writeYolo('boxes'),
  },
};

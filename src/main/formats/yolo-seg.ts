import type { Format } from './dataset.ts';
import { detectYolo, readYolo } from './yolo-read.ts';
import { writeYolo } from './yolo-write.ts';

/** YOLO segmentation (https://docs.ultralytics.com/datasets/segment/): one polygon an instance, in fractions of the image. */
export const YOLO_SEG: Format = {
  id: 'yolo-seg',
  name: 'YOLO segmentation',
  reader: { space: 'oriented', detect: (place) => detectYolo(place, 'polygons'), read: readYolo },
  writer: {
    limits: [
      'Crowds are left out: YOLO has no such mark.',
      'An instance is one ring: parts are joined by lines without width, holes too. Other tools may fill the holes.',
      'Boxes become polygons of four corners.',
      'Ids, the order of painting, states of images and class colours are not kept.',
    ],
    fidelity: 1,
    write: writeYolo('polygons'),
  },
};

import type { Rgb } from '../../shared/classical/raster.ts';
import type { EdgeFeatures } from '../../shared/classical/scissors.ts';
import { gradients } from '../../shared/classical/scissors.ts';
import type { OpenCv } from './opencv.ts';
import { scoped } from './opencv.ts';

/** Gradient magnitudes of Canny's hysteresis, as OpenCV's own scissors tool has them in its example. */
const CANNY = { low: 32, high: 100, sigma: 1 };

/** What the scissors' costs are made of: Sobel's gradients, and Canny's edges (1986) in place of the paper's zero crossings, as OpenCV offers too. */
export function edgeFeatures(cv: OpenCv, image: Rgb): EdgeFeatures {
  const { width, height } = image;
  return scoped((keep) => {
    const picture = keep(new cv.Mat(height, width, cv.CV_8UC3));
    picture.data.set(image.data);
    cv.GaussianBlur(picture, picture, new cv.Size(0, 0), CANNY.sigma);
    const smooth: Rgb = { width, height, data: picture.data.slice() };
    const edges = keep(new cv.Mat());
    // Of three channels OpenCV takes the one with the strongest gradient: colours of one brightness have an edge too.
    cv.Canny(picture, edges, CANNY.low, CANNY.high, 3, false);
    return { ...gradients(smooth), edge: edges.data.map((value) => (value > 0 ? 1 : 0)) };
  });
}

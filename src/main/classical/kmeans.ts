import { coneOf, labOf, scaledRgbOf } from '../../shared/classical/colour.ts';
import type { ColourSpace, KmeansParameters } from '../../shared/classical/questions.ts';
import type { LabelMap, Pause, Rgb } from '../../shared/classical/raster.ts';
import { byArea, mergeSmall, piecesOf } from '../../shared/classical/regions.ts';
import { seededRandom } from '../../shared/scenes/random.ts';
import type { OpenCv } from './opencv.ts';
import { scoped } from './opencv.ts';

/** The centres are found from so many pixels at most; then every pixel goes to its nearest one. */
const SAMPLES = 40_000;
const ITERATIONS = 40;
/** Movement of a centre at which it has arrived, in the units of `colour.ts`. */
const ARRIVED = 0.05;

const SPACES: Readonly<Record<ColourSpace, (image: Rgb) => Float32Array>> = { rgb: scaledRgbOf, lab: labOf, hsv: coneOf };

export interface Clusters {
  /** Region numbers from 1: of clusters, of their connected pieces, or 1 for the foreground. */
  readonly map: LabelMap;
  /** By region number, the cluster it is of, from 1, the largest first. The first entry is unused. */
  readonly clusterOf: readonly number[];
}

/**
 * K-means of colour and place (Lloyd 1982) from k-means++ beginnings (Arthur & Vassilvitskii 2007), by
 * OpenCV's `kmeans`. Place counts by `position` times 100 for the longer side. Clusters are numbered by their
 * area, so that the answer does not depend on the order in which they were found.
 */
export function kmeans(cv: OpenCv, image: Rgb, parameters: KmeansParameters, pause: Pause): Clusters {
  const foreground = parameters.regions === 'foreground';
  const features = featuresOf(image, parameters);
  const centres = findCentres(cv, features, foreground ? 2 : parameters.k, parameters);
  pause();
  const assigned: LabelMap = { width: image.width, height: image.height, data: assign(features, centres) };
  const least = Math.ceil(parameters.smallest * image.width * image.height);
  const { map } = byArea(mergeSmall(assigned, least, pause), 65_535);
  if (foreground) return { map: withoutBackground(map), clusterOf: [0, 1] };
  if (parameters.regions === 'clusters') return { map, clusterOf: Array.from({ length: parameters.k + 1 }, (_, i) => i) };
  const pieces = piecesOf(map);
  const numbered = new Uint32Array(map.data.length);
  pieces.of.forEach((piece, i) => (numbered[i] = piece + 1));
  const sorted = byArea({ ...map, data: numbered }, 65_535);
  return { map: sorted.map, clusterOf: sorted.former.map((piece) => (piece === 0 ? 0 : pieces.labels[piece - 1]!)) };
}

interface Features {
  readonly dimensions: number;
  /** `dimensions` numbers a pixel. */
  readonly values: Float32Array;
}

function featuresOf(image: Rgb, { space, position }: KmeansParameters): Features {
  const colours = SPACES[space](image);
  if (position === 0) return { dimensions: 3, values: colours };
  const values = new Float32Array((colours.length / 3) * 5);
  const unit = (100 * position) / Math.max(image.width, image.height);
  for (let i = 0; i < colours.length / 3; i++) {
    values.set(colours.subarray(i * 3, i * 3 + 3), i * 5);
    values[i * 5 + 3] = (i % image.width) * unit;
    values[i * 5 + 4] = Math.floor(i / image.width) * unit;
  }
  return { dimensions: 5, values };
}

/** `k` centres, `dimensions` numbers each. */
function findCentres(cv: OpenCv, { dimensions, values }: Features, k: number, { attempts, seed }: KmeansParameters): Float32Array {
  const pixels = values.length / dimensions;
  const count = Math.min(pixels, SAMPLES);
  const random = seededRandom(seed);
  return scoped((keep) => {
    const data = keep(new cv.Mat(count, dimensions, cv.CV_32FC1));
    for (let i = 0; i < count; i++) {
      // One pixel from each of as many equal stretches: every part of the picture is asked.
      const pixel = count === pixels ? i : Math.floor(((i + random.next()) * pixels) / count);
      data.data32F.set(values.subarray(pixel * dimensions, (pixel + 1) * dimensions), i * dimensions);
    }
    const criteria = new cv.TermCriteria(cv.TermCriteria_EPS + cv.TermCriteria_MAX_ITER, ITERATIONS, ARRIVED);
    const labels = keep(new cv.Mat());
    const centres = keep(new cv.Mat());
    cv.setRNGSeed(seed);
    // More clusters than samples is refused by OpenCV.
    cv.kmeans(data, Math.min(k, count), labels, criteria, attempts, cv.KMEANS_PP_CENTERS, centres);
    return centres.data32F.slice();
  });
}

function assign({ dimensions, values }: Features, centres: Float32Array): Uint16Array {
  const out = new Uint16Array(values.length / dimensions);
  for (let i = 0; i < out.length; i++) {
    let best = Infinity;
    for (let c = 0; c < centres.length; c += dimensions) {
      let distance = 0;
      for (let d = 0; d < dimensions; d++) distance += (values[i * dimensions + d]! - centres[c + d]!) ** 2;
      if (distance >= best) continue;
      best = distance;
      out[i] = c / dimensions + 1;
    }
  }
  return out;
}

/** Of two clusters, the one that holds more of the picture's border is background: 0. */
function withoutBackground(map: LabelMap): LabelMap {
  const { width, height, data } = map;
  const border = [0, 0, 0];
  for (let x = 0; x < width; x++) {
    for (const y of [0, height - 1]) border[data[y * width + x]!]!++;
  }
  for (let y = 1; y < height - 1; y++) {
    for (const x of [0, width - 1]) border[data[y * width + x]!]!++;
  }
  // Alike at the border: the larger one, which has number 1.
  const background = border[2]! > border[1]! ? 2 : 1;
  const out = new Uint16Array(data.length);
  for (let i = 0; i < out.length; i++) out[i] = data[i] === background ? 0 : 1;
  return { ...map, data: out };
}

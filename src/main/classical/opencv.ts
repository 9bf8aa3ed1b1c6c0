import { createRequire } from 'node:module';

/**
 * OpenCV in WebAssembly, loaded once a thread, at the first use. Only what is used here is described; the
 * numbers of its constants are read from it. Its objects live in WebAssembly's memory, where no garbage
 * collector comes: make them in `scoped`.
 */

export interface Mat {
  readonly rows: number;
  readonly cols: number;
  readonly data: Uint8Array;
  readonly data32F: Float32Array;
  readonly data32S: Int32Array;
  readonly data64F: Float64Array;
  delete(): void;
}

export interface OpenCv {
  readonly Mat: new (rows?: number, cols?: number, type?: number) => Mat;
  readonly Size: new (width: number, height: number) => object;
  readonly Rect: new (x: number, y: number, width: number, height: number) => object;
  readonly Point: new (x: number, y: number) => object;
  readonly Scalar: new (a: number, b?: number, c?: number, d?: number) => object;
  readonly TermCriteria: new (type: number, maxCount: number, epsilon: number) => object;
  readonly CV_8UC1: number;
  readonly CV_8UC3: number;
  readonly CV_32FC1: number;
  readonly CV_32SC1: number;
  readonly CV_64FC1: number;
  readonly KMEANS_PP_CENTERS: number;
  readonly TermCriteria_EPS: number;
  readonly TermCriteria_MAX_ITER: number;
  readonly GC_INIT_WITH_MASK: number;
  readonly GC_EVAL: number;
  readonly FLOODFILL_FIXED_RANGE: number;
  readonly segmentation_IntelligentScissorsMB: new () => IntelligentScissors;
  setRNGSeed(seed: number): void;
  kmeans(data: Mat, k: number, labels: Mat, criteria: object, attempts: number, flags: number, centers: Mat): number;
  grabCut(image: Mat, mask: Mat, rect: object, background: Mat, foreground: Mat, iterations: number, mode: number): void;
  watershed(image: Mat, markers: Mat): void;
  GaussianBlur(source: Mat, target: Mat, size: object, sigmaX: number): void;
  Canny(image: Mat, edges: Mat, low: number, high: number, aperture: number, l2: boolean): void;
  floodFill(image: Mat, mask: Mat, seed: object, value: object, rect: object, low: object, high: object, flags: number): number;
}

/** The tool of OpenCV's segmentation module that ours is compared with. */
interface IntelligentScissors {
  setEdgeFeatureCannyParameters(low: number, high: number, aperture: number, l2: boolean): void;
  applyImage(image: Mat): void;
  buildMap(seed: object): void;
  getContour(target: object, contour: Mat): void;
  delete(): void;
}

/** The module before its WebAssembly has been compiled: it has no `Mat` yet. */
type Starting = Partial<OpenCv> & { onRuntimeInitialized?: () => void };

const require = createRequire(import.meta.url);
let loading: Promise<readonly [OpenCv]> | null = null;

function isReady(module: Starting): module is OpenCv {
  return typeof module.Mat === 'function';
}

async function load(): Promise<readonly [OpenCv]> {
  const module = require('@techstark/opencv-js') as Starting;
  if (!isReady(module)) await new Promise<void>((resolve) => (module.onRuntimeInitialized = resolve));
  if (!isReady(module)) throw new Error('OpenCV has started without its Mat.');
  // In a list: the module has a method `then`, and a promise of it would wait for itself for ever.
  return [module];
}

/** OpenCV, in a list of one (see `load`). About a second the first time in a thread. */
export function openCv(): Promise<readonly [OpenCv]> {
  loading ??= load();
  return loading;
}

/** Runs `work` and deletes whatever it gave to `keep`, also when it throws. */
export function scoped<T>(work: (keep: <M extends { delete(): void }>(made: M) => M) => T): T {
  const made: { delete(): void }[] = [];
  try {
    return work((one) => {
      made.push(one);
      return one;
    });
  } finally {
    for (const one of made.reverse()) one.delete();
  }
}

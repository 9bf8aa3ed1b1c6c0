import { createGrabcut } from '../src/main/classical/grabcut.ts';
import type { OpenCv } from '../src/main/classical/opencv.ts';
import { openCv, scoped } from '../src/main/classical/opencv.ts';
import { createScissors } from '../src/main/classical/path.ts';
import type { Picture } from '../src/main/classical/picture.ts';
import { createPicture } from '../src/main/classical/picture.ts';
import { createSegmenter, WORK_PIXELS } from '../src/main/classical/segment.ts';
import { labOf } from '../src/shared/classical/colour.ts';
import type { ClassicalQuestion } from '../src/shared/classical/questions.ts';
import { questionSchema } from '../src/shared/classical/questions.ts';
import type { Rgb } from '../src/shared/classical/raster.ts';
import { drawScene } from '../src/shared/scenes/index.ts';
import type { Row } from './measure.ts';
import { measureInTurn } from './measure.ts';

const go = (): void => undefined;

/**
 * The classical methods from a question to masks at full size, each beside OpenCV's own call alone, at the size
 * that ours works at: what is around it (borders, regions, RLE) should cost little. On one megapixel and on 24.
 */
export async function benchClassical(rounds: number): Promise<Row[]> {
  const [cv] = await openCv();
  const { rgb } = drawScene(4, { width: 1200, height: 800 });
  const one: Rgb = { width: 1200, height: 800, data: new Uint8Array(rgb) };
  const rows: Row[] = [];
  for (const [size, image] of [
    ['1 MP', one],
    ['24 MP', enlarged(one, 5)],
  ] as const) {
    rows.push(...(await benchSize(cv, size, createPicture(image, image.width, image.height), rounds)));
  }
  return rows;
}

async function benchSize(cv: OpenCv, size: string, picture: Picture, rounds: number): Promise<Row[]> {
  const { width, height } = picture;
  const segmenter = createSegmenter(cv);
  const ask = (question: ClassicalQuestion) => () => segmenter.segment(picture, questionSchema.parse(question), false, go);
  const box = [width * 0.2, height * 0.2, width * 0.5, height * 0.5] as const;
  const cut = createGrabcut(cv)(picture.fine, grabcutQuestion(box, 0), go).small;
  const strokes = [
    { points: [width * 0.4, height * 0.4, width * 0.5, height * 0.5], width: width / 60, mark: 1 },
    { points: [width * 0.02, height * 0.02, width * 0.98, height * 0.02], width: width / 80, mark: 0 },
  ];
  let round = 0;
  const pairs = [
    {
      what: 'K-means, k = 4',
      run: ask({ method: 'kmeans', parameters: { k: 4 } }),
      reference: { name: 'cv.kmeans, all pixels, 3 attempts', run: plainKmeans(cv, picture.at(WORK_PIXELS.kmeans), 4) },
    },
    {
      what: 'GrabCut from a box, 5 rounds',
      // Another box each time: the same question would go on from its last answer.
      run: () => segmenter.segment(picture, grabcutQuestion(box, ++round), false, go),
      reference: { name: 'cv.grabCut', run: plainGrabcut(cv, cut) },
    },
    {
      what: 'watershed, 2 marks',
      run: ask({ method: 'watershed', strokes }),
      reference: { name: 'cv.watershed', run: plainWatershed(cv, picture.at(WORK_PIXELS.watershed)) },
    },
    {
      what: 'magic wand',
      run: ask({ method: 'wand', clicks: [{ x: 5, y: 5, adds: true }], parameters: { tolerance: 60, distance: 'rgb' } }),
      reference: { name: 'cv.floodFill, same range', run: plainFlood(cv, picture.fine) },
    },
    {
      what: 'scissors, seed and first way',
      run: scissorsFrom(cv, picture),
      reference: { name: 'cv.IntelligentScissorsMB.buildMap', run: plainScissors(cv, picture.at(1_000_000)) },
    },
  ];
  const rows: Row[] = [];
  for (const { what, run, reference } of pairs) {
    const [ours, theirs] = await measureInTurn([{ name: 'ours, to masks', run }, reference], rounds, 1);
    if (!ours || !theirs) throw new Error('nothing was measured');
    rows.push({ what: `${what}, ${size}`, ours, reference: theirs, note: 'reference at the work size' });
  }
  return rows;
}

function grabcutQuestion(
  [x, y, width, height]: readonly [number, number, number, number],
  shift: number,
): ReturnType<typeof grabcutParsed> {
  return grabcutParsed({ method: 'grabcut', box: [x + (shift % 7), y, width, height] });
}

function grabcutParsed(question: ClassicalQuestion): Extract<ReturnType<typeof questionSchema.parse>, { method: 'grabcut' }> {
  const parsed = questionSchema.parse(question);
  if (parsed.method !== 'grabcut') throw new Error('not a question for GrabCut');
  return parsed;
}

/** Each pixel `factor` times in both directions, with a little grain, so that there is something to decide at full size. */
function enlarged({ width, height, data }: Rgb, factor: number): Rgb {
  const out = new Uint8Array(width * factor * height * factor * 3);
  let at = 0;
  let grain = 1;
  for (let y = 0; y < height * factor; y++) {
    for (let x = 0; x < width * factor; x++) {
      const from = (Math.floor(y / factor) * width + Math.floor(x / factor)) * 3;
      grain = (grain * 48_271) % 2_147_483_647;
      for (let c = 0; c < 3; c++) out[at++] = Math.max(0, Math.min(255, data[from + c]! + (grain % 7) - 3));
    }
  }
  return { width: width * factor, height: height * factor, data: out };
}

function scissorsFrom(cv: OpenCv, picture: Picture): () => unknown {
  const scissors = createScissors(cv);
  const { width, height } = picture;
  // The image's edges are found once, as OpenCV's are below.
  scissors(picture, [width / 2, height / 2], [width / 2, height / 2], 0, go);
  let round = 0;
  return () => {
    const from = [width / 2 + (++round % 5) * (width / 50), height / 2] as const;
    return scissors(picture, from, [from[0] + width / 6, height / 3], 0, go);
  };
}

function plainKmeans(cv: OpenCv, image: Rgb, k: number): () => unknown {
  const lab = labOf(image);
  return () =>
    scoped((keep) => {
      const data = keep(new cv.Mat(lab.length / 3, 3, cv.CV_32FC1));
      data.data32F.set(lab);
      const criteria = new cv.TermCriteria(cv.TermCriteria_EPS + cv.TermCriteria_MAX_ITER, 40, 0.05);
      return cv.kmeans(data, k, keep(new cv.Mat()), criteria, 3, cv.KMEANS_PP_CENTERS, keep(new cv.Mat()));
    });
}

function plainGrabcut(cv: OpenCv, image: Rgb): () => unknown {
  const { width, height } = image;
  return () =>
    scoped((keep) => {
      const picture = keep(new cv.Mat(height, width, cv.CV_8UC3));
      picture.data.set(image.data);
      const mask = keep(new cv.Mat(height, width, cv.CV_8UC1));
      mask.data.fill(0);
      // As much of the picture as our box takes of its surroundings.
      for (let y = Math.round(height / 6); y < (height * 5) / 6; y++)
        mask.data.fill(3, y * width + Math.round(width / 6), y * width + Math.round((width * 5) / 6));
      const all = new cv.Rect(0, 0, width, height);
      cv.grabCut(picture, mask, all, keep(new cv.Mat()), keep(new cv.Mat()), 5, cv.GC_INIT_WITH_MASK);
    });
}

function plainWatershed(cv: OpenCv, image: Rgb): () => unknown {
  const { width, height } = image;
  return () =>
    scoped((keep) => {
      const picture = keep(new cv.Mat(height, width, cv.CV_8UC3));
      picture.data.set(image.data);
      const markers = keep(new cv.Mat(height, width, cv.CV_32SC1));
      markers.data32S.fill(0);
      markers.data32S.fill(1, width * 2 + 10, width * 3 - 10);
      markers.data32S.fill(2, (width * height) / 2 + width / 2, (width * height) / 2 + width / 2 + 40);
      cv.watershed(picture, markers);
    });
}

function plainFlood(cv: OpenCv, image: Rgb): () => unknown {
  const { width, height } = image;
  return () =>
    scoped((keep) => {
      const picture = keep(new cv.Mat(height, width, cv.CV_8UC3));
      picture.data.set(image.data);
      const mask = keep(new cv.Mat(height + 2, width + 2, cv.CV_8UC1));
      mask.data.fill(0);
      const range = new cv.Scalar(60, 60, 60);
      const flags = 4 | cv.FLOODFILL_FIXED_RANGE | (1 << 17) | (1 << 8);
      return cv.floodFill(picture, mask, new cv.Point(5, 5), new cv.Scalar(0), new cv.Rect(0, 0, 0, 0), range, range, flags);
    });
}

function plainScissors(cv: OpenCv, image: Rgb): () => unknown {
  const { width, height } = image;
  const tool = new cv.segmentation_IntelligentScissorsMB();
  tool.setEdgeFeatureCannyParameters(32, 100, 3, false);
  scoped((keep) => {
    const picture = keep(new cv.Mat(height, width, cv.CV_8UC3));
    picture.data.set(image.data);
    tool.applyImage(picture);
  });
  let round = 0;
  return () =>
    scoped((keep) => {
      const x = Math.round(width / 2 + (++round % 5) * (width / 50));
      tool.buildMap(new cv.Point(x, Math.round(height / 2)));
      tool.getContour(new cv.Point(Math.round(x + width / 6), Math.round(height / 3)), keep(new cv.Mat()));
    });
}

import type { ParsedQuestion, Stroke } from '../../shared/classical/questions.ts';
import type { LabelMap, Pause, Rgb, Window } from '../../shared/classical/raster.ts';
import { boundedSize, shrink } from '../../shared/classical/raster.ts';
import { AppError } from '../../shared/errors.ts';
import type { OpenCv } from './opencv.ts';
import { scoped } from './opencv.ts';
import { coverStroke } from './strokes.ts';

export type GrabcutQuestion = Extract<ParsedQuestion, { method: 'grabcut' }>;

/** Pixels that the cut is made on: under a second for five rounds. */
const MOST_PIXELS = 120_000;
/** Share of the box's size that is taken along on each side, to learn the background from. */
const AROUND = 0.25;
/** Rounds after another stroke: the models are there already. */
const REFINING = 2;

/** Each of its two models is a mixture of five Gaussians, which needs so many pixels to begin with. */
const LEAST_PIXELS = 16;

/** OpenCV's marks: sure background, sure object, likely background, likely object. */
const MARKS = { background: 0, object: 1, likelyBackground: 2, likelyObject: 3 } as const;
const MODEL_LENGTH = 65;

/** What the next question can go on from. */
interface Session {
  readonly question: GrabcutQuestion;
  readonly small: Rgb;
  readonly window: Window;
  readonly mask: Uint8Array;
  readonly background: Float64Array;
  readonly foreground: Float64Array;
}

export interface Cut {
  /** 1 for the object. */
  readonly map: LabelMap;
  readonly small: Rgb;
  /** Where it lies in the picture, whole pixels of the picture. */
  readonly window: Window;
}

/**
 * GrabCut (Rother, Kolmogorov & Blake, SIGGRAPH 2004) by OpenCV, on the box and its surroundings at a bounded
 * size. Keeps the last cut: a question that only adds strokes goes on from its models and mask.
 */
export function createGrabcut(cv: OpenCv): (image: Rgb, question: GrabcutQuestion, pause: Pause) => Cut {
  let last: { image: Rgb; session: Session } | null = null;
  return (image, question, pause) => {
    const before = last?.image === image ? last.session : null;
    const goesOn = before !== null && continues(before.question, question) && inside(question.strokes, before.window);
    const session = goesOn ? refine(cv, before, question, pause) : begin(cv, image, question, pause);
    last = { image, session };
    const { width, height } = session.small;
    const data = new Uint16Array(session.mask.length);
    for (let i = 0; i < data.length; i++) data[i] = session.mask[i]! & 1;
    return { map: { width, height, data }, small: session.small, window: session.window };
  };
}

function continues(before: GrabcutQuestion, now: GrabcutQuestion): boolean {
  const count = before.strokes.length;
  return (
    JSON.stringify([before.box, before.parameters, before.strokes]) ===
    JSON.stringify([now.box, now.parameters, now.strokes.slice(0, count)])
  );
}

function inside(strokes: readonly Stroke[], { x, y, width, height }: Window): boolean {
  return strokes.every(({ points }) =>
    points.every((value, i) => (i % 2 === 0 ? value >= x && value <= x + width : value >= y && value <= y + height)),
  );
}

function begin(cv: OpenCv, image: Rgb, question: GrabcutQuestion, pause: Pause): Session {
  const window = windowOf(image, question);
  const size = boundedSize(window.width, window.height, MOST_PIXELS);
  const small = shrink(image, window, size.width, size.height, pause);
  const mask = new Uint8Array(small.width * small.height).fill(question.box ? MARKS.background : MARKS.likelyBackground);
  if (question.box) {
    const [x, y, width, height] = question.box;
    const scaleX = small.width / window.width;
    const scaleY = small.height / window.height;
    const right = Math.min(small.width, Math.round((x + width - window.x) * scaleX));
    const bottom = Math.min(small.height, Math.round((y + height - window.y) * scaleY));
    for (let row = Math.max(0, Math.round((y - window.y) * scaleY)); row < bottom; row++) {
      mask.fill(MARKS.likelyObject, row * small.width + Math.max(0, Math.round((x - window.x) * scaleX)), row * small.width + right);
    }
  }
  paint(mask, small, window, question.strokes);
  const object = mask.reduce((count, mark) => count + (mark & 1), 0);
  if (object < LEAST_PIXELS)
    throw new AppError('invalid', 'GrabCut needs a larger box around the object, or a stroke on it.', { pixels: object });
  if (mask.length - object < LEAST_PIXELS) {
    throw new AppError(
      'invalid',
      'GrabCut needs to see background: draw the box smaller than the image, or a stroke on the background.',
      {},
    );
  }
  const session = { question, small, window, mask, background: new Float64Array(MODEL_LENGTH), foreground: new Float64Array(MODEL_LENGTH) };
  run(cv, session, cv.GC_INIT_WITH_MASK, question.parameters.iterations, pause);
  return session;
}

function refine(cv: OpenCv, before: Session, question: GrabcutQuestion, pause: Pause): Session {
  if (question.strokes.length === before.question.strokes.length) return before;
  const session: Session = {
    ...before,
    question,
    mask: before.mask.slice(),
    background: before.background.slice(),
    foreground: before.foreground.slice(),
  };
  paint(session.mask, session.small, session.window, question.strokes.slice(before.question.strokes.length));
  run(cv, session, cv.GC_EVAL, REFINING, pause);
  return session;
}

function paint(mask: Uint8Array, small: Rgb, window: Window, strokes: readonly Stroke[]): void {
  for (const stroke of strokes) {
    const mark = stroke.mark === 0 ? MARKS.background : MARKS.object;
    coverStroke(stroke, window, small.width, small.height, (pixel) => (mask[pixel] = mark));
  }
}

/** One round at a time, so that it can be given up between two. */
function run(cv: OpenCv, session: Session, first: number, rounds: number, pause: Pause): void {
  const { width, height, data } = session.small;
  scoped((keep) => {
    const picture = keep(new cv.Mat(height, width, cv.CV_8UC3));
    picture.data.set(data);
    const mask = keep(new cv.Mat(height, width, cv.CV_8UC1));
    mask.data.set(session.mask);
    const models = [session.background, session.foreground].map((model) => {
      const mat = keep(first === cv.GC_EVAL ? new cv.Mat(1, MODEL_LENGTH, cv.CV_64FC1) : new cv.Mat());
      if (first === cv.GC_EVAL) mat.data64F.set(model);
      return mat;
    });
    const [background, foreground] = models as [(typeof models)[0], (typeof models)[0]];
    const everything = new cv.Rect(0, 0, width, height);
    for (let round = 0; round < rounds; round++) {
      pause();
      cv.grabCut(picture, mask, everything, background, foreground, 1, round === 0 ? first : cv.GC_EVAL);
    }
    session.mask.set(mask.data);
    session.background.set(background.data64F);
    session.foreground.set(foreground.data64F);
  });
}

/** The box with its surroundings and all strokes; the whole picture where there is no box. */
function windowOf(image: Rgb, { box, strokes }: GrabcutQuestion): Window {
  if (!box) return { x: 0, y: 0, width: image.width, height: image.height };
  const [x, y, width, height] = box;
  let left = x - width * AROUND;
  let top = y - height * AROUND;
  let right = x + width * (1 + AROUND);
  let bottom = y + height * (1 + AROUND);
  for (const { points, width: thick } of strokes) {
    for (let i = 0; i < points.length; i += 2) {
      left = Math.min(left, points[i]! - thick);
      right = Math.max(right, points[i]! + thick);
      top = Math.min(top, points[i + 1]! - thick);
      bottom = Math.max(bottom, points[i + 1]! + thick);
    }
  }
  left = Math.max(0, Math.floor(left));
  top = Math.max(0, Math.floor(top));
  const windowWidth = Math.min(image.width, Math.ceil(right)) - left;
  const windowHeight = Math.min(image.height, Math.ceil(bottom)) - top;
  if (windowWidth < 2 || windowHeight < 2)
    throw new AppError('invalid', 'The box of GrabCut lies outside of the image.', { box: box.join(', ') });
  return { x: left, y: top, width: windowWidth, height: windowHeight };
}

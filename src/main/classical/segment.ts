import type { ClassicalInstance, ClassicalPreview } from '../../shared/calls/classical.ts';
import { meanShift } from '../../shared/classical/mean-shift.ts';
import type { ParsedQuestion } from '../../shared/classical/questions.ts';
import type { LabelMap, Pause, Rgb, Window } from '../../shared/classical/raster.ts';
import { byArea, meanColours, regionsOf } from '../../shared/classical/regions.ts';
import { upsample } from '../../shared/classical/upsample.ts';
import { wand } from '../../shared/classical/wand.ts';
import type { Cut, GrabcutQuestion } from './grabcut.ts';
import { createGrabcut } from './grabcut.ts';
import { kmeans } from './kmeans.ts';
import type { OpenCv } from './opencv.ts';
import type { Picture } from './picture.ts';
import { hintsInFine, pixelAt } from './picture.ts';
import { watershed } from './watershed.ts';

/** Pixels that each method works on at most; see docs/classical.md for what they take. */
export const WORK_PIXELS = { kmeans: 1_000_000, 'mean-shift': 120_000, watershed: 500_000 } as const;
/** Borders of a draft are decided at this size. */
const DRAFT_PIXELS = 1_500_000;
/** Regions beyond these, the smallest ones, are left out. */
const MOST_REGIONS = 1000;

export type Segmented = Omit<ClassicalPreview, 'imageId' | 'totalMs'>;

/** What a method says: labels over a part of `picture.fine`, at that size or smaller. */
interface Found {
  readonly map: LabelMap;
  /** The picture that the map was made on: same size. */
  readonly small: Rgb;
  readonly window: Window;
  readonly name: (label: number) => string;
  readonly mark: (label: number) => number;
  /** The size all of the image has at the map's scale. */
  readonly work: Size;
  /** See `upsample`. */
  readonly radius: 1 | 2;
  /** Whether instances keep the order of their labels; else the largest comes first. */
  readonly ordered?: boolean;
}

/** Segments pictures; keeps what the next question can go on from. */
export interface Segmenter {
  /** `draft`: borders at a bounded size too. Throws `invalid` as the methods do, and what `pause` throws. */
  segment(picture: Picture, question: ParsedQuestion, draft: boolean, pause: Pause): Segmented;
}

export function createSegmenter(cv: OpenCv): Segmenter {
  const grabcut = createGrabcut(cv);
  return {
    segment(picture, asked, draft, pause) {
      const startedMs = performance.now();
      const found = work(cv, grabcut, picture, hintsInFine(picture, asked), draft, pause);
      pause();
      const foundMs = performance.now();
      const instances = finish(picture, found, draft, pause);
      return {
        method: asked.method,
        width: picture.width,
        height: picture.height,
        work: found.work,
        instances,
        methodMs: foundMs - startedMs,
        finishMs: performance.now() - foundMs,
      };
    },
  };
}

type Grabcut = (image: Rgb, question: GrabcutQuestion, pause: Pause) => Cut;

function work(cv: OpenCv, grabcut: Grabcut, picture: Picture, question: ParsedQuestion, draft: boolean, pause: Pause): Found {
  const { window } = picture;
  switch (question.method) {
    case 'kmeans': {
      const small = picture.at(WORK_PIXELS.kmeans);
      const { map, clusterOf } = kmeans(cv, small, question.parameters, pause);
      const mark = (label: number): number => clusterOf[label] ?? label;
      const foreground = question.parameters.regions === 'foreground';
      return {
        map,
        small,
        window,
        radius: 1,
        work: sizeOf(small),
        mark,
        name: (label) => (foreground ? 'foreground' : `cluster ${mark(label)}`),
      };
    }
    case 'mean-shift': {
      const small = picture.at(WORK_PIXELS['mean-shift']);
      const { map } = byArea(meanShift(small, question.parameters, pause), MOST_REGIONS);
      return { map, small, window, radius: 1, work: sizeOf(small), mark: same, name: (label) => `region ${label}` };
    }
    case 'grabcut': {
      const { map, small, window: part } = grabcut(picture.fine, question, pause);
      const scale = small.width / part.width;
      const whole = { width: Math.round(picture.fine.width * scale), height: Math.round(picture.fine.height * scale) };
      return { map, small, window: part, radius: 2, work: whole, mark: same, name: () => 'object' };
    }
    case 'watershed': {
      const small = picture.at(WORK_PIXELS.watershed);
      const map = watershed(cv, small, window, question);
      // Mark 0 is background, and label 1 stands for it.
      const wanted = { ...map, data: map.data.slice() };
      for (let i = 0; i < wanted.data.length; i++) wanted.data[i] = Math.max(0, wanted.data[i]! - 1);
      return { map: wanted, small, window, radius: 2, work: sizeOf(small), mark: same, name: (label) => `region ${label}`, ordered: true };
    }
    case 'wand': {
      const { tolerance, ...rest } = question.parameters;
      const small = draft ? picture.at(DRAFT_PIXELS) : picture.fine;
      const seeds = question.clicks.map(({ x, y, adds, tolerance: own }) => {
        return { ...pixelAt(picture, small, x, y), adds, tolerance: own ?? tolerance };
      });
      const map = { ...sizeOf(small), data: new Uint16Array(wand(small, seeds, rest, pause)) };
      return { map, small, window, radius: 1, work: sizeOf(small), mark: same, name: () => 'object' };
    }
  }
}

function same(label: number): number {
  return label;
}

function sizeOf({ width, height }: Rgb): Size {
  return { width, height };
}

/** Borders at full size, or nearly so for a draft; then masks. */
function finish(picture: Picture, found: Found, draft: boolean, pause: Pause): ClassicalInstance[] {
  const { width, height } = picture;
  const { window } = found;
  const target = draft ? picture.at(DRAFT_PIXELS) : picture.fine;
  const part = scaled(window, picture.fine, target);
  const large = found.map.width < part.width && found.map.height < part.height;
  const map = large ? upsample(found.map, found.small, target, part, found.radius, pause) : found.map;
  const place = scaled(window, picture.fine, picture);
  const colours = meanColours(found.map, found.small);
  const regions = regionsOf(map, place, width, height, pause).map(({ label, area, box, rle }) => {
    const instance: ClassicalInstance = {
      label: found.name(label),
      mark: found.mark(label),
      score: 1,
      box,
      rle,
      color: colours.get(label) ?? '#000000',
    };
    return { instance, area };
  });
  if (!found.ordered) regions.sort((a, b) => b.area - a.area);
  return regions.slice(0, MOST_REGIONS).map(({ instance }) => instance);
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** A part of one raster in whole pixels of another that covers the same. */
function scaled(window: Window, from: Size, to: Size): Window {
  if (from.width === to.width && from.height === to.height) return window;
  const x = Math.round((window.x * to.width) / from.width);
  const y = Math.round((window.y * to.height) / from.height);
  const right = Math.round(((window.x + window.width) * to.width) / from.width);
  const bottom = Math.round(((window.y + window.height) * to.height) / from.height);
  return { x, y, width: Math.max(1, right - x), height: Math.max(1, bottom - y) };
}

import type { ParsedQuestion, Stroke } from '../../shared/classical/questions.ts';
import type { Rgb, Window } from '../../shared/classical/raster.ts';
import { boundedSize, shrink } from '../../shared/classical/raster.ts';

/** A decoded image, and itself at the sizes that methods work at. */
export interface Picture {
  /** Size of the image file; that of `fine` unless the file is enormous. */
  readonly width: number;
  readonly height: number;
  /** The largest size that is worked on: hints are brought to its space, borders are decided on it. */
  readonly fine: Rgb;
  /** All of `fine`. */
  readonly window: Window;
  /** At most so many pixels. Made once a size. */
  at(maxPixels: number): Rgb;
}

export function createPicture(fine: Rgb, width: number, height: number): Picture {
  const window: Window = { x: 0, y: 0, width: fine.width, height: fine.height };
  const made = new Map<number, Rgb>();
  return {
    width,
    height,
    fine,
    window,
    at(maxPixels) {
      const size = boundedSize(fine.width, fine.height, maxPixels);
      if (size.width === fine.width && size.height === fine.height) return fine;
      let small = made.get(size.width);
      if (!small) made.set(size.width, (small = shrink(fine, window, size.width, size.height)));
      return small;
    },
  };
}

/** A place in image space as a whole pixel of a raster that covers the image, the nearest inside it. */
export function pixelAt(
  picture: Picture,
  raster: { readonly width: number; readonly height: number },
  x: number,
  y: number,
): { x: number; y: number } {
  return {
    x: Math.max(0, Math.min(raster.width - 1, Math.floor((x * raster.width) / picture.width))),
    y: Math.max(0, Math.min(raster.height - 1, Math.floor((y * raster.height) / picture.height))),
  };
}

/** The question with its hints in the space of `fine`. */
export function hintsInFine(picture: Picture, question: ParsedQuestion): ParsedQuestion {
  const scaleX = picture.fine.width / picture.width;
  const scaleY = picture.fine.height / picture.height;
  if (scaleX === 1 && scaleY === 1) return question;
  const scaled = (strokes: readonly Stroke[]): readonly Stroke[] =>
    strokes.map((stroke) => ({
      ...stroke,
      points: stroke.points.map((value, i) => value * (i % 2 === 0 ? scaleX : scaleY)),
      width: stroke.width * scaleX,
    }));
  switch (question.method) {
    case 'kmeans':
    case 'mean-shift':
    case 'wand':
      return question;
    case 'grabcut': {
      const { box } = question;
      const inFine = box && ([box[0] * scaleX, box[1] * scaleY, box[2] * scaleX, box[3] * scaleY] as const);
      return { ...question, box: inFine, strokes: scaled(question.strokes) };
    }
    case 'watershed':
      return { ...question, strokes: scaled(question.strokes) };
  }
}

import type { Box } from '../../../shared/records.ts';
import type { View } from '../families/sam.ts';

/**
 * Which part of an image to look at. The encoder sees 1024 × 1024 pixels whatever it is given, so a small
 * object becomes larger, and its mask finer, when only its surroundings are encoded. Parts are squares of
 * few sizes on a coarse lattice: one that was made for an object serves its neighbours and its next visit.
 */
export interface Extent {
  /** Of the mask so far, or of the user's box; image space. */
  readonly box: Box;
  /** Clicks, which must be seen too. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Side of the part, in sides of the object: less context and the decoder takes a piece for the whole. */
const CONTEXT = 2;
/** Below this many pixels there is nothing left to see. */
const LEAST = 96;
/** A part of more than this share of the image's longer side is not worth a run of the encoder. */
const MOST = 0.75;
/** Sizes go up by this factor. */
const STEP = 1.25;
/** Room that an object must have within a part, in sides of the part, where the image goes on. */
const MARGIN = 0.08;

export function wholeView({ width, height }: Size): View {
  return { x: 0, y: 0, width, height };
}

/** The part to encode for an object; null where the whole image is as good. */
export function closeView(extent: Extent, image: Size): View | null {
  const [x0, y0, x1, y1] = seen(extent);
  const wanted = Math.max(
    LEAST,
    CONTEXT * Math.max(extent.box[2], extent.box[3]),
    (x1 - x0) / (1 - 2 * MARGIN),
    (y1 - y0) / (1 - 2 * MARGIN),
  );
  const side = Math.round(LEAST * STEP ** Math.ceil(Math.log(wanted / LEAST) / Math.log(STEP) - 1e-9));
  if (side > MOST * Math.max(image.width, image.height)) return null;
  const width = Math.min(side, image.width);
  const height = Math.min(side, image.height);
  return { x: place((x0 + x1) / 2, width, image.width), y: place((y0 + y1) / 2, height, image.height), width, height };
}

/** Start of a stretch of `length` around a centre, on a lattice of a sixteenth of it, within the image. */
function place(centre: number, length: number, whole: number): number {
  const cell = Math.max(1, Math.round(length / 16));
  const start = Math.round((centre - length / 2) / cell) * cell;
  return Math.max(0, Math.min(whole - length, start));
}

/** The kept part that shows an object best: all of it with room around it, and as close as may be; null for none. */
export function suitableView(views: readonly View[], extent: Extent, image: Size): View | null {
  const wanted = closeView(extent, image);
  if (!wanted) return null;
  const most = Math.max(wanted.width, wanted.height) * STEP * STEP;
  const suitable = views.filter((view) => Math.max(view.width, view.height) <= most && shows(view, extent, image));
  const area = ({ width, height }: View): number => width * height;
  return suitable.sort((a, b) => area(a) - area(b))[0] ?? null;
}

/** Whether a part shows an object and its clicks with room around them; at the image's border none is needed. */
export function shows(view: View, extent: Extent, image: Size): boolean {
  const [x0, y0, x1, y1] = seen(extent);
  const room = MARGIN * Math.max(view.width, view.height);
  return (
    (view.x === 0 || x0 >= view.x + room) &&
    (view.y === 0 || y0 >= view.y + room) &&
    (view.x + view.width >= image.width || x1 <= view.x + view.width - room) &&
    (view.y + view.height >= image.height || y1 <= view.y + view.height - room)
  );
}

function seen({ box, points }: Extent): readonly [x0: number, y0: number, x1: number, y1: number] {
  const [x, y, width, height] = box;
  const xs = points.map((point) => point.x);
  const ys = points.map((point) => point.y);
  return [Math.min(x, ...xs), Math.min(y, ...ys), Math.max(x + width, ...xs), Math.max(y + height, ...ys)];
}

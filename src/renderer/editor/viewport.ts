/**
 * The one place where image space and screen space meet. Image space: pixels of the oriented image
 * (see records.ts). Screen space: CSS pixels from the top left corner of the canvas element.
 * `screen = image * scale + (x, y)`. The two kinds of point are branded, so that a mix-up does not
 * compile.
 */
declare const space: unique symbol;

export interface ImagePoint {
  readonly x: number;
  readonly y: number;
  readonly [space]?: 'image';
}

export interface ScreenPoint {
  readonly x: number;
  readonly y: number;
  readonly [space]?: 'screen';
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** `scale` in CSS pixels per image pixel; `x`, `y`: screen position of the image's top left corner. */
export interface Viewport {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

export interface Bounds {
  readonly minX: number;
  readonly minY: number;
  readonly maxX: number;
  readonly maxY: number;
}

const MAX_SCALE = 64;
/** Free margins around a fitted image; at the bottom there is room for the bar with the keys. CSS pixels. */
const FIT_MARGIN = 24;
const FIT_BOTTOM = 68;
/** The least part of the image that stays in sight, CSS pixels. */
const KEEP_VISIBLE = 64;
/** What a pointer can set: 1/64 pixel. A power of two, so that sums of coordinates stay exact. */
const STEPS_PER_PIXEL = 64;

export function imagePoint(x: number, y: number): ImagePoint {
  return { x, y };
}

export function screenPoint(x: number, y: number): ScreenPoint {
  return { x, y };
}

export function toImage(viewport: Viewport, point: ScreenPoint): ImagePoint {
  return imagePoint((point.x - viewport.x) / viewport.scale, (point.y - viewport.y) / viewport.scale);
}

export function toScreen(viewport: Viewport, point: ImagePoint): ScreenPoint {
  return screenPoint(point.x * viewport.scale + viewport.x, point.y * viewport.scale + viewport.y);
}

/** The image point under the pointer, on a grid of 1/64 pixel: finer than any hand, and free of digits nobody set. */
export function pointedImage(viewport: Viewport, point: ScreenPoint): ImagePoint {
  const { x, y } = toImage(viewport, point);
  return imagePoint(Math.round(x * STEPS_PER_PIXEL) / STEPS_PER_PIXEL, Math.round(y * STEPS_PER_PIXEL) / STEPS_PER_PIXEL);
}

/** The whole image in the middle of the view; small images are enlarged up to eight times. */
export function fitViewport(image: Size, view: Size): Viewport {
  if (!image.width || !image.height || !view.width || !view.height) return { scale: 1, x: 0, y: 0 };
  const margin = Math.min(FIT_MARGIN, view.width / 16, view.height / 16);
  const bottom = Math.min(FIT_BOTTOM, view.height / 8);
  const available = view.height - margin - bottom;
  const scale = Math.min((view.width - 2 * margin) / image.width, available / image.height, 8);
  return { scale, x: (view.width - image.width * scale) / 2, y: margin + (available - image.height * scale) / 2 };
}

/** The smallest useful scale: a quarter of the fitting one, but never above a quarter of 100 %. */
function minScale(image: Size, view: Size): number {
  return Math.min(fitViewport(image, view).scale / 4, 0.25);
}

/** Scales by setting `scale`, keeping the image point under `anchor` where it is. */
export function zoomedTo(viewport: Viewport, scale: number, anchor: ScreenPoint, image: Size, view: Size): Viewport {
  const next = Math.min(MAX_SCALE, Math.max(minScale(image, view), scale));
  const fixed = toImage(viewport, anchor);
  return clampViewport({ scale: next, x: anchor.x - fixed.x * next, y: anchor.y - fixed.y * next }, image, view);
}

export function pannedBy(viewport: Viewport, dx: number, dy: number, image: Size, view: Size): Viewport {
  return clampViewport({ ...viewport, x: viewport.x + dx, y: viewport.y + dy }, image, view);
}

/** The nearest viewport in which some of the image stays in sight, so that it cannot be lost. */
export function clampViewport(viewport: Viewport, image: Size, view: Size): Viewport {
  const x = clampAxis(viewport.x, image.width * viewport.scale, view.width);
  const y = clampAxis(viewport.y, image.height * viewport.scale, view.height);
  return x === viewport.x && y === viewport.y ? viewport : { ...viewport, x, y };
}

function clampAxis(offset: number, shown: number, available: number): number {
  const keep = Math.min(KEEP_VISIBLE, shown, available / 2);
  return Math.min(available - keep, Math.max(keep - shown, offset));
}

/** The part of image space that a view shows, image pixels. */
export function visibleBounds(viewport: Viewport, view: Size): Bounds {
  const from = toImage(viewport, screenPoint(0, 0));
  const to = toImage(viewport, screenPoint(view.width, view.height));
  return { minX: from.x, minY: from.y, maxX: to.x, maxY: to.y };
}

/** `viewport` moved, without changing its scale, so that the middle of `bounds` is in the middle. */
export function centredOn(viewport: Viewport, bounds: Bounds, image: Size, view: Size): Viewport {
  const x = view.width / 2 - ((bounds.minX + bounds.maxX) / 2) * viewport.scale;
  const y = view.height / 2 - ((bounds.minY + bounds.maxY) / 2) * viewport.scale;
  return clampViewport({ ...viewport, x, y }, image, view);
}

export function clampPoint(point: ImagePoint, image: Size): ImagePoint {
  return imagePoint(Math.min(image.width, Math.max(0, point.x)), Math.min(image.height, Math.max(0, point.y)));
}

export function isInside(point: ImagePoint, image: Size): boolean {
  return point.x >= 0 && point.y >= 0 && point.x < image.width && point.y < image.height;
}

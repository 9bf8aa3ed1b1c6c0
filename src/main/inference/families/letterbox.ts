import type { Corners } from './boxes.ts';
import type { InputTransform } from './family.ts';

interface Size {
  readonly width: number;
  readonly height: number;
}

export type Fit =
  | { readonly mode: 'stretch'; readonly width: number; readonly height: number }
  | { readonly mode: 'letterbox'; readonly width: number; readonly height: number; readonly align: 'start' | 'center' };

/** Ultralytics' `LetterBox` and MMDetection's `Resize`: sizes rounded, of an odd rest the smaller half left and above. */
export function placeInside(fit: Fit, full: Size): InputTransform {
  const common = { imageWidth: full.width, imageHeight: full.height, paddedWidth: fit.width, paddedHeight: fit.height };
  let inputWidth = fit.width;
  let inputHeight = fit.height;
  let centred = false;
  if (fit.mode === 'letterbox') {
    const scale = Math.min(fit.width / full.width, fit.height / full.height);
    inputWidth = Math.min(fit.width, Math.max(1, Math.round(scale * full.width)));
    inputHeight = Math.min(fit.height, Math.max(1, Math.round(scale * full.height)));
    centred = fit.align === 'center';
  }
  return {
    ...common,
    inputWidth,
    inputHeight,
    scaleX: inputWidth / full.width,
    scaleY: inputHeight / full.height,
    offsetX: centred ? (fit.width - inputWidth) >> 1 : 0,
    offsetY: centred ? (fit.height - inputHeight) >> 1 : 0,
  };
}

/** A box in pixels of the input as one in the image's, and within it. */
export function inImage(box: Corners, transform: InputTransform): Corners {
  const { imageWidth, imageHeight, scaleX, scaleY, offsetX, offsetY } = transform;
  const within = (value: number, most: number): number => Math.min(most, Math.max(0, value));
  return {
    x0: within((box.x0 - offsetX) / scaleX, imageWidth),
    y0: within((box.y0 - offsetY) / scaleY, imageHeight),
    x1: within((box.x1 - offsetX) / scaleX, imageWidth),
    y1: within((box.y1 - offsetY) / scaleY, imageHeight),
  };
}

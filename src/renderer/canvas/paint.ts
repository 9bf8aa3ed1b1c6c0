import { SUGGESTION_FILL, TRUTH_FILL } from '../../shared/views/view.ts';
import type { Instance, InstanceIndex } from '../editor/instances.ts';
import type { StageView } from '../editor/stage-view.ts';
import type { Size, Viewport } from '../editor/viewport.ts';
import { visibleBounds } from '../editor/viewport.ts';
import { pathOf } from './paths.ts';

/**
 * Painting of the layers below the selection. A context comes in CSS pixels; `inImage` turns it to image
 * space, where line widths and dashes are divided by the scale, so that they stay the same on screen.
 */
export type Paint = CanvasRenderingContext2D;

export const LINE = 2;
export const DASH: readonly number[] = [7, 5];
/** Instances smaller than this on screen are painted as a dot of their colour, CSS pixels. */
export const SPECK = 5;
/** Smaller ones have a thin solid line, in which dashes could not be told apart. */
export const DASHED_FROM = 18;

export function inImage(paint: Paint, viewport: Viewport, draw: () => void): void {
  paint.save();
  paint.translate(viewport.x, viewport.y);
  paint.scale(viewport.scale, viewport.scale);
  draw();
  paint.restore();
}

/** From this scale on pixels are shown as squares. */
const PIXELATED_FROM = 4;

export function paintImage(paint: Paint, image: CanvasImageSource, size: Size, viewport: Viewport): void {
  paint.imageSmoothingEnabled = viewport.scale < PIXELATED_FROM;
  paint.imageSmoothingQuality = 'high';
  paint.drawImage(image, viewport.x, viewport.y, size.width * viewport.scale, size.height * viewport.scale);
}

/** The annotations in view but the one that a draft stands in for. */
export function* paintAnnotations(paint: Paint, viewport: Viewport, stage: StageView): Generator<undefined, void> {
  for (const instance of drawable(stage, stage.annotations, viewport)) {
    paintInstance(paint, viewport, instance, stage.colorOf(instance), TRUTH_FILL, false);
    yield;
  }
}

/** The suggestions in view, dashed. */
export function* paintSuggestions(paint: Paint, viewport: Viewport, stage: StageView): Generator<undefined, void> {
  for (const instance of drawable(stage, stage.suggestions, viewport)) {
    paintInstance(paint, viewport, instance, stage.colorOf(instance), SUGGESTION_FILL, true);
    yield;
  }
}

/** Those in view that are not hidden and that no draft stands in for, in paint order. */
export function drawable(stage: StageView, index: InstanceIndex, viewport: Viewport): Instance[] {
  return index
    .within(visibleBounds(viewport, stage.size))
    .filter((instance) => instance.key !== stage.draftKey && stage.isVisible(instance));
}

function paintInstance(paint: Paint, viewport: Viewport, instance: Instance, color: string, fill: number, dashed: boolean): void {
  const width = instance.maxX - instance.minX;
  const height = instance.maxY - instance.minY;
  const onScreen = Math.max(width, height) * viewport.scale;
  inImage(paint, viewport, () => {
    paint.fillStyle = color;
    if (onScreen < SPECK) {
      const least = 2 / viewport.scale;
      paint.fillRect(instance.minX, instance.minY, Math.max(width, least), Math.max(height, least));
      return;
    }
    const path = pathOf(instance.geometry, viewport.scale);
    paint.globalAlpha = fill;
    paint.fill(path, 'evenodd');
    paint.globalAlpha = 1;
    paint.strokeStyle = color;
    paint.lineJoin = 'round';
    paint.lineWidth = (onScreen < DASHED_FROM ? 1 : LINE) / viewport.scale;
    if (dashed && onScreen >= DASHED_FROM) paint.setLineDash(DASH.map((length) => length / viewport.scale));
    paint.stroke(path);
  });
}

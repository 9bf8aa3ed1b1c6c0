import type { Instance } from '../editor/instances.ts';
import { hasOutline } from '../editor/outlines.ts';
import type { StageView } from '../editor/stage-view.ts';
import type { Size, Viewport } from '../editor/viewport.ts';
import { visibleBounds } from '../editor/viewport.ts';
import { pathOf } from './paths.ts';

/**
 * Painting of the layers below the selection. A context comes in CSS pixels; `inImage` turns it to image
 * space, where line widths and dashes are divided by the scale, so that they stay the same on screen.
 */
export type Paint = CanvasRenderingContext2D;

/** Fill of human truth, of suggestions, and of truth when one colour stands for a class. */
const TRUTH_FILL = 0.24;
const SUGGESTION_FILL = 0.1;
const SEMANTIC_FILL = 0.45;
const LINE = 2;
const DASH: readonly number[] = [7, 5];
/** Instances smaller than this on screen are painted as a dot of their colour, CSS pixels. */
const SPECK = 5;
/** New outlines are made for at most this long in one frame; the rest show their box until the next one. */
const OUTLINE_BUDGET_MS = 14;

export function inImage(paint: Paint, viewport: Viewport, draw: () => void): void {
  paint.save();
  paint.translate(viewport.x, viewport.y);
  paint.scale(viewport.scale, viewport.scale);
  draw();
  paint.restore();
}

/** From this scale on pixels are shown as squares. */
export const PIXELATED_FROM = 4;

export function paintImage(paint: Paint, image: CanvasImageSource, size: Size, viewport: Viewport): void {
  paint.imageSmoothingEnabled = viewport.scale < PIXELATED_FROM;
  paint.imageSmoothingQuality = 'high';
  paint.drawImage(image, viewport.x, viewport.y, size.width * viewport.scale, size.height * viewport.scale);
}

/** The annotations in view but the one that a draft stands in for. False when some outlines are still to be made. */
export function paintAnnotations(paint: Paint, stage: StageView, semantic: boolean): boolean {
  const { viewport } = stage;
  return paintInstances(paint, stage, stage.annotations.within(visibleBounds(viewport, stage.size)), (instance, path, color) => {
    paint.globalAlpha = semantic ? SEMANTIC_FILL : TRUTH_FILL;
    paint.fillStyle = color;
    paint.fill(path, 'evenodd');
    paint.globalAlpha = 1;
    paint.strokeStyle = color;
    paint.lineWidth = LINE / viewport.scale;
    paint.stroke(path);
  });
}

/** The suggestions in view, dashed. False when some outlines are still to be made. */
export function paintSuggestions(paint: Paint, stage: StageView): boolean {
  const { viewport } = stage;
  return paintInstances(paint, stage, stage.suggestions.within(visibleBounds(viewport, stage.size)), (instance, path, color) => {
    paint.globalAlpha = SUGGESTION_FILL;
    paint.fillStyle = color;
    paint.fill(path, 'evenodd');
    paint.globalAlpha = 1;
    paint.strokeStyle = color;
    paint.lineWidth = LINE / viewport.scale;
    paint.setLineDash(DASH.map((length) => length / viewport.scale));
    paint.stroke(path);
  });
}

function paintInstances(
  paint: Paint,
  stage: StageView,
  instances: readonly Instance[],
  draw: (instance: Instance, path: Path2D, color: string) => void,
): boolean {
  const { viewport, draftKey } = stage;
  const until = performance.now() + OUTLINE_BUDGET_MS;
  let complete = true;
  inImage(paint, viewport, () => {
    paint.lineJoin = 'round';
    for (const instance of instances) {
      if (instance.key === draftKey || !stage.isVisible(instance)) continue;
      const color = stage.colorOf(instance);
      const width = instance.maxX - instance.minX;
      const height = instance.maxY - instance.minY;
      if (Math.max(width, height) * viewport.scale < SPECK) {
        paint.fillStyle = color;
        paint.fillRect(instance.minX, instance.minY, Math.max(width, 2 / viewport.scale), Math.max(height, 2 / viewport.scale));
      } else if (hasOutline(instance.geometry) || performance.now() < until) {
        draw(instance, pathOf(instance.geometry), color);
      } else {
        complete = false;
        paint.globalAlpha = SUGGESTION_FILL;
        paint.fillStyle = color;
        paint.fillRect(instance.minX, instance.minY, width, height);
        paint.globalAlpha = 1;
      }
    }
  });
  return complete;
}

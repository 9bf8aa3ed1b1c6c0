import type { View } from '../../shared/views/view.ts';
import { SEMANTIC_FILL } from '../../shared/views/view.ts';
import type { Geometry } from '../../shared/records.ts';
import type { Instance, InstanceIndex } from '../editor/instances.ts';
import type { StageView } from '../editor/stage-view.ts';
import type { Viewport } from '../editor/viewport.ts';
import type { Paint } from './paint.ts';
import { DASH, DASHED_FROM, drawable, inImage, LINE, paintAnnotations, paintSuggestions } from './paint.ts';
import { pathOf } from './paths.ts';
import { paintPills } from './pills.ts';

/** The two layers of instances, as the view in force tells them. */

export function paintTruth(paint: Paint, viewport: Viewport, stage: StageView): Generator<undefined, void> {
  return stage.view === 'instance' ? paintAnnotations(paint, viewport, stage) : paintByClass(paint, viewport, stage, stage.annotations);
}

export function* paintProposed(paint: Paint, viewport: Viewport, stage: StageView): Generator<undefined, void> {
  if (stage.view !== 'instance') return yield* paintByClass(paint, viewport, stage, stage.suggestions);
  yield* paintSuggestions(paint, viewport, stage);
  yield* paintPills(paint, viewport, stage, stage.suggestions);
}

function* paintByClass(paint: Paint, viewport: Viewport, stage: StageView, index: InstanceIndex): Generator<undefined, void> {
  if (stage.view === 'semantic') yield* paintClasses(paint, viewport, stage, index);
  if (stage.view !== 'boxes') return;
  for (const instance of drawable(stage, index, viewport)) {
    paintBox(paint, viewport, instance, stage.colorOf(instance));
    yield;
  }
  yield* paintPills(paint, viewport, stage, index);
}

/**
 * Instances in the flat colour of their class, without borders: where classes overlap, the one on top has the
 * pixel, and instances of one class become one. The layer as a whole is made to shine through by `layered`.
 */
function* paintClasses(paint: Paint, viewport: Viewport, stage: StageView, index: InstanceIndex): Generator<undefined, void> {
  for (const instance of drawable(stage, index, viewport)) {
    const path = pathOf(instance.geometry, viewport.scale);
    inImage(paint, viewport, () => {
      paint.fillStyle = stage.colorOf(instance);
      paint.fill(path, 'evenodd');
      // Without it a seam of half covered pixels stays between neighbours.
      paint.strokeStyle = paint.fillStyle;
      paint.lineJoin = 'round';
      paint.lineWidth = 0.75 / viewport.scale;
      paint.stroke(path);
    });
    yield;
  }
}

/** How much of a layer of flat colours is seen: suggestions less than truth. */
export function layered(paint: Paint, view: View, proposed: boolean): Paint {
  paint.globalAlpha = view !== 'semantic' ? 1 : proposed ? SEMANTIC_FILL / 2 : SEMANTIC_FILL;
  return paint;
}

/** What stands for an instance on the canvas: its outline, its box, or nothing where only tags are told. */
export function shapeOf(view: View, instance: Instance): Geometry | null {
  if (view === 'tags') return null;
  return view === 'boxes' ? { kind: 'box', box: boxOf(instance) } : instance.geometry;
}

function boxOf({ minX, minY, maxX, maxY }: Instance): readonly [number, number, number, number] {
  return [minX, minY, maxX - minX, maxY - minY];
}

function paintBox(paint: Paint, viewport: Viewport, instance: Instance, color: string): void {
  const [x, y, width, height] = boxOf(instance);
  const onScreen = Math.max(width, height) * viewport.scale;
  inImage(paint, viewport, () => {
    paint.strokeStyle = color;
    paint.lineWidth = (onScreen < DASHED_FROM ? 1 : LINE) / viewport.scale;
    if (instance.score !== null && onScreen >= DASHED_FROM) paint.setLineDash(DASH.map((length) => length / viewport.scale));
    paint.strokeRect(x, y, width, height);
  });
}

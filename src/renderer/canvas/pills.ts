import type { Instance, InstanceIndex } from '../editor/instances.ts';
import type { StageView } from '../editor/stage-view.ts';
import type { Bounds, Viewport } from '../editor/viewport.ts';
import { imagePoint, toScreen } from '../editor/viewport.ts';
import type { Paint } from './paint.ts';
import { drawable } from './paint.ts';

/** Height, side padding and distance from the instance, CSS pixels. */
const HEIGHT = 19;
const PADDING = 8;
const GAP = 5;
const FONT = '500 12px "Inter Variable", Inter, system-ui, sans-serif';
/** No more pills than this: beyond it they only hide the image. */
const MOST = 150;

const widths = new Map<string, number>();

function textWidth(paint: Paint, text: string): number {
  const known = widths.get(text);
  if (known !== undefined) return known;
  if (widths.size > 5000) widths.clear();
  const width = paint.measureText(text).width;
  widths.set(text, width);
  return width;
}

interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

/**
 * Class and score over each instance in view, the surest first; a pill that would cover one already
 * placed is left out (hovering or selecting its suggestion shows it).
 */
export function* paintPills(paint: Paint, viewport: Viewport, stage: StageView, index: InstanceIndex): Generator<undefined, void> {
  const instances = drawable(stage, index, viewport);
  const placed: Rect[] = [];
  paint.font = FONT;
  for (let i = instances.length - 1; i >= 0 && placed.length < MOST; i--) {
    const instance = instances[i];
    if (!instance) continue;
    yield;
    const text = pillText(stage, instance);
    const rect = pillPlace(paint, viewport, stage, instance, text);
    const covers = placed.some(
      (other) => Math.abs(other.y - rect.y) < HEIGHT + 2 && rect.x < other.x + other.width + 2 && other.x < rect.x + rect.width + 2,
    );
    if (covers) continue;
    placed.push(rect);
    drawPill(paint, rect, text, stage.colorOf(instance), 'rgba(15, 17, 19, 0.86)', '#E4E7EA');
  }
}

/** The pill of one instance, drawn over all others. */
export function paintPill(paint: Paint, stage: StageView, instance: Instance): void {
  paint.font = FONT;
  const text = pillText(stage, instance);
  drawPill(paint, pillPlace(paint, stage.viewport, stage, instance, text), text, stage.colorOf(instance), '#0F1113', '#FFFFFF');
}

/** A tool's own bar lies over the upper edge of the canvas, CSS pixels. */
const BAR = 54;

/** A line of text at a box, image space, drawn over all others, and never under the bar of the tool in hand. */
export function paintTextPill(paint: Paint, stage: StageView, bounds: Bounds, text: string, color: string): void {
  paint.font = FONT;
  const place = pillPlace(paint, stage.viewport, stage, bounds, text);
  drawPill(paint, { ...place, y: Math.max(BAR, place.y) }, text, color, '#0F1113', '#FFFFFF');
}

function pillText(stage: StageView, instance: Instance): string {
  const name = stage.nameOf(instance.labelId);
  const short = name.length > 28 ? `${name.slice(0, 27)}…` : name;
  return instance.score === null ? short : `${short} ${instance.score.toFixed(2)}`;
}

/** Above the instance, inside the view as long as the instance is. */
function pillPlace(paint: Paint, viewport: Viewport, stage: StageView, bounds: Bounds, text: string): Rect {
  const top = toScreen(viewport, imagePoint((bounds.minX + bounds.maxX) / 2, bounds.minY));
  const bottom = toScreen(viewport, imagePoint(bounds.maxX, bounds.maxY));
  const width = Math.ceil(textWidth(paint, text)) + 2 * PADDING;
  const above = top.y - GAP - HEIGHT;
  const y = above >= 2 ? above : Math.min(Math.max(2, above), Math.max(2, bottom.y - HEIGHT));
  // A box has its name at its corner.
  const start = stage.view === 'boxes' ? toScreen(viewport, imagePoint(bounds.minX, bounds.minY)).x : top.x - width / 2;
  const x = Math.min(Math.max(2, start), Math.max(2, stage.size.width - width - 2));
  return { x: Math.round(x), y: Math.round(y), width };
}

function drawPill(paint: Paint, rect: Rect, text: string, color: string, fill: string, ink: string): void {
  paint.beginPath();
  paint.roundRect(rect.x + 0.5, rect.y + 0.5, rect.width - 1, HEIGHT - 1, (HEIGHT - 1) / 2);
  paint.fillStyle = fill;
  paint.fill();
  paint.lineWidth = 1.25;
  paint.strokeStyle = color;
  paint.stroke();
  paint.fillStyle = ink;
  paint.textBaseline = 'middle';
  paint.textAlign = 'left';
  paint.fillText(text, rect.x + PADDING, rect.y + HEIGHT / 2 + 0.5);
}

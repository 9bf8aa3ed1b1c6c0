import type { ImagePoint } from '../viewport.ts';
import type { MarkedStroke } from './classical-asks.ts';
import type { ToolView } from './tool.ts';

/** Points nearer than this share of the radius to the last one add nothing to see. */
const SPACING = 0.25;

/** Colours of marks: what is not wanted has the first, then as many objects as can be told apart. */
const NOT_WANTED = '#FF5F56';
const OBJECTS = ['#3CC48F', '#56B4E9', '#F2A93B', '#CC79A7', '#F0E442', '#9D7BF5'] as const;

/** A stroke as wide on the screen as the brush is in the image: a mark need not be the same at each zoom. */
export function beginStroke(at: ImagePoint, view: Pick<ToolView, 'brushPx' | 'scale'>, mark: number): MarkedStroke {
  return { points: [at.x, at.y], radius: view.brushPx / view.scale / 2, mark };
}

/** The stroke with another point, or the very same one where the point is too near. */
export function extendStroke(stroke: MarkedStroke, at: ImagePoint): MarkedStroke {
  const x = stroke.points.at(-2) ?? at.x;
  const y = stroke.points.at(-1) ?? at.y;
  if (Math.hypot(at.x - x, at.y - y) < Math.max(0.5, stroke.radius * SPACING)) return stroke;
  return { ...stroke, points: [...stroke.points, at.x, at.y] };
}

/** `#RRGGBB` of a mark: those of objects repeat after six. */
export function markColor(mark: number): string {
  return mark <= 0 ? NOT_WANTED : (OBJECTS[(mark - 1) % OBJECTS.length] ?? NOT_WANTED);
}

/** Strokes as a draft shows them. */
export function shownStrokes(
  strokes: readonly MarkedStroke[],
): readonly { readonly points: readonly number[]; readonly radius: number; readonly color: string }[] {
  return strokes.map(({ points, radius, mark }) => ({ points, radius, color: markColor(mark) }));
}

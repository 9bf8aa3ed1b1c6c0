import type { ImagePoint } from '../viewport.ts';
import { clampPoint } from '../viewport.ts';
import type { Draft, Input, Step, Tool, ToolView } from './tool.ts';

export type PolygonState =
  { readonly kind: 'idle' } | { readonly kind: 'drawing'; readonly points: readonly ImagePoint[]; readonly cursor: ImagePoint | null };

const IDLE: PolygonState = { kind: 'idle' };
/** How near to the first point a click closes the ring, CSS pixels. */
const CLOSE_REACH = 9;
/** Clicks nearer than this to the last point are the same click, CSS pixels. */
const SAME_REACH = 2;

/**
 * Draws a ring point by point. A click adds a point; a click on the first one, `Enter` or a double
 * click closes; `Backspace` takes the last one back; `Esc` drops the draft. Points are clipped to the
 * image. Fewer than three points or no area close nothing.
 */
export const polygon: Tool<PolygonState> = {
  name: 'polygon',
  start: IDLE,
  drafting: (state) => state.kind === 'drawing',
  step(state, input, view) {
    if (state.kind === 'idle') {
      if (input.kind !== 'press' || !view.canAdd) return { state, cursor: 'crosshair', hover: null };
      const at = clampPoint(input.at, view.image);
      return show({ kind: 'drawing', points: [at], cursor: at }, view, { select: null, hover: null });
    }
    return drawing(state, input, view);
  },
};

function drawing(state: PolygonState & { kind: 'drawing' }, input: Input, view: ToolView): Step<PolygonState> {
  switch (input.kind) {
    case 'press': {
      if (isClosing(state, input.at, view)) return close(state, view);
      const at = clampPoint(input.at, view.image);
      const last = state.points.at(-1);
      const same = last !== undefined && distance(at, last) * view.scale <= SAME_REACH;
      const next = same ? { ...state, cursor: at } : { ...state, points: [...state.points, at], cursor: at };
      // The first press of a double click has set the point; the second ends the ring.
      return input.clicks >= 2 && next.points.length >= 3 ? close(next, view) : show(next, view);
    }
    case 'move':
      return show({ ...state, cursor: clampPoint(input.at, view.image) }, view);
    case 'leave':
      return show({ ...state, cursor: null }, view);
    case 'release':
      return show(state, view);
    case 'finish':
      return close(state, view);
    case 'remove-last': {
      const points = state.points.slice(0, -1);
      return points.length ? show({ ...state, points }, view, { used: true }) : { state: IDLE, cursor: 'crosshair', used: true };
    }
    case 'cancel':
      return { state: IDLE, cursor: 'crosshair', used: true };
    case 'delete':
      return show(state, view, { used: true });
  }
}

function show(state: PolygonState & { kind: 'drawing' }, view: ToolView, more: Partial<Step<PolygonState>> = {}): Step<PolygonState> {
  const closing = state.cursor !== null && isClosing(state, state.cursor, view);
  const draft: Draft = { kind: 'polygon', points: state.points, cursor: state.cursor, closing };
  return { state, draft, cursor: closing ? 'pointer' : 'crosshair', ...more };
}

function close(state: PolygonState & { kind: 'drawing' }, view: ToolView): Step<PolygonState> {
  const outer = state.points.flatMap((p) => [p.x, p.y]);
  if (state.points.length < 3 || Math.abs(doubleArea(outer)) < 1e-6) return show(state, view, { used: true });
  return {
    state: IDLE,
    cursor: 'crosshair',
    used: true,
    commit: { kind: 'add', geometry: { kind: 'polygon', parts: [{ outer, holes: [] }] } },
  };
}

function isClosing(state: PolygonState & { kind: 'drawing' }, at: ImagePoint, view: ToolView): boolean {
  const first = state.points[0];
  return first !== undefined && state.points.length >= 3 && distance(at, first) * view.scale <= CLOSE_REACH;
}

function distance(a: ImagePoint, b: ImagePoint): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

function doubleArea(ring: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < ring.length; i += 2) {
    const j = (i + 2) % ring.length;
    sum += (ring[i] ?? 0) * (ring[j + 1] ?? 0) - (ring[j] ?? 0) * (ring[i + 1] ?? 0);
  }
  return sum;
}

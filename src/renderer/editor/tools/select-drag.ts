import type { Polygon, VertexRef } from '../../../shared/geometry/edit-vertex.ts';
import { geometryBox } from '../../../shared/geometry/measure.ts';
import { translateGeometry } from '../../../shared/geometry/polygon.ts';
import type { Box, Geometry, PolygonPart, Ring } from '../../../shared/records.ts';
import type { Selection } from '../types.ts';
import type { ImagePoint, Size } from '../viewport.ts';
import { boxBetween } from './box.ts';
import type { BoxHandle } from './resize.ts';
import { handleCursor, resizedBox } from './resize.ts';
import type { Draft, Input, Step, Target, ToolView } from './tool.ts';
import { movedWithin, sameVertex, verticesWithin } from './vertices.ts';

/** How far the pointer travels before a press is a drag, CSS pixels. */
export const DRAG_START = 3;

export type SelectState =
  | { readonly kind: 'idle'; readonly vertices: readonly VertexRef[] }
  /** A drag moves `target`, a click selects `click` or, where `target` was selected `again`, adds a vertex. */
  | {
      readonly kind: 'pressed';
      readonly from: ImagePoint;
      readonly target: Selection | null;
      readonly click: Selection | null;
      readonly again: boolean;
    }
  | { readonly kind: 'moving'; readonly from: ImagePoint; readonly target: Selection; readonly dx: number; readonly dy: number }
  /** `origin`: the outline when the drag began, `polygon`: as it is now. `fresh`: a vertex was added. */
  | {
      readonly kind: 'vertices';
      readonly from: ImagePoint;
      readonly target: Selection;
      readonly origin: Polygon;
      readonly polygon: Polygon;
      readonly vertices: readonly VertexRef[];
      readonly fresh: boolean;
      readonly dragged: boolean;
    }
  | { readonly kind: 'resizing'; readonly target: Selection; readonly origin: Box; readonly handle: BoxHandle; readonly box: Box }
  | { readonly kind: 'marquee'; readonly from: ImagePoint; readonly box: Box; readonly vertices: readonly VertexRef[] };

export const IDLE: SelectState = { kind: 'idle', vertices: [] };

type Gesture<K extends SelectState['kind']> = SelectState & { kind: K };

/** A gesture goes on: the pointer moves, or lets go. */
export type Drag = Input & { kind: 'move' | 'release' };

export function moving(state: Gesture<'moving'>, input: Drag, view: ToolView): Step<SelectState> {
  const target = view.find(state.target);
  if (!target) return { state: IDLE };
  const by = offsetWithin(target.geometry, input.at.x - state.from.x, input.at.y - state.from.y, view.image);
  if (input.kind === 'move') return { ...held({ ...state, ...by }), hover: null };
  if (!by.dx && !by.dy) return { state: IDLE };
  return { state: IDLE, commit: { kind: 'replace', target: state.target, geometry: translateGeometry(target.geometry, by.dx, by.dy) } };
}

export function dragging(state: Gesture<'vertices'>, input: Drag, view: ToolView): Step<SelectState> {
  if (input.kind === 'move') {
    if (!state.dragged && distance(state.from, input.at) * view.scale < DRAG_START) return held(state);
    const polygon = movedWithin(state.origin, state.vertices, input.at.x - state.from.x, input.at.y - state.from.y, view.image);
    return held({ ...state, polygon, dragged: true });
  }
  const rest: SelectState = { kind: 'idle', vertices: state.vertices };
  const moved = state.polygon.parts.some((part, p) => !samePart(part, state.origin.parts[p]));
  if (!moved && !state.fresh) return { state: rest, cursor: 'move' };
  return { state: rest, cursor: 'move', commit: { kind: 'replace', target: state.target, geometry: state.polygon } };
}

export function resizing(state: Gesture<'resizing'>, input: Drag, view: ToolView): Step<SelectState> {
  const box = resizedBox(state.origin, state.handle, input.at, view.image);
  if (input.kind === 'move') return held({ ...state, box });
  const cursor = handleCursor(state.handle);
  const same = box.every((value, i) => value === state.origin[i]);
  if (same || box[2] < 1 || box[3] < 1) return { state: IDLE, cursor };
  return { state: IDLE, cursor, commit: { kind: 'replace', target: state.target, geometry: { kind: 'box', box } } };
}

export function marquee(state: Gesture<'marquee'>, input: Drag, view: ToolView): Step<SelectState> {
  const box = boxBetween(state.from, input.at);
  if (input.kind === 'move') return held({ ...state, box });
  const [x, y, width, height] = box;
  const outline = editable(view.target);
  const inside = outline ? verticesWithin(outline.parts, { minX: x, minY: y, maxX: x + width, maxY: y + height }) : [];
  const more = inside.filter((v) => !state.vertices.some((w) => sameVertex(v, w)));
  return { state: { kind: 'idle', vertices: [...state.vertices, ...more] } };
}

/** A gesture as it stands: what to draw of it. */
export function held(state: Exclude<SelectState, { kind: 'idle' }>): Step<SelectState> {
  switch (state.kind) {
    case 'pressed':
      return { state };
    case 'moving':
      return { state, draft: { kind: 'shift', target: state.target, dx: state.dx, dy: state.dy }, cursor: 'move' };
    case 'vertices':
      return { state, draft: state.dragged || state.fresh ? changeDraft(state.target, state.polygon) : null, cursor: 'move' };
    case 'resizing':
      return { state, draft: changeDraft(state.target, { kind: 'box', box: state.box }), cursor: handleCursor(state.handle) };
    case 'marquee':
      return { state, draft: { kind: 'marquee', box: state.box }, cursor: 'crosshair' };
  }
}

/** The target's outline as a polygon that can be edited, or null. */
export function editable(target: Target | null): Polygon | null {
  const parts = target?.outline();
  return parts?.length ? { kind: 'polygon', parts } : null;
}

function changeDraft(target: Selection, geometry: Geometry): Draft {
  return { kind: 'change', target, geometry };
}

export function distance(a: ImagePoint, b: ImagePoint): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

/** (dx, dy) as far as the instance stays in the image; whole pixels for a mask. */
export function offsetWithin(geometry: Geometry, dx: number, dy: number, image: Size): { dx: number; dy: number } {
  const [x, y, width, height] = geometryBox(geometry);
  const step = (value: number): number => (geometry.kind === 'mask' ? Math.round(value) : value);
  // `+ 0` turns -0 into 0.
  return {
    dx: Math.min(image.width - x - width, Math.max(-x, step(dx))) + 0,
    dy: Math.min(image.height - y - height, Math.max(-y, step(dy))) + 0,
  };
}

function samePart(a: PolygonPart, b: PolygonPart | undefined): boolean {
  const same = (r: Ring, s: Ring | undefined): boolean => r === s || (r.length === s?.length && r.every((value, i) => value === s[i]));
  return (
    b !== undefined && same(a.outer, b.outer) && a.holes.length === b.holes.length && a.holes.every((hole, i) => same(hole, b.holes[i]))
  );
}

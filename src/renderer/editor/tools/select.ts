import type { Polygon, VertexRef } from '../../../shared/geometry/edit-vertex.ts';
import { insertVertex, nearestEdge } from '../../../shared/geometry/edit-vertex.ts';
import type { Selection } from '../types.ts';
import { sameSelection } from '../selection.ts';
import type { ImagePoint } from '../viewport.ts';
import { handleAt, handleCursor } from './resize.ts';
import type { Drag, SelectState } from './select-drag.ts';
import { DRAG_START, IDLE, distance, dragging, editable, held, marquee, moving, resizing } from './select-drag.ts';
import type { Cursor, Input, Modifiers, Step, Target, Tool, ToolView } from './tool.ts';
import { midpointAt, sameVertex, vertexAt, withoutVertices } from './vertices.ts';

/** Reach of handles and edges, CSS pixels. */
const HANDLE_REACH = 8;
const EDGE_REACH = 5;

/**
 * Selects, moves and reshapes. A click takes the smallest instance under the pointer, a click on the same
 * spot again the next one below, and after the last the first; dragging moves what is selected
 * (a mask by whole pixels, nothing leaves the image). On the selected instance: drag a vertex, click or
 * drag an edge's middle to add one, Alt-click or `Delete` to remove, Shift-click or Shift-drag to take
 * several. `Esc` during a drag puts everything back.
 */
export const select: Tool<SelectState> = {
  name: 'select',
  start: IDLE,
  drafting: (state) => state.kind !== 'idle',
  vertices: (state) => (state.kind === 'idle' || state.kind === 'vertices' || state.kind === 'marquee' ? state.vertices : []),
  step(state, input, view) {
    if (state.kind === 'idle') return idle(state.vertices, input, view);
    if (input.kind === 'cancel') return { state: state.kind === 'marquee' ? { kind: 'idle', vertices: state.vertices } : IDLE, used: true };
    if (input.kind !== 'move' && input.kind !== 'release') return held(state);
    switch (state.kind) {
      case 'pressed':
        return pressed(state, input, view);
      case 'moving':
        return moving(state, input, view);
      case 'vertices':
        return dragging(state, input, view);
      case 'resizing':
        return resizing(state, input, view);
      case 'marquee':
        return marquee(state, input, view);
    }
  },
};

function idle(vertices: readonly VertexRef[], input: Input, view: ToolView): Step<SelectState> {
  const state: SelectState = { kind: 'idle', vertices };
  switch (input.kind) {
    case 'press':
      return press(vertices, input.at, input.modifiers, view);
    case 'move':
      return { state, ...pointedAt(input.at, input.modifiers, view) };
    case 'leave':
      return { state, hover: null, cursor: 'default' };
    case 'delete': {
      const outline = vertices.length ? editable(view.target) : null;
      if (!outline || !view.target) return { state };
      const left = withoutVertices(outline, vertices);
      return left
        ? { state: IDLE, used: true, commit: { kind: 'replace', target: view.target.selection, geometry: left } }
        : { state, used: true };
    }
    case 'cancel':
      return vertices.length ? { state: IDLE, used: true } : { state, select: null };
    case 'release':
    case 'finish':
    case 'remove-last':
      return { state };
  }
}

function press(vertices: readonly VertexRef[], at: ImagePoint, modifiers: Modifiers, view: ToolView): Step<SelectState> {
  const target = view.target && !view.target.locked ? view.target : null;
  const reach = HANDLE_REACH / view.scale;
  const outline = editable(target);
  if (target && outline) {
    const vertex = vertexAt(outline.parts, at, reach);
    if (vertex && modifiers.alt) {
      const left = withoutVertices(outline, [vertex]);
      return left ? { state: IDLE, commit: { kind: 'replace', target: target.selection, geometry: left } } : { state: IDLE };
    }
    if (vertex && modifiers.shift) {
      const taken = vertices.some((v) => sameVertex(v, vertex));
      return { state: { kind: 'idle', vertices: taken ? vertices.filter((v) => !sameVertex(v, vertex)) : [...vertices, vertex] } };
    }
    if (vertex) {
      const together = vertices.some((v) => sameVertex(v, vertex)) ? vertices : [vertex];
      return startVertices(target, at, outline, together, false);
    }
    if (modifiers.shift) {
      return { state: { kind: 'marquee', from: at, box: [at.x, at.y, 0, 0], vertices }, cursor: 'crosshair' };
    }
    const middle = midpointAt(outline.parts, at, reach, view.scale);
    if (middle) {
      const added = insertVertex(outline, middle);
      return startVertices(target, at, added, [{ part: middle.part, ring: middle.ring, point: middle.edge + 1 }], true);
    }
  }
  if (target?.geometry.kind === 'box') {
    const handle = handleAt(target.geometry.box, at, reach);
    if (handle) {
      const { box } = target.geometry;
      return { state: { kind: 'resizing', target: target.selection, origin: box, handle, box }, cursor: handleCursor(handle), hover: null };
    }
  }
  const hits = view.hits(at);
  const click = hits[0] ?? null;
  const current = view.target?.selection ?? null;
  const place = current === null ? -1 : hits.findIndex((hit) => sameSelection(hit, current));
  if (current !== null && (place >= 0 || onEdge(view.target, at, view.scale))) {
    // -1 + 1: on the outline only, the one that lies there is first.
    const below = hits[(place + 1) % Math.max(1, hits.length)] ?? current;
    return { state: { kind: 'pressed', from: at, target: current, click: below, again: true }, cursor: 'move' };
  }
  return { state: { kind: 'pressed', from: at, target: click, click, again: false }, select: click, cursor: click ? 'move' : 'default' };
}

function startVertices(
  target: Target,
  from: ImagePoint,
  polygon: Polygon,
  vertices: readonly VertexRef[],
  fresh: boolean,
): Step<SelectState> {
  const start = { from, target: target.selection, origin: polygon, polygon, vertices, fresh, dragged: false };
  return { ...held({ kind: 'vertices', ...start }), hover: null };
}

function pressed(state: SelectState & { kind: 'pressed' }, input: Drag, view: ToolView): Step<SelectState> {
  if (input.kind === 'release') return click(state, view);
  if (!state.target || distance(state.from, input.at) * view.scale < DRAG_START) return { state };
  const target = view.find(state.target);
  if (!target || target.locked) return { state };
  return moving({ kind: 'moving', from: state.from, target: state.target, dx: 0, dy: 0 }, input, view);
}

/** A press that did not become a drag. On the outline of what was selected already it adds a vertex. */
function click(state: SelectState & { kind: 'pressed' }, view: ToolView): Step<SelectState> {
  const target = view.target;
  const outline = state.again && target && !target.locked ? editable(target) : null;
  const edge = outline && nearestEdge(outline.parts, state.from.x, state.from.y, EDGE_REACH / view.scale);
  if (outline && edge && target) {
    const vertices = [{ part: edge.part, ring: edge.ring, point: edge.edge + 1 }];
    return {
      state: { kind: 'idle', vertices },
      commit: { kind: 'replace', target: target.selection, geometry: insertVertex(outline, edge) },
    };
  }
  return { state: IDLE, select: state.click };
}

function onEdge(target: Target | null, at: ImagePoint, scale: number): boolean {
  const outline = target?.outline();
  return outline ? nearestEdge(outline, at.x, at.y, EDGE_REACH / scale) !== null : false;
}

function pointedAt(at: ImagePoint, modifiers: Modifiers, view: ToolView): { hover: Selection | null; cursor: Cursor } {
  const target = view.target && !view.target.locked ? view.target : null;
  const reach = HANDLE_REACH / view.scale;
  const outline = target?.outline();
  const hover = view.hits(at)[0] ?? null;
  if (target && outline) {
    if (vertexAt(outline, at, reach)) return { hover: null, cursor: modifiers.alt ? 'not-allowed' : 'move' };
    if (midpointAt(outline, at, reach, view.scale)) return { hover: null, cursor: 'copy' };
    if (nearestEdge(outline, at.x, at.y, EDGE_REACH / view.scale)) return { hover, cursor: 'copy' };
  }
  if (target?.geometry.kind === 'box') {
    const handle = handleAt(target.geometry.box, at, reach);
    if (handle) return { hover: null, cursor: handleCursor(handle) };
  }
  return { hover, cursor: hover ? 'pointer' : 'default' };
}

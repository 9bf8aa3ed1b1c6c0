import { rleArea } from '../../../shared/mask/rle.ts';
import { strokeApplied, strokeToRle } from '../strokes.ts';
import type { Selection } from '../types.ts';
import type { ImagePoint } from '../viewport.ts';
import { isInside } from '../viewport.ts';
import type { Draft, Input, Step, Tool, ToolView } from './tool.ts';

/** Points nearer than this share of the radius to the last one add nothing to see. */
const SPACING = 0.1;

export type BrushState =
  | { readonly kind: 'idle' }
  /** `target`: whom the stroke changes; null: a new instance. */
  | { readonly kind: 'stroke'; readonly points: readonly number[]; readonly radius: number; readonly target: Selection | null };

const IDLE: BrushState = { kind: 'idle' };

/**
 * The brush draws true masks: it extends the selected instance or, without one, starts a new one.
 * One stroke is one edit; a stroke that changes nothing is none. With Ctrl the brush always starts a
 * new instance.
 */
export const brush: Tool<BrushState> = {
  name: 'brush',
  start: IDLE,
  step: (state, input, view) => stroke(state, input, view, true),
  drafting: (state) => state.kind === 'stroke',
};

/** The eraser takes pixels from the selected instance; one that is erased entirely is removed. */
export const eraser: Tool<BrushState> = {
  name: 'eraser',
  start: IDLE,
  step: (state, input, view) => stroke(state, input, view, false),
  drafting: (state) => state.kind === 'stroke',
};

function stroke(state: BrushState, input: Input, view: ToolView, add: boolean): Step<BrushState> {
  const cursor = 'none';
  if (state.kind === 'idle') {
    if (input.kind === 'press') return begin(input.at, view, add, input.modifiers.ctrl);
    if (input.kind === 'move') return { state, cursor, hover: add || view.target ? null : (view.hits(input.at)[0] ?? null) };
    return { state, cursor, hover: null };
  }
  switch (input.kind) {
    case 'press':
    case 'leave':
    case 'delete':
      return { state, draft: draftOf(state, add), cursor };
    case 'move': {
      const next = extended(state, input.at);
      return { state: next, draft: draftOf(next, add), cursor };
    }
    case 'cancel':
      return { state: IDLE, cursor, used: true };
    case 'finish':
    case 'remove-last':
      return { state, draft: draftOf(state, add), cursor, used: true };
    case 'release':
      return end(extended(state, input.at), view, add);
  }
}

function begin(at: ImagePoint, view: ToolView, add: boolean, fresh: boolean): Step<BrushState> {
  const cursor = 'none';
  let target = fresh ? null : view.target;
  let select: Selection | undefined;
  if (!add && !target) {
    // The eraser without a selection takes from what lies under it.
    const under = view.hits(at)[0];
    target = under ? view.find(under) : null;
    if (!target) return { state: IDLE, cursor };
    select = target.selection;
  }
  if (target?.locked) return { state: IDLE, cursor };
  if (!target && (!add || !view.canAdd)) return { state: IDLE, cursor };
  const state: BrushState = { kind: 'stroke', points: [at.x, at.y], radius: view.brushPx / 2, target: target?.selection ?? null };
  return { state, draft: draftOf(state, add), cursor, hover: null, ...(select ? { select } : {}) };
}

function extended(state: BrushState & { kind: 'stroke' }, at: ImagePoint): BrushState & { kind: 'stroke' } {
  const x = state.points.at(-2) ?? at.x;
  const y = state.points.at(-1) ?? at.y;
  const spacing = Math.max(0.25, state.radius * SPACING);
  if (Math.hypot(at.x - x, at.y - y) < spacing) return state;
  return { ...state, points: [...state.points, at.x, at.y] };
}

function draftOf(state: BrushState & { kind: 'stroke' }, add: boolean): Draft {
  return { kind: 'stroke', points: state.points, radius: state.radius, add, target: state.target };
}

function end(state: BrushState & { kind: 'stroke' }, view: ToolView, add: boolean): Step<BrushState> {
  const step: Step<BrushState> = { state: IDLE, cursor: 'none' };
  if (!state.target) {
    const rle = strokeToRle(state.points, state.radius, view.image);
    return rleArea(rle) ? { ...step, commit: { kind: 'add', geometry: { kind: 'mask', rle } } } : step;
  }
  const target = view.find(state.target);
  if (!target || target.locked) return step;
  const geometry = strokeApplied(target.geometry, state.points, state.radius, add, view.image);
  if (geometry === target.geometry) return step;
  if (!geometry) return { ...step, commit: { kind: 'remove', target: state.target } };
  return { ...step, commit: { kind: 'replace', target: state.target, geometry } };
}

/** Whether the brush would draw here; the ring under the pointer is shown only then. */
export function brushReaches(at: ImagePoint, view: Pick<ToolView, 'image' | 'brushPx'>): boolean {
  const reach = view.brushPx / 2;
  return (
    isInside({ x: at.x, y: at.y }, view.image) ||
    (at.x > -reach && at.y > -reach && at.x < view.image.width + reach && at.y < view.image.height + reach)
  );
}

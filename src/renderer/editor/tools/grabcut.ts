import { rleArea } from '../../../shared/mask/rle.ts';
import type { Box, Rle } from '../../../shared/records.ts';
import type { ImagePoint } from '../viewport.ts';
import { clampPoint } from '../viewport.ts';
import type { MarkedStroke } from './classical-asks.ts';
import { beginStroke, extendStroke, markColor, shownStrokes } from './scribbling.ts';
import type { AskingInput, AskingTool, Draft, Step, ToolView } from './tool.ts';

interface Cutting {
  readonly kind: 'cutting';
  readonly asked: number;
  readonly box: Box;
  readonly strokes: readonly MarkedStroke[];
  /** The one under way. */
  readonly stroke: MarkedStroke | null;
  readonly rle: Rle | null;
  /** The question whose answer is awaited. */
  readonly pending: number | null;
  /** `Enter` was pressed before the answer was there. */
  readonly finishing: boolean;
}

export type GrabCutState =
  | { readonly kind: 'idle'; readonly asked: number }
  | { readonly kind: 'boxing'; readonly asked: number; readonly from: ImagePoint; readonly to: ImagePoint }
  | Cutting;

/** A drag shorter than this is none, CSS pixels. */
const LEAST_DRAG = 4;
/** Less than this share of the box is not what the user meant. */
const LEAST_SHARE = 0.01;

/**
 * GrabCut: a box around the object, then strokes that correct: what belongs to the object, and with the
 * secondary button or Shift what does not. Every stroke asks again. `Enter` makes the instance,
 * `Backspace` takes back the last stroke, then the box.
 */
export const grabcut: AskingTool<GrabCutState> = {
  name: 'grabcut',
  start: { kind: 'idle', asked: 0 },
  secondary: true,
  drafting: (state) => state.kind !== 'idle',
  step(state, input, view) {
    if (state.kind === 'idle') {
      if (input.kind !== 'press' || input.button === 'secondary' || !view.canAdd) return { state, cursor: 'crosshair', hover: null };
      const at = clampPoint(input.at, view.image);
      return { state: { kind: 'boxing', asked: state.asked, from: at, to: at }, select: null, hover: null, cursor: 'crosshair' };
    }
    return state.kind === 'boxing' ? boxing(state, input, view) : cutting(state, input, view);
  },
};

function boxing(state: GrabCutState & { kind: 'boxing' }, input: AskingInput, view: ToolView): Step<GrabCutState> {
  switch (input.kind) {
    case 'move': {
      const next = { ...state, to: clampPoint(input.at, view.image) };
      return { state: next, draft: { kind: 'marquee', box: boxOf(next.from, next.to) }, cursor: 'crosshair' };
    }
    case 'release': {
      const box = boxOf(state.from, clampPoint(input.at, view.image));
      if (Math.min(box[2], box[3]) * view.scale < LEAST_DRAG) return idle(state.asked);
      return ask({ kind: 'cutting', asked: state.asked, box, strokes: [], stroke: null, rle: null, pending: null, finishing: false });
    }
    case 'cancel':
      return { ...idle(state.asked), used: true };
    default:
      return { state, draft: { kind: 'marquee', box: boxOf(state.from, state.to) }, cursor: 'crosshair', used: input.kind === 'delete' };
  }
}

function cutting(state: Cutting, input: AskingInput, view: ToolView): Step<GrabCutState> {
  switch (input.kind) {
    case 'press': {
      if (state.stroke) return show(state);
      const mark = input.button === 'secondary' || input.modifiers.shift ? 0 : 1;
      return show({ ...state, stroke: beginStroke(input.at, view, mark) });
    }
    case 'move':
      return show(state.stroke ? { ...state, stroke: extendStroke(state.stroke, input.at) } : state);
    case 'release':
      return state.stroke ? ask({ ...state, strokes: [...state.strokes, state.stroke], stroke: null }) : show(state);
    case 'answer':
      if (input.of !== 'grabcut' || input.id !== state.pending) return show(state);
      return answered({ ...state, rle: input.value.rle, pending: null });
    case 'answer-failed':
      return input.id === state.pending ? show({ ...state, pending: null, finishing: false }) : show(state);
    case 'again':
      return ask(state);
    case 'finish':
      return state.pending === null ? finish(state) : show({ ...state, finishing: true }, { used: true });
    case 'remove-last':
      return state.strokes.length
        ? { ...ask({ ...state, strokes: state.strokes.slice(0, -1), stroke: null }), used: true }
        : { ...idle(state.asked), used: true };
    case 'cancel':
      return { ...idle(state.asked), used: true };
    case 'delete':
      return show(state, { used: true });
    case 'leave':
    case 'next':
      return show(state);
  }
}

function answered(state: Cutting): Step<GrabCutState> {
  if (state.finishing) return finish(state);
  if (state.rle && rleArea(state.rle) > LEAST_SHARE * state.box[2] * state.box[3]) return show(state);
  return show(state, {
    notice: 'GrabCut found next to nothing in this box that differs from what lies around. Paint over the object, or draw a larger box.',
  });
}

function finish(state: Cutting): Step<GrabCutState> {
  if (!state.rle || state.stroke) return show({ ...state, finishing: false }, { used: true });
  return { ...idle(state.asked), used: true, commit: { kind: 'add', geometry: { kind: 'mask', rle: state.rle } } };
}

function ask(state: Cutting): Step<GrabCutState> {
  const id = state.asked + 1;
  const question = { box: state.box, strokes: state.strokes };
  return show({ ...state, asked: id, pending: id, finishing: false }, { ask: { kind: 'grabcut', id, question } });
}

function show(state: Cutting, more: Partial<Step<GrabCutState>> = {}): Step<GrabCutState> {
  const draft: Draft = {
    kind: 'scribbles',
    strokes: shownStrokes(state.stroke ? [...state.strokes, state.stroke] : state.strokes),
    masks: state.rle ? [{ rle: state.rle, color: null }] : [],
    brush: markColor(state.stroke?.mark ?? 1),
    box: state.box,
    pending: state.pending !== null,
  };
  return { state, draft, cursor: 'none', ...more };
}

function idle(asked: number): Step<GrabCutState> {
  return { state: { kind: 'idle', asked }, cursor: 'crosshair' };
}

function boxOf(a: ImagePoint, b: ImagePoint): Box {
  return [Math.min(a.x, b.x), Math.min(a.y, b.y), Math.abs(a.x - b.x), Math.abs(a.y - b.y)];
}

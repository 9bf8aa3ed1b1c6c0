import type { MarkedStroke, RegionsAnswer } from './classical-asks.ts';
import { beginStroke, extendStroke, markColor, shownStrokes } from './scribbling.ts';
import type { AskingInput, AskingTool, Draft, Step, ToolView } from './tool.ts';

export interface WatershedState {
  readonly asked: number;
  readonly strokes: readonly MarkedStroke[];
  readonly stroke: MarkedStroke | null;
  /** The object that the next stroke marks. */
  readonly object: number;
  readonly regions: RegionsAnswer['regions'];
  readonly pending: number | null;
  readonly finishing: boolean;
}

const START: WatershedState = { asked: 0, strokes: [], stroke: null, object: 1, regions: [], pending: null, finishing: false };

/**
 * Watershed: a stroke in each object, in its own colour, and one on what lies around, with the secondary
 * button or Shift. From two colours on every stroke asks again. `Tab` goes to the next object; `Enter`
 * makes an instance of each, in one edit.
 */
export const watershed: AskingTool<WatershedState> = {
  name: 'watershed',
  start: START,
  secondary: true,
  drafting: (state) => state.strokes.length > 0 || state.stroke !== null,
  step(state, input, view) {
    switch (input.kind) {
      case 'press':
        return press(state, input, view);
      case 'move':
        return show(state.stroke ? { ...state, stroke: extendStroke(state.stroke, input.at) } : state);
      case 'release':
        return state.stroke ? ask({ ...state, strokes: [...state.strokes, state.stroke], stroke: null }) : show(state);
      case 'answer':
        if (input.of !== 'watershed' || input.id !== state.pending) return show(state);
        return answered({ ...state, regions: input.value.regions, pending: null });
      case 'answer-failed':
        return input.id === state.pending ? show({ ...state, pending: null, finishing: false }) : show(state);
      case 'again':
        return ask(state);
      case 'next':
        return show({ ...state, object: nextObject(state, input.step) }, { used: !isIdle(state) });
      case 'finish':
        return state.pending === null ? finish(state) : show({ ...state, finishing: true }, { used: true });
      case 'remove-last':
        return state.strokes.length ? { ...ask({ ...state, strokes: state.strokes.slice(0, -1), stroke: null }), used: true } : show(state);
      case 'cancel':
        return isIdle(state) ? show(state) : { state: { ...START, asked: state.asked }, cursor: 'none', used: true };
      case 'delete':
        return show(state, { used: !isIdle(state) });
      case 'leave':
        return show(state);
    }
  },
};

function isIdle(state: WatershedState): boolean {
  return state.strokes.length === 0 && state.stroke === null;
}

function press(state: WatershedState, input: AskingInput & { kind: 'press' }, view: ToolView): Step<WatershedState> {
  if (state.stroke || !view.canAdd) return show(state);
  const stroke = beginStroke(input.at, view, input.button === 'secondary' || input.modifiers.shift ? 0 : state.object);
  return show({ ...state, stroke }, isIdle(state) ? { select: null, hover: null } : {});
}

/** Round the objects that have a stroke, and one that has none. */
function nextObject(state: WatershedState, step: 1 | -1): number {
  const last = Math.max(0, ...state.strokes.map(({ mark }) => mark)) + 1;
  return ((state.object - 1 + step + last) % last) + 1;
}

function ask(state: WatershedState): Step<WatershedState> {
  // One mark alone would flood the whole image.
  if (new Set(state.strokes.map(({ mark }) => mark)).size < 2) return show({ ...state, regions: [], pending: null, finishing: false });
  const id = state.asked + 1;
  const question = { strokes: state.strokes };
  return show({ ...state, asked: id, pending: id, finishing: false }, { ask: { kind: 'watershed', id, question } });
}

function answered(state: WatershedState): Step<WatershedState> {
  return state.finishing ? finish(state) : show(state);
}

function finish(state: WatershedState): Step<WatershedState> {
  const geometries = state.regions.filter(({ mark }) => mark > 0).map(({ rle }) => ({ kind: 'mask', rle }) as const);
  if (geometries.length && !state.stroke)
    return { state: { ...START, asked: state.asked }, cursor: 'none', used: true, commit: { kind: 'add-all', geometries } };
  const alone = state.strokes.length > 0 && !state.regions.length;
  const notice = 'Watershed needs a second colour: paint what lies around the object with the right button.';
  return show({ ...state, finishing: false }, { used: !isIdle(state), ...(alone ? { notice } : {}) });
}

function show(state: WatershedState, more: Partial<Step<WatershedState>> = {}): Step<WatershedState> {
  const draft: Draft = {
    kind: 'scribbles',
    strokes: shownStrokes(state.stroke ? [...state.strokes, state.stroke] : state.strokes),
    brush: markColor(state.stroke?.mark ?? state.object),
    masks: state.regions.filter(({ mark }) => mark > 0).map(({ rle, mark }) => ({ rle, color: markColor(mark) })),
    pending: state.pending !== null,
  };
  return { state, draft, cursor: 'none', ...more };
}

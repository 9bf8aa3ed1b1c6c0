import type { Rle } from '../../../shared/records.ts';
import type { ImagePoint } from '../viewport.ts';
import { isInside } from '../viewport.ts';
import type { WandClick } from './classical-asks.ts';
import type { AskingInput, AskingTool, Draft, Step, ToolView } from './tool.ts';

export interface WandState {
  readonly asked: number;
  readonly clicks: readonly WandClick[];
  /** What was found last, for these clicks or those before. */
  readonly found: { readonly rle: Rle | null; readonly tolerance: number } | null;
  /** The button is down since here. */
  readonly held: ImagePoint | null;
  /** Questions from `first` to `last` are about this mask, and the last one's answer is awaited. */
  readonly pending: { readonly first: number; readonly last: number } | null;
  readonly finishing: boolean;
}

const START: WandState = { asked: 0, clicks: [], found: null, held: null, pending: null, finishing: false };

/** CSS pixels of a drag that widen by one; a shorter drag than the second is a click that shook. */
const PX_PER_STEP = 4;
const LEAST_DRAG = 5;
const WIDEST = 100;
/** On larger images answers while the button is down are rough ones. */
const LARGE_PX = 2e6;

/**
 * Magic wand: a click takes what has the colour under it. Shift adds what lies round another click, Alt (or
 * the secondary button) takes it away; a drag to the right or left widens or narrows the last one. A plain
 * click begins anew. `Enter` makes the instance.
 */
export const wand: AskingTool<WandState> = {
  name: 'wand',
  start: START,
  secondary: true,
  drafting: (state) => state.clicks.length > 0,
  step(state, input, view) {
    switch (input.kind) {
      case 'press':
        return press(state, input, view);
      case 'move':
        return state.held ? drag(state, state.held, input.at, view) : show(state);
      case 'release':
        return release(state, view);
      case 'answer':
      case 'answer-failed':
        return answered(state, input);
      case 'again':
        return state.clicks.length ? ask(state, state.clicks, view) : show(state);
      case 'finish':
        return state.pending ? show({ ...state, finishing: true }, { used: true }) : finish(state);
      case 'remove-last': {
        if (!state.clicks.length) return show(state);
        const clicks = state.clicks.slice(0, -1);
        return { ...(clicks.length ? ask({ ...state, held: null }, clicks, view) : dropped(state)), used: true };
      }
      case 'cancel':
        return state.clicks.length ? { ...dropped(state), used: true } : show(state);
      case 'delete':
        return show(state, { used: state.clicks.length > 0 });
      case 'leave':
      case 'next':
        return show(state);
    }
  },
};

function press(state: WandState, input: AskingInput & { kind: 'press' }, view: ToolView): Step<WandState> {
  if (!view.canAdd || state.held || !isInside(input.at, view.image)) return show(state);
  const adds = !input.modifiers.alt && input.button !== 'secondary';
  const goesOn = state.clicks.length > 0 && (input.modifiers.shift || !adds);
  // There is nothing yet that it could be taken from.
  if (!adds && !goesOn) return show(state);
  const click: WandClick = { at: input.at, adds, wider: 0 };
  if (goesOn) return ask({ ...state, held: input.at }, [...state.clicks, click], view);
  return { ...ask({ ...START, asked: state.asked, held: input.at }, [click], view), select: null, hover: null };
}

function drag(state: WandState, from: ImagePoint, at: ImagePoint, view: ToolView): Step<WandState> {
  const last = state.clicks.at(-1);
  const px = (at.x - from.x) * view.scale;
  const steps = Math.abs(px) < LEAST_DRAG ? 0 : Math.round(px / PX_PER_STEP);
  const wider = Math.min(WIDEST, Math.max(-WIDEST, steps));
  return !last || wider === last.wider ? show(state) : ask(state, [...state.clicks.slice(0, -1), { ...last, wider }], view);
}

function release(state: WandState, view: ToolView): Step<WandState> {
  const after = { ...state, held: null };
  return state.held && isLarge(view) ? ask(after, state.clicks, view) : show(after);
}

function ask(state: WandState, clicks: readonly WandClick[], view: ToolView): Step<WandState> {
  const id = state.asked + 1;
  const pending = { first: state.pending?.first ?? id, last: id };
  const question = { clicks, rough: state.held !== null && isLarge(view) };
  return show({ ...state, asked: id, clicks, pending, finishing: false }, { ask: { kind: 'wand', id, question } });
}

function isLarge({ image }: ToolView): boolean {
  return image.width * image.height > LARGE_PX;
}

/** While the hand moves, answers to earlier questions of the same mask are shown too. */
function answered(state: WandState, input: AskingInput & { kind: 'answer' | 'answer-failed' }): Step<WandState> {
  const { pending } = state;
  if (!pending || input.of !== 'wand' || input.id < pending.first || input.id > pending.last) return show(state);
  const isLast = input.id === pending.last;
  if (input.kind === 'answer-failed') return show(isLast ? { ...state, pending: null, finishing: false } : state);
  const next: WandState = { ...state, found: input.value, pending: isLast ? null : pending };
  return isLast && state.finishing ? finish(next) : show(next);
}

function finish(state: WandState): Step<WandState> {
  const rle = state.found?.rle;
  if (!rle) return show({ ...state, finishing: false }, { used: state.clicks.length > 0 });
  return { ...dropped(state), used: true, commit: { kind: 'add', geometry: { kind: 'mask', rle } } };
}

function dropped(state: WandState): Step<WandState> {
  return { state: { ...START, asked: state.asked }, cursor: 'crosshair' };
}

function show(state: WandState, more: Partial<Step<WandState>> = {}): Step<WandState> {
  const { clicks, found } = state;
  const draft: Draft | null = clicks.length
    ? {
        kind: 'masks',
        candidates: found?.rle ? [found.rle] : [],
        chosen: 0,
        marks: clicks.map(({ at, adds }) => ({ x: at.x, y: at.y, positive: adds })),
        pill: found ? `tolerance ${found.tolerance}` : null,
        // Paler only where it is not what it will be for long.
        pending: state.pending !== null && !state.held,
      }
    : null;
  return { state, draft, cursor: 'crosshair', ...more };
}

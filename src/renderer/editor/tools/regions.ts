import { instanceColor } from '../../../shared/views/view.ts';
import type { Answer } from './ask.ts';
import type { RegionMethod, RegionsAnswer } from './classical-asks.ts';
import type { AskingInput, AskingTool, Draft, Step } from './tool.ts';

export interface RegionsState {
  readonly asked: number;
  readonly regions: RegionsAnswer['regions'] | null;
  readonly pending: { readonly id: number; readonly of: 'regions' | 'keep' } | null;
  /** `Enter` was pressed before the answer was there. */
  readonly keeping: boolean;
}

const START: RegionsState = { asked: 0, regions: null, pending: null, keeping: false };

/**
 * A method that divides the whole image and takes no hint. It asks when it is told to (`again`), as
 * parameters change; `Enter` makes suggestions of the regions, `Esc` drops them.
 */
function regionTool(method: RegionMethod): AskingTool<RegionsState> {
  function ask(state: RegionsState): Step<RegionsState> {
    const id = state.asked + 1;
    return show({ ...state, asked: id, pending: { id, of: 'regions' } }, { ask: { kind: 'regions', id, question: { method } } });
  }

  function keep(state: RegionsState): Step<RegionsState> {
    if (!state.regions?.length) return show({ ...state, keeping: false });
    const id = state.asked + 1;
    return show(
      { ...state, asked: id, pending: { id, of: 'keep' }, keeping: false },
      { used: true, ask: { kind: 'keep', id, question: { method } } },
    );
  }

  /** While a parameter is dragged, answers to earlier questions are shown too. */
  function answered(state: RegionsState, input: Answer): Step<RegionsState> {
    const isLast = input.id === state.pending?.id;
    if (input.of === 'keep') return isLast ? dropped(state) : show(state);
    if (input.of !== 'regions' || state.pending?.of !== 'regions') return show(state);
    const next = { ...state, regions: input.value.regions, pending: isLast ? null : state.pending };
    return isLast && state.keeping ? keep(next) : show(next);
  }

  function step(state: RegionsState, input: AskingInput): Step<RegionsState> {
    switch (input.kind) {
      case 'again':
        return state.pending?.of === 'keep' ? show(state) : ask(state);
      case 'answer':
        return answered(state, input);
      case 'answer-failed':
        return input.id === state.pending?.id ? show({ ...state, pending: null, keeping: false }) : show(state);
      case 'finish':
        if (state.pending) return show(state.pending.of === 'regions' ? { ...state, keeping: true } : state, { used: true });
        return keep(state);
      case 'cancel':
        return isIdle(state) ? show(state) : { ...dropped(state), used: true };
      default:
        return show(state);
    }
  }

  return { name: method, start: START, drafting: (state) => !isIdle(state), step };
}

export const kmeans = regionTool('kmeans');
export const meanShift = regionTool('mean-shift');

function isIdle(state: RegionsState): boolean {
  return state.regions === null && state.pending === null;
}

function dropped(state: RegionsState): Step<RegionsState> {
  return { state: { ...START, asked: state.asked }, cursor: 'default', draft: null };
}

function show(state: RegionsState, more: Partial<Step<RegionsState>> = {}): Step<RegionsState> {
  const draft: Draft | null = state.regions
    ? {
        kind: 'scribbles',
        strokes: [],
        divides: true,
        masks: state.regions.map(({ rle, mark }) => ({ rle, color: instanceColor(`suggestion:${mark}`) })),
        pending: state.pending !== null,
      }
    : null;
  return { state, draft, cursor: 'default', ...more };
}

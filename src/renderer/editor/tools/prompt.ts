import type { PromptAnswer } from '../../../shared/calls/prompts.ts';
import type { Box, Rle } from '../../../shared/records.ts';
import type { ImagePoint } from '../viewport.ts';
import { clampPoint, isInside } from '../viewport.ts';
import type { Ask } from './ask.ts';
import { boxBetween } from './box.ts';
import type { Draft, Mark } from './draft.ts';
import type { AskingInput, AskingTool, Step, ToolView } from './tool.ts';

/** What the user has pointed out, and the answer to it. */
interface Prompts {
  readonly points: readonly Mark[];
  readonly box: Box | null;
  /** The last answer: to these prompts, or to those before the last click while that is being looked at. */
  readonly answer: PromptAnswer | null;
  /** Which of its candidates is shown. */
  readonly chosen: number;
}

export interface PromptToolState extends Prompts {
  /** Number of the last question. */
  readonly last: number;
  /** The question that these prompts wait for, or null. */
  readonly waiting: number | null;
  /** The question for a closer look at the answer, or null. */
  readonly closer: number | null;
  /** The prompts before each click, the newest last. */
  readonly before: readonly Prompts[];
  /** `Enter` came while an answer was on its way. */
  readonly finishing: boolean;
  /** A box that is being dragged out. */
  readonly drag: { readonly from: ImagePoint; readonly to: ImagePoint; readonly positive: boolean } | null;
  /** What a click would give, and the question from which on answers count. */
  readonly preview: { readonly rle: Rle | null; readonly since: number } | null;
  /** Shown until the first answer: what the preview had been. */
  readonly guess: Rle | null;
}

const NOTHING: Prompts = { points: [], box: null, answer: null, chosen: 0 };
const START: PromptToolState = {
  ...NOTHING,
  last: 0,
  waiting: null,
  closer: null,
  before: [],
  finishing: false,
  drag: null,
  preview: null,
  guess: null,
};
/** A drag shorter than this is a click, CSS pixels. */
const DRAG_REACH = 4;
const NEGATIVE_FIRST = 'Click on the object first: a right click then takes away what does not belong to it.';
const NO_MASK = 'No mask was found here. Click elsewhere on the object, or take the last click back with Backspace.';
const NO_CLASS = 'Add a class first (Shift+C); Enter then accepts the mask into it.';

/**
 * A click points out an object and a model draws its mask; more clicks correct it, with the secondary
 * button or Shift where it took too much. `Tab` steps through the candidates, `Backspace` takes the last
 * prompt back, `Enter` accepts, `Esc` drops. Until the first click the mask under the pointer is previewed.
 */
export const prompt: AskingTool<PromptToolState> = promptTool('prompt', false);

/** The same, begun with a box around the object. A click in it corrects, another drag is another box. */
export const promptBox: AskingTool<PromptToolState> = promptTool('prompt-box', true);

function promptTool(name: 'prompt' | 'prompt-box', boxed: boolean): AskingTool<PromptToolState> {
  return {
    name,
    start: START,
    secondary: true,
    drafting: (state) => hasPrompts(state) || state.drag !== null,
    step: (state, input, view) => step(state, input, view, boxed),
  };
}

function step(state: PromptToolState, input: AskingInput, view: ToolView, boxed: boolean): Step<PromptToolState> {
  switch (input.kind) {
    case 'press': {
      if (state.drag || !isInside(input.at, view.image)) return show(state);
      const positive = input.button !== 'secondary' && !input.modifiers.shift;
      if (boxed) return show({ ...state, drag: { from: input.at, to: input.at, positive }, preview: null });
      return click(state, { x: input.at.x, y: input.at.y, positive });
    }
    case 'move':
      if (state.drag) return show({ ...state, drag: { ...state.drag, to: clampPoint(input.at, view.image) } });
      return boxed || hasPrompts(state) ? show(state, { hover: null }) : hover(state, input.at, view);
    case 'release':
      return state.drag ? dropped(state, state.drag, view) : show(state);
    case 'leave':
      return show({ ...state, preview: null });
    case 'finish':
      return finish(state, view);
    case 'cancel':
      if (state.drag) return show({ ...state, drag: null }, { used: true });
      return show({ ...START, last: state.last }, { used: hasPrompts(state), forget: true });
    case 'remove-last':
      return takeBack(state);
    case 'next': {
      const count = state.answer?.candidates.length ?? 0;
      if (!hasPrompts(state)) return show(state);
      if (count < 2) return show(state, { used: true });
      return lookCloser({ ...state, chosen: (state.chosen + input.step + count) % count }, { used: true });
    }
    case 'again':
      return hasPrompts(state) ? ask({ ...state, answer: null, chosen: 0 }) : show({ ...state, preview: null });
    case 'delete':
      return show(state, { used: hasPrompts(state) });
    case 'answer':
    case 'answer-failed':
      return answered(state, input, view);
  }
}

function hasPrompts(state: Prompts): boolean {
  return state.points.length > 0 || state.box !== null;
}

function click(state: PromptToolState, mark: Mark): Step<PromptToolState> {
  if (!mark.positive && !hasPrompts(state)) return show(state, { notice: NEGATIVE_FIRST });
  const guess = state.guess ?? state.preview?.rle ?? null;
  return ask({ ...remembering(state), points: [...state.points, mark], preview: null, guess }, { select: null, hover: null });
}

function dropped(state: PromptToolState, drag: NonNullable<PromptToolState['drag']>, view: ToolView): Step<PromptToolState> {
  const still = { ...state, drag: null };
  const far = Math.hypot(drag.to.x - drag.from.x, drag.to.y - drag.from.y) * view.scale >= DRAG_REACH;
  if (!far) return hasPrompts(state) ? click(still, { x: drag.from.x, y: drag.from.y, positive: drag.positive }) : show(still);
  const box = boxBetween(drag.from, drag.to);
  if (box[2] < 1 || box[3] < 1) return show(still);
  // Another box means another object: the clicks of the last one would contradict it.
  return ask({ ...remembering(still), ...NOTHING, box, guess: null }, { select: null, hover: null });
}

/** With what is there now kept for `Backspace`. */
function remembering(state: PromptToolState): PromptToolState {
  const { points, box, answer, chosen } = state;
  return { ...state, before: hasPrompts(state) ? [...state.before, { points, box, answer, chosen }] : [], finishing: false };
}

function ask(state: PromptToolState, more: Partial<Step<PromptToolState>> = {}): Step<PromptToolState> {
  const id = state.last + 1;
  return show({ ...state, last: id, waiting: id, closer: null }, { ...more, ask: { kind: 'prompt', id, question: question(state) } });
}

function question(state: PromptToolState): Ask<'prompt'>['question'] {
  const { points, box, answer, chosen } = state;
  return { points, box, refine: answer && answer.candidates.length > 0 ? { promptId: answer.promptId, candidate: chosen } : null };
}

function hover(state: PromptToolState, at: ImagePoint, view: ToolView): Step<PromptToolState> {
  if (!isInside(at, view.image)) return show({ ...state, preview: null }, { hover: null });
  const id = state.last + 1;
  const preview = state.preview ?? { rle: null, since: id };
  return show({ ...state, last: id, preview }, { hover: null, ask: { kind: 'hover', id, question: { at } } });
}

function takeBack(state: PromptToolState): Step<PromptToolState> {
  if (!hasPrompts(state)) return show(state);
  const previous = state.before.at(-1);
  if (!previous) return show({ ...START, last: state.last }, { used: true, forget: true });
  const back = { ...state, ...previous, before: state.before.slice(0, -1), waiting: null, closer: null, finishing: false };
  // Clicks that came quickly one after the other have no answer of their own.
  return previous.answer ? show(back, { used: true, forget: true }) : ask(back, { used: true, forget: true });
}

function finish(state: PromptToolState, view: ToolView): Step<PromptToolState> {
  if (!hasPrompts(state)) return show(state);
  if (!view.canAdd) return show(state, { used: true, notice: NO_CLASS });
  if (state.waiting !== null) return show({ ...state, finishing: true }, { used: true });
  const rle = state.answer?.candidates[state.chosen]?.rle;
  if (!rle) return show(state, { used: true, notice: NO_MASK });
  return show({ ...START, last: state.last }, { used: true, forget: true, commit: { kind: 'add', geometry: { kind: 'mask', rle } } });
}

function answered(
  state: PromptToolState,
  input: AskingInput & { kind: 'answer' | 'answer-failed' },
  view: ToolView,
): Step<PromptToolState> {
  const failed = input.kind === 'answer-failed';
  if (input.of === 'hover') {
    const { preview } = state;
    if (!preview || input.id < preview.since || hasPrompts(state)) return show(state);
    const rle = failed ? null : (input.value?.candidates[0]?.rle ?? null);
    return show({ ...state, preview: { rle, since: input.id } });
  }
  if (input.of === 'finer') {
    if (input.id !== state.closer) return show(state);
    const finer = !failed && input.value.candidates.length > 0 ? { answer: input.value, chosen: 0 } : {};
    return show({ ...state, ...finer, closer: null });
  }
  if (input.of !== 'prompt' || input.id !== state.waiting) return show(state);
  if (failed) {
    const previous = state.before.at(-1);
    if (!previous) return show({ ...START, last: state.last });
    return show({ ...state, ...previous, before: state.before.slice(0, -1), waiting: null, finishing: false });
  }
  const next = { ...state, answer: input.value, chosen: 0, waiting: null, guess: null, finishing: false };
  if (state.finishing) return finish(next, view);
  return input.value.candidates.length ? lookCloser(next) : show(next, { notice: NO_MASK });
}

/** Where the model can see the object from closer by, the chosen candidate is improved while the user looks at it. */
function lookCloser(state: PromptToolState, more: Partial<Step<PromptToolState>> = {}): Step<PromptToolState> {
  if (state.answer?.finer !== 'possible' || state.waiting !== null) return show(state, more);
  const id = state.last + 1;
  return show({ ...state, last: id, closer: id }, { ...more, ask: { kind: 'finer', id, question: question(state) } });
}

function show(state: PromptToolState, more: Partial<Step<PromptToolState>> = {}): Step<PromptToolState> {
  return { state, draft: draftOf(state), cursor: 'crosshair', ...more };
}

function draftOf(state: PromptToolState): Draft | null {
  const { points, box, answer, chosen, drag, guess, preview } = state;
  if (drag && drag.from !== drag.to) return { kind: 'box', box: boxBetween(drag.from, drag.to) };
  if (!hasPrompts(state)) return preview?.rle ? { kind: 'masks', candidates: [preview.rle], chosen: 0, faint: true } : null;
  const candidate = answer?.candidates[chosen];
  const pending = state.waiting !== null;
  if (!candidate) return { kind: 'masks', candidates: pending && guess ? [guess] : [], chosen: 0, marks: points, box, pending };
  const place = answer.candidates.length > 1 ? ` · ${chosen + 1} of ${answer.candidates.length}` : '';
  const pill = `IoU ${candidate.iou.toFixed(2)}${place}${state.closer === null ? '' : ' · looking closer…'}`;
  return { kind: 'masks', candidates: answer.candidates.map(({ rle }) => rle), chosen, marks: points, box, pill, pending };
}

import { ringArea } from '../../../shared/geometry/polygon.ts';
import { simplifyRing } from '../../../shared/geometry/simplify.ts';
import type { ImagePoint } from '../viewport.ts';
import { clampPoint, imagePoint } from '../viewport.ts';
import type { AskingInput, AskingTool, Draft, Step, ToolView } from './tool.ts';

/** A click whose way from the one before is not known yet. */
interface Wanted {
  readonly to: ImagePoint;
  readonly closes: boolean;
  readonly straight: boolean;
}

interface Cutting {
  readonly kind: 'cutting';
  readonly asked: number;
  /** The points set so far, and the ways between them, flat `x, y, ...`: one fewer. */
  readonly seeds: readonly ImagePoint[];
  readonly ways: readonly (readonly number[])[];
  readonly cursor: ImagePoint | null;
  /** The way from the last point to where the cursor was when it was asked for. */
  readonly live: { readonly to: ImagePoint; readonly points: readonly number[] } | null;
  readonly wanted: readonly Wanted[];
  /** The question under way; `wanted` null: it is for the cursor. */
  readonly pending: { readonly id: number; readonly to: ImagePoint; readonly wanted: Wanted | null } | null;
  /** The coarsest step of all ways, image pixels. */
  readonly stepPx: number;
}

export type ScissorsState = { readonly kind: 'idle'; readonly asked: number } | Cutting;

/** How near to the first point a click closes the ring, and how near two clicks are the same, CSS pixels. */
const CLOSE_REACH = 9;
const SAME_REACH = 2;
/** How far the polygon may lie from the way that was found, in steps of the way. */
const TOLERANCE = 1;

/**
 * Intelligent scissors: a click sets a point, and the line from it to the cursor follows the edges in the
 * image; the next click fixes it. With Shift the piece is straight. A click on the first point, `Enter` or
 * a double click closes; `Backspace` takes the last piece back. The ring becomes a polygon.
 */
export const scissors: AskingTool<ScissorsState> = {
  name: 'scissors',
  start: { kind: 'idle', asked: 0 },
  drafting: (state) => state.kind === 'cutting',
  step(state, input, view) {
    if (state.kind === 'cutting') return cutting(state, input, view);
    if (input.kind !== 'press' || !view.canAdd) return { state, cursor: 'crosshair', hover: null };
    const at = clampPoint(input.at, view.image);
    const first: Cutting = {
      kind: 'cutting',
      asked: state.asked,
      seeds: [at],
      ways: [],
      cursor: at,
      live: null,
      wanted: [],
      pending: null,
      stepPx: 1,
    };
    return { ...show(first, view), select: null, hover: null };
  },
};

function cutting(state: Cutting, input: AskingInput, view: ToolView): Step<ScissorsState> {
  switch (input.kind) {
    case 'press':
      return press(state, input, view);
    case 'move':
      return ask({ ...state, cursor: clampPoint(input.at, view.image) }, view);
    case 'leave':
      return show({ ...state, cursor: null, live: null }, view);
    case 'answer': {
      if (input.of !== 'scissors' || input.id !== state.pending?.id) return show(state, view);
      const { pending } = state;
      const { points, stepPx } = input.value;
      const next: Cutting = { ...state, pending: null, stepPx: Math.max(state.stepPx, stepPx) };
      if (pending.wanted) return fix({ ...next, wanted: next.wanted.slice(1) }, pending.wanted, points, view);
      return ask({ ...next, live: { to: pending.to, points } }, view);
    }
    case 'answer-failed':
      return input.id === state.pending?.id ? show({ ...state, pending: null, wanted: [] }, view) : show(state, view);
    case 'again':
      return ask({ ...state, live: null, pending: state.pending?.wanted ? state.pending : null }, view);
    case 'finish':
      return { ...close(state, view), used: true };
    case 'remove-last':
      return { ...removeLast(state, view), used: true };
    case 'cancel':
      return { state: { kind: 'idle', asked: state.asked }, cursor: 'crosshair', used: true };
    case 'delete':
      return show(state, view, { used: true });
    case 'release':
    case 'next':
      return show(state, view);
  }
}

function press(state: Cutting, input: AskingInput & { kind: 'press' }, view: ToolView): Step<ScissorsState> {
  const at = clampPoint(input.at, view.image);
  if (isClosing(state, at, view)) return close(state, view);
  const last = state.wanted.at(-1)?.to ?? state.seeds.at(-1);
  if (last && distance(at, last) * view.scale <= SAME_REACH) return input.clicks >= 2 ? close(state, view) : show(state, view);
  const wanted: Wanted = { to: at, closes: false, straight: input.modifiers.shift };
  const next = { ...state, cursor: at };
  // What is seen is what is fixed, where the line is there already.
  if (!state.wanted.length && !wanted.straight && state.live && distance(state.live.to, at) * view.scale < 1)
    return fix({ ...next, pending: null }, wanted, state.live.points, view);
  return ask({ ...next, wanted: [...state.wanted, wanted] }, view);
}

function close(state: Cutting, view: ToolView): Step<ScissorsState> {
  const [first] = state.seeds;
  const closing = state.wanted.some(({ closes }) => closes);
  if (!first || closing || state.ways.length + state.wanted.length < 2) return show(state, view);
  return ask({ ...state, wanted: [...state.wanted, { to: first, closes: true, straight: false }] }, view);
}

function removeLast(state: Cutting, view: ToolView): Step<ScissorsState> {
  if (state.wanted.length) {
    const wanted = state.wanted.slice(0, -1);
    return ask({ ...state, wanted, pending: wanted.length ? state.pending : null }, view);
  }
  if (state.seeds.length < 2) return { state: { kind: 'idle', asked: state.asked }, cursor: 'crosshair' };
  return ask({ ...state, seeds: state.seeds.slice(0, -1), ways: state.ways.slice(0, -1), live: null, pending: null }, view);
}

/** The next point is set, or the ring closed, with this way to it. */
function fix(state: Cutting, wanted: Wanted, way: readonly number[], view: ToolView): Step<ScissorsState> {
  const ways = [...state.ways, way];
  if (!wanted.closes) return ask({ ...state, ways, seeds: [...state.seeds, wanted.to], live: null }, view);
  const outer = simplifyRing(ringOf(ways), TOLERANCE * state.stepPx);
  const idle: ScissorsState = { kind: 'idle', asked: state.asked };
  if (outer.length < 6 || Math.abs(ringArea(outer)) < 1)
    return show({ ...state, wanted: [] }, view, {
      notice: 'The line goes back the way it came, so that nothing lies inside. Set another point on the far side.',
    });
  return {
    state: idle,
    cursor: 'crosshair',
    commit: { kind: 'add', geometry: { kind: 'polygon', parts: [{ outer, holes: [] }] } },
  };
}

/** Asks for what is needed next: the way to a click, else to the cursor. One question at a time, but a click goes first. */
function ask(state: Cutting, view: ToolView): Step<ScissorsState> {
  const from = state.seeds.at(-1);
  const wanted = state.wanted[0] ?? null;
  if (!from || (state.pending && (state.pending.wanted || !wanted))) return show(state, view);
  if (wanted?.straight)
    return fix({ ...state, pending: null, wanted: state.wanted.slice(1) }, wanted, [from.x, from.y, wanted.to.x, wanted.to.y], view);
  const to = wanted?.to ?? state.cursor;
  if (!to || (!wanted && (isSame(state.live?.to, to) || isSame(from, to)))) return show(state, view);
  const id = state.asked + 1;
  return show({ ...state, asked: id, pending: { id, to, wanted } }, view, { ask: { kind: 'scissors', id, question: { from, to } } });
}

function show(state: Cutting, view: ToolView, more: Partial<Step<ScissorsState>> = {}): Step<ScissorsState> {
  const closing = state.cursor !== null && isClosing(state, state.cursor, view);
  const draft: Draft = {
    kind: 'path',
    fixed: joined(state.ways),
    live: state.wanted.length || state.cursor === null ? [] : (state.live?.points ?? []),
    seeds: [...placed(state), ...state.wanted.filter(({ closes }) => !closes).map(({ to }) => to)],
    closing,
    pending: state.wanted.length > 0,
  };
  return { state, draft, cursor: closing ? 'pointer' : 'crosshair', ...more };
}

/** The points set, where the ways through them have put them. */
function placed({ seeds, ways, live }: Cutting): readonly ImagePoint[] {
  return seeds.map((seed, i) => {
    const [before, after] = [ways[i - 1], ways[i] ?? (i === seeds.length - 1 ? live?.points : undefined)];
    const [x, y] = before ? before.slice(-2) : (after ?? []);
    return x === undefined || y === undefined ? seed : imagePoint(x, y);
  });
}

function isClosing(state: Cutting, at: ImagePoint, view: ToolView): boolean {
  const first = state.seeds[0];
  return first !== undefined && state.ways.length + state.wanted.length >= 2 && distance(at, first) * view.scale <= CLOSE_REACH;
}

/** Ways that follow each other as one line; the points they share once. */
function joined(ways: readonly (readonly number[])[]): number[] {
  return ways.flatMap((way, i) => (i === 0 ? way : way.slice(2)));
}

/**
 * The closed ring, its first point not repeated, without the spurs that a point off the edge leaves: pieces
 * that go out and come back along the very same places, and enclose nothing.
 */
function ringOf(ways: readonly (readonly number[])[]): number[] {
  const line = joined(ways);
  const kept: ImagePoint[] = [];
  for (let i = 0; i + 1 < line.length; i += 2) {
    const point = imagePoint(line[i] ?? 0, line[i + 1] ?? 0);
    if (isSame(kept.at(-1), point)) continue;
    if (isSame(kept.at(-2), point)) kept.pop();
    else kept.push(point);
  }
  if (kept.length > 1 && isSame(kept[0], kept.at(-1)!)) kept.pop();
  // A spur at the first point lies half at the beginning and half at the end.
  let from = 0;
  while (kept.length - from > 2 && isSame(kept[from + 1], kept.at(-1)!)) {
    kept.pop();
    from++;
  }
  return kept.slice(from).flatMap(({ x, y }) => [x, y]);
}

function isSame(a: ImagePoint | undefined, b: ImagePoint): boolean {
  return a !== undefined && a.x === b.x && a.y === b.y;
}

function distance(a: ImagePoint, b: ImagePoint): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

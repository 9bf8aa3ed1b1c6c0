import type { VertexRef } from '../../../shared/geometry/edit-vertex.ts';
import type { Geometry, PolygonPart } from '../../../shared/records.ts';
import type { Selection, ToolName } from '../types.ts';
import type { ImagePoint, Size } from '../viewport.ts';
import type { Answered, Ask } from './ask.ts';
import type { Draft } from './draft.ts';

export type { Draft } from './draft.ts';

/**
 * A tool is a reducer: it is fed gestures and answers with its next state, what to draw meanwhile
 * and, at the end of a gesture, one edit or none. It knows neither Konva nor Svelte. All points are
 * image space; `scale` turns a reach in CSS pixels into image pixels.
 */
export interface Modifiers {
  readonly shift: boolean;
  readonly alt: boolean;
  /** Ctrl, or Cmd on a Mac. */
  readonly ctrl: boolean;
}

export const NO_MODIFIERS: Modifiers = { shift: false, alt: false, ctrl: false };

export type Input =
  | {
      readonly kind: 'press';
      readonly at: ImagePoint;
      readonly modifiers: Modifiers;
      readonly clicks: number;
      /** Absent: the primary one. Only tools that say `secondary` are told of the other. */
      readonly button?: 'primary' | 'secondary';
    }
  | { readonly kind: 'move'; readonly at: ImagePoint; readonly modifiers: Modifiers }
  | { readonly kind: 'release'; readonly at: ImagePoint; readonly modifiers: Modifiers }
  | { readonly kind: 'leave' }
  | { readonly kind: 'finish' }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'remove-last' }
  /** `Delete`, before the editor takes the whole instance. */
  | { readonly kind: 'delete' };

/** What a tool that asks is told besides. */
export type AskingInput =
  | Input
  | Answered
  /** `Tab`: the next (1) or previous (-1) of several candidates. */
  | { readonly kind: 'next'; readonly step: 1 | -1 }
  /** What an answer depends on besides the question, such as a parameter, has changed: ask again. */
  | { readonly kind: 'again' };

/** The selected instance as a tool sees it. */
export interface Target {
  readonly selection: Selection;
  readonly geometry: Geometry;
  readonly locked: boolean;
  /** Rings that can be edited: of a mask its simplified contour; null for a box. */
  outline(): readonly PolygonPart[] | null;
}

/** What a tool may know of the editor. */
export interface ToolView {
  readonly image: Size;
  /** CSS pixels per image pixel. */
  readonly scale: number;
  readonly target: Target | null;
  /** Whether there is a class for a new instance. */
  readonly canAdd: boolean;
  /** Brush diameter, image pixels. */
  readonly brushPx: number;
  /** Instances under a point that are shown, the one to pick first: smallest, then topmost. */
  hits(at: ImagePoint): readonly Selection[];
  find(selection: Selection): Target | null;
}

export type Edit =
  | { readonly kind: 'add'; readonly geometry: Geometry }
  /** Several new instances in one edit. */
  | { readonly kind: 'add-all'; readonly geometries: readonly Geometry[] }
  | { readonly kind: 'replace'; readonly target: Selection; readonly geometry: Geometry }
  | { readonly kind: 'remove'; readonly target: Selection };

export type Cursor =
  | 'default'
  | 'crosshair'
  | 'move'
  | 'pointer'
  | 'none'
  | 'copy'
  | 'not-allowed'
  | 'nwse-resize'
  | 'nesw-resize'
  | 'ns-resize'
  | 'ew-resize';

export interface Step<S> {
  readonly state: S;
  /** What to draw while the gesture lasts; absent or null: nothing. */
  readonly draft?: Draft | null;
  readonly commit?: Edit;
  /** Absent: the selection stays. */
  readonly select?: Selection | null;
  /** Absent: what is hovered stays. */
  readonly hover?: Selection | null;
  readonly cursor?: Cursor;
  /** Whether the input was used, so that a key can mean something else where it was not. */
  readonly used?: boolean;
  /** A question whose answer comes back as an input with the same id; see `ask.ts`. Only of an `AskingTool`. */
  readonly ask?: Ask;
  /** Answers to what was asked so far are not wanted any more. */
  readonly forget?: boolean;
  /** Something the user must be told now: why what they did had no effect, and what to do. */
  readonly notice?: string;
}

export interface Tool<S, I = Input> {
  readonly name: ToolName;
  readonly start: S;
  /** Whether it takes presses of the secondary button. */
  readonly secondary?: boolean;
  step(state: S, input: I, view: ToolView): Step<S>;
  /** Whether a gesture is under way that `Esc` would drop. */
  drafting(state: S): boolean;
  /** Vertices of the selected instance that are taken, for painting and for `Delete`. */
  vertices?(state: S): readonly VertexRef[];
}

/** A tool that gets its masks or paths from outside: it asks in a step and goes on when the answer is there. */
export type AskingTool<S> = Tool<S, AskingInput>;

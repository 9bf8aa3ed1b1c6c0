import type { VertexRef } from '../../../shared/geometry/edit-vertex.ts';
import type { Box, Geometry, PolygonPart } from '../../../shared/records.ts';
import type { Selection, ToolName } from '../types.ts';
import type { ImagePoint, Size } from '../viewport.ts';

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
  | { readonly kind: 'press'; readonly at: ImagePoint; readonly modifiers: Modifiers; readonly clicks: number }
  | { readonly kind: 'move'; readonly at: ImagePoint; readonly modifiers: Modifiers }
  | { readonly kind: 'release'; readonly at: ImagePoint; readonly modifiers: Modifiers }
  | { readonly kind: 'leave' }
  | { readonly kind: 'finish' }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'remove-last' }
  /** `Delete`, before the editor takes the whole instance. */
  | { readonly kind: 'delete' };

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

export type Draft =
  | { readonly kind: 'polygon'; readonly points: readonly ImagePoint[]; readonly cursor: ImagePoint | null; readonly closing: boolean }
  | { readonly kind: 'box'; readonly box: Box }
  /** A stroke: flat `x, y, ...`, drawn on (`add`) or taken from the target, if there is one. */
  | {
      readonly kind: 'stroke';
      readonly points: readonly number[];
      readonly radius: number;
      readonly add: boolean;
      readonly target: Selection | null;
    }
  /** The target as it would become. */
  | { readonly kind: 'change'; readonly target: Selection; readonly geometry: Geometry }
  | { readonly kind: 'shift'; readonly target: Selection; readonly dx: number; readonly dy: number }
  | { readonly kind: 'marquee'; readonly box: Box };

export type Edit =
  | { readonly kind: 'add'; readonly geometry: Geometry }
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
}

export interface Tool<S> {
  readonly name: ToolName;
  readonly start: S;
  step(state: S, input: Input, view: ToolView): Step<S>;
  /** Whether a gesture is under way that `Esc` would drop. */
  drafting(state: S): boolean;
  /** Vertices of the selected instance that are taken, for painting and for `Delete`. */
  vertices?(state: S): readonly VertexRef[];
}

import type { Box, Geometry, Rle } from '../../../shared/records.ts';
import type { Selection } from '../types.ts';
import type { ImagePoint } from '../viewport.ts';

/** What a tool shows while a gesture or a question lasts. Coordinates and lengths are image space. */
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
  | { readonly kind: 'marquee'; readonly box: Box }
  | MasksDraft
  | ScribblesDraft
  | PathDraft;

/** A place the user pointed out, as belonging to the object or not. */
export interface Mark {
  readonly x: number;
  readonly y: number;
  readonly positive: boolean;
}

/** Masks that were found, one of them shown. */
export interface MasksDraft {
  readonly kind: 'masks';
  readonly candidates: readonly Rle[];
  readonly chosen: number;
  readonly marks?: readonly Mark[];
  readonly box?: Box | null;
  /** A line of text at the mask, such as its score. */
  readonly pill?: string | null;
  /** A preview of what a click would give. */
  readonly faint?: boolean;
  /** A newer answer is on its way. */
  readonly pending?: boolean;
}

/** Strokes that say what belongs where, over the mask found from them so far. */
export interface ScribblesDraft {
  readonly kind: 'scribbles';
  readonly strokes: readonly Scribble[];
  /** Colour of the next stroke, where a press would begin one as wide on the screen as the brush is in the image. */
  readonly brush?: string;
  /** The regions lie side by side and cover the image: thin lines. */
  readonly divides?: boolean;
  /** Regions found so far, each in its colour; `null` is the colour of a new instance. */
  readonly masks: readonly { readonly rle: Rle; readonly color: string | null }[];
  readonly box?: Box | null;
  readonly pill?: string | null;
  readonly pending?: boolean;
}

export interface Scribble {
  /** Flat `x, y, ...`. */
  readonly points: readonly number[];
  readonly radius: number;
  readonly color: string;
}

/** A line that is being drawn: what is fixed, the piece that follows the cursor, and the points that were set. */
export interface PathDraft {
  readonly kind: 'path';
  /** Flat `x, y, ...`. */
  readonly fixed: readonly number[];
  readonly live: readonly number[];
  readonly seeds: readonly ImagePoint[];
  /** A click now would close it. */
  readonly closing: boolean;
  readonly pending?: boolean;
}

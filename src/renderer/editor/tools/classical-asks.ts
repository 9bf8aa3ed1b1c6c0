import type { Box, Rle } from '../../../shared/records.ts';
import type { ImagePoint } from '../viewport.ts';

/**
 * What the classical methods are asked. Parameters are not part of a question: they are set beside the
 * image, and added where the question is answered. Everything is image space.
 */
export interface ClassicalAsks {
  readonly grabcut: { readonly question: GrabCutQuestion; readonly answer: MaskAnswer };
  readonly watershed: { readonly question: WatershedQuestion; readonly answer: RegionsAnswer };
  readonly wand: { readonly question: WandQuestion; readonly answer: WandAnswer };
  readonly scissors: { readonly question: ScissorsQuestion; readonly answer: PathAnswer };
  /** A method that needs no hint, over the whole image. */
  readonly regions: { readonly question: RegionsQuestion; readonly answer: RegionsAnswer };
  /** The regions found last become suggestions. */
  readonly keep: { readonly question: RegionsQuestion; readonly answer: { readonly suggestions: number } };
}

export type RegionMethod = 'kmeans' | 'mean-shift';

/** A painted line; one point is a dab. */
export interface Stroke {
  /** Flat `x, y, ...`. */
  readonly points: readonly number[];
  readonly radius: number;
}

/** A stroke of a colour. Mark 0 is what is not wanted; GrabCut knows 1 besides, watershed a number for each object. */
export interface MarkedStroke extends Stroke {
  readonly mark: number;
}

export interface GrabCutQuestion {
  /** The object lies within. */
  readonly box: Box;
  readonly strokes: readonly MarkedStroke[];
}

export interface WatershedQuestion {
  readonly strokes: readonly MarkedStroke[];
}

export interface WandClick {
  readonly at: ImagePoint;
  readonly adds: boolean;
  /** Added to the tolerance that is set. */
  readonly wider: number;
}

export interface WandQuestion {
  /** In their order. */
  readonly clicks: readonly WandClick[];
  /** The hand still moves: an answer that is rough but soon is better. */
  readonly rough: boolean;
}

export interface ScissorsQuestion {
  readonly from: ImagePoint;
  readonly to: ImagePoint;
}

export interface RegionsQuestion {
  readonly method: RegionMethod;
}

export interface MaskAnswer {
  /** Null where nothing was found. */
  readonly rle: Rle | null;
}

export interface WandAnswer extends MaskAnswer {
  /** Of the last click. */
  readonly tolerance: number;
}

export interface RegionsAnswer {
  readonly regions: readonly { readonly mark: number; readonly rle: Rle }[];
}

export interface PathAnswer {
  /** Flat `x, y, ...`, at least one point; the ends may have jumped to an edge nearby. */
  readonly points: readonly number[];
  /** How far apart the places are that the path could choose from, image pixels. */
  readonly stepPx: number;
}

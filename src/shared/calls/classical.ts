import { z } from 'zod';
import type { RunInfo } from '../answers.ts';
import { call, none } from '../call.ts';
import type { ClassicalMethod } from '../classical/questions.ts';
import { questionSchema } from '../classical/questions.ts';
import type { Box, Rle } from '../records.ts';
import { idSchema } from '../schemas.ts';

/**
 * Segmentation without a model. The image is decoded once (`classical.open`) and kept, two at a time, in a
 * thread of its own; a preview is worked out at a bounded size and its border decided again at full size.
 */

export interface ClassicalInstance {
  /** What the method calls it: `cluster 1`, `foreground`, `region 3`, `object`. */
  readonly label: string;
  /** K-means: the cluster's number from 1; watershed: the strokes' mark; else the number in this list, from 1. */
  readonly mark: number;
  /** Always 1: none of the methods says how sure it is. */
  readonly score: number;
  readonly box: Box;
  /** At the image's full size. */
  readonly rle: Rle;
  /** Mean colour of its pixels, `#RRGGBB`, to show clusters in. */
  readonly color: string;
}

export interface ClassicalPreview {
  readonly imageId: number;
  readonly method: ClassicalMethod;
  readonly width: number;
  readonly height: number;
  /** The size it was worked out at; `width` and `height` where the image is small. */
  readonly work: { readonly width: number; readonly height: number };
  /** Largest first, except for watershed, whose marks keep their order. None where nothing was found. */
  readonly instances: readonly ClassicalInstance[];
  /** The method alone; border and RLE; the whole answer with its waiting. */
  readonly methodMs: number;
  readonly finishMs: number;
  readonly totalMs: number;
}

export interface ClassicalOpened {
  readonly imageId: number;
  readonly work: { readonly width: number; readonly height: number };
  /** 0 where it was open. */
  readonly ms: number;
}

export interface ScissorsPath {
  /** Flat `x0, y0, x1, y1, …` from the first point to the last, both snapped; at least one point. */
  readonly points: readonly number[];
  /** How far apart the places are that the path could choose from, image pixels. */
  readonly stepPx: number;
  readonly ms: number;
}

const place = z.tuple([z.number(), z.number()]).readonly();
const proposal = z.object({ imageId: idSchema, question: questionSchema });
const preview = proposal.extend({
  /** Sooner, for a parameter that is still moving: on large images borders are decided at 1.5 megapixels. */
  draft: z.boolean().default(false),
});

export const CLASSICAL_CALLS = {
  /** Makes an image ready, so that the first preview does not wait for it. Throws as the decoder: `unsupported`, `io`, `not-found`. */
  'classical.open': call(z.object({ imageId: idSchema })).answers<ClassicalOpened>(),
  /** A newer preview makes the one that runs fail with `cancelled`. Throws `invalid` where the hints say nothing (named). */
  'classical.preview': call(preview).answers<ClassicalPreview>(),
  /** Gives up the preview that runs, if one does. */
  'classical.cancel': call(none).answers<null>(),
  /**
   * Works the same out and keeps it as suggestions of a run named after the method. `label`: the class of
   * all of them; null takes the method's own names, which become classes of the project.
   */
  'classical.propose': call(proposal.extend({ label: z.string().trim().min(1).max(120).nullable().default(null) })).answers<RunInfo>(),
  /**
   * Intelligent scissors: the cheapest path along edges between two places. Ask again and again with the same
   * `from` while the pointer moves: its map is kept. A newer question with another `to` goes before an older one,
   * which then fails with `cancelled`.
   */
  'classical.path': call(
    z.object({
      imageId: idSchema,
      from: place,
      to: place,
      /** Both ends jump to the strongest edge within this many image pixels; 0 leaves them. */
      snap: z.number().min(0).max(200).default(0),
    }),
  ).answers<ScissorsPath>(),
} as const;

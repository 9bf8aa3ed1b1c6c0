import { z } from 'zod';
import { call, none } from '../call.ts';
import type { Box, Rle } from '../records.ts';
import { idSchema } from '../schemas.ts';

/**
 * Clicks and boxes that a model of family `sam` turns into masks. The image's embedding is made once
 * (`prompt.open`) and kept on the disk; each question after that is one short run of the decoder.
 */

/** Image space; `positive`: the object is here, else it is not. */
const point = z.object({ x: z.number(), y: z.number(), positive: z.boolean() }).readonly();
export type PromptPoint = z.infer<typeof point>;

const open = z.object({
  imageId: idSchema,
  modelId: z.string().min(1),
  /** Images whose embeddings are made ahead while nothing else is to do, in the order the user will come to them. */
  ahead: z.array(idSchema).max(16).default([]),
});

const ask = z
  .object({
    imageId: idSchema,
    modelId: z.string().min(1),
    /** All clicks on the object so far, in their order. */
    points: z.array(point).max(64).readonly(),
    /** `x, y, width, height`, image space. */
    box: z.tuple([z.number(), z.number(), z.number().positive(), z.number().positive()]).readonly().nullable().default(null),
    /**
     * The answer before this click, and which of its candidates was shown: fed back to the decoder. Null for
     * the first prompt of an object. An answer that is not remembered any more is left out.
     */
    refine: z.object({ promptId: z.number().int().positive(), candidate: z.number().int().nonnegative() }).nullable().default(null),
    /** A preview under the pointer: given up for any other question, and only answered where the embedding is there. */
    hover: z.boolean().default(false),
    /**
     * Look closer: answer from an embedding of a part of the image around the object, made now if it is not
     * there yet (seconds on a CPU). Ask so, with the same prompts, after an answer with `finer: 'possible'`.
     */
    finer: z.boolean().default(false),
  })
  .refine(({ points, box }) => points.length > 0 || box !== null, 'a prompt needs a click or a box');

export interface PromptCandidate {
  readonly rle: Rle;
  /** Of the mask's pixels. */
  readonly box: Box;
  /** What the model thinks of its own mask, 0..1. */
  readonly iou: number;
  /** IoU of the masks cut one logit above and one below, 0..1: how little the threshold matters (SAM's stability score). */
  readonly stability: number;
}

export interface PromptAnswer {
  /** For `refine` of the next click. */
  readonly promptId: number;
  /** The best first; none where no mask is left. */
  readonly candidates: readonly PromptCandidate[];
  /** `done`: seen from close by; `possible`: asking again with `finer` gives a finer mask; `none`: the object is large enough. */
  readonly finer: 'done' | 'possible' | 'none';
  readonly provider: string;
  /** Time that this answer waited for an embedding, ms; 0 where it was there. */
  readonly embedMs: number;
  /** The decoder's run. */
  readonly runMs: number;
  readonly totalMs: number;
}

/** How an image's embedding stands. `failed` says why in `message`. */
export interface PromptState {
  readonly imageId: number;
  readonly modelId: string;
  readonly state: 'embedding' | 'ready' | 'failed';
  /** Found on the disk instead of computed; null until it is known. */
  readonly cached: boolean | null;
  /** What it took, null while it is not ready. */
  readonly ms: number | null;
  readonly message: string | null;
}

export const PROMPT_CALLS = {
  /** Begins to make an image ready for prompts and answers at once; `prompt.state` tells the rest. */
  'prompt.open': call(open).answers<PromptState>(),
  /** A newer question about the same image makes an older one that still waits fail with `cancelled`. */
  'prompt.ask': call(ask).answers<PromptAnswer>(),
  /** No more prompts: embeddings that were not begun are given up. */
  'prompt.close': call(none).answers<null>(),
} as const;

export interface PromptEvents {
  readonly 'prompt.state': PromptState;
}

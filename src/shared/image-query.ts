import { z } from 'zod';
import type { ImageState } from './records.ts';
import { idSchema } from './schemas.ts';
import { HEAT_CELLS } from './statistics/ranges.ts';

/** Lower bound in, upper bound out; null: no end. */
const range = z.object({ from: z.number().nonnegative(), to: z.number().positive().nullable() }).readonly();
const cell = z
  .number()
  .int()
  .min(0)
  .max(HEAT_CELLS - 1);

/**
 * Which images are behind a figure. `labelId`, `area`, `ratio`, `cell` and `crowd` describe one instance; `instances` says how many of
 * that kind the image has, at least one where it is absent.
 */
export const behindSchema = z
  .object({
    labelId: idSchema.optional(),
    /** Pixels that the instance fills. */
    area: range.optional(),
    /** Width over height of its box. */
    ratio: range.optional(),
    /** Where the centre of its box is, in the heat map's grid over the image. */
    cell: z.object({ column: cell, row: cell }).readonly().optional(),
    crowd: z.boolean().optional(),
    instances: range.optional(),
    /** The split that the image is in; null: in none. */
    split: z.string().max(120).nullable().optional(),
    /** Milliseconds spent on the image, see `PAUSE_MS`. */
    spent: range.optional(),
    /** One of these, e.g. a group of near-duplicates. */
    imageIds: z.array(idSchema).max(5000).readonly().optional(),
  })
  .readonly();
export type Behind = z.infer<typeof behindSchema>;

/** What the image list shows. */
export interface ImageQuery {
  readonly search: string;
  readonly states: readonly ImageState[];
  readonly behind?: Behind | undefined;
}

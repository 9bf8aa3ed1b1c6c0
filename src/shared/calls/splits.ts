import { z } from 'zod';
import type { SplitReport } from '../answers/splits.ts';
import { call, none } from '../call.ts';

/** How images are divided; `imported`: as the dataset that was imported first says, which cannot be asked for. */
export const SPLIT_KINDS = ['random', 'class', 'folder', 'pattern', 'near-duplicate', 'imported'] as const;
export type SplitKind = (typeof SPLIT_KINDS)[number];

/** Bits of 128 in which the hashes of two near-duplicates may differ, unless the user says otherwise. */
export const NEAR_BITS = 14;

/** Parts that images can be divided into. */
export const MOST_PARTS = 64;

const name = z
  .string()
  .trim()
  .min(1, 'a split needs a name')
  .max(80)
  // Exports name files after it.
  .regex(/^[^./\\\p{Cc}][^/\\\p{Cc}]*$/u, 'a name without / and \\, not beginning with a dot');

export const splitOptionsSchema = z
  .object({
    kind: z.enum(SPLIT_KINDS),
    /** In this order; shares are relative to their sum. */
    parts: z
      .array(z.object({ name, share: z.number().nonnegative() }).readonly())
      .min(1)
      .max(MOST_PARTS)
      .readonly()
      .refine((parts) => parts.reduce((sum, part) => sum + part.share, 0) > 0, 'the shares are all 0')
      .refine((parts) => new Set(parts.map((part) => part.name)).size === parts.length, 'two splits have the same name')
      .default([
        { name: 'train', share: 70 },
        { name: 'val', share: 15 },
        { name: 'test', share: 15 },
      ]),
    seed: z
      .number()
      .int()
      .min(0)
      .max(2 ** 32 - 1)
      .default(1),
    /** `annotated`: images with instances, and done ones without; `all`: every readable one. */
    images: z.enum(['annotated', 'all']).default('annotated'),
    /** Of `pattern`: a regular expression on the path; its first group, or all that it matches, names what belongs together. */
    pattern: z.string().max(300).default(''),
    /** Of `near-duplicate`: bits of 128 that may differ. */
    nearBits: z.number().int().min(0).max(32).default(NEAR_BITS),
  })
  .readonly();
export type SplitOptions = z.infer<typeof splitOptionsSchema>;

export const SPLIT_CALLS = {
  /** The frozen split; null where none was made. */
  'splits.get': call(none).answers<SplitReport | null>(),
  /** What `splits.make` would do; nothing is kept. Progress and cancel as those of statistics. */
  'splits.preview': call(splitOptionsSchema).answers<SplitReport>(),
  /** Divides the images and freezes that. `conflict` where a split is frozen: take it away first. */
  'splits.make': call(splitOptionsSchema).answers<SplitReport>(),
  /** Puts images that are in no part into one, or divides them by the shares; those that belong to a group go where it is. Never moves another. */
  'splits.addNew': call(z.object({ to: z.string().nullable().describe('null: by the shares') })).answers<SplitReport>(),
  /** Takes the split away; images and instances stay as they are. */
  'splits.clear': call(none).answers<null>(),
} as const;

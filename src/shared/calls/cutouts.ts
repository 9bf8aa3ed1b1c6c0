import { z } from 'zod';
import type { CutoutPreview, CutoutReport } from '../answers/cutouts.ts';
import { call } from '../call.ts';
import { colorSchema, idSchema } from '../schemas.ts';

const background = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('none') }),
  z.object({ kind: z.literal('color'), color: colorSchema }),
  /** `angle` in degrees, 0 to the right, 90 downwards. */
  z.object({ kind: z.literal('linear'), from: colorSchema, to: colorSchema, angle: z.number().min(-360).max(360).default(90) }),
  /**
   * An image file. `cover` and `contain` fit it to the frame; `at` keeps its own size, as the frame, with the
   * top left corner of what is cut out at (x, y) of it.
   */
  z.object({
    kind: z.literal('image'),
    path: z.string().min(1),
    fit: z.enum(['cover', 'contain', 'at']).default('cover'),
    x: z.number().int().default(0),
    y: z.number().int().default(0),
  }),
]);
export type CutoutBackground = z.infer<typeof background>;

const look = {
  /** `crop`: the object's box with `margin` pixels around; `full`: the whole image's frame. */
  frame: z.enum(['crop', 'full']).default('crop'),
  margin: z.number().int().min(0).max(10_000).default(8),
  /** Pixels on both sides of the mask's border within which alpha follows the image; 0 is a hard edge. Small objects take less. */
  softPx: z.number().min(0).max(64).default(4),
  background: background.default({ kind: 'none' }),
  /** All objects of an image in one picture. */
  together: z.boolean().default(false),
};

const instances = z.object({
  kind: z.literal('instances'),
  imageId: idSchema,
  annotationIds: z.array(z.string().min(1)).default([]),
  suggestionIds: z.array(idSchema).default([]),
});

const target = z.discriminatedUnion('kind', [
  instances,
  z.object({
    kind: z.literal('images'),
    /** Absent for the whole folder. */
    imageIds: z.array(idSchema).optional(),
    /** Only images whose path fits; null for all. */
    pattern: z.string().min(1).nullable().default(null),
    /** Names of classes; empty for all. */
    labels: z.array(z.string()).default([]),
    /** Also undecided suggestions at or above this score; null leaves them out. */
    minScore: z.number().min(0).max(1).nullable().default(null),
    /** Instead of what the project holds, what this model finds now; nothing of it is kept. */
    modelId: z.string().min(1).nullable().default(null),
  }),
]);
export type CutoutTarget = z.infer<typeof target>;

const write = z.object({ ...look, target, out: z.string().min(1), overwrite: z.boolean().default(false) });
export type CutoutOptions = z.infer<typeof write>;
export type CutoutLook = Omit<CutoutOptions, 'target' | 'out' | 'overwrite'>;

/** `maxPx`: longest side of the preview; the picture is made at that size. */
const preview = z.object({ ...look, target: instances, maxPx: z.number().int().min(64).max(2048).default(640) });
export type CutoutPreviewOptions = z.infer<typeof preview>;

/** Objects cut out of their images. */
export const CUTOUT_CALLS = {
  /** One job that writes pictures at a time; `pictures.cancel` stops it, `pictures.progress` tells how far it is. */
  'cutouts.write': call(write).answers<CutoutReport>(),
  /** The first picture that `cutouts.write` would make. A newer question makes an older one fail with `cancelled`. */
  'cutouts.preview': call(preview).answers<CutoutPreview>(),
} as const;

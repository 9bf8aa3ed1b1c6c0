import { z } from 'zod';
import { VIEWS } from './views/view.ts';

/** Schemas of the records that cross a boundary into the main side. Types are not trust. */

/** Infinities and NaN are refused (zod 4). */
const finite = z.number();
export const idSchema = z.number().int().positive();
export const colorSchema = z.string().regex(/^#[0-9a-fA-F]{6}$/, 'a colour is #RRGGBB');
export const hotkeySchema = z
  .string()
  .regex(/^[1-9]$/, 'a class hotkey is 1 to 9')
  .nullable();
export const labelNameSchema = z.string().trim().min(1, 'a class needs a name').max(120);

export const ringSchema = z
  .array(finite)
  .min(6, 'a ring needs at least three points')
  .refine((r) => r.length % 2 === 0, 'a ring is x, y pairs')
  .readonly();

const boxSchema = z.tuple([finite, finite, finite.nonnegative(), finite.nonnegative()]).readonly();

const rleSchema = z
  .object({
    size: z.tuple([z.number().int().positive(), z.number().int().positive()]).readonly(),
    counts: z.string(),
  })
  .readonly();

export const geometrySchema = z.discriminatedUnion('kind', [
  z
    .object({
      kind: z.literal('polygon'),
      parts: z
        .array(z.object({ outer: ringSchema, holes: z.array(ringSchema).readonly() }).readonly())
        .min(1)
        .readonly(),
    })
    .readonly(),
  z.object({ kind: z.literal('mask'), rle: rleSchema }).readonly(),
  z.object({ kind: z.literal('box'), box: boxSchema }).readonly(),
]);

export const annotationSchema = z
  .object({
    id: z.string().min(8).max(64),
    labelId: idSchema,
    geometry: geometrySchema,
    z: finite,
    crowd: z.boolean(),
    origin: z.enum(['drawn', 'accepted', 'corrected', 'imported']),
    suggestionId: idSchema.nullable(),
  })
  .readonly();

/** What a model is told beside the image: few short words and numbers. */
export const runOptionsSchema = z
  .record(z.string().min(1).max(40), z.union([finite, z.string().max(200), z.boolean()]))
  .refine((options) => Object.keys(options).length <= 40, 'at most 40 options');

const decisionSchema = z.enum(['accepted', 'corrected', 'rejected']);

export const diffSchema = z
  .object({
    added: z.array(annotationSchema).readonly(),
    removed: z.array(annotationSchema).readonly(),
    updated: z.array(z.tuple([annotationSchema, annotationSchema]).readonly()).readonly(),
    decided: z
      .array(z.object({ suggestionId: idSchema, from: decisionSchema.nullable(), to: decisionSchema.nullable() }).readonly())
      .readonly(),
  })
  .readonly();

export const settingsSchema = z.object({
  theme: z.enum(['dark', 'light', 'system']),
  modelId: z.string().nullable(),
  /** Of family `sam`; null for the first that can be used. */
  promptModelId: z.string().nullable(),
  /** The most that a project's embeddings take on the disk; 0 keeps none. */
  embeddingsMb: z.number().int().min(0).max(1_000_000),
  providers: z.array(z.string().min(1).max(40)).max(20).readonly().nullable(),
  threads: z.number().int().min(1).max(256).nullable(),
  minScore: z.number().min(0).max(1),
  brushPx: z.number().min(1).max(500),
  view: z.enum(VIEWS),
  legend: z.boolean(),
});

/** What a new user begins with. The model knows the sample; where it is gone, the window takes the first one that works. */
export const DEFAULT_SETTINGS: z.infer<typeof settingsSchema> = {
  theme: 'dark',
  modelId: 'mask-rcnn-scenes',
  promptModelId: null,
  embeddingsMb: 2048,
  providers: null,
  threads: null,
  minScore: 0.5,
  brushPx: 24,
  view: 'instance',
  legend: true,
};

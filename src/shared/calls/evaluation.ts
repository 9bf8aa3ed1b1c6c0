import { z } from 'zod';
import type { EvaluationCases, EvaluationLook, EvaluationReport } from '../answers/evaluation.ts';
import { call, none } from '../call.ts';
import { IMAGE_STATES } from '../records.ts';
import { idSchema } from '../schemas.ts';

const source = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('run'), runId: idSchema }),
  /** On every image, what the model said there last, in whichever run. */
  z.object({ kind: z.literal('model'), modelId: z.string().min(1) }),
  /** A COCO results file. Images are matched by `file_name`, classes by `category_name`, else by the ids of the project's COCO exports. */
  z.object({ kind: z.literal('file'), path: z.string().min(1) }),
]);
export type EvaluationSource = z.infer<typeof source>;

const run = z.object({
  source,
  /** Only images of this split; null for all. */
  split: z.string().min(1).nullable().default(null),
  /** Only images in these states; empty for all. What is not annotated on an image counts as wrongly found. */
  states: z.array(z.enum(IMAGE_STATES)).default(['done']),
  /** Detections below it are left out from the beginning. */
  minScore: z.number().min(0).max(1).default(0),
});
export type EvaluationOptions = z.infer<typeof run>;

const look = z.object({
  id: idSchema,
  kind: z.enum(['segm', 'bbox']).default('segm'),
  iou: z.number().min(0.1).max(0.95).default(0.5),
  minScore: z.number().min(0).max(1).default(0.5),
});
export type EvaluationLookInput = z.output<typeof look>;

const cases = look.extend({
  outcome: z.enum(['tp', 'fp', 'fn']).nullable().default(null),
  /** Class of the truth and of the detection; 0: there is none (the background); null: any. */
  truthLabelId: z.number().int().nonnegative().nullable().default(null),
  detectionLabelId: z.number().int().nonnegative().nullable().default(null),
  /** Of either side; for the lists of a class. */
  labelId: idSchema.nullable().default(null),
  offset: z.number().int().nonnegative().default(0),
  limit: z.number().int().min(1).max(500).default(60),
});
export type EvaluationCasesInput = z.output<typeof cases>;

/** A model's suggestions, or a results file, against the project's annotations. */
export const EVALUATION_CALLS = {
  /** One at a time; a newer one makes the running one fail with `cancelled`. `evaluation.progress` tells how far it is. */
  'evaluation.run': call(run).answers<EvaluationReport>(),
  /** Images of the choice that a model has not looked at yet, in the order of the list. */
  'evaluation.missing': call(run.omit({ source: true, minScore: true }).extend({ modelId: z.string().min(1) })).answers<
    readonly number[]
  >(),
  /** Fails with `not-found` where the evaluation is not kept any more: run it again. */
  'evaluation.look': call(look).answers<EvaluationLook>(),
  /** By falling score; what was missed in the order of the images. */
  'evaluation.cases': call(cases).answers<EvaluationCases>(),
  'evaluation.cancel': call(none).answers<null>(),
} as const;

import { z } from 'zod';
import { AppError } from '../../../shared/errors.ts';
import { unit } from './parts.ts';

const expectedSchema = z.strictObject({
  width: z.number().int().positive(),
  height: z.number().int().positive(),
  instances: z.array(
    z.strictObject({
      label: z.string().min(1),
      score: unit,
      /** x, y, width, height in image pixels. */
      box: z.tuple([z.number(), z.number(), z.number(), z.number()]).readonly(),
      /** COCO's compressed RLE, `size` is [height, width]. */
      rle: z.strictObject({
        size: z.tuple([z.number().int().positive(), z.number().int().positive()]).readonly(),
        counts: z.string(),
      }),
    }),
  ),
  /** What the picture as a whole shows, of a classifier: every label with its score. */
  tags: z.array(z.strictObject({ label: z.string().min(1), score: unit })).optional(),
});

/** The answer a golden expects, as the reference implementation gave it. */
export type GoldenAnswer = Readonly<z.infer<typeof expectedSchema>>;

/** @throws AppError `invalid` naming the file and the key. */
export function parseGoldenAnswer(text: string, path: string): GoldenAnswer {
  const parsed = z
    .string()
    .transform((value, context): unknown => {
      try {
        return JSON.parse(value);
      } catch {
        context.addIssue({ code: 'custom', message: 'is not JSON' });
        return z.NEVER;
      }
    })
    .pipe(expectedSchema)
    .safeParse(text);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new AppError('invalid', `${path}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is wrong'}.`, { path });
}

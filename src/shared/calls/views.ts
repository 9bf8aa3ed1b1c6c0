import { z } from 'zod';
import type { CountsReport, ImageTag, RenderReport } from '../answers/views.ts';
import { call, none } from '../call.ts';
import { idSchema } from '../schemas.ts';
import { VIEWS } from '../views/view.ts';

const render = z.object({
  /** Folder to write into; made where it is absent. */
  out: z.string().min(1),
  view: z.enum(VIEWS).default('instance'),
  /** Also undecided suggestions at or above this score; null leaves them out. */
  minScore: z.number().min(0).max(1).nullable().default(null),
  /** Names of classes and scores, and the legend. */
  text: z.boolean().default(true),
  /** Instead of a picture a palette PNG of class numbers. */
  indexed: z.boolean().default(false),
  /** Only these images; absent for all. */
  imageIds: z.array(idSchema).optional(),
  /** Only images whose path fits, e.g. `train/*.jpg`; null for all. */
  pattern: z.string().min(1).nullable().default(null),
  /** Replace pictures that are there; else they are left and listed. */
  overwrite: z.boolean().default(false),
});
export type RenderOptions = z.infer<typeof render>;

const counts = z.object({
  /** Suggestions at or above this score are counted. */
  minScore: z.number().min(0).max(1).default(0),
  /** CSV to write; null only counts. */
  file: z.string().min(1).nullable().default(null),
  overwrite: z.boolean().default(false),
});

/** The four views as pictures, and what is counted. */
export const VIEW_CALLS = {
  /** One job that writes pictures at a time: `conflict` while another one runs. */
  'overlays.render': call(render).answers<RenderReport>(),
  /** Stops the job that writes pictures, if one runs: it fails with `cancelled`; what was written stays. */
  'pictures.cancel': call(none).answers<null>(),
  /** Instances by image and class. `conflict` where the file is there and may not be replaced. */
  'counts.write': call(counts).answers<CountsReport>(),
  'tags.list': call(z.object({ imageId: idSchema })).answers<readonly ImageTag[]>(),
  /** Null takes a person's word back. `suggestions.changed` tells of it. */
  'tags.set': call(z.object({ imageId: idSchema, labelId: idSchema, state: z.enum(['accepted', 'rejected']).nullable() })).answers<
    readonly ImageTag[]
  >(),
} as const;

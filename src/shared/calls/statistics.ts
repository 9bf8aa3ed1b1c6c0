import { z } from 'zod';
import type { StatisticsReport } from '../answers/statistics.ts';
import { call, none } from '../call.ts';
import { idSchema } from '../schemas.ts';

const which = z.object({
  /** Only images of this split; null: of none; absent: all. */
  split: z.string().max(120).nullable().optional(),
  /** Sizes, shapes and places of this class only, and images by its count. */
  labelId: idSchema.optional(),
});
export type StatisticsInput = z.infer<typeof which>;

export const STATISTICS_CALLS = {
  /** Measures first what was not measured since it changed; `statistics.progress` tells how far that is. `conflict` while another one runs. */
  'statistics.get': call(which).answers<StatisticsReport>(),
  /** Stops what measures, hashes or compares, if something does: it fails with `cancelled`; what was measured is kept. */
  'statistics.cancel': call(none).answers<null>(),
} as const;

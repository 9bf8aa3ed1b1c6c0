import { z } from 'zod';
import type { ModelInfo } from '../answers.ts';
import type { ModelFetch } from '../answers/models.ts';
import { call, none } from '../call.ts';

const model = z.object({ modelId: z.string().min(1).max(63) });
/** Getting models: fetching weights of the catalog, and adding a model of one's own. */
export const MODEL_CALLS = {
  'models.list': call(none).answers<readonly ModelInfo[]>(),
  /** Starts to fetch the weights and answers at once; the rest is told by `models.progress`. A second call joins the first. */
  'models.get': call(model.extend({ acceptLicense: z.boolean() })).answers<ModelFetch>(),
  /** What is being fetched now. */
  'models.fetches': call(none).answers<readonly ModelFetch[]>(),
  'models.cancelGet': call(model).answers<null>(),
  /** Deletes fetched weights (they can be fetched again), or a model that the user added. */
  'models.remove': call(model).answers<null>(),
} as const;

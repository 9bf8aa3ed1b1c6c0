import { z } from 'zod';
import type { ModelInfo } from '../answers.ts';
import type { DoctorReport, ModelDraft, ModelFetch } from '../answers/models.ts';
import { call, none } from '../call.ts';
import { idSchema } from '../schemas.ts';

const model = z.object({ modelId: z.string().min(1).max(63) });
const draft = z.object({ draftId: z.string().regex(/^[0-9a-z-]{1,60}$/) });
/** By the field's key; a key that is left out keeps what is proposed. */
const answered = draft.extend({ answers: z.record(z.string().max(60), z.string().max(200_000)).default({}) });

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

  /** The system's file dialog for model files; null: the user thought better. */
  'models.pickFiles': call(none).answers<readonly string[] | null>(),
  /** Reads `.onnx` files (one, or encoder and decoder), a folder with them, or an X-AnyLabeling `.yaml`; absolute paths. */
  'models.inspect': call(z.object({ paths: z.array(z.string().min(1)).min(1).max(8) })).answers<ModelDraft>(),
  /** The proposal with the user's answers in it; other fields may be asked for then. */
  'models.propose': call(answered).answers<ModelDraft>(),
  /** Runs the draft on an image of the project, or on one that comes with Maskloop. */
  'models.try': call(answered.extend({ imageId: idSchema.nullable() })).answers<DoctorReport>(),
  /** Makes the draft a model in the user's folder. */
  'models.keep': call(answered).answers<ModelInfo>(),
  /** Forgets the draft; nothing of it stays. */
  'models.discard': call(draft).answers<null>(),
} as const;

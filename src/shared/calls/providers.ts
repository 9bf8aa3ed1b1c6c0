import { z } from 'zod';
import type { GpuStatus, Measured, ProvidersReport } from '../answers/providers.ts';
import { call, none } from '../call.ts';
import { idSchema } from '../schemas.ts';

/** What models run on: which providers there are, what became of each, and the libraries for NVIDIA GPUs. */
export const PROVIDER_CALLS = {
  'providers.report': call(none).answers<ProvidersReport>(),
  /** Providers to try in their order, and threads on the CPU; null is automatic. Holds from the next model that is loaded. */
  'providers.choose': call(
    z.object({
      providers: z.array(z.string().min(1).max(40)).max(20).nullable(),
      threads: z.number().int().min(1).max(256).nullable(),
    }),
  ).answers<ProvidersReport>(),
  /** Forgets what was refused, so that everything is tried again. */
  'providers.retry': call(none).answers<ProvidersReport>(),
  /** Runs a model on an image of the project `runs` times with each provider that can. */
  'providers.measure': call(
    z.object({ modelId: z.string().min(1), imageId: idSchema, runs: z.number().int().min(1).max(200).default(10) }),
  ).answers<readonly Measured[]>(),
  'providers.cancelMeasure': call(none).answers<null>(),
  /** Fetches and unpacks the libraries; told by `gpu.progress`. One at a time: a second call waits for the first. */
  'gpu.install': call(none).answers<GpuStatus>(),
  'gpu.cancel': call(none).answers<null>(),
  'gpu.remove': call(none).answers<GpuStatus>(),
} as const;

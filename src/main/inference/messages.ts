import { z } from 'zod';
import type { EngineStatus } from '../../shared/answers.ts';
import type { Reply } from '../../shared/errors.ts';
import type { Method, Request } from './inference.ts';

/**
 * What travels between a host and its inference process: plain data that survives JSON and structured
 * cloning alike. Masks travel as RLE, pixels and tensors never (Electron copies every ArrayBuffer).
 */
const attempt = z.object({ provider: z.string(), ok: z.boolean(), reason: z.string().nullable() });

const embed = z.object({
  modelId: z.string(),
  path: z.string(),
  imageSha: z.string(),
  width: z.number().int().positive(),
  height: z.number().int().positive(),
  cache: z.object({ path: z.string(), bytes: z.number().nonnegative() }).nullable(),
  priority: z.enum(['user', 'idle']),
});

/** The schema of what each question is asked with. */
export const REQUESTS: { readonly [M in Method]: { parse(request: unknown): Request<M> } } = {
  predict: z.object({
    modelId: z.string(),
    path: z.string(),
    priority: z.enum(['user', 'batch']),
    next: z.string().nullable(),
    options: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])).optional(),
  }),
  signature: z.object({ path: z.string() }),
  examine: z.object({ modelId: z.string(), folders: z.array(z.string()), path: z.string() }),
  matte: z.object({ modelId: z.string(), path: z.string(), priority: z.enum(['user', 'batch']) }),
  embed,
  prompt: embed.extend({
    points: z.array(z.object({ x: z.number(), y: z.number(), positive: z.boolean() })),
    box: z.tuple([z.number(), z.number(), z.number(), z.number()]).readonly().nullable(),
    refine: z.object({ promptId: z.number().int(), candidate: z.number().int() }).nullable(),
    hover: z.boolean(),
    finer: z.boolean(),
  }),
  measure: z.object({ modelId: z.string(), path: z.string(), runs: z.number().int().min(1).max(1000) }),
};

function isMethod(name: string): name is Method {
  return Object.hasOwn(REQUESTS, name);
}

export const toChildSchema = z.discriminatedUnion('kind', [
  /** First of all, once. */
  z.object({
    kind: z.literal('open'),
    modelFolders: z.array(z.string()),
    providers: z.string().nullable(),
    refused: z.array(attempt),
    threads: z.number().int().positive().nullable(),
    choice: z.object({ providers: z.array(z.string()).nullable(), threads: z.number().int().positive().nullable() }).nullable(),
    /** What is kept of providers lies there; null keeps nothing. */
    recordFolder: z.string().nullable(),
  }),
  /** The request is parsed with the schema of its method. */
  z.object({
    kind: z.literal('ask'),
    id: z.number().int(),
    method: z.string().refine(isMethod, 'a question of the engine'),
    request: z.unknown(),
  }),
  z.object({ kind: z.literal('cancel'), id: z.number().int() }),
  /** Finish what runs, then end the process. */
  z.object({ kind: z.literal('close') }),
]);
export type ToChild = z.infer<typeof toChildSchema>;

export type FromChild =
  | { readonly kind: 'answer'; readonly id: number; readonly reply: Reply<unknown> }
  | { readonly kind: 'status'; readonly status: EngineStatus }
  /** The provider that may end the process in the next moments; null when it has proved itself. */
  | { readonly kind: 'trying'; readonly provider: string | null };

/** The child is our own code of the same version, so its kind is all that is looked at. */
export function isFromChild(message: unknown): message is FromChild {
  return (
    typeof message === 'object' &&
    message !== null &&
    'kind' in message &&
    (message.kind === 'answer' || message.kind === 'status' || message.kind === 'trying')
  );
}

import type { ProviderChoice } from '../../shared/answers/providers.ts';
import type { EmbedRequest, Embedded, Inference, PromptRequest } from './inference.ts';
import { cancelled } from './queue.ts';

/** How long the second process is kept without work: with a model in it, it takes up to a gigabyte. */
const REST_MS = 20_000;

/**
 * Embeddings that are made ahead, and those of a closer look, come from a process of their own. An encoder's run takes seconds, blocks the
 * process that it is in and cannot be stopped; so a click would have to wait for it. What was made there is
 * found on the disk. Where nothing is kept on the disk, nothing is made ahead by the second process.
 */
export function withAhead(inference: Inference, start: () => Inference, restMs = REST_MS): Inference {
  let second: Inference | null = null;
  let choice: ProviderChoice | null = null;
  let rest: ReturnType<typeof setTimeout> | null = null;
  const underWay = new Map<string, Promise<unknown>>();
  let working = 0;

  async function stop(): Promise<void> {
    if (rest) clearTimeout(rest);
    rest = null;
    const last = second;
    second = null;
    await last?.close();
  }

  async function started(): Promise<Inference> {
    if (second) return second;
    const own = start();
    second = own;
    if (choice) await own.configure(choice);
    return own;
  }

  async function aside<T>(work: (own: Inference) => Promise<T>): Promise<T> {
    if (rest) clearTimeout(rest);
    rest = null;
    working++;
    try {
      return await work(await started());
    } finally {
      working--;
      if (working === 0 && second) {
        rest = setTimeout(() => void stop(), restMs);
        rest.unref();
      }
    }
  }

  async function ahead(request: EmbedRequest, signal: AbortSignal | undefined): Promise<Embedded> {
    const making = aside((own) => own.embed(request, signal));
    underWay.set(keyOf(request), making);
    try {
      return await making;
    } finally {
      underWay.delete(keyOf(request));
    }
  }

  /**
   * The part of the image that a closer look needs, put on the disk: the second engine finds the object by the
   * same prompts. Where it sees another part than the first would, that one makes its own.
   */
  async function lookAside(request: PromptRequest, signal: AbortSignal | undefined): Promise<void> {
    await aside((own) => own.prompt({ ...request, refine: null, priority: 'idle' }, signal)).catch(() => undefined);
    if (signal?.aborted) throw cancelled();
  }

  /** What is being made for the same image is worth waiting for; what fails there is tried again here. */
  async function settled(request: EmbedRequest): Promise<void> {
    await underWay.get(keyOf(request))?.catch(() => undefined);
  }

  return {
    ...inference,
    async embed(request, signal) {
      if (request.priority === 'idle' && request.cache !== null) return ahead(request, signal);
      await settled(request);
      return inference.embed(request, signal);
    },
    async prompt(request, signal) {
      // A preview is only answered where it need not wait.
      if (!request.hover) await settled(request);
      if (request.finer && request.cache !== null) await lookAside(request, signal);
      return inference.prompt(request, signal);
    },
    async configure(next) {
      choice = next;
      await Promise.all([stop(), inference.configure(next)]);
    },
    async close() {
      await Promise.all([stop(), inference.close()]);
    },
  };
}

function keyOf({ modelId, imageSha }: EmbedRequest): string {
  return `${modelId} ${imageSha}`;
}

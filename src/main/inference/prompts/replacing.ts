import type { PromptRequest } from '../inference.ts';

/**
 * Questions that a newer one makes pointless while they wait: a click replaces what was asked about the image
 * before it, a closer look an older one and the pointer's previews, a preview only previews.
 */
export interface Replacing {
  /** Gives up what this question replaces; answers with this one's own signal, to be told `begun` or given up. */
  enter(request: PromptRequest, signal: AbortSignal | undefined): { readonly signal: AbortSignal; begun(): void };
}

interface Waiting {
  readonly imageSha: string;
  readonly rank: number;
  readonly abort: AbortController;
}

export function createReplacing(): Replacing {
  const waiting = new Set<Waiting>();
  return {
    enter(request, signal) {
      const own: Waiting = { imageSha: request.imageSha, rank: request.hover ? 0 : request.finer ? 1 : 2, abort: new AbortController() };
      for (const other of waiting) {
        if (other.imageSha !== own.imageSha || other.rank > own.rank) continue;
        waiting.delete(other);
        other.abort.abort();
      }
      waiting.add(own);
      return {
        signal: signal ? AbortSignal.any([signal, own.abort.signal]) : own.abort.signal,
        begun: () => void waiting.delete(own),
      };
    },
  };
}

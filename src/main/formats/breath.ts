/** After so much work at a stretch, the window's messages are let through. */
const REST_MS = 12;

/** Long work on the thread that also answers: `if (breath.due()) await breath.take()` in its loop, as often as is cheap. */
export interface Breath {
  due(): boolean;
  /** Throws the signal's reason when it was aborted. */
  take(): Promise<void>;
}

export function createBreath(signal?: AbortSignal): Breath {
  let since = performance.now();
  return {
    due: () => performance.now() - since > REST_MS || signal?.aborted === true,
    async take() {
      signal?.throwIfAborted();
      await new Promise((resolve) => setImmediate(resolve));
      signal?.throwIfAborted();
      since = performance.now();
    },
  };
}

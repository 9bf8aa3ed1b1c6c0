/**
 * Passes on the newest value at most once every `everyMs`: the first at once, then the last one of
 * each interval, so that the final state always arrives.
 */
export interface Paced<T> {
  push(value: T): void;
  /** Sends what is waiting, now. */
  flush(): void;
  /** Forgets what is waiting. */
  stop(): void;
}

/** `merge` joins a value that waits with a newer one; without it the newer one replaces it. */
export function paced<T>(everyMs: number, send: (value: T) => void, merge: (waiting: T, next: T) => T = (_, next) => next): Paced<T> {
  let waiting: { value: T } | null = null;
  let timer: NodeJS.Timeout | null = null;
  const emit = (): void => {
    const now = waiting;
    waiting = null;
    if (now) send(now.value);
  };
  const tick = (): void => {
    timer = null;
    if (waiting) {
      emit();
      timer = setTimeout(tick, everyMs).unref();
    }
  };
  return {
    push(value) {
      waiting = { value: waiting ? merge(waiting.value, value) : value };
      if (!timer) {
        emit();
        timer = setTimeout(tick, everyMs).unref();
      }
    },
    flush: emit,
    stop() {
      waiting = null;
      if (timer) clearTimeout(timer);
      timer = null;
    },
  };
}

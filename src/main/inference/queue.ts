import { AppError } from '../../shared/errors.ts';

export type Priority = 'user' | 'batch' | 'idle';

/**
 * One thing at a time, in three lines: what the user waits for goes before the batch, and what is made ahead
 * after everything. Work that is given up while it waits never starts.
 */
export interface WorkQueue {
  /** @throws AppError `cancelled` when the signal fires before the work starts, or after `close`. */
  add<T>(priority: Priority, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** For long work, between two of its steps: what the user waits for is done now. */
  giveWay(): Promise<void>;
  /** Refuses what waits and waits for what runs. */
  close(): Promise<void>;
}

interface Waiting {
  readonly start: () => Promise<void>;
  readonly refuse: () => void;
}

export function createQueue(): WorkQueue {
  const lines: Readonly<Record<Priority, Waiting[]>> = { user: [], batch: [], idle: [] };
  let running: Promise<void> | null = null;
  let closed = false;

  function advance(): void {
    if (running) return;
    const next = lines.user.shift() ?? lines.batch.shift() ?? lines.idle.shift();
    if (!next) return;
    running = next.start().finally(() => {
      running = null;
      advance();
    });
  }

  return {
    add(priority, work, signal) {
      return new Promise((resolve, reject) => {
        if (closed || signal?.aborted) {
          reject(cancelled());
          return;
        }
        const line = lines[priority];
        const entry: Waiting = {
          start: () => {
            signal?.removeEventListener('abort', giveUp);
            return work().then(resolve, reject);
          },
          refuse: () => {
            signal?.removeEventListener('abort', giveUp);
            reject(cancelled());
          },
        };
        const giveUp = (): void => {
          const at = line.indexOf(entry);
          if (at < 0) return;
          line.splice(at, 1);
          entry.refuse();
        };
        signal?.addEventListener('abort', giveUp, { once: true });
        line.push(entry);
        advance();
      });
    },
    async giveWay() {
      for (let next = lines.user.shift(); next; next = lines.user.shift()) await next.start();
    },
    async close() {
      closed = true;
      for (const entry of [...lines.user.splice(0), ...lines.batch.splice(0), ...lines.idle.splice(0)]) entry.refuse();
      await running;
    },
  };
}

export function cancelled(): AppError {
  return new AppError('cancelled', 'Cancelled.');
}

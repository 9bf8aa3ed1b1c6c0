import type { PictureProgress } from '../shared/answers/views.ts';
import { AppError } from '../shared/errors.ts';

/** The job that writes pictures of the open project. One at a time: two would compete for the same file names. */
export interface PictureJobs {
  /** Throws `conflict` while another one runs, and whatever the work throws. */
  run<T>(
    job: PictureProgress['job'],
    work: (signal: AbortSignal, onProgress: (done: number, total: number) => void) => Promise<T>,
  ): Promise<T>;
  /** The running one, if there is one, fails with `cancelled`. */
  cancel(): void;
  /** Waits for the end of the running one; whoever asked for it is told how it ended. */
  ended(): Promise<void>;
}

export function createPictureJobs(closing: AbortSignal, tell: (progress: PictureProgress) => void): PictureJobs {
  let running: { readonly stop: AbortController; readonly ended: Promise<unknown> } | null = null;
  return {
    async run(job, work) {
      if (running) throw new AppError('conflict', 'Pictures are being written already. Wait for the end, or cancel that.');
      const stop = new AbortController();
      const ended = work(AbortSignal.any([stop.signal, closing]), (done, total) => tell({ job, done, total })).finally(() => {
        running = null;
      });
      running = { stop, ended };
      return await ended;
    },
    cancel: () => running?.stop.abort(),
    async ended() {
      await running?.ended.catch(() => undefined);
    },
  };
}

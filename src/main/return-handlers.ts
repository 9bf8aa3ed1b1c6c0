import type { ReturnProgress } from '../shared/answers/bundles.ts';
import type { RETURN_CALLS } from '../shared/calls/bundles.ts';
import type { Handlers } from '../shared/contract.ts';
import { AppError } from '../shared/errors.ts';
import { bringBack } from './bundle/returning.ts';
import type { ReturningOptions } from './bundle/returning.ts';
import type { StudioEvents } from './events.ts';
import type { Catalog } from './inference/catalog.ts';
import { paced } from './paced.ts';
import type { Project } from './project.ts';

export interface ReturnHandlersOptions extends Pick<ReturningOptions, 'modelFolder' | 'evaluate' | 'modelAdded' | 'clock'> {
  /** Answers with the open project or throws. */
  readonly current: () => Project;
  readonly catalog: Catalog;
  readonly tell: StudioEvents['tell'];
}

export interface ReturnHandlers {
  readonly handlers: Pick<Handlers, keyof typeof RETURN_CALLS>;
  /** Cancels what runs, and waits for its end. */
  stop(): Promise<void>;
}

/** The calls that bring a trained model back. One at a time. */
export function createReturnHandlers(options: ReturnHandlersOptions): ReturnHandlers {
  const { current, tell, ...rest } = options;
  let running: { readonly abort: AbortController; readonly ended: Promise<unknown> } | null = null;

  return {
    handlers: {
      'return.start': async (wanted) => {
        if (running) throw new AppError('conflict', 'A model is being brought back already.');
        const project = current();
        const abort = new AbortController();
        const { signal } = abort;
        const progress = paced<ReturnProgress>(100, (told) => tell('return.progress', told));
        const ended = bringBack(wanted, { ...rest, project, signal, onProgress: progress.push })
          .catch((thrown: unknown) => {
            if (!signal.aborted) throw thrown;
            throw new AppError('cancelled', 'It was cancelled before it was measured. A model that was added stays added.', {}, thrown);
          })
          .finally(() => {
            running = null;
            progress.stop();
          });
        running = { abort, ended };
        return await ended;
      },
      'return.cancel': () => {
        running?.abort.abort();
        return Promise.resolve(null);
      },
      'return.list': () => Promise.resolve(current().store.scores.list()),
    },
    async stop() {
      running?.abort.abort();
      await running?.ended.catch(() => undefined);
    },
  };
}

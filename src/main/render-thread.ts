import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Cut, Frame, Ground } from '../shared/cutout/compose.ts';
import { AppError, toWireError } from '../shared/errors.ts';
import type { Bitmap } from '../shared/mask/bitmap.ts';
import type { Pixels } from '../shared/views/coverage.ts';
import type { Overlay } from '../shared/views/overlay.ts';
import { packageFolder } from './version.ts';

/** What the thread is asked. */
export type Drawing =
  | (Omit<Overlay, 'lettering'> & { readonly kind: 'overlay'; readonly pixels: Pixels; readonly text: boolean })
  | {
      readonly kind: 'cutout';
      readonly rgb: Uint8Array;
      readonly mask: Bitmap;
      readonly softPx: number;
      readonly soft: Uint8Array | null;
      readonly ground: Ground;
      readonly frame: Frame;
    };

/** A thread for the pictures of one job, started with its first question. */
export interface RenderThread {
  /** One question at a time. Throws AppError `cancelled` once the signal aborts, and `internal` when the thread fails. */
  draw(drawing: Drawing): Promise<Cut>;
  close(): Promise<void>;
}

export function createRenderThread(signal: AbortSignal): RenderThread {
  let worker: Worker | null = null;

  async function draw(drawing: Drawing): Promise<Cut> {
    if (signal.aborted) throw cancelled();
    const started = (worker ??= new Worker(workerFile()));
    try {
      // Copied, not transferred: the runtime may refuse to give away what sharp's native side holds.
      started.postMessage(drawing);
      const answers: unknown[] = await once(started, 'message', { signal });
      return answers[0] as Cut;
    } catch (thrown) {
      worker = null;
      await started.terminate();
      if (thrown instanceof Error && thrown.name === 'AbortError') throw cancelled();
      throw new AppError('internal', `The picture could not be made: ${toWireError(thrown).message}`, {}, thrown);
    }
  }

  return {
    draw,
    async close() {
      await worker?.terminate();
      worker = null;
    },
  };
}

function cancelled(): AppError {
  return new AppError('cancelled', 'Cancelled; pictures that were written stay.');
}

/** Run from its source, or from the build. */
function workerFile(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? 'src/main/render-worker.ts' : 'dist/main/render-worker.js', packageFolder);
}

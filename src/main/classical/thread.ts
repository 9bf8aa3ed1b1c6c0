import { Worker } from 'node:worker_threads';
import type { ParsedQuestion } from '../../shared/classical/questions.ts';
import { AppError, fromWireError } from '../../shared/errors.ts';
import { beginDecoding } from '../inference/pixels.ts';
import { packageFolder } from '../version.ts';
import type { ThreadAnswer, ThreadMethod, ThreadQuestions } from './messages.ts';
import { SLOTS } from './messages.ts';
import type { Path } from './path.ts';
import type { Segmented } from './segment.ts';

/** Larger images are worked on, borders too, at this size: 192 MB. */
const MOST_PIXELS = 64_000_000;
/** Images that are kept decoded. */
const KEPT = 2;
/** A thread that nobody asked for so long is ended, and with it its memory. */
const IDLE_MS = 5 * 60_000;

/** An image file, and a name for its content: the same key is not decoded again. */
export interface ClassicalImage {
  readonly key: string;
  /** Absolute. */
  readonly path: string;
}

/**
 * The thread of the classical methods, started at the first question. Errors are those of the decoder and of
 * the methods; a signal gives a question up (`cancelled`).
 */
export interface ClassicalThread {
  /** Makes an image ready; answers with the size that borders are decided at. Two are kept, the last used ones. */
  open(image: ClassicalImage, signal?: AbortSignal): Promise<{ readonly width: number; readonly height: number }>;
  /** `draft`: sooner, with coarser borders where the image is large. */
  segment(image: ClassicalImage, question: ParsedQuestion, draft: boolean, signal?: AbortSignal): Promise<Segmented>;
  path(
    image: ClassicalImage,
    from: readonly [number, number],
    to: readonly [number, number],
    snap: number,
    signal?: AbortSignal,
  ): Promise<Path>;
  /** Ends the thread; what it was asked fails with `cancelled`. */
  close(): Promise<void>;
}

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

interface Running {
  readonly worker: Worker;
  readonly flags: Int32Array;
  readonly waiting: Map<number, Waiting>;
  /** By key, the one used last at the end. */
  readonly images: Map<string, Promise<{ readonly width: number; readonly height: number }>>;
}

export function createClassicalThread(): ClassicalThread {
  let running: Running | null = null;
  let lastId = 0;
  let idle: NodeJS.Timeout | undefined;
  let closed = false;

  function start(): Running {
    if (closed) throw new AppError('cancelled', 'The studio is closing.');
    const flags = new Int32Array(new SharedArrayBuffer(SLOTS * 4));
    const worker = new Worker(workerFile(), { workerData: flags });
    const started: Running = { worker, flags, waiting: new Map(), images: new Map() };
    worker.on('message', (told: ThreadAnswer) => {
      const waiting = started.waiting.get(told.id);
      started.waiting.delete(told.id);
      if (told.ok) waiting?.resolve(told.answer);
      else waiting?.reject(fromWireError(told.error));
      if (started.waiting.size === 0) rest(started);
    });
    worker.on('error', (error: Error) =>
      end(started, new AppError('internal', `The classical methods stopped: ${error.message}`, {}, error)),
    );
    worker.on('exit', () => end(started, new AppError('cancelled', 'The thread of the classical methods has ended.')));
    running = started;
    return started;
  }

  /** Nothing to do: the thread keeps no process alive, and is ended after a while. */
  function rest(started: Running): void {
    started.worker.unref();
    idle = setTimeout(() => void started.worker.terminate(), IDLE_MS).unref();
  }

  function end(started: Running, error: AppError): void {
    if (running === started) running = null;
    for (const waiting of started.waiting.values()) waiting.reject(error);
    started.waiting.clear();
  }

  function ask<M extends ThreadMethod>(
    method: M,
    asked: ThreadQuestions[M]['ask'],
    signal: AbortSignal | undefined,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<ThreadQuestions[M]['answer']> {
    const to = running ?? start();
    clearTimeout(idle);
    to.worker.ref();
    const id = ++lastId;
    const giveUp = (): void => void Atomics.store(to.flags, id % SLOTS, id);
    signal?.addEventListener('abort', giveUp, { once: true });
    return new Promise<ThreadQuestions[M]['answer']>((resolve, reject) => {
      to.waiting.set(id, { resolve: (answer) => resolve(answer as ThreadQuestions[M]['answer']), reject });
      to.worker.postMessage({ id, method, ask: asked }, transfer);
    }).finally(() => signal?.removeEventListener('abort', giveUp));
  }

  async function send({ key, path }: ClassicalImage): Promise<{ readonly width: number; readonly height: number }> {
    const { header, pixels } = await beginDecoding(path, MOST_PIXELS);
    const decoded = await pixels;
    const buffer = new ArrayBuffer(decoded.data.byteLength);
    const data = new Uint8Array(buffer);
    data.set(decoded.data);
    return ask('open', { key, width: header.width, height: header.height, fine: { ...decoded, data } }, undefined, [buffer]);
  }

  async function ensure(
    image: ClassicalImage,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly width: number; readonly height: number }> {
    const { images } = running ?? start();
    let opened = images.get(image.key);
    if (!opened) {
      opened = send(image);
      opened.catch(() => images.delete(image.key));
    }
    images.delete(image.key);
    images.set(image.key, opened);
    for (const key of [...images.keys()].slice(0, -KEPT)) {
      const dropped = images.get(key);
      images.delete(key);
      void dropped?.then(() => ask('drop', { key }, undefined)).catch(() => undefined);
    }
    const size = await opened;
    if (signal?.aborted) throw new AppError('cancelled', 'The question was given up.');
    return size;
  }

  return {
    open: ensure,
    async segment(image, question, draft, signal) {
      await ensure(image, signal);
      return ask('segment', { key: image.key, question, draft }, signal);
    },
    async path(image, from, to, snap, signal) {
      await ensure(image, signal);
      return ask('path', { key: image.key, from, to, snap }, signal);
    },
    async close() {
      closed = true;
      clearTimeout(idle);
      await running?.worker.terminate();
    },
  };
}

/** Run from its source, or from the build. */
function workerFile(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? 'src/main/classical/worker.ts' : 'dist/main/classical-worker.js', packageFolder);
}

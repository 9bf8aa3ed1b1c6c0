import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { AppError } from '../shared/errors.ts';
import type { SampleScene } from '../shared/scenes/index.ts';
import { SAMPLE_SCENES } from '../shared/scenes/index.ts';
import { encodeJpeg } from './inference/pixels.ts';
import { makeFolder } from './make-folder.ts';
import { packageFolder } from './version.ts';

const MOST_THREADS = 4;

/**
 * Writes the sample project's pictures as JPEGs into `folder`, which is made where it is absent.
 * Pictures that are there are left alone. They are drawn in threads, so that the caller's own goes on
 * answering. `onProgress` is told how many of how many are there. Answers with the paths of the files.
 */
export async function writeSample(
  folder: string,
  onProgress: (done: number, total: number) => void = () => undefined,
  signal?: AbortSignal,
): Promise<string[]> {
  makeFolder(folder);
  const missing = SAMPLE_SCENES.filter(({ name }) => !existsSync(join(folder, name)));
  let done = SAMPLE_SCENES.length - missing.length;
  onProgress(done, SAMPLE_SCENES.length);
  const draw = async (): Promise<void> => {
    const worker = new Worker(workerFile());
    try {
      for (let scene = missing.shift(); scene && !signal?.aborted; scene = missing.shift()) {
        await writeScene(join(folder, scene.name), scene, await drawn(worker, scene));
        onProgress(++done, SAMPLE_SCENES.length);
      }
    } finally {
      await worker.terminate();
    }
  };
  const threads = Math.min(missing.length, MOST_THREADS, availableParallelism());
  await Promise.all(Array.from({ length: threads }, draw));
  signal?.throwIfAborted();
  return SAMPLE_SCENES.map(({ name }) => join(folder, name));
}

/** Run from its source, or from the build. */
function workerFile(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? 'src/main/sample-worker.ts' : 'dist/main/sample-worker.js', packageFolder);
}

/** `once` also rejects when the thread fails. */
async function drawn(worker: Worker, scene: SampleScene): Promise<Uint8Array> {
  worker.postMessage(scene);
  const answer: unknown[] = await once(worker, 'message');
  const [rgb] = answer;
  if (!(rgb instanceof Uint8Array)) throw new AppError('internal', `${scene.name} could not be drawn.`, { path: scene.name });
  return rgb;
}

async function writeScene(file: string, { width, height }: SampleScene, data: Uint8Array): Promise<void> {
  await writeFile(`${file}.partial`, await encodeJpeg({ width, height, data }, 92));
  await rename(`${file}.partial`, file);
}

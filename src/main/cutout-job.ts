import { resolve } from 'node:path';
import type { CutoutReport } from '../shared/answers/cutouts.ts';
import type { CutoutOptions } from '../shared/calls/cutouts.ts';
import { AppError } from '../shared/errors.ts';
import type { CutObject } from './cutout.ts';
import { checkBackground, cutPictures, groundSize, makeCut, planCut } from './cutout.ts';
import type { RgbImage } from './inference/pixels.ts';
import { decodeRgb, encodePng } from './inference/pixels.ts';
import { createPictureFiles, takenReason } from './render-files.ts';
import { createRenderThread } from './render-thread.ts';

/** An image with something to be cut out of it. */
export interface CutSubject {
  /** As the report names it. */
  readonly path: string;
  /** Absolute; only read. */
  readonly file: string;
  /** What the names of its pictures begin with, with `/` for folders. */
  readonly stem: string;
  /** Throws an AppError with the reason where there is none to be had. */
  objects(): Promise<readonly CutObject[]>;
}

type Job = Omit<CutoutOptions, 'target'>;

/**
 * Writes the cut-outs of all subjects into `job.out`. An image that can't be read, an object without a pixel, a
 * picture that is there already: each is listed, and the rest goes on. Throws AppError `cancelled`, `io` (the
 * folder or the disk) and whatever is wrong with the background.
 */
export async function writeCutouts(
  subjects: readonly CutSubject[],
  job: Job,
  signal: AbortSignal,
  onProgress: (done: number, total: number) => void,
): Promise<CutoutReport> {
  const started = performance.now();
  const out = resolve(job.out);
  const files = createPictureFiles(out, job.overwrite);
  const skipped: { path: string; reason: string }[] = [];
  let cut = 0;
  await checkBackground(job.background);
  const ground = await groundSize(job.background);
  const thread = createRenderThread(signal);
  try {
    for (const [done, subject] of subjects.entries()) {
      onProgress(done, subjects.length);
      const leaveOut = (reason: string): void => void skipped.push({ path: subject.path, reason });
      try {
        if (signal.aborted) throw new AppError('cancelled', 'Cancelled.');
        let image: RgbImage | null = null;
        for (const { name, objects } of cutPictures(await subject.objects(), subject.stem, job.together)) {
          const file = `${name}.png`;
          if (files.isTaken(file)) {
            leaveOut(takenReason(file));
            continue;
          }
          image ??= await decodeRgb(subject.file);
          const plan = planCut(
            objects.map((object) => object.geometry),
            image,
            job,
            ground,
          );
          if (!plan) {
            leaveOut(`${file} would have no pixel`);
            continue;
          }
          const picture = await makeCut(thread, image, plan, job, objects.length === 1 ? (objects[0]?.soft ?? null) : null);
          await files.write(file, await encodePng(picture.data, picture.width, picture.height, picture.channels));
          cut += objects.length;
        }
      } catch (thrown) {
        if (signal.aborted) {
          throw new AppError('cancelled', `Cancelled after ${files.written.length} pictures, which stay in ${out}.`, { out }, thrown);
        }
        // What is wrong with one image; the rest goes on.
        if (!(thrown instanceof AppError) || (thrown.detail['reason'] === undefined && thrown.code !== 'not-found')) throw thrown;
        leaveOut(String(thrown.detail['reason'] ?? thrown.message));
      }
    }
  } finally {
    await thread.close();
  }
  onProgress(subjects.length, subjects.length);
  return { out, files: files.written, skipped, objects: cut, ms: Math.round(performance.now() - started) };
}

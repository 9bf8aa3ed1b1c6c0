import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import type { ResultsReport } from '../shared/answers.ts';
import { AppError, toWireError } from '../shared/errors.ts';
import type { Store } from './store/store.ts';

/**
 * Writes what a run proposed as a COCO results file: an array with RLE, score, box, `image_id` and `category_id` of the
 * project, and `file_name` and `category_name` beside them, so that it can be matched to any truth. Every suggestion of the
 * run, also those that repeat an instance; one image in memory at a time; first under a temporary name.
 * @throws AppError `not-found` (no such run), `io` naming the file.
 */
export async function writeResults(store: Store, runId: number, file: string): Promise<ResultsReport> {
  store.runs.get(runId);
  const path = resolve(file);
  const partial = join(dirname(path), `.${basename(path)}.${process.pid}.partial`);
  const names = new Map(store.labels.list().map(({ id, name }) => [id, name]));
  let images = 0;
  let results = 0;
  try {
    const out = createWriteStream(partial, { flush: true });
    // A full disk ends the loop, not the process.
    const ended = finished(out);
    ended.catch(() => undefined);
    const write = async (text: string): Promise<void> => {
      if (!out.write(text)) await Promise.race([once(out, 'drain'), ended]);
    };
    await write('[');
    for (const imageId of store.runs.done(runId)) {
      const image = store.images.get(imageId);
      images++;
      for (const { labelId, score, box, rle } of store.runs.suggestions(runId, imageId)) {
        const result = {
          image_id: imageId,
          category_id: labelId,
          segmentation: { size: rle.size, counts: rle.counts },
          score,
          bbox: box,
          file_name: image.path,
          category_name: names.get(labelId) ?? '',
        };
        await write(`${results++ === 0 ? '\n' : ',\n'}${JSON.stringify(result)}`);
      }
    }
    await write('\n]\n');
    out.end();
    await ended;
    await rename(partial, path);
    return { file: path, images, results };
  } catch (thrown) {
    await rm(partial, { force: true });
    if (thrown instanceof AppError) throw thrown;
    throw new AppError('io', `${path} cannot be written: ${toWireError(thrown).message}`, { path }, thrown);
  }
}

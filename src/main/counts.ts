import { basename, dirname, resolve } from 'node:path';
import type { CountsReport } from '../shared/answers/views.ts';
import { AppError } from '../shared/errors.ts';
import type { ImageRecord, Label } from '../shared/records.ts';
import { countsCsv } from '../shared/views/counts-csv.ts';
import { createPictureFiles } from './render-files.ts';
import type { ImageCount } from './store/counts.ts';

/**
 * Instances by image and class, with totals; with `file` also as CSV. Throws AppError `conflict` where the file is
 * there already and `overwrite` is false, and `io`.
 */
export async function writeCounts(
  source: { readonly labels: readonly Label[]; readonly images: Iterable<ImageRecord>; readonly counts: readonly ImageCount[] },
  options: { readonly file: string | null; readonly overwrite: boolean },
): Promise<CountsReport> {
  const totals = new Map<number, { annotations: number; suggestions: number; images: number }>();
  for (const { labelId, annotations, suggestions } of source.counts) {
    const total = totals.get(labelId) ?? { annotations: 0, suggestions: 0, images: 0 };
    total.annotations += annotations;
    total.suggestions += suggestions;
    total.images += 1;
    totals.set(labelId, total);
  }
  const images = [...source.images];
  const file = options.file === null ? null : resolve(options.file);
  if (file !== null) {
    const files = createPictureFiles(dirname(file), options.overwrite);
    if (files.isTaken(basename(file))) {
      throw new AppError('conflict', `${file} is there already. Choose another name, or allow it to be replaced.`, { path: file });
    }
    await files.write(basename(file), Buffer.from(countsCsv(source.labels, images, source.counts)));
  }
  return {
    file,
    images: images.length,
    classes: source.labels.map(({ id, name }) => ({ name, ...(totals.get(id) ?? { annotations: 0, suggestions: 0, images: 0 }) })),
  };
}

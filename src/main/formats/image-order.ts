import type { ImageRecord } from '../../shared/records.ts';
import type { DatasetSource, Finding, WriteOptions } from './dataset.ts';
import { stemOf } from './folder.ts';
import type { NumberedAnnotation } from './source.ts';

/** One image that a writer of a file an image has to write. */
export interface WrittenImage {
  readonly image: ImageRecord;
  readonly instances: readonly NumberedAnnotation[];
  /** Of the annotation file, relative to the folder, without its ending; unique in any case of letters. */
  readonly stem: string;
}

/**
 * The images to write, one at a time, with progress; tells of each that is left out: those that cannot be read, and, if
 * asked, those without instances. Throws the signal's reason when aborted.
 */
export function* imagesToWrite(source: DatasetSource, options: WriteOptions, tell: (finding: Finding) => void): Generator<WrittenImage> {
  const taken = new Set<string>();
  let done = 0;
  for (const image of source.images()) {
    options.signal?.throwIfAborted();
    const instances = source.document(image.id);
    const reason = reasonToLeaveOut(image, instances.length, options.includeEmpty !== false);
    if (reason !== null) {
      tell({ kind: 'lost', what: 'image', id: image.path, ...reason });
      for (const { number } of instances) options.onInstance?.(number, 'left-out');
      options.onImage?.(image.id, null);
    } else {
      const stem = [stemOf(image.path), image.path].find((each) => !taken.has(each.toLowerCase())) ?? `${image.path}.${image.id}`;
      taken.add(stem.toLowerCase());
      yield { image, instances, stem };
    }
    options.onProgress?.(++done, source.imageCount);
  }
}

/** Why an image cannot be in a dataset, or is not wanted there; null where it is. */
export function reasonToLeaveOut(image: ImageRecord, instances: number, includeEmpty: boolean): Pick<Finding, 'reason' | 'message'> | null {
  if (image.error !== null) return { reason: 'image-unreadable', message: `${image.path}: ${image.error}` };
  if (image.width <= 0 || image.height <= 0) return { reason: 'image-unreadable', message: `${image.path}: its size is not known.` };
  return instances === 0 && !includeEmpty ? { reason: 'image-empty', message: `${image.path} has no instance.` } : null;
}

import type { Annotation, ImageRecord, Label } from '../../shared/records.ts';
import { openSnapshot, storageError } from './database.ts';
import { contentReader } from './documents.ts';
import { createImages } from './images.ts';
import { createLabels } from './labels.ts';

/** A project at one moment, read through a connection and a transaction of its own. */
export interface ProjectSnapshot {
  readonly labels: readonly Label[];
  readonly imageCount: number;
  /** In the order of the image list, a page at a time; can be read again from the start. */
  images(): Iterable<ImageRecord>;
  /** In paint order, with the stable number each has in exports. */
  document(imageId: number): { readonly number: number; readonly annotation: Annotation }[];
  close(): void;
}

const PAGE = 500;

/** Throws AppError `storage` or `io`, naming the file. Close it: it keeps the log from being folded in. */
export function openProjectSnapshot(file: string): ProjectSnapshot {
  const { db, close } = openSnapshot(file);
  try {
    const readOnly = <T>(work: () => T): T => work();
    const images = createImages(db, readOnly);
    const content = contentReader(db);
    const numberOf = db.prepare<[string], number>('SELECT number FROM annotation_number WHERE uid = ?').pluck();
    return {
      labels: createLabels(db, readOnly).list(),
      imageCount: images.summary().images,
      *images() {
        for (let offset = 0; ; offset += PAGE) {
          const { rows } = images.page({ offset, limit: PAGE, search: '', states: [] });
          yield* rows;
          if (rows.length < PAGE) return;
        }
      },
      document: (imageId) => content(imageId).annotations.map((annotation) => ({ number: numberOf.get(annotation.id) ?? 0, annotation })),
      close,
    };
  } catch (thrown) {
    close();
    throw storageError(thrown, file);
  }
}

import { existsSync } from 'node:fs';
import { isAbsolute, join, sep } from 'node:path';
import type { Annotation, ImageRecord, Label } from '../../shared/records.ts';
import type { DatasetSource } from '../formats/dataset.ts';
import { openSnapshot, storageError } from './database.ts';
import { contentReader, toAnnotation } from './documents.ts';
import { createImages } from './images.ts';
import type { ImportedTexts } from './imported.ts';
import { importedTexts } from './imported.ts';
import { createLabels } from './labels.ts';
import { splitReader } from './splits.ts';

/** A project at one moment, read through a connection and a transaction of its own. */
export interface ProjectSnapshot extends ImportedTexts {
  readonly labels: readonly Label[];
  readonly imageCount: number;
  /** In the order of the image list, a page at a time; can be read again from the start. */
  images(): Iterable<ImageRecord>;
  /** In paint order, with the stable number each has in exports. */
  document(imageId: number): { readonly number: number; readonly annotation: Annotation }[];
  /** The split that an image is in, or null. */
  split(imageId: number): string | null;
  close(): void;
}

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
      imageCount: images.count(),
      images: () => images.each(),
      document: (imageId) => content(imageId).annotations.map((annotation) => ({ number: numberOf.get(annotation.id) ?? 0, annotation })),
      split: splitReader(db),
      ...importedTexts(db, toAnnotation),
      close,
    };
  } catch (thrown) {
    close();
    throw storageError(thrown, file);
  }
}

/** A snapshot as writers of any format take it. `folder` is the images', absolute. */
export function datasetOf(snapshot: ProjectSnapshot, projectName: string, folder: string): DatasetSource {
  return {
    ...snapshot,
    projectName,
    folder,
    fileOf({ path }) {
      // A project file can come from anybody: its paths lead nowhere but into its folder.
      if (isAbsolute(path) || path.split(/[\\/]/).includes('..')) return null;
      const file = join(folder, path.split('/').join(sep));
      return existsSync(file) ? file : null;
    },
  };
}

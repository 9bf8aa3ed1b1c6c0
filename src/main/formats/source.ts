import type { Annotation, ImageRecord, Label } from '../../shared/records.ts';

/** One annotation with the number it has in every export: a positive integer of the store, never reused. */
export interface NumberedAnnotation {
  readonly number: number;
  readonly annotation: Annotation;
}

/**
 * What an export reads. It must be a snapshot: the written file is compared with a second reading of
 * the same source, so an edit in between may not show (a read transaction of its own in SQLite).
 */
export interface ExportSource {
  readonly projectName: string;
  /** Absolute path of the images' folder. Nothing is written there by an export. */
  readonly folder: string;
  /** In the project's order. */
  readonly labels: readonly Label[];
  /** How many images `images()` yields, for progress. */
  readonly imageCount: number;
  /** All images in a fixed order, readable again from the start, a page at a time. */
  images(): Iterable<ImageRecord>;
  /** The annotations of one image, in image space as oriented by EXIF. */
  document(imageId: number): readonly NumberedAnnotation[];
}

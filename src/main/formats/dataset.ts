import type { Finding, FormatId } from '../../shared/formats.ts';
import type { Annotation, Geometry, ImageRecord } from '../../shared/records.ts';
import type { PixelMeasure } from './coco-measure.ts';
import type { ImageFiles } from './folder.ts';
import type { ExportSource } from './source.ts';

/**
 * What a dataset of any format is made of, between its reader and the project (or another format's writer). A reader
 * tells a sink everything it finds, in any order the file has it; the sink keeps it outside of memory. Keys are the
 * reader's own: positive integers, unique for their kind within one reading.
 */

export type { Finding, FindingKind, FormatId } from '../../shared/formats.ts';
export { FINDING_KINDS, FORMAT_IDS } from '../../shared/formats.ts';

export interface DatasetCategory {
  readonly key: number;
  /** As the file names it; names may repeat. */
  readonly name: string;
  /** `#RRGGBB` where the format has colours. */
  readonly color: string | null;
  /** The record as it stood in the file (COCO: its very text; else JSON of what we do not know), or null. */
  readonly source: string | null;
  /** The record is what `source` alone says, without a repair: it may be written again as it stands. */
  readonly inSource?: boolean;
}

export interface DatasetImage {
  readonly key: number;
  /** As the file says it, with `/`; may lead into folders. */
  readonly path: string;
  /** Pixels, as the file says; null where the format does not say. */
  readonly width: number | null;
  readonly height: number | null;
  /** `train`, `val`, `test` or a name of the file's own; null where it has no splits. */
  readonly split: string | null;
  readonly source: string | null;
  readonly inSource?: boolean;
}

export interface DatasetInstance {
  readonly key: number;
  readonly imageKey: number;
  readonly categoryKey: number;
  /** In the pixel space of the image as the file means it, see `DatasetReader.space`. */
  readonly geometry: Geometry;
  readonly crowd: boolean;
  readonly source: string | null;
  /**
   * The file's own id where it is a whole number above 0 that no other instance of the reading has: the project takes it
   * as its number if it is free.
   */
  readonly number?: number | null;
  /**
   * `geometry` is what `geometryOfRecord` (COCO) reads from `source` alone, and fits the image's size as the file says
   * it: it need not be kept, or looked at, a second time.
   */
  readonly inSource?: boolean;
  /**
   * What an instance that is `inSource` measures on an image of the size the file says (`measureShape`), where the reader has it
   * anyway: statistics then need not read the text again.
   */
  readonly measured?: PixelMeasure | null;
}

/** Takes what a reader finds. Synchronous and cheap: a dataset may have a million instances. */
export interface DatasetSink {
  category(category: DatasetCategory): void;
  image(image: DatasetImage): void;
  instance(instance: DatasetInstance): void;
  finding(finding: Finding): void;
  /** What belongs to the whole file (COCO's `info`, `licenses`, unknown keys): its key, and the text as it stood. */
  rest(key: string, source: string): void;
}

export interface ReadOptions {
  /** Folder of the images, absolute. */
  readonly images: string;
  /** The image files there, where they are known already; paths in annotation files are matched with them. */
  readonly files?: ImageFiles;
  /** Width and height of an image file by its path in the dataset, as shown (EXIF); null where there is none or it cannot be read. */
  sizeOf(path: string): Promise<{ readonly width: number; readonly height: number } | null>;
  /** Of maps that do not tell instances apart: all of a class is one instance, or each connected piece (over corners, too) is. */
  readonly regions?: 'class' | 'components';
  readonly signal?: AbortSignal;
  /** Bytes or files; at most a few a second matter. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface DatasetReader {
  /**
   * Whether coordinates are of the image as EXIF turns it, of the file's own rows and columns, or whichever of the two
   * the size in the file agrees with.
   */
  readonly space: 'oriented' | 'raw' | 'by-size';
  /** Whether the place looks like this format: cheap, no exception; 0 no, 1 certainly. */
  detect(place: string): Promise<number>;
  /**
   * Reads a file or folder. Throws AppError `io` or `invalid` naming the file, and the line, key or id, where the file as a
   * whole cannot be understood; whatever is wrong with a single record is a finding.
   */
  read(place: string, sink: DatasetSink, options: ReadOptions): Promise<void>;
}

export interface WriteOptions {
  /** Where images are put beside the annotations. `link`: a hard link, a copy where the disk cannot. */
  readonly images: 'leave' | 'copy' | 'link';
  /** False leaves out images without instances; the writer tells of each. */
  readonly includeEmpty?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
  /** For the comparison with what is read back: the path that the image has in the files, or null where it is not in them. */
  readonly onImage?: (imageId: number, path: string | null) => void;
  /** The same for an instance, by number, that is not in the files, or is with other pixels; its finding says why. */
  readonly onInstance?: (number: number, how: 'left-out' | 'changed') => void;
}

export interface DatasetWriter {
  /** What the format cannot hold, in words for the user, whatever the project has. */
  readonly limits: readonly string[];
  /**
   * Least IoU of an instance that is written and read back, 1 where the format is exact; null where instances cannot be
   * told apart after it (one class per pixel).
   */
  readonly fidelity: number | null;
  /** What `fidelity` is about, masks when absent: a format of boxes keeps the boxes of masks. */
  readonly keeps?: 'masks' | 'boxes';
  /**
   * Writes into an empty folder. Whatever is lost is told. Throws AppError `invalid`, `internal`, `io`, `cancelled`; the
   * caller removes the folder then.
   */
  write(source: DatasetSource, folder: string, options: WriteOptions, tell: (finding: Finding) => void): Promise<void>;
}

/** A format: one file, one line in the registry. */
export interface Format {
  readonly id: FormatId;
  /** As users call it. */
  readonly name: string;
  readonly reader: DatasetReader;
  /** COCO has writers of its own kind (`export.ts`). */
  readonly writer: DatasetWriter | null;
}

/** The text that a record was read from, and whether it may be written again as it stands. */
export interface SourceText {
  readonly format: FormatId;
  readonly text: string;
  /**
   * The record still is what the text says by itself: neither a person nor a repair changed it. An edit that was undone
   * counts as none.
   */
  readonly untouched: boolean;
  /** The text's coordinates are of the file's own rows and columns, and the image is one that EXIF turns. */
  readonly raw: boolean;
  /** The text's id is 0, missing, or taken by another import: the record goes by the project's number. */
  readonly renumbered: boolean;
}

/** An annotation in the order of the files that were imported. Geometry is only read when it is asked for. */
export interface OrderedAnnotation {
  readonly number: number;
  readonly imageId: number;
  /** As in `annotation()`, where it is known without reading the geometry. */
  readonly labelId?: number;
  readonly source: SourceText | null;
  annotation(): Annotation;
}

/** An image in the order of the files that were imported, with the text of its record as `sourceOf` has it. */
export interface OrderedImage {
  readonly id: number;
  readonly source: SourceText | null;
}

/** What writers read: a project at one moment, or a dataset that was just read. */
export interface DatasetSource extends ExportSource {
  /** The split that an image is in, or null. */
  split(imageId: number): string | null;
  /** Text kept from the file that it was imported from, and that file's format; null where it has none. */
  sourceOf(kind: 'category' | 'image' | 'annotation', id: number): SourceText | null;
  /** All images: first those that were imported, in the order of their files, then the others as in `images()`. */
  imageOrder(): Iterable<OrderedImage>;
  /** All annotations: first those that were imported, in the order of their files, then the others by image and number. */
  annotationOrder(): Iterable<OrderedAnnotation>;
  /** Keys of the imported file as a whole, in its order. */
  rest(): readonly { readonly key: string; readonly text: string; readonly format?: FormatId }[];
  /** Where the file of an image lies, absolute; null where it is not there. */
  fileOf(image: ImageRecord): string | null;
}

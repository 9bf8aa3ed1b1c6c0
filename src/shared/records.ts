/**
 * The data of a project, as every part of the studio sees it. All of it is immutable plain data that
 * survives JSON and structured cloning. Coordinates are *image space*: pixels of the image as
 * oriented by EXIF, origin at the top left corner of the top left pixel, x right, y down; a pixel
 * (i, j) covers [i, i+1) x [j, j+1).
 */

/** A closed ring, flat `x0, y0, x1, y1, ...`, at least three points, first point not repeated. */
export type Ring = readonly number[];

/** One part of a polygon: an outer ring and the holes inside it. */
export interface PolygonPart {
  readonly outer: Ring;
  readonly holes: readonly Ring[];
}

/** `x, y, width, height`, as COCO's `bbox`. */
export type Box = readonly [x: number, y: number, width: number, height: number];

/**
 * COCO's compressed run-length encoding: column-major runs, starting with zeros, in pycocotools'
 * LEB128-like ASCII (maskApi.c `rleToString`). `size` is `[height, width]`.
 */
export interface Rle {
  readonly size: readonly [height: number, width: number];
  readonly counts: string;
}

/** What an instance looks like. A mask stays a mask: pixels are never lost by turning it to rings. */
export type Geometry =
  | { readonly kind: 'polygon'; readonly parts: readonly PolygonPart[] }
  | { readonly kind: 'mask'; readonly rle: Rle }
  | { readonly kind: 'box'; readonly box: Box };

/** A class. `id` is the COCO category id: from 1, never reused, never moved. */
export interface Label {
  readonly id: number;
  readonly name: string;
  /** `#RRGGBB` */
  readonly color: string;
  /** `'1'`..`'9'` or null */
  readonly hotkey: string | null;
  /** Place in lists and exports, from 0. */
  readonly position: number;
}

export const IMAGE_STATES = ['new', 'predicted', 'in-progress', 'done', 'skipped'] as const;
export type ImageState = (typeof IMAGE_STATES)[number];

/** One image of the project. `width`/`height` are of the oriented image; 0 while unreadable. */
export interface ImageRecord {
  readonly id: number;
  /** Relative to the project's folder, with `/` on every platform. */
  readonly path: string;
  readonly width: number;
  readonly height: number;
  /** EXIF orientation of the file, 1..8. */
  readonly orientation: number;
  readonly bytes: number;
  /** Hex digest of the file's content; `''` where the file could not be read. */
  readonly sha256: string;
  readonly state: ImageState;
  /** Revision of its document; 0 means never edited. */
  readonly revision: number;
  /** Why it cannot be used, or null. */
  readonly error: string | null;
  /** Something to know about a usable file, e.g. that its content changed after it was annotated. */
  readonly note?: string | null;
  readonly annotations: number;
  /** Suggestions not yet decided on, of the newest run. */
  readonly pending: number;
}

/** `drawn` by hand; `accepted` untouched from a suggestion; `corrected` from one; `imported`. */
export type Origin = 'drawn' | 'accepted' | 'corrected' | 'imported';

/** A human-made or human-approved instance. */
export interface Annotation {
  /** Unique in the project, made by whoever creates it (`crypto.randomUUID()`). */
  readonly id: string;
  readonly labelId: number;
  readonly geometry: Geometry;
  /** Paint order: higher is on top. */
  readonly z: number;
  /** COCO `iscrowd`. Never inferred from the geometry. */
  readonly crowd: boolean;
  readonly origin: Origin;
  /** The suggestion it came from, or null. */
  readonly suggestionId: number | null;
}

/** What a model proposed. Never changed after it was written. */
export interface Suggestion {
  readonly id: number;
  readonly runId: number;
  readonly labelId: number;
  /** 0..1 */
  readonly score: number;
  /** The model's own box, image space; not necessarily the box of the mask. */
  readonly box: Box;
  readonly rle: Rle;
}

export type Decision = 'accepted' | 'corrected' | 'rejected';

/** Everything known about one image at one revision. */
export interface ImageDocument {
  readonly imageId: number;
  readonly revision: number;
  readonly width: number;
  readonly height: number;
  readonly annotations: readonly Annotation[];
  readonly suggestions: readonly Suggestion[];
  /** Decision by suggestion id; a missing key is undecided. */
  readonly decisions: Readonly<Record<number, Decision>>;
  /** How many steps can be undone and redone from here (survives a restart). */
  readonly undoable: number;
  readonly redoable: number;
}

/** What a job that writes pictures answers with. */
export interface RenderReport {
  /** Absolute path of the folder. */
  readonly out: string;
  /** Relative to it, with `/`. */
  readonly files: readonly string[];
  /** Images without a picture, each with its reason. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
  readonly ms: number;
}

/** How far a job that writes pictures is. */
export interface PictureProgress {
  readonly job: 'render' | 'cutout';
  readonly done: number;
  readonly total: number;
}

/** Instances by class over the project. */
export interface CountsReport {
  /** Absolute path of the CSV, or null. */
  readonly file: string | null;
  readonly images: number;
  /** In the order of the classes; `images` have at least one instance or suggestion of it. */
  readonly classes: readonly {
    readonly name: string;
    readonly annotations: number;
    readonly suggestions: number;
    readonly images: number;
  }[];
}

export type TagState = 'accepted' | 'rejected';

/** A class that an image shows as a whole. */
export interface ImageTag {
  readonly labelId: number;
  /** Of the newest classifier run, 0..1; null where only a person said it. */
  readonly score: number | null;
  /** What a person said; null while nobody did. */
  readonly state: TagState | null;
}

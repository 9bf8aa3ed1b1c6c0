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

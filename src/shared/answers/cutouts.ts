import type { RenderReport } from './views.ts';

/** `objects`: how many were cut out, as several can be in one picture. */
export interface CutoutReport extends RenderReport {
  readonly objects: number;
}

/** A small picture for the eyes, not for use. */
export interface CutoutPreview {
  /** `data:image/png;base64,…` */
  readonly url: string;
  readonly width: number;
  readonly height: number;
  /** Size of the picture that would be written. */
  readonly fullWidth: number;
  readonly fullHeight: number;
  /** Its name. */
  readonly name: string;
}

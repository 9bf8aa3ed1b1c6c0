import type { ImportReadOptions } from '../../shared/calls/imports.ts';
import type { FormatId } from '../../shared/formats.ts';

/** What was chosen before the project was open: it is read at once. */
export type ImportBeginning = Pick<ImportReadOptions, 'format' | 'pixels' | 'regions'>;

/** A run, and the split of the images that it is compared on. */
export interface EvaluatedRun {
  readonly runId: number;
  readonly split: string;
  /** Only done images. */
  readonly done: boolean;
}

/** What lies over the window: one dialog at a time. */
export type DialogState =
  /** Without a project, the images' folder is asked for too. */
  | { readonly kind: 'import'; readonly place: string; readonly begin?: ImportBeginning }
  | { readonly kind: 'import-report' }
  /** Null: the newest. */
  | { readonly kind: 'import-undo'; readonly importId: number | null }
  | { readonly kind: 'export'; readonly format?: FormatId | 'mask-rcnn' }
  | { readonly kind: 'cutout' }
  | { readonly kind: 'pictures'; readonly what: 'overlays' | 'counts' }
  | { readonly kind: 'shortcuts' }
  | { readonly kind: 'palette' }
  | { readonly kind: 'models' }
  | { readonly kind: 'add-model'; readonly paths: readonly string[] }
  | { readonly kind: 'return' }
  | { readonly kind: 'providers' }
  | { readonly kind: 'statistics'; readonly tab: 'statistics' | 'splits' }
  /** With a run: that one is compared at once. */
  | { readonly kind: 'evaluation'; readonly of?: EvaluatedRun }
  | { readonly kind: 'label'; readonly labelId: number }
  | { readonly kind: 'failures'; readonly runId: number }
  | { readonly kind: 'confirm'; readonly title: string; readonly text: string; readonly action: string; readonly run: () => void };

import type { LeftOut } from '../answers.ts';
import type { ImageState } from '../records.ts';

/** What the calls about retraining answer with. */

export const BUNDLE_SPLITS = ['train', 'val', 'test'] as const;
export type BundleSplit = (typeof BUNDLE_SPLITS)[number];

/** How far the writing of a bundle is: images copied or linked, images written as annotations, instances read back. */
export interface BundleProgress {
  readonly stage: 'images' | 'writing' | 'comparing';
  readonly done: number;
  readonly total: number;
}

export interface BundlePart {
  readonly split: BundleSplit;
  readonly images: number;
  /** Of them without an instance. */
  readonly emptyImages: number;
  readonly annotations: number;
  readonly crowds: number;
}

/** A folder that trains as it lies. */
export interface BundleReport {
  readonly format: 'mask-rcnn';
  /** Absolute path of the folder. */
  readonly out: string;
  /** What lies in it at the top, folders with `/`. */
  readonly files: readonly string[];
  /** Those that have images. */
  readonly parts: readonly BundlePart[];
  /** In the order of training: the first one is the network's class 1. */
  readonly categories: readonly { readonly id: number; readonly name: string; readonly annotations: number; readonly training: number }[];
  readonly pixelSpace: string;
  /** Image files that were copied, and those that were linked instead. */
  readonly copied: number;
  readonly linked: number;
  /** Bytes of all image files. */
  readonly imageBytes: number;
  /** Everything left out, with its reason. */
  readonly skipped: readonly LeftOut[];
  /** What training will suffer from, in sentences; empty is good. */
  readonly warnings: readonly string[];
  /** What was decided about the splits on the way, since there were none; null where there were. */
  readonly splitsMade: string | null;
  /** Of the annotation files, read back by decoders of their own; areas and boxes in pixels. */
  readonly verified: BundleCheck;
  readonly ms: number;
}

export interface BundleCheck {
  readonly annotationsCompared: number;
  readonly minIou: number;
  readonly maxAreaDifference: number;
  readonly maxBoxDifference: number;
}

/** How far the return of a model is. */
export interface ReturnProgress {
  readonly stage: 'adding' | 'predicting' | 'evaluating';
  /** The model that is run, or null. */
  readonly modelId: string | null;
  readonly done: number;
  readonly total: number;
}

/** What a model reached on the images that were kept out of its training; -1 where there is no truth to count. */
export interface ModelScore {
  readonly id: number;
  readonly modelId: string;
  readonly modelVersion: string;
  /** SHA-256 of its weights. */
  readonly sha256: string;
  readonly atMs: number;
  readonly split: BundleSplit;
  readonly images: number;
  readonly instances: number;
  /** The run whose suggestions were measured. */
  readonly runId: number;
  readonly segm: ScoreFigures;
  readonly bbox: ScoreFigures;
  readonly perClass: readonly { readonly name: string; readonly AP: number; readonly AP50: number; readonly instances: number }[];
}

export interface ScoreFigures {
  readonly AP: number;
  readonly AP50: number;
  readonly AP75: number;
}

/** A model that was trained elsewhere and is here now, beside the one before it. */
export interface ReturnReport {
  readonly modelId: string;
  readonly modelVersion: string;
  /** Whether it was here already, by its weights. */
  readonly known: boolean;
  /** Images in these states measured; empty: in any. */
  readonly states: readonly ImageState[];
  readonly after: ModelScore;
  /** The former model on the same images; null where there is none to compare with, and then why. */
  readonly before: ModelScore | null;
  readonly noBefore: string | null;
  /** What to know before the figures are believed, e.g. that it saw these images in training. */
  readonly warnings: readonly string[];
}

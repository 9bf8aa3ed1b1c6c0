import type { SplitOptions } from '../calls/splits.ts';

/** A division of the project's images: proposed, or made and frozen. */
export interface SplitReport {
  readonly options: SplitOptions;
  /** Null while it is only proposed. */
  readonly madeAtMs: number | null;
  /** Whether the images are still divided as when it was made; always true of a proposal. */
  readonly intact: boolean;
  readonly parts: readonly SplitPart[];
  /** Images in no part: not asked for, unreadable, or new since it was made. */
  readonly unassigned: number;
  /** What was kept together; null where each image stands for itself. */
  readonly groups: SplitGroups | null;
}

export interface SplitPart {
  readonly name: string;
  /** Asked for, of 1. */
  readonly share: number;
  readonly images: number;
  readonly instances: number;
  /** In the order of the classes, without those that have no instance anywhere. */
  readonly classes: readonly { readonly labelId: number; readonly name: string; readonly instances: number; readonly images: number }[];
}

export interface SplitGroups {
  readonly count: number;
  /** Groups of more than one image, the largest first, at most 100. */
  readonly listed: readonly SplitGroup[];
  /** Images too plain to be compared, each a group of its own; only of near-duplicates. */
  readonly plain: number;
}

export interface SplitGroup {
  /** Folder, or what the pattern found; of near-duplicates the first path. */
  readonly name: string;
  readonly part: string;
  /** At most 200. */
  readonly imageIds: readonly number[];
  readonly images: number;
}

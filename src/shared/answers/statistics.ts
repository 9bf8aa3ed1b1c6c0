import type { ImageState } from '../records.ts';
import type { Range } from '../statistics/ranges.ts';

/** A bar: how many there are in a range. */
export interface RangeCount extends Range {
  readonly count: number;
}

/** Figures of the images and instances of a project, or of one split or class of it. */
export interface StatisticsReport {
  readonly images: number;
  /** Images that cannot be used, among them. */
  readonly broken: number;
  /** Images with at least one instance (of the class, where one is asked for). */
  readonly annotated: number;
  readonly instances: number;
  readonly crowds: number;
  /** In the order of the classes; always all of them. */
  readonly classes: readonly ClassFigures[];
  /** COCO's three sizes, in their order. */
  readonly sizes: readonly RangeCount[];
  /** Instances by area, pixels. */
  readonly areas: readonly RangeCount[];
  /** Instances by width over height of the box. */
  readonly ratios: readonly RangeCount[];
  /** Images by number of instances. */
  readonly perImage: readonly RangeCount[];
  /** Instances by where the centre of their box is: `columns` × `rows` cells, row by row. */
  readonly heat: { readonly columns: number; readonly rows: number; readonly cells: readonly number[] };
  readonly states: readonly { readonly state: ImageState; readonly images: number; /** Without any instance. */ readonly empty: number }[];
  readonly time: TimeFigures;
  readonly splits: readonly { /** Null: in none. */ readonly name: string | null; readonly images: number; readonly instances: number }[];
}

export interface ClassFigures {
  readonly labelId: number;
  readonly name: string;
  readonly color: string;
  readonly instances: number;
  readonly images: number;
  readonly crowds: number;
  readonly small: number;
  readonly medium: number;
  readonly large: number;
}

/** From the journal: time between one change of an image and the next, a pause counting as at most `pauseMs`. */
export interface TimeFigures {
  readonly pauseMs: number;
  /** Images with at least two changes: the time before the first one is not known. */
  readonly images: number;
  readonly totalMs: number;
  /** Time that led to a change which added instances, by instance; null where no such change is known. */
  readonly medianMsPerInstance: number | null;
  readonly timedInstances: number;
  /** Images by time spent. */
  readonly perImage: readonly RangeCount[];
}

/** How far statistics or splits are. */
export interface StatisticsProgress {
  readonly stage: 'measuring' | 'hashing' | 'comparing';
  readonly done: number;
  readonly total: number;
}

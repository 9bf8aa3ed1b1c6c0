import type { CocoFigures } from '../evaluate/figures.ts';
import type { OverlapKind } from '../evaluate/dataset.ts';

/** One class, measured. `labelId` is the project's, which is the category id of its exports. */
export interface ClassEvaluation {
  readonly labelId: number;
  readonly name: string;
  readonly figures: CocoFigures;
  /** Truths that count (no crowds), and detections of any score. */
  readonly truths: number;
  readonly detections: number;
}

/** Precision over recall 0, 0.01 … 1, of one class or, as a mean of the classes, of all. */
export interface PrecisionRecall {
  /** Null: all classes. */
  readonly labelId: number | null;
  /** 101 values each, at IoU 0.50, at 0.75, and the mean over 0.50 … 0.95. */
  readonly at50: readonly number[];
  readonly at75: readonly number[];
  readonly mean: readonly number[];
  /** Lowest score with which each recall is reached at IoU 0.50; null beyond the last, and for all classes. */
  readonly scores: readonly (number | null)[] | null;
}

/** COCO's figures of one kind of overlap. */
export interface KindEvaluation {
  readonly kind: OverlapKind;
  readonly figures: CocoFigures;
  /** In the order of the classes. */
  readonly perClass: readonly ClassEvaluation[];
  readonly curves: readonly PrecisionRecall[];
}

/** What was compared with the truth. */
export interface EvaluatedSource {
  readonly kind: 'run' | 'model' | 'file';
  /** For people: the model's id and version, or the file's name. */
  readonly name: string;
  readonly modelId: string | null;
  readonly runId: number | null;
}

export interface EvaluationReport {
  /** For `evaluation.look` and `evaluation.cases`, until the next one is made or the project is closed. */
  readonly id: number;
  readonly source: EvaluatedSource;
  readonly split: string | null;
  readonly minScore: number;
  /** Images whose annotations were the truth, and how many the choice left out, by reason. */
  readonly images: number;
  readonly left: {
    /** In another state than asked for. */
    readonly state: number;
    readonly split: number;
    /** The model never looked at them: they count neither as found nor as missed. */
    readonly notPredicted: number;
    readonly unreadable: number;
  };
  readonly truths: number;
  readonly crowds: number;
  readonly detections: number;
  /** Detections of a file that fit no image or no class of the project, and what they named; the first few. */
  readonly unmatched: { readonly detections: number; readonly names: readonly string[] };
  readonly segm: KindEvaluation;
  readonly bbox: KindEvaluation;
  readonly ms: number;
}

/** Right and wrong at one IoU and score, by COCO's matching within a class; leftovers of other classes are paired as confusions. */
export interface EvaluationLook {
  readonly id: number;
  readonly kind: OverlapKind;
  readonly iou: number;
  readonly minScore: number;
  readonly perClass: readonly { readonly labelId: number; readonly tp: number; readonly fp: number; readonly fn: number }[];
  readonly tp: number;
  readonly fp: number;
  readonly fn: number;
  /** Detections that fell into a crowd: neither right nor wrong. */
  readonly ignored: number;
  /**
   * Rows are truths, columns detections; the classes in the order of `labelIds`, the last row and column is the background.
   */
  readonly confusion: { readonly labelIds: readonly number[]; readonly counts: readonly (readonly number[])[] };
}

/** Right, wrong, missed. */
export type Outcome = 'tp' | 'fp' | 'fn';

/** A detection, a truth, or both, on one image. */
export interface EvaluationCase {
  readonly outcome: Outcome;
  readonly imageId: number;
  readonly path: string;
  /** Of the image, and of its file's content, to show its pixels. */
  readonly width: number;
  readonly height: number;
  readonly sha256: string;
  /** The annotation's id and class; null for what found nothing. */
  readonly annotationId: string | null;
  readonly truthLabelId: number | null;
  /** The suggestion's id (null too for those of a file) and class; null for what was missed. */
  readonly suggestionId: number | null;
  readonly detectionLabelId: number | null;
  readonly score: number | null;
  /** Of the pair; the best overlap with any truth for a false positive, with any detection for what was missed. */
  readonly iou: number;
  /** Box of the detection, or of the truth that was missed. */
  readonly box: readonly [x: number, y: number, width: number, height: number];
  /** Both outlines: flat rings in image space; none for a side that there is not. Of what was wrongly found that of the nearest truth. */
  readonly truthRings: readonly (readonly number[])[];
  readonly detectionRings: readonly (readonly number[])[];
}

export interface EvaluationCases {
  readonly total: number;
  readonly rows: readonly EvaluationCase[];
}

export interface EvaluationProgress {
  readonly stage: 'reading' | 'comparing';
  readonly done: number;
  readonly total: number;
}

import type { FindingCount } from './calls/formats.ts';
import type { Diff } from './diff.ts';
import type { WireError } from './errors.ts';
import type { Finding } from './formats.ts';
import type { View } from './views/view.ts';
import type { ImageRecord } from './records.ts';

/** What the calls of the contract answer with, and what its events tell: plain data that survives JSON. */

export type HostKind = 'desktop' | 'browser' | 'command-line';

/** One execution provider that was tried when a session was made. `reason` says why it was refused. */
export interface ProviderAttempt {
  readonly provider: string;
  readonly ok: boolean;
  readonly reason: string | null;
}

export interface EngineStatus {
  readonly state: 'idle' | 'loading' | 'running' | 'restarting' | 'failed';
  /** The provider really used by the last session, e.g. `cpu`, `cuda`; null before the first one. */
  readonly provider: string | null;
  readonly attempts: readonly ProviderAttempt[];
  readonly threads: number;
  readonly modelId: string | null;
  /** Duration of the last whole prediction and of the `session.run` inside it. */
  readonly lastMs: number | null;
  readonly lastRunMs: number | null;
  readonly message: string | null;
}

export interface AppInfo {
  readonly version: string;
  readonly host: HostKind;
  readonly platform: string;
  /** Which build of sharp decodes here, and why: `native` or `wasm`. */
  readonly decoder: string;
  readonly canPickFolders: boolean;
}

export interface ProjectInfo {
  readonly name: string;
  readonly folder: string;
  readonly file: string;
  readonly images: number;
  readonly broken: number;
  readonly done: number;
  readonly annotations: number;
  /** Where the project file lies and why, when it is not in the folder itself; else null. */
  readonly note: string | null;
  /** The image that was open last, or null. */
  readonly lastImageId: number | null;
}

export interface RecentProject {
  readonly name: string;
  readonly folder: string;
  readonly file: string;
  readonly openedAtMs: number;
}

export interface ImagePage {
  readonly total: number;
  readonly offset: number;
  readonly rows: readonly ImageRecord[];
}

export interface ModelInfo {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly family: string;
  readonly variant: string | null;
  readonly labels: readonly string[];
  readonly license: string;
  readonly bytes: number;
  /** Default score threshold of its suggestions. */
  readonly minScore: number;
  /** Why it cannot be used (not fetched yet, a missing file, a wrong hash), named; null where it can. */
  readonly problem: string | null;
  readonly state: 'ready' | 'to-fetch' | 'fetching' | 'broken';
  /** `built-in` has no file, `bundled` comes with the app, `catalog` is fetched, `own` was added by the user. */
  readonly origin: 'built-in' | 'bundled' | 'catalog' | 'own';
  /** Where the weights come from, for people. */
  readonly about: string;
  /** Whether the licence asks for nothing before use. */
  readonly permissive: boolean;
  /** Written from what its publisher says; we never ran these weights. */
  readonly neverRun: boolean;
  /** What it can be fetched from, for people, in order of preference. */
  readonly sources: readonly string[];
}

/** What a model is told beside the image, e.g. how regions are cut. */
export type RunOptions = Readonly<Record<string, number | string | boolean>>;

export type RunState = 'running' | 'done' | 'cancelled' | 'failed' | 'interrupted';

export interface RunInfo {
  readonly id: number;
  readonly modelId: string;
  readonly modelVersion: string;
  /** What the model was told; empty: as its manifest says. */
  readonly options: RunOptions;
  readonly state: RunState;
  readonly total: number;
  /** Images done with, the failed ones among them. */
  readonly finished: number;
  readonly failed: number;
  readonly suggestions: number;
  readonly startedAtMs: number;
  /** Estimated, null while unknown or not running. */
  readonly msLeft: number | null;
  readonly provider: string | null;
  readonly message: string | null;
}

/** A COCO results file that was written. */
export interface ResultsReport {
  /** Absolute path. */
  readonly file: string;
  readonly images: number;
  readonly results: number;
}

export interface RunFailure {
  readonly imageId: number;
  readonly path: string;
  readonly reason: string;
}

export interface LabelCount {
  readonly labelId: number;
  readonly annotations: number;
  readonly pending: number;
  readonly images: number;
}

/** What `document.apply`, `undo` and `redo` answer after the commit. */
export interface Saved {
  readonly imageId: number;
  readonly revision: number;
  readonly savedAtMs: number;
  /** What changed, for undo and redo; for apply it is what was sent. */
  readonly diff: Diff;
  readonly undoable: number;
  readonly redoable: number;
}

/** What an export left out. */
export interface LeftOut {
  readonly path: string;
  readonly reason: string;
  /** It was asked for: an image of another state, or one without instances; absent where something could not be written. */
  readonly asked?: true;
}

/** `export-report.json`, also shown after an export. */
export interface ExportReport {
  readonly format: string;
  readonly files: readonly string[];
  readonly images: number;
  readonly emptyImages: number;
  readonly annotations: number;
  readonly categories: readonly { readonly id: number; readonly name: string; readonly annotations: number }[];
  readonly polygons: number;
  readonly rles: number;
  readonly crowds: number;
  readonly pixelSpace: string;
  /** Annotations whose text is that of the file they were imported from, byte for byte. */
  readonly untouched: number;
  /** The files with annotations; one where splits are not told apart. `split` is null for images in none. */
  readonly parts: readonly ExportPart[];
  /** Image files below `images/`; all 0 where images were left. */
  readonly imageFiles: { readonly copied: number; readonly linked: number; readonly present: number; readonly bytes: number };
  /** What leaving out vertices cost; null where none were to be left out. */
  readonly simplification: ExportSimplification | null;
  /** Whatever was changed or could not be written as asked, by kind and reason, and the first thousand of them. */
  readonly findingCounts: readonly FindingCount[];
  readonly findings: readonly Finding[];
  /** Everything left out, with its reason. */
  readonly skipped: readonly LeftOut[];
  readonly verified: {
    readonly annotationsCompared: number;
    /** Records of any kind that were compared with the imported text and are the same, byte for byte. */
    readonly textsEqual: number;
    /** 1 but where vertices were left out. */
    readonly minIou: number;
    readonly maxAreaDifference: number;
    readonly maxBoxDifference: number;
  };
  readonly ms: number;
}

export interface ExportPart {
  readonly split: string | null;
  /** Relative to the export's folder, with `/`. */
  readonly file: string;
  readonly images: number;
  readonly annotations: number;
  /** Of the written file. */
  readonly bytes: number;
  readonly sha256: string;
}

/** IoU is that of each simplified instance with what it was, as the independent check measured it. */
export interface ExportSimplification {
  readonly tolerancePx: number;
  readonly instances: number;
  readonly pointsBefore: number;
  readonly pointsAfter: number;
  readonly meanIou: number;
  readonly worstIou: number;
  /** Path of the image with the worst one, and the annotation's id in the file. */
  readonly worst: { readonly path: string; readonly id: string } | null;
}

/** How far an export is: images written, then annotations read back and compared. */
export interface ExportProgress {
  readonly stage: 'writing' | 'comparing' | 'images';
  readonly done: number;
  readonly total: number;
}

export interface Settings {
  readonly theme: 'dark' | 'light' | 'system';
  readonly modelId: string | null;
  readonly promptModelId: string | null;
  readonly embeddingsMb: number;
  /** Execution providers to try, in their order, and threads on the CPU; null is automatic. */
  readonly providers: readonly string[] | null;
  readonly threads: number | null;
  readonly minScore: number;
  readonly brushPx: number;
  readonly view: View;
  /** The legend lies over the image. */
  readonly legend: boolean;
}

export interface ScanProgress {
  readonly folder: string;
  readonly found: number;
  readonly read: number;
  readonly broken: number;
  readonly done: boolean;
  /** What ended it before its time; absent where nothing did. */
  readonly failure?: WireError;
}

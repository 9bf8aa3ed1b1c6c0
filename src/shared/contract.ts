import { z } from 'zod';
import type { Diff } from './diff.ts';
import type { ImageDocument, ImageRecord, Label } from './records.ts';
import { IMAGE_STATES } from './records.ts';
import { colorSchema, diffSchema, hotkeySchema, idSchema, labelNameSchema } from './schemas.ts';

/**
 * Every call and event between a host and the window, once. The types of both sides, the handler map
 * and the run-time allow-list all derive from this object: a call is one line here and one method in
 * the studio. Inputs are parsed with their schema at the edge.
 */

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
  /** `ready`, or why it cannot be used (a missing file, a wrong hash), named. */
  readonly problem: string | null;
}

export type RunState = 'running' | 'done' | 'cancelled' | 'failed' | 'interrupted';

export interface RunInfo {
  readonly id: number;
  readonly modelId: string;
  readonly modelVersion: string;
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
  /** Everything left out, with its reason. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
  readonly verified: {
    readonly annotationsCompared: number;
    readonly minIou: number;
    readonly maxAreaDifference: number;
    readonly maxBoxDifference: number;
  };
  readonly ms: number;
}

/** How far an export is: images written, then annotations read back and compared. */
export interface ExportProgress {
  readonly stage: 'writing' | 'comparing';
  readonly done: number;
  readonly total: number;
}

export interface Settings {
  readonly theme: 'dark' | 'light' | 'system';
  readonly modelId: string | null;
  readonly minScore: number;
  readonly brushPx: number;
  readonly colouring: 'instance' | 'semantic';
}

const scope = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('images'), imageIds: z.array(idSchema).min(1).max(1_000_000) }),
  /** `untouched`: only images nobody has worked on. */
  z.object({ kind: z.literal('folder'), untouched: z.boolean() }),
]);
export type PredictScope = z.infer<typeof scope>;

const pageInput = z.object({
  offset: z.number().int().nonnegative(),
  limit: z.number().int().min(1).max(1000),
  /** Substring of the path, case-insensitive; empty for all. */
  search: z.string().max(500).default(''),
  states: z.array(z.enum(IMAGE_STATES)).default([]),
  /** Lowest score of the suggestions counted as `pending`; 0 where absent. */
  minScore: z.number().min(0).max(1).optional(),
});

const filter = pageInput.omit({ offset: true, limit: true });
const placeInput = filter.extend({ imageId: idSchema });
/** `from` is excluded; -1 and the list's length are allowed, to search from either end. */
const stepInput = filter.extend({ from: z.number().int().min(-1), step: z.union([z.literal(1), z.literal(-1)]) });

function call<I extends z.ZodType, O>(input: I): { readonly input: I; readonly output?: O } {
  return { input };
}
const none = z.object({}).default({});
const base = z.object({ imageId: idSchema, base: z.number().int().nonnegative() });

const coco = z.object({
  /** Folder to write into; made where it is absent. */
  out: z.string().min(1),
  includeEmpty: z.boolean().default(true),
  /** `oriented`: as shown, by EXIF. `raw`: masks are turned back to the file's own orientation. */
  pixelSpace: z.enum(['oriented', 'raw']).default('oriented'),
  /** Only images in these states; empty for all. */
  states: z.array(z.enum(IMAGE_STATES)).default([]),
});
export type CocoExportOptions = z.infer<typeof coco>;

const settings = z
  .object({
    theme: z.enum(['dark', 'light', 'system']),
    modelId: z.string().nullable(),
    minScore: z.number().min(0).max(1),
    brushPx: z.number().min(1).max(500),
    colouring: z.enum(['instance', 'semantic']),
  })
  .partial();

export const CALLS = {
  'app.info': call<typeof none, AppInfo>(none),
  'settings.get': call<typeof none, Settings>(none),
  'settings.set': call<typeof settings, Settings>(settings),

  'project.pickFolder': call<typeof none, string | null>(none),
  'project.open': (() => {
    const input = z.object({ folder: z.string().min(1), file: z.string().min(1).nullable().default(null) });
    return call<typeof input, ProjectInfo>(input);
  })(),
  'project.openSample': call<typeof none, ProjectInfo>(none),
  'project.current': call<typeof none, ProjectInfo | null>(none),
  'project.close': call<typeof none, null>(none),
  'project.recent': call<typeof none, readonly RecentProject[]>(none),

  'images.list': call<typeof pageInput, ImagePage>(pageInput),
  /** Index of an image in the filtered list that `images.list` pages through; null where the filter hides it. */
  'images.place': call<typeof placeInput, number | null>(placeInput),
  /** The nearest image after (1) or before (-1) an index of the filtered list with suggestions to decide on; done and skipped ones are passed over. */
  'images.nextPending': call<typeof stepInput, { readonly index: number; readonly row: ImageRecord } | null>(stepInput),
  'images.get': (() => {
    const input = z.object({ imageId: idSchema });
    return call<typeof input, ImageRecord>(input);
  })(),
  'images.setState': (() => {
    const input = z.object({ imageIds: z.array(idSchema).min(1), state: z.enum(IMAGE_STATES) });
    return call<typeof input, null>(input);
  })(),

  'labels.list': call<typeof none, readonly Label[]>(none),
  'labels.create': (() => {
    const input = z.object({ name: labelNameSchema, color: colorSchema.nullable().default(null) });
    return call<typeof input, Label>(input);
  })(),
  'labels.update': (() => {
    const input = z.object({
      id: idSchema,
      name: labelNameSchema.optional(),
      color: colorSchema.optional(),
      hotkey: hotkeySchema.optional(),
      position: z.number().int().nonnegative().optional(),
    });
    return call<typeof input, Label>(input);
  })(),
  /** Refused with `conflict` while instances or suggestions use it. */
  'labels.remove': (() => {
    const input = z.object({ id: idSchema });
    return call<typeof input, null>(input);
  })(),
  'labels.counts': call<typeof none, readonly LabelCount[]>(none),

  'document.load': (() => {
    const input = z.object({ imageId: idSchema });
    return call<typeof input, ImageDocument>(input);
  })(),
  'document.apply': (() => {
    const input = base.extend({ diff: diffSchema });
    return call<typeof input, Saved>(input);
  })(),
  'document.undo': call<typeof base, Saved>(base),
  'document.redo': call<typeof base, Saved>(base),

  'models.list': call<typeof none, readonly ModelInfo[]>(none),
  'engine.status': call<typeof none, EngineStatus>(none),
  'predict.start': (() => {
    const input = z.object({ modelId: z.string().min(1), scope });
    return call<typeof input, RunInfo>(input);
  })(),
  'predict.cancel': (() => {
    const input = z.object({ runId: idSchema });
    return call<typeof input, RunInfo>(input);
  })(),
  /** Goes on with the images that an interrupted or cancelled run has not done. */
  'predict.resume': (() => {
    const input = z.object({ runId: idSchema });
    return call<typeof input, RunInfo>(input);
  })(),
  'runs.list': call<typeof none, readonly RunInfo[]>(none),
  'runs.failures': (() => {
    const input = z.object({ runId: idSchema });
    return call<typeof input, readonly RunFailure[]>(input);
  })(),

  'export.coco': call<typeof coco, ExportReport>(coco),
  /** Stops the export that is running, if one is: that call then fails with `cancelled`, and nothing was written. */
  'export.cancel': call<typeof none, null>(none),
} as const;

export type CallName = keyof typeof CALLS;
export type CallInput<N extends CallName> = z.input<(typeof CALLS)[N]['input']>;
export type CallParsed<N extends CallName> = z.output<(typeof CALLS)[N]['input']>;
export type CallOutput<N extends CallName> = NonNullable<(typeof CALLS)[N]['output']> | Extract<(typeof CALLS)[N]['output'], null>;

/** The studio's side: one method a call. */
export type Handlers = {
  readonly [N in CallName]: (input: CallParsed<N>) => Promise<CallOutput<N>>;
};

export interface ScanProgress {
  readonly folder: string;
  readonly found: number;
  readonly read: number;
  readonly broken: number;
  readonly done: boolean;
}

/** What the main side tells the window, at most ten times a second each. */
export interface Events {
  readonly 'project.changed': ProjectInfo | null;
  readonly 'scan.progress': ScanProgress;
  /** Rows to fetch again; an empty list means all. */
  readonly 'images.changed': { readonly imageIds: readonly number[] };
  readonly 'labels.changed': readonly Label[];
  /** Suggestions of this image changed: load its document again (the revision is the same). */
  readonly 'suggestions.changed': { readonly imageId: number };
  readonly 'run.progress': RunInfo;
  readonly 'engine.status': EngineStatus;
  readonly 'export.progress': ExportProgress;
}
export type EventName = keyof Events;
export const EVENT_NAMES: readonly EventName[] = [
  'project.changed',
  'scan.progress',
  'images.changed',
  'labels.changed',
  'suggestions.changed',
  'run.progress',
  'engine.status',
  'export.progress',
];

export function isCallName(name: string): name is CallName {
  return Object.hasOwn(CALLS, name);
}

/** Where an image's pixels are fetched: `full` in its own size, `thumb` at most 256 px. */
export type PixelSize = 'full' | 'thumb';

/** Path of an image's pixels below a host's pixel root. `version` (its sha256) lets caches live long. */
export function pixelPath(imageId: number, size: PixelSize, version: string): string {
  return `image/${imageId}/${size}?v=${version.slice(0, 16)}`;
}

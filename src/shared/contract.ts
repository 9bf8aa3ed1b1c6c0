import { z } from 'zod';
import type {
  AppInfo,
  EngineStatus,
  ExportProgress,
  ImagePage,
  LabelCount,
  ModelInfo,
  ProjectInfo,
  RecentProject,
  ResultsReport,
  RunFailure,
  RunInfo,
  Saved,
  ScanProgress,
  Settings,
} from './answers.ts';
import type { BundleProgress, ReturnProgress } from './answers/bundles.ts';
import type { EvaluationProgress } from './answers/evaluation.ts';
import type { ModelFetch } from './answers/models.ts';
import type { GpuProgress } from './answers/providers.ts';
import type { StatisticsProgress } from './answers/statistics.ts';
import type { PictureProgress } from './answers/views.ts';
import { call, none } from './call.ts';
import { BUNDLE_CALLS, RETURN_CALLS } from './calls/bundles.ts';
import { CLASSICAL_CALLS } from './calls/classical.ts';
import { COCO_EXPORT_CALLS } from './calls/coco-export.ts';
import { CUTOUT_CALLS } from './calls/cutouts.ts';
import { DESKTOP_CALLS } from './calls/desktop.ts';
import { EVALUATION_CALLS } from './calls/evaluation.ts';
import { FORMAT_CALLS } from './calls/formats.ts';
import type { ImportProgress } from './calls/imports.ts';
import { IMPORT_CALLS } from './calls/imports.ts';
import { MODEL_CALLS } from './calls/models.ts';
import type { PromptEvents } from './calls/prompts.ts';
import { PROMPT_CALLS } from './calls/prompts.ts';
import { PROVIDER_CALLS } from './calls/providers.ts';
import { SPLIT_CALLS } from './calls/splits.ts';
import { STATISTICS_CALLS } from './calls/statistics.ts';
import { VIEW_CALLS } from './calls/views.ts';
import { behindSchema } from './image-query.ts';
import type { ImageDocument, ImageRecord, Label } from './records.ts';
import { IMAGE_STATES } from './records.ts';
import { colorSchema, diffSchema, hotkeySchema, idSchema, labelNameSchema, runOptionsSchema, settingsSchema } from './schemas.ts';

/**
 * Every call and event between a host and the window, once. The types of both sides, the handler map
 * and the run-time allow-list all derive from this object: a call is one line here and one method in
 * the studio. Inputs are parsed with their schema at the edge.
 */

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
  /** Only the images that a figure counts. */
  behind: behindSchema.optional(),
});

const filter = pageInput.omit({ offset: true, limit: true });
const placeInput = filter.extend({ imageId: idSchema });
/** `from` is excluded; -1 and the list's length are allowed, to search from either end. */
const stepInput = filter.extend({ from: z.number().int().min(-1), step: z.union([z.literal(1), z.literal(-1)]) });

const base = z.object({ imageId: idSchema, base: z.number().int().nonnegative() });

export type { CocoExportOptions } from './calls/coco-export.ts';

const settings = settingsSchema.partial();

export const CALLS = {
  'app.info': call(none).answers<AppInfo>(),
  'settings.get': call(none).answers<Settings>(),
  'settings.set': call(settings).answers<Settings>(),

  'project.pickFolder': call(none).answers<string | null>(),
  'project.open': call(z.object({ folder: z.string().min(1), file: z.string().min(1).nullable().default(null) })).answers<ProjectInfo>(),
  'project.openSample': call(none).answers<ProjectInfo>(),
  'project.current': call(none).answers<ProjectInfo | null>(),
  'project.close': call(none).answers<null>(),
  'project.recent': call(none).answers<readonly RecentProject[]>(),

  'images.list': call(pageInput).answers<ImagePage>(),
  /** Index of an image in the filtered list that `images.list` pages through; null where the filter hides it. */
  'images.place': call(placeInput).answers<number | null>(),
  /** The nearest image after (1) or before (-1) an index of the filtered list with suggestions to decide on; done and skipped ones are passed over. */
  'images.nextPending': call(stepInput).answers<{ readonly index: number; readonly row: ImageRecord } | null>(),
  'images.get': call(z.object({ imageId: idSchema })).answers<ImageRecord>(),
  /** Why the file of an image is not whole though it opens (it was cut off), or null. */
  'images.damage': call(z.object({ imageId: idSchema })).answers<string | null>(),
  'images.setState': call(z.object({ imageIds: z.array(idSchema).min(1), state: z.enum(IMAGE_STATES) })).answers<null>(),

  'labels.list': call(none).answers<readonly Label[]>(),
  'labels.create': call(z.object({ name: labelNameSchema, color: colorSchema.nullable().default(null) })).answers<Label>(),
  'labels.update': call(
    z.object({
      id: idSchema,
      name: labelNameSchema.optional(),
      color: colorSchema.optional(),
      hotkey: hotkeySchema.optional(),
      position: z.number().int().nonnegative().optional(),
    }),
  ).answers<Label>(),
  /** Refused with `conflict` while instances or suggestions use it. */
  'labels.remove': call(z.object({ id: idSchema })).answers<null>(),
  'labels.counts': call(none).answers<readonly LabelCount[]>(),

  'document.load': call(z.object({ imageId: idSchema })).answers<ImageDocument>(),
  'document.apply': call(base.extend({ diff: diffSchema })).answers<Saved>(),
  'document.undo': call(base).answers<Saved>(),
  'document.redo': call(base).answers<Saved>(),

  ...MODEL_CALLS,
  ...PROVIDER_CALLS,
  ...CLASSICAL_CALLS,
  ...PROMPT_CALLS,
  ...VIEW_CALLS,
  ...STATISTICS_CALLS,
  ...SPLIT_CALLS,
  ...CUTOUT_CALLS,
  ...IMPORT_CALLS,
  ...EVALUATION_CALLS,
  ...DESKTOP_CALLS,
  'engine.status': call(none).answers<EngineStatus>(),
  'predict.start': call(z.object({ modelId: z.string().min(1), scope, options: runOptionsSchema.optional() })).answers<RunInfo>(),
  'predict.cancel': call(z.object({ runId: idSchema })).answers<RunInfo>(),
  /** Goes on with the images that an interrupted or cancelled run has not done. */
  'predict.resume': call(z.object({ runId: idSchema })).answers<RunInfo>(),
  'runs.list': call(none).answers<readonly RunInfo[]>(),
  /** Writes what a run proposed as a COCO results file. */
  'runs.writeResults': call(z.object({ runId: idSchema, file: z.string().min(1) })).answers<ResultsReport>(),
  'runs.failures': call(z.object({ runId: idSchema })).answers<readonly RunFailure[]>(),

  ...COCO_EXPORT_CALLS,
  ...FORMAT_CALLS,
  ...BUNDLE_CALLS,
  ...RETURN_CALLS,
} as const;

export type CallName = keyof typeof CALLS;
export type CallInput<N extends CallName> = z.input<(typeof CALLS)[N]['input']>;
export type CallParsed<N extends CallName> = z.output<(typeof CALLS)[N]['input']>;
export type CallOutput<N extends CallName> = NonNullable<(typeof CALLS)[N]['output']> | Extract<(typeof CALLS)[N]['output'], null>;

/** The studio's side: one method a call. */
export type Handlers = {
  readonly [N in CallName]: (input: CallParsed<N>) => Promise<CallOutput<N>>;
};

/** What the main side tells the window, at most ten times a second each. */
export interface Events extends PromptEvents {
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
  readonly 'import.progress': ImportProgress;
  readonly 'bundle.progress': BundleProgress;
  readonly 'return.progress': ReturnProgress;
  readonly 'pictures.progress': PictureProgress;
  readonly 'evaluation.progress': EvaluationProgress;
  readonly 'statistics.progress': StatisticsProgress;
  readonly 'models.progress': ModelFetch;
  readonly 'gpu.progress': GpuProgress;
  readonly 'models.changed': readonly ModelInfo[];
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
  'prompt.state',
  'export.progress',
  'import.progress',
  'bundle.progress',
  'return.progress',
  'pictures.progress',
  'evaluation.progress',
  'statistics.progress',
  'models.progress',
  'gpu.progress',
  'models.changed',
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

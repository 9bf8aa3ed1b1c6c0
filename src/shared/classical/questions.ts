import { z } from 'zod';

/**
 * What a classical method can be asked: its parameters with their bounds, and the hints a person gives.
 * All points are image space. The window makes its sliders from `RANGES`, the command line its `--set`.
 */

export interface Range {
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly initial: number;
}

/** Bounds of every numeric parameter, by method. `pixels` are those of the work size, see `ClassicalPreview.work`. */
export const RANGES = {
  kmeans: {
    k: { min: 2, max: 12, step: 1, initial: 4 },
    /** Weight of the place beside the colour: 0 clusters colours alone, 1 lets the longer side count as much as black from white. */
    position: { min: 0, max: 1, step: 0.05, initial: 0 },
    /** Independent k-means++ beginnings; the most compact one is kept. */
    attempts: { min: 1, max: 10, step: 1, initial: 3 },
    seed: { min: 0, max: 65535, step: 1, initial: 1 },
    /** Share of the image that a region needs, else it goes to its neighbour. */
    smallest: { min: 0, max: 0.05, step: 0.0005, initial: 0.0005 },
  },
  'mean-shift': {
    /** Radius of the window in the image, pixels of the work size. */
    spatial: { min: 2, max: 40, step: 1, initial: 10 },
    /** Radius of the window in CIE L*a*b* (1 is about a just noticeable difference). */
    range: { min: 2, max: 40, step: 0.5, initial: 10 },
    smallest: { min: 0, max: 0.05, step: 0.0005, initial: 0.002 },
  },
  grabcut: {
    iterations: { min: 1, max: 10, step: 1, initial: 5 },
  },
  watershed: {
    /** Standard deviation of the blur before the flood, pixels of the work size. */
    smooth: { min: 0, max: 5, step: 0.5, initial: 1 },
  },
  wand: {
    /** Largest distance to the colour that was clicked: CIE76 in L*a*b*, or 8-bit steps of the worst channel in RGB. */
    tolerance: { min: 0, max: 100, step: 1, initial: 12 },
  },
} as const satisfies Record<string, Record<string, Range>>;

export const COLOUR_SPACES = ['rgb', 'lab', 'hsv'] as const;
export type ColourSpace = (typeof COLOUR_SPACES)[number];

function number(range: Range): z.ZodDefault<z.ZodNumber> {
  return z.number().min(range.min).max(range.max).default(range.initial);
}

function whole(range: Range): z.ZodDefault<z.ZodNumber> {
  return z.number().int().min(range.min).max(range.max).default(range.initial);
}

/** Flat `x0, y0, x1, y1, …`, at least one point. */
const track = z
  .array(z.number())
  .min(2)
  .max(200_000)
  .refine((points) => points.length % 2 === 0, 'a stroke is x, y pairs')
  .readonly();

/** A stroke of the brush. For GrabCut 0 is background and 1 the object; for watershed 0 is background and each other number a region of its own. */
const stroke = z
  .object({
    points: track,
    /** Diameter. */
    width: z.number().positive().max(10_000),
    mark: z.number().int().min(0).max(255),
  })
  .readonly();
export type Stroke = z.infer<typeof stroke>;

const kmeansParameters = z.strictObject({
  k: whole(RANGES.kmeans.k),
  space: z.enum(COLOUR_SPACES).default('lab'),
  position: number(RANGES.kmeans.position),
  attempts: whole(RANGES.kmeans.attempts),
  seed: whole(RANGES.kmeans.seed),
  smallest: number(RANGES.kmeans.smallest),
  /** `clusters`: one instance a cluster. `pieces`: one for each connected piece. `foreground`: k = 2 whatever `k` says, and the cluster that holds less of the border is the object. */
  regions: z.enum(['clusters', 'pieces', 'foreground']).default('clusters'),
});
export type KmeansParameters = z.infer<typeof kmeansParameters>;

const meanShiftParameters = z.strictObject({
  spatial: number(RANGES['mean-shift'].spatial),
  range: number(RANGES['mean-shift'].range),
  smallest: number(RANGES['mean-shift'].smallest),
});
export type MeanShiftParameters = z.infer<typeof meanShiftParameters>;

const grabcutParameters = z.strictObject({ iterations: whole(RANGES.grabcut.iterations) });
export type GrabcutParameters = z.infer<typeof grabcutParameters>;

const watershedParameters = z.strictObject({ smooth: number(RANGES.watershed.smooth) });
export type WatershedParameters = z.infer<typeof watershedParameters>;

const wandParameters = z.strictObject({
  tolerance: number(RANGES.wand.tolerance),
  /** Only what is connected to the click; else that colour in the whole image. */
  contiguous: z.boolean().default(true),
  connectivity: z.union([z.literal(4), z.literal(8)]).default(4),
  distance: z.enum(['lab', 'rgb']).default('lab'),
});
export type WandParameters = z.infer<typeof wandParameters>;

/** One of the methods, with its parameters and hints. */
export const questionSchema = z.discriminatedUnion('method', [
  z.object({ method: z.literal('kmeans'), parameters: kmeansParameters.prefault({}) }),
  z.object({ method: z.literal('mean-shift'), parameters: meanShiftParameters.prefault({}) }),
  z.object({
    method: z.literal('grabcut'),
    parameters: grabcutParameters.prefault({}),
    /** Everything outside it is background. Null: the whole image, and then a stroke on the object is needed. */
    box: z.tuple([z.number(), z.number(), z.number().positive(), z.number().positive()]).readonly().nullable(),
    strokes: z.array(stroke).max(1000).readonly().default([]),
  }),
  z.object({
    method: z.literal('watershed'),
    parameters: watershedParameters.prefault({}),
    strokes: z.array(stroke).min(1).max(1000).readonly(),
  }),
  z.object({
    method: z.literal('wand'),
    parameters: wandParameters.prefault({}),
    /** Where was clicked, in order: each adds its region to what is there, or takes it away. */
    clicks: z
      .array(z.object({ x: z.number(), y: z.number(), adds: z.boolean(), tolerance: z.number().min(0).max(100).optional() }).readonly())
      .min(1)
      .max(200)
      .readonly(),
  }),
]);
/** As it is asked: parameters that are left out have their initial values. */
export type ClassicalQuestion = z.input<typeof questionSchema>;
/** As it is worked on. */
export type ParsedQuestion = z.output<typeof questionSchema>;
export type ClassicalMethod = ParsedQuestion['method'];

/** Methods that need no hint: they run as models do, over folders too. */
export const HINTLESS_METHODS = ['kmeans', 'mean-shift'] as const satisfies readonly ClassicalMethod[];
export type HintlessMethod = (typeof HINTLESS_METHODS)[number];

export const METHOD_NAMES: Readonly<Record<ClassicalMethod, string>> = {
  kmeans: 'K-means',
  'mean-shift': 'Mean shift',
  grabcut: 'GrabCut',
  watershed: 'Watershed',
  wand: 'Magic wand',
};

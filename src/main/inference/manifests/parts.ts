import { z } from 'zod';
import { modelSource } from '../fetch-source.ts';

/** What manifests are made of, whatever their family. */

const fileName = z.string().regex(/^(?!.*(?:^|\/)\.\.(?:\/|$))[^/\\:][^\\:]*$/, 'a path inside the model folder, with / and without ..');

export const unit = z.number().min(0).max(1);
export const probability = unit.refine((value) => value > 0 && value < 1, 'must lie between 0 and 1');
export const side = z.number().int().min(16).max(8192);
export const label = z.string().trim().min(1).max(120);
/** Name of one of the graph's inputs or outputs. */
export const tensorName = z.string().min(1);

const triple = z.tuple([z.number(), z.number(), z.number()]).readonly();

/** A colour of bytes, 0 to 255, red first, that fills what the picture leaves free, before mean and std. */
export const pad = z.tuple([z.number().min(0).max(255), z.number().min(0).max(255), z.number().min(0).max(255)]).readonly();

/**
 * The shorter side becomes `shortSide`, unless the longer one would pass `longSide`; then padded
 * right and below, to a multiple of `padMultiple` (Detectron's rule).
 */
export const shortSide = {
  mode: z.literal('short-side'),
  shortSide: z.number().int().min(16).max(4096),
  longSide: side,
  padMultiple: z.number().int().min(1).max(512),
};

/** To exactly this size, whatever becomes of the proportions. */
export const stretch = z.strictObject({ mode: z.literal('stretch'), width: side, height: side });

/** As large as fits into this size, proportions kept; the rest padded right and below, or around. */
export const letterbox = z.strictObject({
  mode: z.literal('letterbox'),
  width: side,
  height: side,
  align: z.enum(['start', 'center']),
  pad,
});

/** How the bytes of a picture become the numbers of the input, float32. */
export const normalised = {
  color: z.enum(['rgb', 'bgr']),
  /** What a byte of 255 becomes before mean and std: 1 or 255. */
  range: z.union([z.literal(1), z.literal(255)]),
  /** `(value - mean) / std`, in the order of `color`, in the unit of `range`. */
  mean: triple,
  std: triple.refine((std) => std.every((value) => value > 0), 'must be greater than 0'),
};

export const input = { name: tensorName, ...normalised };

const file = {
  path: fileName,
  bytes: z.number().int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, '64 lower case hex digits'),
};

/** Where weights can be fetched, in order of preference; none where they lie beside the manifest. */
const sources = z.array(modelSource).default([]);

/** A model of one graph. */
export const oneFile = { file: z.strictObject(file), sources };

/** One of several graphs that make a model. */
export const ownSources = z.strictObject({ ...file, sources });

/** What every family has. */
export const common = {
  /** Version of this format. */
  format: z.literal(1),
  /** Same as the folder's name. */
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower case letters, digits and hyphens'),
  name: z.string().min(1).max(120),
  /** Of the weights; recorded with every suggestion. */
  version: z.string().min(1).max(40),
  /** SPDX expression of the weights. */
  license: z.string().min(1),
  /** Where the weights come from, for people. */
  source: z.string().min(1),
  /** Written from what its publisher says; none of us ever ran these weights. */
  neverRun: z.boolean().default(false),
  goldens: z.array(
    z.strictObject({
      /** Image and expected answer, inside the model folder. */
      image: fileName,
      expected: fileName,
      /** Least mask IoU of each expected instance with the one found for it. */
      minIou: unit,
      /** Largest difference of a score. */
      maxScoreDifference: unit,
    }),
  ),
};

export const thresholds = {
  /** Suggestions from here on are shown at first. */
  score: unit,
  /** Suggestions below this are not even kept; the score slider reaches down to here. */
  keep: unit,
};

interface Issues {
  addIssue(issue: { code: 'custom'; path: string[]; message: string }): void;
}

/** Two keys that cannot both be right. `message` follows the key's name. */
export function contradiction(context: Issues, path: string[], message: string): void {
  context.addIssue({ code: 'custom', path, message });
}

import { z } from 'zod';
import { AppError } from '../../shared/errors.ts';

/**
 * What a model is: `models/<id>/manifest.json`. Nothing is guessed: every key is required unless it
 * says otherwise, an unknown key is an error, and so are two keys that contradict each other.
 */

const fileName = z.string().regex(/^(?!.*(?:^|\/)\.\.(?:\/|$))[^/\\:][^\\:]*$/, 'a path inside the model folder, with / and without ..');

const unit = z.number().min(0).max(1);
const triple = z.tuple([z.number(), z.number(), z.number()]).readonly();

/** How an image becomes the input's size. */
const fit = z.discriminatedUnion('mode', [
  /**
   * The image goes in as it is, the graph resizes (torchvision). Only an image of more than
   * `maxPixels` is scaled down first, and its instances are scaled back: the graph answers with one
   * full-size float mask for each instance, so memory is `instances * pixels * 4` bytes.
   */
  z.strictObject({ mode: z.literal('none'), maxPixels: z.number().int().min(10_000).max(16_000_000) }),
  /**
   * The shorter side becomes `shortSide`, unless the longer one would pass `longSide`; then padded
   * with zeros, right and below, to a multiple of `padMultiple` (Detectron's rule).
   */
  z.strictObject({
    mode: z.literal('short-side'),
    shortSide: z.number().int().min(16).max(4096),
    longSide: z.number().int().min(16).max(8192),
    padMultiple: z.number().int().min(1).max(512),
  }),
]);

const schema = z
  .strictObject({
    /** Version of this format. */
    format: z.literal(1),
    /** Same as the folder's name. */
    id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower case letters, digits and hyphens'),
    name: z.string().min(1).max(120),
    /** Of the weights; recorded with every suggestion. */
    version: z.string().min(1).max(40),
    family: z.literal('mask-rcnn'),
    /** `torchvision`: full-size masks. `zoo`: 28 x 28 masks to be pasted into their boxes (ONNX model zoo). */
    variant: z.enum(['torchvision', 'zoo']),
    file: z.strictObject({
      path: fileName,
      bytes: z.number().int().positive(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/, '64 lower case hex digits'),
    }),
    input: z.strictObject({
      /** Name of the graph's input, `[3, H, W]` float32. */
      name: z.string().min(1),
      color: z.enum(['rgb', 'bgr']),
      /** What a byte of 255 becomes before mean and std: 1 or 255. */
      range: z.union([z.literal(1), z.literal(255)]),
      /** `(value - mean) / std`, in the order of `color`, in the unit of `range`. */
      mean: triple,
      std: triple.refine((std) => std.every((value) => value > 0), 'must be greater than 0'),
      fit,
    }),
    /** Names of the graph's outputs. */
    outputs: z.strictObject({
      boxes: z.string().min(1),
      labels: z.string().min(1),
      scores: z.string().min(1),
      masks: z.string().min(1),
    }),
    /** Names of the classes; the graph's number of the first one is `labelOffset`. */
    labels: z.array(z.string().trim().min(1).max(120)).min(1),
    /** 1 where the graph's class 0 is the background. */
    labelOffset: z.number().int().min(0).max(1),
    thresholds: z.strictObject({
      /** Suggestions from here on are shown at first. */
      score: unit,
      /** Suggestions below this are not even kept; the score slider reaches down to here. */
      keep: unit,
      /** A pixel belongs to the mask from this probability on. */
      mask: unit.refine((value) => value > 0 && value < 1, 'must lie between 0 and 1'),
    }),
    /** SPDX expression of the weights. */
    license: z.string().min(1),
    /** Where the weights come from, for people. */
    source: z.string().min(1),
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
  })
  .superRefine((manifest, context) => {
    const contradiction = (path: string[], message: string): void => {
      context.addIssue({ code: 'custom', path, message });
    };
    const { thresholds, input, outputs, labels, variant } = manifest;
    if (thresholds.keep > thresholds.score) {
      contradiction(['thresholds', 'keep'], `is ${thresholds.keep}, above thresholds.score, ${thresholds.score}`);
    }
    if (new Set(labels).size !== labels.length) {
      const twice = labels.find((label, i) => labels.indexOf(label) !== i);
      contradiction(['labels'], `has "${twice}" twice`);
    }
    if (new Set(Object.values(outputs)).size !== 4) contradiction(['outputs'], 'gives one name to two outputs');
    const mode = variant === 'torchvision' ? 'none' : 'short-side';
    if (input.fit.mode !== mode) {
      contradiction(['input', 'fit', 'mode'], `is "${input.fit.mode}"; the ${variant} variant takes "${mode}"`);
    }
    if (input.fit.mode === 'short-side' && input.fit.longSide < input.fit.shortSide) {
      contradiction(['input', 'fit', 'longSide'], `is ${input.fit.longSide}, below shortSide, ${input.fit.shortSide}`);
    }
  });

export type Manifest = Readonly<z.infer<typeof schema>>;

/**
 * A manifest from the text of its file.
 * @throws AppError `invalid` naming the file and each wrong key.
 */
export function parseManifest(text: string, path: string): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (thrown) {
    const said = thrown instanceof Error ? thrown.message : String(thrown);
    throw new AppError('invalid', `${path}: is not JSON (${said}).`, { path }, thrown);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const keys = parsed.error.issues.map((issue) => {
    if (issue.code === 'unrecognized_keys') {
      const at = issue.path.join('.');
      return issue.keys.map((key) => `${at ? `${at}.` : ''}${key}: unknown key`).join('; ');
    }
    return `${issue.path.join('.') || 'the manifest'}: ${issue.message}`;
  });
  throw new AppError('invalid', `${path}: ${keys.join('; ')}.`, { path, key: parsed.error.issues[0]?.path.join('.') ?? '' });
}

const expectedSchema = z.strictObject({
  width: z.number().int().positive(),
  height: z.number().int().positive(),
  instances: z.array(
    z.strictObject({
      label: z.string().min(1),
      score: unit,
      /** x, y, width, height in image pixels. */
      box: z.tuple([z.number(), z.number(), z.number(), z.number()]).readonly(),
      /** COCO's compressed RLE, `size` is [height, width]. */
      rle: z.strictObject({
        size: z.tuple([z.number().int().positive(), z.number().int().positive()]).readonly(),
        counts: z.string(),
      }),
    }),
  ),
});

/** The answer a golden expects, as the reference implementation gave it. */
export type GoldenAnswer = Readonly<z.infer<typeof expectedSchema>>;

/** @throws AppError `invalid` naming the file and the key. */
export function parseGoldenAnswer(text: string, path: string): GoldenAnswer {
  const parsed = z
    .string()
    .transform((value, context): unknown => {
      try {
        return JSON.parse(value);
      } catch {
        context.addIssue({ code: 'custom', message: 'is not JSON' });
        return z.NEVER;
      }
    })
    .pipe(expectedSchema)
    .safeParse(text);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new AppError('invalid', `${path}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is wrong'}.`, { path });
}

import { z } from 'zod';
import { AppError } from '../../shared/errors.ts';
import { modelSource } from './fetch-source.ts';

/**
 * What a model is: `models/<id>/manifest.json`. Nothing is guessed: every key is required unless it
 * says otherwise, an unknown key is an error, and so are two keys that contradict each other.
 */

const fileName = z.string().regex(/^(?!.*(?:^|\/)\.\.(?:\/|$))[^/\\:][^\\:]*$/, 'a path inside the model folder, with / and without ..');

const unit = z.number().min(0).max(1);
const triple = z.tuple([z.number(), z.number(), z.number()]).readonly();

const label = z.string().trim().min(1).max(120);
const probability = unit.refine((value) => value > 0 && value < 1, 'must lie between 0 and 1');
const side = z.number().int().min(16).max(8192);

/**
 * The shorter side becomes `shortSide`, unless the longer one would pass `longSide`; then padded
 * right and below, to a multiple of `padMultiple` (Detectron's rule).
 */
const shortSide = {
  mode: z.literal('short-side'),
  shortSide: z.number().int().min(16).max(4096),
  longSide: side,
  padMultiple: z.number().int().min(1).max(512),
};

/** How an image becomes the input's size; Mask R-CNN pads with zeros. */
const fit = z.discriminatedUnion('mode', [
  /**
   * The image goes in as it is, the graph resizes (torchvision). Only an image of more than
   * `maxPixels` is scaled down first, and its instances are scaled back: the graph answers with one
   * full-size float mask for each instance, so memory is `instances * pixels * 4` bytes.
   */
  z.strictObject({ mode: z.literal('none'), maxPixels: z.number().int().min(10_000).max(16_000_000) }),
  z.strictObject(shortSide),
]);

/** A colour of bytes, 0 to 255, red first, that fills what the picture leaves free, before mean and std. */
const pad = z.tuple([z.number().min(0).max(255), z.number().min(0).max(255), z.number().min(0).max(255)]).readonly();

const semanticFit = z.discriminatedUnion('mode', [
  /** To exactly this size, whatever becomes of the proportions. */
  z.strictObject({ mode: z.literal('stretch'), width: side, height: side }),
  /** As large as fits into this size, proportions kept; the rest padded right and below, or around. */
  z.strictObject({ mode: z.literal('letterbox'), width: side, height: side, align: z.enum(['start', 'center']), pad }),
  z.strictObject({ ...shortSide, pad }),
  /** The image's own size, scaled down where it has more than `maxPixels`; padded right and below to a multiple. */
  z.strictObject({
    mode: z.literal('native'),
    maxPixels: z.number().int().min(10_000).max(16_000_000),
    padMultiple: z.number().int().min(1).max(512),
    pad,
  }),
]);

const input = {
  /** Name of the graph's input, float32. */
  name: z.string().min(1),
  color: z.enum(['rgb', 'bgr']),
  /** What a byte of 255 becomes before mean and std: 1 or 255. */
  range: z.union([z.literal(1), z.literal(255)]),
  /** `(value - mean) / std`, in the order of `color`, in the unit of `range`. */
  mean: triple,
  std: triple.refine((std) => std.every((value) => value > 0), 'must be greater than 0'),
};

/** What every family has. */
const common = {
  /** Version of this format. */
  format: z.literal(1),
  /** Same as the folder's name. */
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower case letters, digits and hyphens'),
  name: z.string().min(1).max(120),
  /** Of the weights; recorded with every suggestion. */
  version: z.string().min(1).max(40),
  file: z.strictObject({
    path: fileName,
    bytes: z.number().int().positive(),
    sha256: z.string().regex(/^[0-9a-f]{64}$/, '64 lower case hex digits'),
  }),
  /** SPDX expression of the weights. */
  license: z.string().min(1),
  /** Where the weights come from, for people. */
  source: z.string().min(1),
  /** Where the weights can be fetched, in order of preference; none where they lie beside the manifest. */
  sources: z.array(modelSource).default([]),
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

const thresholds = {
  /** Suggestions from here on are shown at first. */
  score: unit,
  /** Suggestions below this are not even kept; the score slider reaches down to here. */
  keep: unit,
};

const maskRcnn = z
  .strictObject({
    ...common,
    family: z.literal('mask-rcnn'),
    /** `torchvision`: full-size masks. `zoo`: 28 x 28 masks to be pasted into their boxes (ONNX model zoo). */
    variant: z.enum(['torchvision', 'zoo']),
    /** `[3, H, W]`. */
    input: z.strictObject({ ...input, fit }),
    /** Names of the graph's outputs. */
    outputs: z.strictObject({
      boxes: z.string().min(1),
      labels: z.string().min(1),
      scores: z.string().min(1),
      masks: z.string().min(1),
    }),
    /** Names of the classes; the graph's number of the first one is `labelOffset`. */
    labels: z.array(label).min(1),
    /** 1 where the graph's class 0 is the background. */
    labelOffset: z.number().int().min(0).max(1),
    thresholds: z.strictObject({
      ...thresholds,
      /** A pixel belongs to the mask from this probability on. */
      mask: probability,
    }),
  })
  .superRefine((manifest, context) => {
    const { outputs, variant } = manifest;
    const given = manifest.input.fit;
    if (new Set(Object.values(outputs)).size !== 4) contradiction(context, ['outputs'], 'gives one name to two outputs');
    const mode = variant === 'torchvision' ? 'none' : 'short-side';
    if (given.mode !== mode) {
      contradiction(context, ['input', 'fit', 'mode'], `is "${given.mode}"; the ${variant} variant takes "${mode}"`);
    }
  });

const semantic = z
  .strictObject({
    ...common,
    family: z.literal('semantic'),
    /**
     * What the output holds: `logits` or `probabilities` of one channel for each label, `argmax` (the
     * label's number), or one channel of foreground: `sigmoid` (probability) or `sigmoid-logits`.
     */
    variant: z.enum(['logits', 'probabilities', 'argmax', 'sigmoid', 'sigmoid-logits']),
    /** `[1, 3, H, W]` or `[1, H, W, 3]`. */
    input: z.strictObject({ ...input, layout: z.enum(['nchw', 'nhwc']), fit: semanticFit }),
    outputs: z.strictObject({ map: z.string().min(1) }),
    map: z.strictObject({
      layout: z.enum(['nchw', 'nhwc']),
      /** Whether the corner cells lie on the corner pixels (TensorFlow's old resize), or areas coincide (PyTorch). */
      alignCorners: z.boolean(),
    }),
    /** Every channel's name in order, background among them; one for one channel of foreground. */
    labels: z.array(label).min(1).max(1000),
    /** Labels that are not answered. */
    background: z.array(z.string()),
    regions: z.strictObject({
      /** 8-connected pieces as instances, or one region for each class. */
      mode: z.enum(['components', 'class']),
      /** Least area of a region, in pixels of the input. */
      minArea: z.number().min(0),
    }),
    thresholds: z.strictObject({
      ...thresholds,
      /** A pixel is foreground from this probability on; for one channel of foreground only. */
      mask: probability.optional(),
    }),
  })
  .superRefine((manifest, context) => {
    const { labels, background, variant } = manifest;
    const stranger = background.find((name) => !labels.includes(name));
    if (stranger !== undefined) contradiction(context, ['background'], `names "${stranger}", which is no label`);
    if (labels.every((name) => background.includes(name))) contradiction(context, ['background'], 'leaves no label to be answered');
    const single = variant === 'sigmoid' || variant === 'sigmoid-logits';
    if (single && labels.length !== 1)
      contradiction(context, ['labels'], `has ${labels.length} names; the ${variant} variant has one channel`);
    if (!single && variant !== 'argmax' && labels.length < 2)
      contradiction(context, ['labels'], `has one name; the ${variant} variant needs two`);
    if (single !== (manifest.thresholds.mask !== undefined)) {
      contradiction(
        context,
        ['thresholds', 'mask'],
        single ? `is missing; the ${variant} variant needs it` : `has no meaning for the ${variant} variant`,
      );
    }
  });

interface Issues {
  addIssue(issue: { code: 'custom'; path: string[]; message: string }): void;
}

function contradiction(context: Issues, path: string[], message: string): void {
  context.addIssue({ code: 'custom', path, message });
}

const schema = z.discriminatedUnion('family', [maskRcnn, semantic]).superRefine((manifest, context) => {
  const { labels } = manifest;
  const { score, keep } = manifest.thresholds;
  const given = manifest.input.fit;
  if (keep > score) contradiction(context, ['thresholds', 'keep'], `is ${keep}, above thresholds.score, ${score}`);
  if (new Set(labels).size !== labels.length) {
    const twice = labels.find((name, i) => labels.indexOf(name) !== i);
    contradiction(context, ['labels'], `has "${twice}" twice`);
  }
  if (given.mode === 'short-side' && given.longSide < given.shortSide) {
    contradiction(context, ['input', 'fit', 'longSide'], `is ${given.longSide}, below shortSide, ${given.shortSide}`);
  }
});

export type Manifest = Readonly<z.infer<typeof schema>>;
export type MaskRcnnManifest = Readonly<z.infer<typeof maskRcnn>>;
export type SemanticManifest = Readonly<z.infer<typeof semantic>>;

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

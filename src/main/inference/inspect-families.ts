import type { TensorInfo } from '../../shared/answers/models.ts';
import type { OnnxHeader } from './inspect-onnx.ts';

/** One file of a model that is being added. */
export interface InspectedFile {
  /** Absolute path, and the name it has there. */
  readonly path: string;
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Null for `.ort` files, which have another format. */
  readonly header: OnnxHeader | null;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
}

/** What a file could be, by its inputs and outputs alone. */
export type Guess =
  | {
      readonly family: 'mask-rcnn';
      readonly variants: readonly ('torchvision' | 'zoo' | 'detectron2')[];
      readonly file: InspectedFile;
      readonly input: TensorInfo;
      readonly outputs: { readonly boxes: string; readonly labels: string; readonly scores: string; readonly masks: string };
    }
  | {
      readonly family: 'yolo-seg';
      readonly variant: 'v8' | 'v5';
      readonly file: InspectedFile;
      readonly input: TensorInfo;
      readonly predictions: string;
      readonly prototypes: string;
      /** Null where the file leaves it open. */
      readonly classes: number | null;
    }
  | {
      readonly family: 'instance-maps';
      readonly variant: 'mmdeploy' | 'rf-detr';
      readonly file: InspectedFile;
      readonly input: TensorInfo;
      readonly outputs: { readonly boxes: string; readonly labels: string; readonly masks: string };
      /** Numbers that a class can have; null where the file leaves it open. */
      readonly classes: number | null;
    }
  | {
      readonly family: 'semantic' | 'salient';
      readonly file: InspectedFile;
      readonly input: TensorInfo;
      readonly layout: 'nchw' | 'nhwc';
      readonly output: TensorInfo;
      readonly outputLayout: 'nchw' | 'nhwc';
      /** Channels of the map; null where the file leaves it open, 0 for a map of class numbers. */
      readonly channels: number | null;
    }
  | {
      readonly family: 'classifier';
      readonly file: InspectedFile;
      readonly input: TensorInfo;
      readonly layout: 'nchw' | 'nhwc';
      readonly output: TensorInfo;
      readonly classes: number | null;
    }
  | {
      readonly family: 'sam';
      readonly variant: 'sam1' | 'sam2' | 'efficient-sam';
      readonly encoder: InspectedFile;
      readonly decoder: InspectedFile;
    };

export interface Guesses {
  /** The likeliest first; more than one where the signature fits several. */
  readonly guesses: readonly Guess[];
  /** Why there is none. */
  readonly problem: string | null;
}

/** What the files together could be. Pure: looks at names, types and shapes only. */
export function guessFamilies(files: readonly InspectedFile[]): Guesses {
  const external = files.find((file) => (file.header?.external.length ?? 0) > 0);
  if (external) {
    return none(
      `${external.name} keeps its weights in another file (${external.header?.external.slice(0, 2).join(', ') ?? ''}). Save it as one file, with onnx.save(model, path), and add that.`,
    );
  }
  if (files.length > 1) return guessPair(files);
  const file = files[0];
  if (!file) return none('There is no model file.');
  if (isDecoder(file)) return none(`${file.name} is the decoder of a SAM. Add it together with its encoder.`);
  if (isEncoder(file)) return none(`${file.name} looks like the encoder of a SAM. Add it together with its decoder.`);
  const [input, ...more] = file.inputs.filter((tensor) => tensor.shape.length >= 3);
  if (!input || more.length > 0 || file.inputs.length > 1) {
    return none(`${file.name} takes ${said(file.inputs)}: no family here takes that. One picture is expected.`);
  }
  if (input.type !== 'float32')
    return none(`${file.name} takes ${input.type} pictures; float32 is supported. Export it without quantised or half inputs.`);
  const instances = guessMaskRcnn(file, input) ?? guessInstanceMaps(file, input) ?? guessYolo(file, input);
  const guesses = instances ? [instances] : [...guessMaps(file, input), guessClassifier(file, input)].filter((guess) => guess !== null);
  if (guesses.length > 0) return { guesses, problem: null };
  return none(`${file.name} answers with ${said(file.outputs)}: no family here has these outputs.`);
}

function none(problem: string): Guesses {
  return { guesses: [], problem };
}

function said(tensors: readonly TensorInfo[]): string {
  return tensors.map(({ name, type, shape }) => `${name} ${type} [${shape.join(', ')}]`).join('; ') || 'nothing';
}

const fixed = (dim: number | string | undefined): number | null => (typeof dim === 'number' && dim > 0 ? dim : null);

function isDecoder({ inputs }: InspectedFile): boolean {
  const names = inputs.map((tensor) => tensor.name);
  return ['', 'batched_'].some((prefix) => names.includes(`${prefix}point_coords`) && names.includes(`${prefix}point_labels`));
}

/** One picture in; among the answers an embedding of a quarter thousand channels or so, on a coarse grid. */
function isEncoder({ inputs, outputs }: InspectedFile): boolean {
  if (inputs.length !== 1) return false;
  const embedding = outputs.some(
    ({ name, shape }) => /embed/i.test(name) || (shape.length === 4 && fixed(shape[1]) === 256 && fixed(shape[2]) === 64),
  );
  return embedding && !outputs.some(({ name }) => /mask|logit|box/i.test(name));
}

function guessPair(files: readonly InspectedFile[]): Guesses {
  const decoders = files.filter(isDecoder);
  const encoders = files.filter((file) => !isDecoder(file) && file.inputs.length === 1);
  const [decoder] = decoders;
  const [encoder] = encoders;
  if (files.length !== 2 || !decoder || !encoder) {
    return none(
      `${files.map((file) => file.name).join(' and ')} are no encoder and decoder of a SAM. Other models are added one at a time.`,
    );
  }
  const inputs = decoder.inputs.map((tensor) => tensor.name);
  const efficient = inputs.includes('batched_point_coords');
  const variant = efficient ? 'efficient-sam' : inputs.includes('orig_im_size') ? 'sam1' : 'sam2';
  const features = decoder.inputs.filter(({ name }) => /high_res/i.test(name)).length;
  if (variant === 'sam2' && features !== 2) {
    return none(`${decoder.name} takes ${said(decoder.inputs)}: neither the signature of SAM 2 nor that of SAM 1.`);
  }
  for (const name of inputs) {
    const prompts = ['point_coords', 'point_labels', 'mask_input', 'has_mask_input', 'orig_im_size'];
    if (prompts.includes(name.replace(/^batched_/, ''))) continue;
    if (!encoder.outputs.some((output) => output.name === name || /embed/i.test(output.name))) {
      return none(`${decoder.name} needs "${name}", which ${encoder.name} does not answer: they do not belong together.`);
    }
  }
  return { guesses: [{ family: 'sam', variant, encoder, decoder }], problem: null };
}

/** Boxes `[n, 4]`, masks of four axes (Detectron2: also three), whole numbers for the classes, scores. */
function guessMaskRcnn(file: InspectedFile, input: TensorInfo): Guess | null {
  const { outputs } = file;
  const masks = outputs.find(
    ({ shape, type }) => type === 'float32' && (shape.length === 4 || (shape.length === 3 && outputs.length >= 4)),
  );
  const boxes = outputs.find(({ shape, type }) => type === 'float32' && shape.length === 2);
  const labels = outputs.find(({ shape, type }) => /int/.test(type) && shape.length === 1 && !/size/i.test(shape.join()));
  const scores = outputs.find(({ shape, type }) => type === 'float32' && shape.length === 1);
  if (!masks || !boxes || !labels || !scores) return null;
  if (fixed(boxes.shape[1]) !== null && fixed(boxes.shape[1]) !== 4) return null;
  const side = fixed(masks.shape.at(-1));
  // A mask as large as the picture has the picture's own open sizes.
  const pasted = masks.shape.slice(-2).join() === input.shape.slice(-2).join() && side === null;
  const small = side !== null && side <= 112;
  const variants = pasted
    ? (['torchvision'] as const)
    : small
      ? (['detectron2', 'zoo'] as const)
      : (['torchvision', 'zoo', 'detectron2'] as const);
  const named = { boxes: boxes.name, labels: labels.name, scores: scores.name, masks: masks.name };
  return { family: 'mask-rcnn', variants, file, input, outputs: named };
}

/**
 * A map over the whole input for each instance: beside boxes with their score and whole numbers for the classes
 * (MMDeploy), or beside boxes and a row of classes for each (RF-DETR).
 */
function guessInstanceMaps(file: InspectedFile, input: TensorInfo): Guess | null {
  if (input.shape.length !== 4 || file.outputs.length !== 3) return null;
  const masks = file.outputs.find(({ shape, type }) => type === 'float32' && shape.length === 4);
  const rows = file.outputs.filter(({ shape, type }) => type === 'float32' && shape.length === 3);
  const numbers = file.outputs.find(({ shape, type }) => /int/.test(type) && shape.length === 2);
  if (!masks) return null;
  const boxes = rows.find(({ shape }) => fixed(shape[2]) === (numbers ? 5 : 4));
  const labels = numbers ?? rows.find((row) => row !== boxes);
  if (!boxes || !labels) return null;
  const outputs = { boxes: boxes.name, labels: labels.name, masks: masks.name };
  const classes = numbers ? null : fixed(labels.shape[2]);
  return { family: 'instance-maps', variant: numbers ? 'mmdeploy' : 'rf-detr', file, input, outputs, classes };
}

/** Ultralytics: one row of boxes, classes and coefficients for each place, and prototypes of masks. */
function guessYolo(file: InspectedFile, input: TensorInfo): Guess | null {
  if (input.shape.length !== 4) return null;
  const predictions = file.outputs.find(({ shape }) => shape.length === 3);
  const prototypes = file.outputs.find(({ shape }) => shape.length === 4);
  if (!predictions || !prototypes || file.outputs.length > 6) return null;
  const k = fixed(prototypes.shape[1]) ?? 32;
  const a = fixed(predictions.shape[1]);
  const b = fixed(predictions.shape[2]);
  // There are always far more places than columns; where one is open, it is the places.
  const variant = b === null || (a !== null && a < b) ? 'v8' : 'v5';
  const columns = variant === 'v8' ? a : b;
  const classes = columns === null ? null : columns - k - (variant === 'v8' ? 4 : 5);
  if (classes !== null && classes < 1) return null;
  return { family: 'yolo-seg', variant, file, input, predictions: predictions.name, prototypes: prototypes.name, classes };
}

function layoutOf(shape: readonly (number | string)[]): 'nchw' | 'nhwc' {
  return shape.length === 4 && fixed(shape[3]) === 3 && fixed(shape[1]) !== 3 ? 'nhwc' : 'nchw';
}

/** A value for each pixel: of each class, of the foreground, or the class's number. */
function guessMaps(file: InspectedFile, input: TensorInfo): readonly Guess[] {
  if (input.shape.length !== 4 || file.outputs.some(({ shape }) => shape.length === 2)) return [];
  // Networks that are supervised at several depths answer several maps; the first is the finest.
  const output = file.outputs.find(({ shape }) => shape.length === 4 || shape.length === 3);
  if (!output) return [];
  const layout = layoutOf(input.shape);
  const whole = /int/.test(output.type);
  const { shape } = output;
  if (shape.length === 3 || whole) {
    const base = { file, input, layout, output, outputLayout: 'nchw' as const };
    return [{ family: 'semantic', ...base, channels: whole ? 0 : 1 }];
  }
  // Sides of a map are larger than its channels, and it has the picture's order mostly.
  const last = fixed(shape[3]);
  const second = fixed(shape[1]);
  const outputLayout: 'nchw' | 'nhwc' = layout === 'nhwc' && (second === null || (last !== null && second > last)) ? 'nhwc' : 'nchw';
  const channels = outputLayout === 'nhwc' ? last : second;
  const base = { file, input, layout, output, outputLayout, channels };
  // A class of its own, or whatever stands out: from outside nobody can tell.
  if (channels === 1 && layout === 'nchw') {
    return [
      { family: 'semantic', ...base },
      { family: 'salient', ...base },
    ];
  }
  return [{ family: 'semantic', ...base }];
}

function guessClassifier(file: InspectedFile, input: TensorInfo): Guess | null {
  const [output] = file.outputs;
  if (input.shape.length !== 4 || !output || file.outputs.length !== 1 || output.shape.length !== 2) return null;
  return { family: 'classifier', file, input, layout: layoutOf(input.shape), output, classes: fixed(output.shape[1]) };
}

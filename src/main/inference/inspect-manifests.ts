import type { Draft, Hints } from './inspect-asks.ts';
import { askLabels, askScore } from './inspect-asks.ts';
import type { Guess } from './inspect-families.ts';
import type { Form } from './inspect-form.ts';
import { numberFrom } from './inspect-form.ts';
import { askColours, sidesOf } from './inspect-input.ts';

/** The keys that a family's manifest has beyond those of every family: models that answer instances. */

export function draftMaskRcnn(form: Form, guess: Extract<Guess, { family: 'mask-rcnn' }>, hints: Hints): Draft {
  const names = {
    torchvision: 'torchvision: masks as large as the picture',
    zoo: 'ONNX model zoo (maskrcnn-benchmark): small masks, class 0 is the background',
    detectron2: 'Detectron2, tracing export: small masks, classes from 0',
  };
  const variant = form.ask({
    key: 'variant',
    label: 'Exported from',
    kind: 'choice',
    options: guess.variants.map((value) => ({ value, label: names[value] })),
    proposed: guess.variants.length === 1 ? (guess.variants[0] ?? null) : null,
    certainty: 'usual',
    why: guess.variants.length === 1 ? 'Its masks are as large as the picture.' : 'The signature alone does not tell.',
  });
  const torchvision = variant === 'torchvision';
  const colours = askColours(
    form,
    torchvision
      ? { values: 'unit', color: 'rgb', why: 'The graph itself normalises.' }
      : variant === 'zoo'
        ? { values: 'caffe', color: 'bgr', why: 'As the model zoo’s page says.' }
        : variant === 'detectron2'
          ? { values: 'bytes', color: 'bgr', why: 'The graph itself normalises.' }
          : null,
  );
  const labels = askLabels(form, guess.file, hints, null, 'In the order of its training, without the background.');
  const score = askScore(form, 0.5, hints.score);
  if (variant === null || !colours || !labels || score === null) return null;
  const sides = sidesOf(guess.input, 'nchw');
  const fit = torchvision
    ? { mode: 'none', maxPixels: 2_000_000 }
    : variant === 'detectron2' && sides
      ? { mode: 'stretch', ...sides }
      : { mode: 'short-side', shortSide: 800, longSide: 1333, padMultiple: 32 };
  return {
    family: 'mask-rcnn',
    variant,
    input: { name: guess.input.name, ...colours, fit },
    outputs: guess.outputs,
    labels,
    labelOffset: variant === 'detectron2' ? 0 : 1,
    thresholds: { score, keep: Math.min(0.05, score), mask: 0.5 },
  };
}

export function draftYolo(form: Form, guess: Extract<Guess, { family: 'yolo-seg' }>, hints: Hints): Draft {
  const colours = askColours(form, { values: 'unit', color: 'rgb', why: 'As Ultralytics exports.' });
  const labels = askLabels(form, guess.file, hints, guess.classes, 'They stand in the data.yaml of its training, in this order.');
  const score = askScore(form, 0.25, hints.score);
  const iou = form.ask({
    key: 'iou',
    label: 'Boxes of a class that overlap more are one (IoU)',
    kind: 'number',
    proposed: String(hints.iou ?? 0.7),
    certainty: hints.iou === undefined ? 'usual' : 'read',
    why: 'Non-maximum suppression, as Ultralytics does it.',
    check: numberFrom(0.01, 1),
  });
  if (!colours || !labels || score === null || iou === null) return null;
  const sides = sidesOf(guess.input, 'nchw') ?? hints.sides ?? { width: 640, height: 640 };
  return {
    family: 'yolo-seg',
    variant: guess.variant,
    input: { name: guess.input.name, ...colours, fit: { mode: 'letterbox', ...sides, align: 'center', pad: [114, 114, 114] } },
    outputs: { predictions: guess.predictions, prototypes: guess.prototypes },
    labels,
    nms: { iou: Number(iou), maxInstances: 300 },
    thresholds: { score, keep: Math.min(0.05, score), mask: 0.5 },
  };
}

export function draftInstanceMaps(form: Form, guess: Extract<Guess, { family: 'instance-maps' }>, hints: Hints): Draft {
  const { variant, outputs, classes } = guess;
  const mmdeploy = variant === 'mmdeploy';
  const colours = askColours(
    form,
    mmdeploy
      ? { values: 'imagenet-bytes', color: 'bgr', why: 'As MMDetection’s RTMDet was trained.' }
      : { values: 'imagenet', color: 'rgb', why: 'As RF-DETR was trained.' },
  );
  const many = classes === null ? '' : ` It tells ${classes} numbers apart, of which the last or the first may mean nothing.`;
  const labels = askLabels(form, guess.file, hints, null, `In the order of its training, without the background.${many}`);
  const first = form.ask({
    key: 'first',
    label: 'Number of the first class',
    kind: 'choice',
    options: [
      { value: '0', label: '0' },
      { value: '1', label: '1' },
    ],
    proposed: mmdeploy ? '0' : null,
    certainty: 'usual',
    why: mmdeploy
      ? 'MMDetection counts from 0.'
      : 'RF-DETR keeps the numbers of its training’s COCO file, which begins with 0 or with 1. The file does not say.',
  });
  const score = askScore(form, mmdeploy ? 0.3 : 0.5, hints.score);
  if (!colours || !labels || first === null || score === null) return null;
  const sides = sidesOf(guess.input, 'nchw') ?? hints.sides ?? { width: 640, height: 640 };
  return {
    family: 'instance-maps',
    variant,
    input: {
      name: guess.input.name,
      ...colours,
      fit: mmdeploy ? { mode: 'letterbox', ...sides, align: 'start', pad: [114, 114, 114] } : { mode: 'stretch', ...sides },
    },
    outputs,
    labels,
    ...(first === '0' ? {} : { labelIds: labels.map((_, i) => i + Number(first)) }),
    thresholds: { score, keep: Math.min(0.05, score), mask: 0.5 },
  };
}

export function draftSam(form: Form, guess: Extract<Guess, { family: 'sam' }>): Draft {
  const { encoder, decoder, variant } = guess;
  const [input] = encoder.inputs;
  const [first, efficient] = [variant === 'sam1', variant === 'efficient-sam'];
  // samexporter's graphs take the bytes of a picture as they are, height first, and normalise themselves.
  const raw = input?.shape.length === 3;
  const colours = askColours(
    form,
    raw
      ? { values: 'bytes', color: 'rgb', why: 'The graph takes a picture as it is, and normalises it itself.' }
      : efficient
        ? { values: 'unit', color: 'rgb', why: 'EfficientSAM normalises in the graph.' }
        : { values: first ? 'imagenet-bytes' : 'imagenet', color: 'rgb', why: `As ${first ? 'SAM' : 'SAM 2'} was trained.` },
  );
  const name = form.ask({
    key: 'labels',
    label: 'What its suggestions are called',
    kind: 'text',
    proposed: 'object',
    certainty: 'usual',
    why: 'This family knows no classes.',
  });
  if (!colours || !name || !input) return null;
  const sides = (raw ? null : sidesOf(input, 'nchw')) ?? { width: 1024, height: 1024 };
  const embedding = decoder.inputs.find((tensor) => /embed/i.test(tensor.name))?.name ?? decoder.inputs[0]?.name ?? '';
  const own = (wanted: string): string =>
    encoder.outputs.find((output) => output.name === wanted)?.name ?? encoder.outputs.at(-1)?.name ?? '';
  const features = decoder.inputs.filter((tensor) => /high_res/i.test(tensor.name)).map((tensor) => tensor.name);
  const fine = variant === 'sam2' ? { highRes0: features[0] ?? '', highRes1: features[1] ?? '' } : {};
  const prefix = efficient ? 'batched_' : '';
  const encoded = encoder.outputs.find((output) => output.name === embedding || /embed/i.test(output.name))?.name;
  const output = (pattern: RegExp): string => decoder.outputs.find((tensor) => pattern.test(tensor.name))?.name ?? '';
  return {
    family: 'sam',
    variant,
    input: { name: input.name, ...colours, layout: raw ? 'hwc' : 'nchw', fit: { mode: first ? 'long-side' : 'stretch', ...sides } },
    encoder: {
      outputs: {
        embedding: encoded ?? own(embedding),
        ...(variant === 'sam2' ? { highRes0: own(fine.highRes0 ?? ''), highRes1: own(fine.highRes1 ?? '') } : {}),
      },
    },
    decoder: {
      inputs: {
        embedding,
        ...fine,
        pointCoords: `${prefix}point_coords`,
        pointLabels: `${prefix}point_labels`,
        ...(efficient ? {} : { maskInput: 'mask_input', hasMaskInput: 'has_mask_input' }),
        ...(variant === 'sam2' ? {} : { imageSize: 'orig_im_size' }),
      },
      outputs: {
        masks: output(efficient ? /^output_masks$/i : /^masks?$/i),
        scores: output(/iou|score/i),
        ...(first ? { lowRes: output(/low_res/i) } : {}),
      },
    },
    labels: [name],
    thresholds: { score: 0.88, keep: 0.7 },
  };
}

import { parse } from 'yaml';
import { z } from 'zod';
import { AppError } from '../../shared/errors.ts';
import type { Hints } from './inspect-asks.ts';

/**
 * X-AnyLabeling's model files: YAML with `type`, `name`, paths or addresses of ONNX files, thresholds and
 * classes (keys as in its `anylabeling/configs/auto_labeling`, 2.x and 3.x). Types that have a family here
 * are read; the others are refused by name.
 */
export interface XAnyLabelingModel {
  readonly name: string;
  /** What the files are for, in order: `model`, or `encoder` and `decoder`. */
  readonly files: readonly { readonly role: string; readonly place: string; readonly isUrl: boolean }[];
  readonly hints: Hints;
  /** Who published it, for people. */
  readonly from: string;
  /** What has no meaning here. */
  readonly notes: readonly string[];
}

const SAM_TYPES = ['segment_anything', 'segment_anything_2', 'sam_hq', 'edge_sam', 'efficientvit_sam', 'sam2'];
const YOLO_TYPES = [
  'yolov5_seg',
  'yolov8_seg',
  'yolov9_seg',
  'yolo11_seg',
  'yolo12_seg',
  'yolo26_seg',
  'yolov8_seg_track',
  'yolo11_seg_track',
];

const number = z.number().min(0).max(1);
const side = z.number().int().min(16).max(8192);
const schema = z.looseObject({
  type: z.string().min(1),
  name: z.string().min(1).optional(),
  display_name: z.string().min(1).optional(),
  provider: z.string().optional(),
  model_path: z.string().min(1).optional(),
  encoder_model_path: z.string().min(1).optional(),
  decoder_model_path: z.string().min(1).optional(),
  input_width: side.optional(),
  input_height: side.optional(),
  conf_threshold: number.optional(),
  confidence_threshold: number.optional(),
  score_threshold: number.optional(),
  iou_threshold: number.optional(),
  nms_threshold: number.optional(),
  classes: z.union([z.array(z.union([z.string(), z.number()])), z.record(z.string(), z.union([z.string(), z.number()]))]).optional(),
});

/** Keys that are understood, or say nothing about how the model works. */
const SILENT = ['config_file', 'has_downloaded', 'is_custom_model', ...Object.keys(schema.shape)];

/** @throws AppError `invalid` naming the file and the key; `unsupported` naming the type. */
export function readXAnyLabeling(text: string, path: string): XAnyLabelingModel {
  const found = schema.safeParse(parseYaml(text, path));
  if (!found.success) {
    const issue = found.error.issues[0];
    const key = issue?.path.join('.') ?? '';
    throw new AppError('invalid', `${path}: ${key === '' ? 'is no model file of X-AnyLabeling' : `${key}: ${issue?.message ?? ''}`}.`, {
      path,
      key,
    });
  }
  const { data } = found;
  const sam = SAM_TYPES.includes(data.type);
  if (!sam && !YOLO_TYPES.includes(data.type)) {
    throw new AppError(
      'unsupported',
      `${path}: models of the type "${data.type}" are not imported; ${[...SAM_TYPES, ...YOLO_TYPES].join(', ')} are. Its ONNX file may fit a family all the same: add it by itself.`,
      { path, key: 'type' },
    );
  }
  const places = sam
    ? [
        { role: 'encoder', key: 'encoder_model_path', place: data.encoder_model_path },
        { role: 'decoder', key: 'decoder_model_path', place: data.decoder_model_path },
      ]
    : [{ role: 'model', key: 'model_path', place: data.model_path }];
  const files = places.map(({ role, key, place }) => {
    if (place === undefined) throw new AppError('invalid', `${path}: ${key} is missing; a "${data.type}" needs it.`, { path, key });
    return { role, place, isUrl: /^https?:\/\//i.test(place) };
  });
  const strangers = Object.keys(data).filter((key) => !SILENT.includes(key));
  const { input_width: width, input_height: height } = data;
  return {
    name: data.display_name ?? data.name ?? data.type,
    files,
    hints: {
      labels: classNames(data.classes, path),
      score: data.conf_threshold ?? data.confidence_threshold ?? data.score_threshold,
      iou: data.iou_threshold ?? data.nms_threshold,
      sides: width !== undefined && height !== undefined ? { width, height } : undefined,
    },
    from: `X-AnyLabeling ${data.type}${data.provider === undefined ? '' : `, ${data.provider}`}`,
    notes: strangers.map((key) => `“${key}” of the YAML file has no meaning here and is left out.`),
  };
}

function parseYaml(text: string, path: string): unknown {
  try {
    return parse(text);
  } catch (thrown) {
    const said = thrown instanceof Error ? (thrown.message.split('\n')[0] ?? '') : String(thrown);
    throw new AppError('invalid', `${path}: is no YAML (${said}).`, { path }, thrown);
  }
}

/** A list, or numbers from 0 with their names. */
function classNames(classes: z.infer<typeof schema>['classes'], path: string): readonly string[] | undefined {
  if (classes === undefined) return undefined;
  if (Array.isArray(classes)) return classes.map(String);
  const names: string[] = [];
  const count = Object.keys(classes).length;
  for (const [key, name] of Object.entries(classes)) {
    const index = Number(key);
    if (!/^\d+$/.test(key) || index >= count) {
      throw new AppError('invalid', `${path}: classes: "${key}" is no number from 0 to ${count - 1}.`, { path, key: 'classes' });
    }
    names[index] = String(name);
  }
  return names;
}

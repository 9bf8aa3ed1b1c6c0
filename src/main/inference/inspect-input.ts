import type { TensorInfo } from '../../shared/answers/models.ts';
import type { Form } from './inspect-form.ts';
import { numberFrom } from './inspect-form.ts';

/** What a picture becomes before a graph gets it: the questions that no ONNX file answers. */

/** Common ways to turn bytes into numbers; `(value - mean) / std`, in the unit of `range`. */
export const NORMALISATIONS = {
  unit: { label: '0 to 1 (divided by 255)', range: 1, mean: [0, 0, 0], std: [1, 1, 1] },
  imagenet: { label: 'ImageNet mean and deviation', range: 1, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  half: { label: '-1 to 1', range: 1, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  bytes: { label: '0 to 255, as they are', range: 255, mean: [0, 0, 0], std: [1, 1, 1] },
  'imagenet-bytes': {
    label: 'ImageNet mean and deviation, of bytes',
    range: 255,
    mean: [123.675, 116.28, 103.53],
    std: [58.395, 57.12, 57.375],
  },
  caffe: { label: 'bytes minus 102.98, 115.95, 122.77 (Caffe)', range: 255, mean: [102.9801, 115.9465, 122.7717], std: [1, 1, 1] },
} as const;
export type Normalisation = keyof typeof NORMALISATIONS;

function isNormalisation(name: string): name is Normalisation {
  return Object.hasOwn(NORMALISATIONS, name);
}

export interface Colours {
  readonly color: 'rgb' | 'bgr';
  readonly range: 1 | 255;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** `usual`: what exports of this kind take, or null where every one is different. */
export function askColours(
  form: Form,
  usual: { readonly values: Normalisation; readonly color: 'rgb' | 'bgr'; readonly why: string } | null,
): Colours | null {
  const values = form.ask({
    key: 'normalisation',
    label: 'Numbers that it takes',
    kind: 'choice',
    options: Object.entries(NORMALISATIONS).map(([value, { label }]) => ({ value, label })),
    proposed: usual?.values ?? null,
    certainty: 'usual',
    why:
      usual?.why ??
      'No ONNX file says how bytes become numbers. The code that trained it does; torchvision’s weights mostly take ImageNet’s.',
  });
  const color = form.ask({
    key: 'color',
    label: 'Order of colours',
    kind: 'choice',
    options: [
      { value: 'rgb', label: 'Red, green, blue (Pillow, torchvision)' },
      { value: 'bgr', label: 'Blue, green, red (OpenCV, Detectron)' },
    ],
    proposed: usual?.color ?? null,
    certainty: 'usual',
    why: usual?.why ?? 'No ONNX file says it. Pictures read with OpenCV are blue first, unless they were turned.',
  });
  if (values === null || !isNormalisation(values) || color === null) return null;
  const { range, mean, std } = NORMALISATIONS[values];
  if (color !== 'bgr') return { color: 'rgb', range, mean, std };
  // ImageNet's numbers belong to the colours, Caffe's are blue first already.
  return values.startsWith('imagenet') ? { color, range, mean: mean.toReversed(), std: std.toReversed() } : { color, range, mean, std };
}

/** Sides of the graph's input; null where it takes any. */
export function sidesOf(input: TensorInfo, layout: 'nchw' | 'nhwc'): { readonly width: number; readonly height: number } | null {
  const [height, width] = layout === 'nchw' ? input.shape.slice(-2) : input.shape.slice(1, 3);
  return typeof height === 'number' && typeof width === 'number' && height > 0 && width > 0 ? { width, height } : null;
}

export type Fit = Readonly<Record<string, unknown>> & { readonly mode: string };

/** How a picture gets the input's size, for families that say it in their manifest. */
export function askFit(
  form: Form,
  sides: ReturnType<typeof sidesOf>,
  modes: readonly string[] = ['native', 'stretch', 'letterbox-start', 'letterbox-center'],
): Fit | null {
  const size = sides ? `${sides.width} × ${sides.height}` : 'a fixed size';
  const mode = form.ask({
    key: 'fit',
    label: 'How a picture gets its size',
    kind: 'choice',
    options: [
      { value: 'native', label: 'Its own size, padded to a multiple of 32' },
      { value: 'stretch', label: `Stretched to ${size}` },
      { value: 'letterbox-start', label: `Fitted into ${size}, the rest right and below is black` },
      { value: 'letterbox-center', label: `Fitted into ${size}, the rest around it is black` },
    ].filter(({ value }) => modes.includes(value) && (value !== 'native' || sides === null)),
    proposed: sides || !modes.includes('native') ? 'stretch' : 'native',
    certainty: 'usual',
    why: sides ? `The file takes exactly ${size}.` : 'The file takes pictures of any size.',
  });
  if (mode === null) return null;
  const pad = [0, 0, 0];
  if (mode === 'native') return { mode: 'native', maxPixels: 2_000_000, padMultiple: 32, pad };
  let { width, height } = sides ?? { width: 0, height: 0 };
  if (!sides) {
    const asked = (['width', 'height'] as const).map((key) =>
      form.ask({
        key,
        label: key === 'width' ? 'Width, pixels' : 'Height, pixels',
        kind: 'number',
        proposed: '512',
        certainty: 'usual',
        why: 'The size that it was trained at.',
        check: numberFrom(16, 8192),
      }),
    );
    [width = 0, height = 0] = asked.map(Number);
    if (asked.includes(null)) return null;
  }
  return mode === 'stretch'
    ? { mode, width, height }
    : { mode: 'letterbox', width, height, align: mode === 'letterbox-center' ? 'center' : 'start', pad };
}

import { AppError } from '../../../shared/errors.ts';
import type { SamManifest } from '../manifest.ts';
import type { RgbImage } from '../pixels.ts';
import type { InputTensor, OutputTensor, WholeTensor } from './family.ts';
import { resizeBilinear } from './resize.ts';
import type { MaskGrid } from './sam-grid.ts';

/**
 * The SAM family: an encoder that looks at a picture once, a decoder that answers prompts (Kirillov et al.
 * 2023, Ravi et al. 2024). Both directions are pure. A picture is the whole image or a part of it (`View`);
 * prompts and masks are in image space whatever the view.
 */

/** The part of an image that an embedding shows, in whole pixels, image space; within the image. */
export interface View {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** What the encoder made of a view. */
export interface Embedding {
  readonly view: View;
  /** By the manifest's keys: `embedding`, for SAM 2 also `highRes0` and `highRes1`. */
  readonly tensors: Readonly<Record<string, InputTensor>>;
}

/** A prompt in image space: `1` here, `0` not here, `2` and `3` the top left and bottom right corner of a box. */
export interface PromptMark {
  readonly x: number;
  readonly y: number;
  readonly label: 0 | 1 | 2 | 3;
}

/** One mask as the decoder proposes it. */
export interface SamMask {
  readonly grid: MaskGrid;
  /** The IoU that the model expects of it, not bounded. */
  readonly score: number;
}

/** Side of the grid of logits that the decoder answers with and takes back (SAM: a quarter of its input). */
const GRID = 256;
/** SAM says that a point is none. */
const PADDING_LABEL = -1;
/** Marks that EfficientSAM's decoder looks at (`decoder_max_num_input_points`): it drops what comes after them. */
const EFFICIENT_MARKS = 6;

/** Input pixels for each image pixel. */
function scale(manifest: SamManifest, view: View): { readonly x: number; readonly y: number } {
  const { fit } = manifest.input;
  const [x, y] = [fit.width / view.width, fit.height / view.height];
  return fit.mode === 'stretch' ? { x, y } : { x: Math.min(x, y), y: Math.min(x, y) };
}

/** Where the grid of a view's masks lies in the image. */
export function gridOf(manifest: SamManifest, view: View): Omit<MaskGrid, 'logits'> {
  const { fit } = manifest.input;
  const { x, y } = scale(manifest, view);
  return { x: view.x, y: view.y, width: GRID, height: GRID, cellX: fit.width / x / GRID, cellY: fit.height / y / GRID, view };
}

/**
 * What the encoder is fed for a view. `picture` holds the view's pixels, in any size.
 * Stretched (SAM 2), or scaled by its longer side and padded with zeros after normalisation (SAM 1); `[H, W, 3]`
 * is not padded.
 */
export function encoderFeeds(manifest: SamManifest, view: View, picture: RgbImage): Readonly<Record<string, InputTensor>> {
  const { name, fit, layout, color, range, mean, std } = manifest.input;
  const { x, y } = scale(manifest, view);
  const width = Math.max(1, Math.min(fit.width, Math.round(view.width * x)));
  const height = Math.max(1, Math.min(fit.height, Math.round(view.height * y)));
  const bytes = resizeBilinear(picture.data, picture.width, picture.height, width, height);
  // A graph that takes pixels as they lie in memory pads them itself, after it has normalised them.
  const [wide, high] = layout === 'nchw' ? [fit.width, fit.height] : [width, height];
  const plane = wide * high;
  const data = new Float32Array(3 * plane);
  for (let channel = 0; channel < 3; channel++) {
    const source = color === 'rgb' ? channel : 2 - channel;
    const levels = Float32Array.from({ length: 256 }, (_, byte) => ((byte * range) / 255 - (mean[channel] ?? 0)) / (std[channel] ?? 1));
    for (let row = 0, i = source; row < height; row++) {
      const start = layout === 'nchw' ? channel * plane + row * wide : 3 * row * wide + channel;
      const step = layout === 'nchw' ? 1 : 3;
      for (let column = 0, o = start; column < width; column++, i += 3, o += step) data[o] = levels[bytes[i] ?? 0] ?? 0;
    }
  }
  return { [name]: { data, dims: layout === 'nchw' ? [1, 3, high, wide] : [high, wide, 3] } };
}

/** @throws AppError `model-run` when an output is missing or is not float32. */
export function embeddingOf(manifest: SamManifest, view: View, outputs: Readonly<Record<string, OutputTensor>>): Embedding {
  const tensors: Record<string, InputTensor> = {};
  for (const [key, name] of Object.entries(manifest.encoder.outputs)) {
    if (name !== undefined) tensors[key] = { dims: outputs[name]?.dims ?? [], data: floats(manifest, outputs, name) };
  }
  return { view, tensors };
}

/**
 * What the decoder is fed. `marks` has one list for each mask that is asked for, all of one length; `before`
 * is the mask fed back, in the view's own grid, for a single one only.
 */
export function decoderFeeds(
  manifest: SamManifest,
  embedding: Embedding,
  marks: readonly (readonly PromptMark[])[],
  before: MaskGrid | null,
): Readonly<Record<string, InputTensor | WholeTensor>> {
  if (manifest.variant === 'efficient-sam') return efficientFeeds(manifest, embedding, marks);
  const { inputs } = manifest.decoder;
  const { view, tensors } = embedding;
  const to = scale(manifest, view);
  const count = marks.length;
  // SAM 1's exported decoder wants a point of padding where there is no box (samexporter, SAM's own notebook).
  const padded = manifest.variant === 'sam1' && !marks.some((list) => list.some(({ label }) => label > 1));
  const points = Math.max(0, ...marks.map((list) => list.length)) + (padded ? 1 : 0);
  const coords = new Float32Array(count * points * 2);
  const labels = new Float32Array(count * points).fill(PADDING_LABEL);
  for (const [i, list] of marks.entries()) {
    for (const [k, mark] of list.entries()) {
      const at = i * points + k;
      coords[2 * at] = (mark.x - view.x) * to.x;
      coords[2 * at + 1] = (mark.y - view.y) * to.y;
      labels[at] = mark.label;
    }
  }
  const feeds: Record<string, InputTensor> = {
    [inputs.pointCoords]: { data: coords, dims: [count, points, 2] },
    [inputs.pointLabels]: { data: labels, dims: [count, points] },
  };
  if (inputs.maskInput !== undefined && inputs.hasMaskInput !== undefined) {
    feeds[inputs.maskInput] = { data: before?.logits ?? new Float32Array(count * GRID * GRID), dims: [before ? 1 : count, 1, GRID, GRID] };
    feeds[inputs.hasMaskInput] = { data: Float32Array.of(before ? 1 : 0), dims: [1] };
  }
  for (const key of ['embedding', 'highRes0', 'highRes1'] as const) {
    const [name, tensor] = [inputs[key], tensors[key]];
    if (name !== undefined && tensor) feeds[name] = tensor;
  }
  if (inputs.imageSize !== undefined) {
    // Only the proportions matter: the masks are taken from the grid, so the graph need not enlarge them far.
    const shrink = GRID / Math.max(view.width, view.height);
    const size = [view.height, view.width].map((side) => Math.max(1, Math.round(side * shrink)));
    feeds[inputs.imageSize] = { data: Float32Array.from(size), dims: [2] };
  }
  return feeds;
}

/**
 * EfficientSAM (Xiong et al. 2023): it never learnt negative clicks (`_embed_points` knows 1, 2, 3 and none), so they
 * are left out; whoever ranks its masks still knows them. It is told that the image is as large as the
 * grid, and answers with the grid as it is.
 */
function efficientFeeds(
  manifest: SamManifest,
  embedding: Embedding,
  marks: readonly (readonly PromptMark[])[],
): Readonly<Record<string, InputTensor | WholeTensor>> {
  const { inputs } = manifest.decoder;
  const { fit } = manifest.input;
  const { view, tensors } = embedding;
  const to = scale(manifest, view);
  const lists = marks.map((list) => {
    const corners = list.filter(({ label }) => label > 1);
    // Of many clicks the latest say what is still wrong.
    const clicks = list.filter(({ label }) => label === 1).slice(corners.length - EFFICIENT_MARKS);
    return [...corners, ...clicks];
  });
  const points = Math.max(1, ...lists.map((list) => list.length));
  const coords = new Float32Array(lists.length * points * 2);
  const labels = new Float32Array(lists.length * points).fill(PADDING_LABEL);
  for (const [i, list] of lists.entries()) {
    for (const [k, mark] of list.entries()) {
      const at = i * points + k;
      coords[2 * at] = ((mark.x - view.x) * to.x * GRID) / fit.width;
      coords[2 * at + 1] = ((mark.y - view.y) * to.y * GRID) / fit.height;
      labels[at] = mark.label;
    }
  }
  const feeds: Record<string, InputTensor | WholeTensor> = {
    [inputs.pointCoords]: { data: coords, dims: [1, lists.length, points, 2] },
    [inputs.pointLabels]: { data: labels, dims: [1, lists.length, points] },
  };
  if (tensors['embedding']) feeds[inputs.embedding] = tensors['embedding'];
  if (inputs.imageSize !== undefined) feeds[inputs.imageSize] = { data: BigInt64Array.of(BigInt(GRID), BigInt(GRID)), dims: [2] };
  return feeds;
}

/**
 * The decoder's masks, for each list of marks those that it proposes: three of different extent, from part to
 * whole. Where the graph also answers with SAM's single mask, before them, it is used for prompts that
 * leave no doubt (`several`), and left out for others (SAM, section 3).
 * @throws AppError `model-run` when an output is missing or of another shape.
 */
export function decodedMasks(
  manifest: SamManifest,
  view: View,
  outputs: Readonly<Record<string, OutputTensor>>,
  several: boolean,
): readonly (readonly SamMask[])[] {
  const names = manifest.decoder.outputs;
  const gridName = names.lowRes ?? names.masks;
  const logits = floats(manifest, outputs, gridName);
  const scores = floats(manifest, outputs, names.scores);
  const dims = outputs[gridName]?.dims ?? [];
  const [count = 0, each = 0, height = 0, width = 0] = manifest.variant === 'efficient-sam' ? dims.slice(1) : dims;
  if (height !== GRID || width !== GRID || scores.length !== count * each) {
    const told = `${manifest.id}: "${gridName}" is ${dims.join(' × ')} for ${scores.length} scores; expected n × m × 256 × 256.`;
    throw new AppError('model-run', told, { modelId: manifest.id });
  }
  const place = gridOf(manifest, view);
  const [first, last] = each !== 4 ? [0, each] : several ? [0, 1] : [1, 4];
  return Array.from({ length: count }, (_, i) =>
    Array.from({ length: last - first }, (__, k): SamMask => {
      const at = i * each + first + k;
      const own = logits.subarray(at * GRID * GRID, (at + 1) * GRID * GRID);
      return { score: scores[at] ?? 0, grid: { ...place, logits: own } };
    }),
  );
}

function floats(manifest: SamManifest, outputs: Readonly<Record<string, OutputTensor>>, name: string): Float32Array {
  const data = outputs[name]?.data;
  if (data instanceof Float32Array) return data;
  throw new AppError('model-run', `${manifest.id}: the model has no float32 output "${name}".`, { modelId: manifest.id });
}

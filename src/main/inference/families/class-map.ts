import { AppError } from '../../../shared/errors.ts';
import type { SemanticManifest } from '../manifest.ts';
import type { InputTransform, OutputTensor } from './family.ts';

/** The largest class of each pixel of an image, row-major, and how probable it is. */
export interface ClassMap {
  readonly width: number;
  readonly height: number;
  /** Index of the label from 1; 0 where there is no class (the foreground of one channel is 1). */
  readonly classes: Uint16Array;
  /** 0 to 65535 for 0 to 1. */
  readonly probabilities: Uint16Array;
}

/** The output as channels over a grid: element (c, y, x) is `data[c * channel + y * row + x * column]`. */
interface Grid {
  readonly channels: number;
  readonly width: number;
  readonly height: number;
  readonly channel: number;
  readonly row: number;
  readonly column: number;
}

/** Positions of the pixels of one side on the grid: the cell before, and the share of the one after. */
interface Axis {
  readonly before: Int32Array;
  readonly share: Float64Array;
}

const FULL = 65535;

/**
 * The class map of the image: the grid covers the whole input with its padding, and is read at the centre of
 * each image pixel, bilinearly (numbers of classes: the nearest). With `alignCorners` the corner cells lie on
 * the centres of the corner pixels of the input (TensorFlow `resize_bilinear(align_corners=True)`),
 * otherwise their areas coincide (PyTorch `interpolate(align_corners=False)`); beyond the outer cells
 * the value stays. Probabilities of `logits` are the grid's softmax, interpolated alike.
 * @throws AppError `model-run` for an output of another shape or type, or a number that is no label.
 */
export function classMap(manifest: SemanticManifest, output: OutputTensor, transform: InputTransform): ClassMap {
  const grid = gridOf(manifest, output);
  const { imageWidth: width, imageHeight: height } = transform;
  const { alignCorners } = manifest.map;
  const columns = axis(width, transform.scaleX, transform.offsetX, transform.paddedWidth, grid.width, alignCorners);
  const rows = axis(height, transform.scaleY, transform.offsetY, transform.paddedHeight, grid.height, alignCorners);
  const map = { width, height, classes: new Uint16Array(width * height), probabilities: new Uint16Array(width * height) };
  if (manifest.variant === 'argmax') {
    numbers(manifest, output.data, grid, columns, rows, map);
    return map;
  }
  const { data } = output;
  if (!(data instanceof Float32Array)) throw wrong(manifest, 'is not float32');
  if (grid.channels === 1) foreground(manifest, data, grid, columns, rows, map);
  else largest(data, manifest.variant === 'logits' ? softmax(data, grid) : data, grid, columns, rows, map);
  return map;
}

function gridOf(manifest: SemanticManifest, output: OutputTensor): Grid {
  const { variant, labels } = manifest;
  const { layout } = manifest.map;
  const channels = variant === 'argmax' ? 1 : labels.length;
  let { dims } = output;
  // One channel is often left out.
  if (dims.length === 3 && channels === 1) dims = layout === 'nchw' ? [1, 1, ...dims.slice(1)] : [...dims, 1];
  const [batch, a = 0, b = 0, c = 0] = dims;
  const [found, height, width] = layout === 'nchw' ? [a, b, c] : [c, a, b];
  if (
    dims.length !== 4 ||
    batch !== 1 ||
    found !== channels ||
    width < 1 ||
    height < 1 ||
    width * height * channels !== output.data.length
  ) {
    const expected = layout === 'nchw' ? `1 × ${channels} × any × any` : `1 × any × any × ${channels}`;
    throw wrong(
      manifest,
      `is ${output.dims.join(' × ')}; the manifest's ${labels.length} labels, ${variant}, ${layout}, ask for ${expected}`,
    );
  }
  const planar = layout === 'nchw';
  return {
    channels,
    width,
    height,
    channel: planar ? width * height : 1,
    row: planar ? width : width * channels,
    column: planar ? 1 : channels,
  };
}

function axis(size: number, scale: number, offset: number, padded: number, cells: number, alignCorners: boolean): Axis {
  const before = new Int32Array(size);
  const share = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const pixel = (i + 0.5) * scale + offset;
    const at = alignCorners ? ((pixel - 0.5) * (cells - 1)) / Math.max(1, padded - 1) : (pixel * cells) / padded - 0.5;
    const kept = Math.min(cells - 1, Math.max(0, at));
    const first = Math.min(Math.floor(kept), Math.max(0, cells - 2));
    before[i] = first;
    share[i] = kept - first;
  }
  return { before, share };
}

/** Softmax over the channels at each cell, in the same layout. */
function softmax(data: Float32Array, grid: Grid): Float32Array {
  const out = new Float32Array(data.length);
  const { channels, channel } = grid;
  for (let y = 0; y < grid.height; y++) {
    for (let x = 0; x < grid.width; x++) {
      const at = y * grid.row + x * grid.column;
      let most = -Infinity;
      for (let c = 0; c < channels; c++) most = Math.max(most, data[at + c * channel] ?? 0);
      let sum = 0;
      for (let c = 0; c < channels; c++) sum += out[at + c * channel] = Math.exp((data[at + c * channel] ?? 0) - most);
      for (let c = 0; c < channels; c++) out[at + c * channel] = (out[at + c * channel] ?? 0) / sum;
    }
  }
  return out;
}

/** One row of the image on the grid's columns: `into[c * grid.width + x]`. */
function line(data: Float32Array, grid: Grid, rows: Axis, y: number, into: Float64Array): void {
  const { channels, width, channel, row, column } = grid;
  const top = rows.before[y] ?? 0;
  const share = rows.share[y] ?? 0;
  const down = grid.height > 1 ? row : 0;
  for (let c = 0, o = 0; c < channels; c++) {
    for (let x = 0, i = c * channel + top * row; x < width; x++, i += column) {
      const value = data[i] ?? 0;
      into[o++] = value + ((data[i + down] ?? 0) - value) * share;
    }
  }
}

function largest(data: Float32Array, probable: Float32Array, grid: Grid, columns: Axis, rows: Axis, map: ClassMap): void {
  const { channels, width: cells } = grid;
  const values = new Float64Array(channels * cells);
  const chances = probable === data ? values : new Float64Array(channels * cells);
  const winners = new Int32Array(cells);
  const right = cells > 1 ? 1 : 0;
  for (let y = 0, o = 0; y < map.height; y++) {
    line(data, grid, rows, y, values);
    if (chances !== values) line(probable, grid, rows, y, chances);
    for (let x = 0; x < cells; x++) winners[x] = winner(values, channels, cells, x, x, 0);
    for (let x = 0; x < map.width; x++, o++) {
      const cell = columns.before[x] ?? 0;
      const share = columns.share[x] ?? 0;
      // What is largest at both ends of a straight line is largest all along it.
      let best = winners[cell] ?? 0;
      if (best !== winners[cell + right]) best = winner(values, channels, cells, cell, cell + right, share);
      const chance = chances[best * cells + cell] ?? 0;
      map.classes[o] = best + 1;
      map.probabilities[o] = quantised(chance + ((chances[best * cells + cell + right] ?? 0) - chance) * share);
    }
  }
}

/** The channel of the largest value between two columns; of equal ones the first. */
function winner(values: Float64Array, channels: number, cells: number, left: number, right: number, share: number): number {
  let best = 0;
  let most = -Infinity;
  for (let c = 0, base = 0; c < channels; c++, base += cells) {
    const from = values[base + left] ?? 0;
    const value = from + ((values[base + right] ?? 0) - from) * share;
    if (value > most) {
      most = value;
      best = c;
    }
  }
  return best;
}

/**
 * The foreground of one channel at the centre of each image pixel, 0 to 1, row-major, interpolated as `classMap`
 * does. @throws AppError `model-run` as `classMap`.
 */
export function probabilityField(manifest: SemanticManifest, output: OutputTensor, transform: InputTransform): Float32Array {
  const grid = gridOf(manifest, output);
  const { data } = output;
  if (!(data instanceof Float32Array)) throw wrong(manifest, 'is not float32');
  const { imageWidth, imageHeight } = transform;
  const { alignCorners } = manifest.map;
  const columns = axis(imageWidth, transform.scaleX, transform.offsetX, transform.paddedWidth, grid.width, alignCorners);
  const rows = axis(imageHeight, transform.scaleY, transform.offsetY, transform.paddedHeight, grid.height, alignCorners);
  const field = new Float32Array(imageWidth * imageHeight);
  eachChance(manifest, data, grid, columns, rows, imageWidth, imageHeight, (o, chance) => {
    field[o] = Math.min(1, Math.max(0, chance));
  });
  return field;
}

/** Visits every image pixel, row-major, with the probability of the one channel there. */
function eachChance(
  manifest: SemanticManifest,
  data: Float32Array,
  grid: Grid,
  columns: Axis,
  rows: Axis,
  imageWidth: number,
  imageHeight: number,
  visit: (o: number, chance: number) => void,
): void {
  const logits = manifest.variant === 'sigmoid-logits';
  const values = new Float64Array(grid.width);
  const right = grid.width > 1 ? 1 : 0;
  for (let y = 0, o = 0; y < imageHeight; y++) {
    line(data, grid, rows, y, values);
    for (let x = 0; x < imageWidth; x++, o++) {
      const cell = columns.before[x] ?? 0;
      const from = values[cell] ?? 0;
      const value = from + ((values[cell + right] ?? 0) - from) * (columns.share[x] ?? 0);
      visit(o, logits ? 1 / (1 + Math.exp(-value)) : value);
    }
  }
}

function foreground(manifest: SemanticManifest, data: Float32Array, grid: Grid, columns: Axis, rows: Axis, map: ClassMap): void {
  const threshold = manifest.thresholds.mask ?? 0.5;
  eachChance(manifest, data, grid, columns, rows, map.width, map.height, (o, chance) => {
    if (!(chance >= threshold)) return;
    map.classes[o] = 1;
    map.probabilities[o] = quantised(chance);
  });
}

/** The graph has taken the largest class itself: nothing to interpolate, and no probability, so 1. */
function numbers(manifest: SemanticManifest, data: OutputTensor['data'], grid: Grid, columns: Axis, rows: Axis, map: ClassMap): void {
  for (let y = 0, o = 0; y < map.height; y++) {
    const row = ((rows.before[y] ?? 0) + Math.floor((rows.share[y] ?? 0) + 0.5)) * grid.row;
    for (let x = 0; x < map.width; x++, o++) {
      const column = (columns.before[x] ?? 0) + Math.floor((columns.share[x] ?? 0) + 0.5);
      const number = Number(data[row + column * grid.column] ?? -1);
      if (!Number.isInteger(number) || number < 0 || number >= manifest.labels.length) {
        throw wrong(manifest, `has class ${number}; the manifest names ${manifest.labels.length} labels from 0`);
      }
      map.classes[o] = number + 1;
      map.probabilities[o] = FULL;
    }
  }
}

function quantised(probability: number): number {
  return Math.round(Math.min(1, Math.max(0, probability)) * FULL);
}

function wrong(manifest: SemanticManifest, what: string): AppError {
  const output = manifest.outputs.map;
  return new AppError('model-run', `${manifest.id}: output "${output}" ${what}.`, { modelId: manifest.id, output });
}

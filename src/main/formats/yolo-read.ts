import { stat } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import type { Geometry } from '../../shared/records.ts';
import { splitRing } from './bridge.ts';
import { opened } from './coco-geometry.ts';
import type { DatasetReader, DatasetSink, ReadOptions } from './dataset.ts';
import type { ImageFiles } from './folder.ts';
import { datasetPath, listFiles, imagesOf, readText, stemOf } from './folder.ts';
import { imageAtStem } from './image-places.ts';
import type { YoloData } from './yolo-data.ts';
import { readYoloData, splitOf } from './yolo-data.ts';

/** Values so far outside of 0..1 are no fractions of the image: pixels, as a rule. */
const FAR = 0.5;
/** Values this close to 0..1 are rounded fractions, not ones outside. */
const ROUNDING = 1e-5;

/**
 * Reads YOLO's labels: one text file an image, one instance a line, `class x y ...` in fractions of the image's sides.
 * Five numbers are a box by its centre, seven and more a polygon; both may stand in one file. A polygon of several parts,
 * joined by bridges, is taken apart again. Numbers are taken to the last digit.
 *
 * Throws AppError `io`; `invalid` naming the yaml and the key.
 */
export const readYolo: DatasetReader['read'] = async (place, sink, options) => {
  const data = await readYoloData(place, (finding) => sink.finding(finding));
  const images = await imagesOf(options);
  const labels = (await listFiles(data.root, ['.txt'], options.signal)).filter((file) => !data.others.has(file));
  const known = new Set<number>();
  for (const [number, name] of [...data.names].sort(([a], [b]) => a - b)) {
    known.add(number);
    sink.category({ key: number + 1, name, color: null, source: null });
  }
  const reading: Reading = { data, images, sink, options, known, imageKeys: new Map(), instances: 0 };
  let done = 0;
  for (const file of labels) {
    options.signal?.throwIfAborted();
    await readLabels(reading, file);
    options.onProgress?.(++done, labels.length);
  }
  // Images of the dataset without a label file are its background.
  for (const path of images.paths) {
    const inside = relative(data.root, resolve(options.images, path)).replaceAll('\\', '/');
    if (inside.startsWith('..') || reading.imageKeys.has(path)) continue;
    const size = await options.sizeOf(path);
    addImage(reading, path, size, splitOf(data, stemOf(inside)));
  }
};

interface Reading {
  readonly data: YoloData;
  readonly images: ImageFiles;
  readonly sink: DatasetSink;
  readonly options: ReadOptions;
  readonly known: Set<number>;
  readonly imageKeys: Map<string, number>;
  instances: number;
}

/** Where the image of a label file is looked for: the last folder `labels` is `images` there, as in Ultralytics' own loader. */
function imageStem(file: string): string {
  const parts = stemOf(file).split('/');
  const at = parts.lastIndexOf('labels', parts.length - 2);
  if (at >= 0) parts[at] = 'images';
  return parts.join('/');
}

async function readLabels(reading: Reading, file: string): Promise<void> {
  const { data, images, sink, options } = reading;
  const lines = (await readText(join(data.root, file))).split(/\r?\n/);
  const stem = imageStem(file);
  // Images that were left elsewhere have the same path as the label file, without the folders that YOLO wants.
  const parts = stem.split('/');
  const candidates = [datasetPath(options.images, data.root, stem), ...parts.map((_, from) => parts.slice(from).join('/'))];
  const path = imageAtStem(images, candidates);
  const size = path === null ? null : await options.sizeOf(path);
  const filled = lines.filter((line) => line.trim() !== '').length;
  if (path === null || size === null) {
    if (filled > 0 && !lines.some((line) => parseLine(line) !== null)) {
      sink.finding({ kind: 'refused', what: 'file', id: file, reason: 'not-this-format', message: `${file} holds no YOLO labels.` });
      return;
    }
    const why = path === null ? `there is no image for it in ${options.images}` : `its image ${path} cannot be read`;
    const lost = `YOLO's fractions need the size of the image, so its ${filled} ${filled === 1 ? 'line is' : 'lines are'} not taken.`;
    sink.finding({ kind: 'refused', what: 'image', id: file, reason: 'image-size-unknown', message: `${file}: ${why}; ${lost}` });
    return;
  }
  const imageKey = addImage(reading, path, size, splitOf(data, stem));
  const seen = new Set<string>();
  lines.forEach((line, i) => {
    const text = line.trim();
    if (text === '') return;
    readLine(reading, { id: `${file}:${i + 1}`, text, again: seen.has(text), imageKey, size });
    seen.add(text);
  });
}

function addImage(reading: Reading, path: string, size: { width: number; height: number } | null, split: string | null): number {
  const known = reading.imageKeys.get(path);
  if (known !== undefined) {
    reading.sink.finding({
      kind: 'kept',
      what: 'image',
      id: path,
      reason: 'image-twice',
      message: `${path} has more than one label file; their instances are taken together.`,
    });
    return known;
  }
  const key = reading.imageKeys.size + 1;
  reading.imageKeys.set(path, key);
  reading.sink.image({ key, path, width: size?.width ?? null, height: size?.height ?? null, split, source: null });
  return key;
}

interface Line {
  readonly id: string;
  readonly text: string;
  /** The same text stood in this file before. */
  readonly again: boolean;
  readonly imageKey: number;
  readonly size: { readonly width: number; readonly height: number };
}

/** The class and the fractions of a line; null where one of them is no number. */
function parseLine(text: string): { number: number; values: number[] } | null {
  const [first, ...values] = text.trim().split(/\s+/).map(Number);
  if (first === undefined || !Number.isInteger(first) || first < 0 || first > 1e6) return null;
  return values.length >= 4 && values.every(Number.isFinite) ? { number: first, values } : null;
}

function readLine(reading: Reading, line: Line): void {
  const { sink } = reading;
  const tell = (kind: 'kept' | 'repaired' | 'refused', reason: string, message: string): void =>
    sink.finding({ kind, what: 'annotation', id: line.id, reason, message: `${line.id}: ${message}` });
  const parsed = parseLine(line.text);
  if (parsed === null) return tell('refused', 'not-numbers', `"${line.text.slice(0, 60)}" is not a class and at least four numbers.`);
  const { number } = parsed;
  let { values } = parsed;
  const highest = Math.max(...values);
  const lowest = Math.min(...values);
  if (highest > 1 + FAR || lowest < -FAR) {
    return tell('refused', 'not-normalised', `its numbers go from ${lowest} to ${highest}; YOLO has fractions of the image, 0 to 1.`);
  }
  if (values.length === 5 || (values.length > 6 && values.length % 2 === 1)) {
    tell('repaired', 'confidence-dropped', `its last number, ${values.at(-1) ?? ''}, is a confidence and is not kept.`);
    values = values.slice(0, -1);
  }
  const geometry = values.length === 4 ? boxOf(values, line.size) : polygonOf(values, line.size);
  if (geometry === null) {
    return values.length === 4
      ? tell('refused', 'box-without-area', `its box is ${values[2] ?? 0} by ${values[3] ?? 0}.`)
      : tell('refused', 'ring-too-short', `its ring has fewer than three different points.`);
  }
  if (highest > 1 + ROUNDING || lowest < -ROUNDING || boxLeaves(values)) {
    tell('kept', 'outside-image', `it reaches out of the image.`);
  }
  if (line.again) tell('kept', 'twice', 'the same line stands in the file before.');
  if (!reading.known.has(number)) {
    reading.known.add(number);
    const name = `class ${number}`;
    sink.category({ key: number + 1, name, color: null, source: null });
    sink.finding({
      kind: 'repaired',
      what: 'category',
      id: String(number),
      reason: 'class-without-name',
      message: `Class ${number} has no name (first in ${line.id}); it is called "${name}".`,
    });
  }
  sink.instance({ key: ++reading.instances, imageKey: line.imageKey, categoryKey: number + 1, geometry, crowd: false, source: null });
}

function boxOf([cx = 0, cy = 0, w = 0, h = 0]: readonly number[], { width, height }: Line['size']): Geometry | null {
  if (!(w > 0 && h > 0)) return null;
  return { kind: 'box', box: [(cx - w / 2) * width, (cy - h / 2) * height, w * width, h * height] };
}

function boxLeaves(values: readonly number[]): boolean {
  if (values.length !== 4) return false;
  const [cx = 0, cy = 0, w = 0, h = 0] = values;
  return Math.min(cx - w / 2, cy - h / 2) < -ROUNDING || Math.max(cx + w / 2, cy + h / 2) > 1 + ROUNDING;
}

function polygonOf(values: readonly number[], { width, height }: Line['size']): Geometry | null {
  const ring = opened(values.map((value, i) => value * (i % 2 === 0 ? width : height)));
  const points = new Set<string>();
  for (let i = 0; i < ring.length && points.size < 3; i += 2) points.add(`${ring[i] ?? 0} ${ring[i + 1] ?? 0}`);
  return points.size < 3 ? null : { kind: 'polygon', parts: splitRing(ring) };
}

/** How much a place looks like YOLO: with polygons, or with boxes. */
export async function detectYolo(place: string, kind: 'polygons' | 'boxes'): Promise<number> {
  try {
    const data = await readYoloData(place, () => undefined);
    const labels = (await listFiles(data.root, ['.txt'])).filter((file) => !data.others.has(file));
    const asked = (await stat(place)).isFile() && !/\.ya?ml$/i.test(place);
    if (asked) return 0;
    let boxes = 0;
    let polygons = 0;
    let others = 0;
    for (const file of labels.slice(0, 40)) {
      for (const line of (await readText(join(data.root, file))).split(/\r?\n/).slice(0, 50)) {
        if (line.trim() === '') continue;
        const parsed = parseLine(line);
        if (parsed === null || Math.max(...parsed.values) > 1 + FAR) others++;
        else if (parsed.values.length < 6) boxes++;
        else polygons++;
      }
    }
    const all = boxes + polygons + others;
    if (all === 0) return data.names.size > 0 && data.folders.length > 0 ? (kind === 'polygons' ? 0.4 : 0.3) : 0;
    const share = (kind === 'polygons' ? polygons : boxes) / all;
    const more = kind === 'polygons' ? polygons > boxes : boxes >= polygons;
    return share === 0 ? 0 : (more ? 0.6 + 0.3 * share : 0.3 * share) + (data.names.size > 0 ? 0.1 : 0);
  } catch {
    return 0;
  }
}

/** The folder that a dataset's paths are relative to, from the place that the user chose. */
export async function folderOfPlace(place: string): Promise<string> {
  return (await stat(place)).isDirectory() ? resolve(place) : resolve(dirname(place));
}

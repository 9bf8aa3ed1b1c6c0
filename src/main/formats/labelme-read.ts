import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../shared/errors.ts';
import { geometryRuns } from '../../shared/mask/raster.ts';
import { countsToString } from '../../shared/mask/rle.ts';
import { combineRuns } from '../../shared/mask/runs.ts';
import type { Geometry } from '../../shared/records.ts';
import type { DatasetReader, DatasetSink, ReadOptions } from './dataset.ts';
import type { ImageFiles } from './folder.ts';
import { datasetPath, listFiles, imagesOf, readJson, readText, stemOf } from './folder.ts';
import { impossible } from './image-places.ts';
import { jsonFiles, likeness, namedImage } from './json-per-image.ts';
import type { LabelmeShape } from './labelme-shape.ts';
import { partsOfShape, readShape, shapeSchema } from './labelme-shape.ts';
import type { Size } from './orientation.ts';
import type { CategorySink } from './sink-categories.ts';
import { categorySink } from './sink-categories.ts';

const side = z.number().int().positive().max(65_500).nullish().catch(null);
const fileSchema = z.looseObject({
  shapes: z.array(z.unknown()),
  imagePath: z.string().nullish().catch(null),
  imageData: z.unknown(),
  imageHeight: side,
  imageWidth: side,
});

/** Keys of a file that are read; the others are kept as they are. */
const READ_KEYS = new Set(['shapes', 'imagePath', 'imageData', 'imageHeight', 'imageWidth']);
const READ_SHAPE_KEYS = new Set(['label', 'points', 'shape_type', 'mask']);
/** Names that LabelMe's own scripts give a meaning of their own. */
const SPECIAL = new Set(['__ignore__', '_background_', '__background__']);

/**
 * Reads LabelMe's files (https://github.com/wkentaro/labelme), one JSON an image, and X-AnyLabeling's dialect of them.
 * Shapes of one class with the same `group_id` are one instance, as LabelMe's own scripts have it. What is not understood of a
 * shape (flags, attributes, description, score, ...) is kept as text.
 *
 * `place` is a file or a folder; other JSON files in a folder are told and left alone. Throws AppError `io`; `invalid`
 * naming a file that is not JSON, or a single one that is not LabelMe's.
 */
export const readLabelme: DatasetReader['read'] = async (place, sink, options) => {
  const { root, files, single } = await jsonFiles(place, options.signal);
  const images = await imagesOf(options);
  const categories = categorySink(sink);
  for (const name of single ? [] : await labelsOf(root)) categories.add(name, null);
  const reading: Reading = { root, images, sink, options, categories, single, imageKeys: 0, instances: 0, withData: 0, paths: new Set() };
  let done = 0;
  for (const file of files) {
    options.signal?.throwIfAborted();
    await readOne(reading, file);
    options.onProgress?.(++done, files.length);
  }
  if (reading.withData > 0) {
    sink.finding({
      kind: 'kept',
      what: 'file',
      id: basename(place),
      reason: 'image-data',
      message: `${reading.withData} files carry a copy of their image (imageData); the image files count, the copies are not kept.`,
    });
  }
};

interface Reading {
  readonly root: string;
  readonly images: ImageFiles;
  readonly sink: DatasetSink;
  readonly options: ReadOptions;
  readonly categories: CategorySink;
  readonly single: boolean;
  readonly paths: Set<string>;
  imageKeys: number;
  instances: number;
  withData: number;
}

/** `labels.txt` beside the files: a class a line, also those that no shape has. */
async function labelsOf(root: string): Promise<string[]> {
  const there = (await listFiles(root, ['.txt'])).includes('labels.txt');
  if (!there) return [];
  const lines = (await readText(join(root, 'labels.txt'))).split(/\r?\n/).map((line) => line.trim());
  return [...new Set(lines.filter((line) => line !== '' && !SPECIAL.has(line)))];
}

async function readOne(reading: Reading, file: string): Promise<void> {
  const { root, images, sink, options } = reading;
  const path = join(root, file);
  const value = await readJson(path);
  const parsed = fileSchema.safeParse(value);
  if (!parsed.success) {
    if (reading.single)
      throw new AppError('invalid', `${path} is not a file of LabelMe: it has no list "shapes".`, { path, key: 'shapes' });
    sink.finding({
      kind: 'refused',
      what: 'file',
      id: file,
      reason: 'not-this-format',
      message: `${file} has no list "shapes": not LabelMe's.`,
    });
    return;
  }
  const { shapes, imagePath, imageData, imageWidth, imageHeight } = parsed.data;
  if (typeof imageData === 'string' && imageData !== '') reading.withData++;
  const named = namedImage(images, options, file, dirname(path), imagePath ?? basename(stemOf(file)));
  const { said } = named;
  const found = named.found ?? images.findStem(datasetPath(options.images, root, stemOf(file)));
  if (found === null && imagePath === null) {
    sink.finding({
      kind: 'refused',
      what: 'image',
      id: file,
      reason: 'image-missing',
      message: `${file} names no image, and there is none like it.`,
    });
    return;
  }
  const at = found ?? said;
  if (reading.paths.has(at)) {
    const message = `${file} is about ${at}, as another file before it: both are taken.`;
    sink.finding({ kind: 'kept', what: 'image', id: file, reason: 'image-twice', message });
  }
  reading.paths.add(at);
  const own = imageWidth && imageHeight ? { width: imageWidth, height: imageHeight } : null;
  const size = own ?? (found === null ? null : await options.sizeOf(found));
  const rest = Object.fromEntries(Object.entries(parsed.data).filter(([key]) => !READ_KEYS.has(key)));
  const imageKey = ++reading.imageKeys;
  sink.image({
    key: imageKey,
    path: at,
    width: size?.width ?? null,
    height: size?.height ?? null,
    split: null,
    source: JSON.stringify(rest),
  });
  readShapes(reading, file, shapes, imageKey, size);
}

interface Piece {
  readonly shape: LabelmeShape;
  readonly geometry: Geometry;
}

function readShapes(reading: Reading, file: string, shapes: readonly unknown[], imageKey: number, size: Size | null): void {
  const groups = new Map<string, Piece[]>();
  shapes.forEach((value, i) => {
    const id = `${file}#${i}`;
    const tell = (kind: 'refused' | 'repaired', reason: string, message: string): void =>
      reading.sink.finding({ kind, what: 'annotation', id, reason, message: `${id}: ${message}` });
    const parsed = shapeSchema.safeParse(value);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      return tell('refused', 'not-as-expected', `"${issue?.path.join('.') ?? ''}": ${issue?.message ?? 'not as expected'}.`);
    }
    const shape = parsed.data;
    const read = readShape(shape, size);
    if (read.geometry === null) return tell('refused', read.reason, read.message);
    const wrong = impossible(read.geometry, size);
    if (wrong !== null) return tell('refused', 'geometry-impossible', wrong);
    if (read.repair !== null) tell('repaired', read.repair.reason, read.repair.message);
    const group = shape.group_id ?? null;
    const key = group === null ? `#${i}` : JSON.stringify([shape.label, group]);
    const pieces = groups.get(key);
    if (pieces) pieces.push({ shape, geometry: read.geometry });
    else groups.set(key, [{ shape, geometry: read.geometry }]);
  });
  for (const [, pieces] of groups) addInstance(reading, file, pieces, imageKey, size);
}

function addInstance(reading: Reading, file: string, pieces: readonly Piece[], imageKey: number, size: Size | null): void {
  const [first] = pieces;
  if (!first) return;
  const { sink, categories } = reading;
  const name = first.shape.label.trim();
  if (SPECIAL.has(name) && !categories.has(name)) {
    const message = `${file}: "${name}" is no thing but a mark of LabelMe's; it is taken as a class like any other.`;
    sink.finding({ kind: 'kept', what: 'category', id: name, reason: 'special-class', message });
  }
  if (name === '' && !categories.has('unnamed')) {
    const message = `${file}: a shape has an empty label; such shapes are of the class "unnamed".`;
    sink.finding({ kind: 'repaired', what: 'category', id: '', reason: 'class-without-name', message });
  }
  const geometry = unite(
    pieces.map((piece) => piece.geometry),
    size,
  );
  const extras = pieces.map(({ shape }) => Object.fromEntries(Object.entries(shape).filter(([key]) => !READ_SHAPE_KEYS.has(key))));
  const known = extras.some((extra) => Object.values(extra).some((value) => !isNothing(value)));
  sink.instance({
    key: ++reading.instances,
    imageKey,
    categoryKey: categories.add(name === '' ? 'unnamed' : name, null),
    geometry,
    crowd: pieces.some(({ shape }) => isCrowd(shape)),
    source: known ? JSON.stringify({ shapes: extras }) : null,
  });
}

/** A mark of ours: LabelMe itself has flags of the user's, and no crowds. */
function isCrowd(shape: LabelmeShape): boolean {
  const { flags } = shape;
  return typeof flags === 'object' && flags !== null && 'iscrowd' in flags && flags.iscrowd === true;
}

function isNothing(value: unknown): boolean {
  if (value === null || value === undefined || value === '' || value === false) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** Several shapes as one: their parts, or where one is a mask, the union of their pixels. */
function unite(geometries: readonly Geometry[], size: Size | null): Geometry {
  const [first] = geometries;
  if (first && geometries.length === 1) return first;
  const parts = geometries.map(partsOfShape);
  if (size === null || parts.every((each) => each !== null)) return { kind: 'polygon', parts: parts.flatMap((each) => each ?? []) };
  let runs: Uint32Array = Uint32Array.of(size.width * size.height);
  for (const geometry of geometries) runs = combineRuns(runs, geometryRuns(geometry, size.width, size.height), 'union');
  return { kind: 'mask', rle: { size: [size.height, size.width], counts: countsToString(runs) } };
}

/** How much a place looks like LabelMe's. */
export async function detectLabelme(place: string): Promise<number> {
  const alike = (value: unknown): number => {
    if (!fileSchema.safeParse(value).success) return 0;
    return typeof value === 'object' && value !== null && 'imagePath' in value ? 1 : 0.4;
  };
  return 0.95 * (await likeness(place, alike));
}

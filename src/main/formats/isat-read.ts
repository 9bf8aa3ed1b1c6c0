import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { AppError } from '../../shared/errors.ts';
import { geometryRuns } from '../../shared/mask/raster.ts';
import { countsToString } from '../../shared/mask/rle.ts';
import { combineRuns, runsOverlap } from '../../shared/mask/runs.ts';
import type { Geometry, PolygonPart } from '../../shared/records.ts';
import { splitRing } from './bridge.ts';
import { opened } from './coco-geometry.ts';
import type { DatasetReader, DatasetSink, ReadOptions } from './dataset.ts';
import type { ImageFiles } from './folder.ts';
import { imagesOf, readJson, readText, stemOf } from './folder.ts';
import { impossible } from './image-places.ts';
import { jsonFiles, likeness, namedImage } from './json-per-image.ts';
import type { Size } from './orientation.ts';
import type { CategorySink } from './sink-categories.ts';
import { categorySink } from './sink-categories.ts';

/** The category whose polygons cut away what lies in the layers below them. */
export const ISAT_BACKGROUND = '__background__';
const CLASSES_FILE = 'isat.yaml';

const side = z.number().int().positive().max(65_500).nullish().catch(null);
const fileSchema = z.looseObject({
  info: z.looseObject({
    description: z.string().regex(/^ISAT/),
    folder: z.string().nullish().catch(null),
    name: z.string(),
    width: side,
    height: side,
  }),
  objects: z.array(z.unknown()),
});
const objectSchema = z.looseObject({
  category: z.union([z.string(), z.number().transform(String)]),
  group: z.union([z.number(), z.string()]).nullish(),
  segmentation: z.array(z.tuple([z.number(), z.number()]).rest(z.number())),
  layer: z.number().nullish(),
  iscrowd: z.union([z.boolean(), z.number()]).nullish(),
  shape_type: z.string().nullish(),
});
const classesSchema = z.object({
  label: z.array(z.object({ name: z.union([z.string(), z.number().transform(String)]), color: z.string().nullish() })),
});

/** Keys of an object that its geometry, class and place say; the others are kept as they are. */
const READ_KEYS = new Set(['category', 'segmentation', 'area', 'bbox', 'iscrowd', 'layer']);

/**
 * Reads ISAT's files (https://github.com/yatengLG/ISAT_with_segment_anything), one JSON an image, with the classes and
 * colours of `isat.yaml`. Polygons of one group, class and crowd mark are one instance, as in ISAT's own conversion to COCO;
 * group 0 is none. A polygon of the class `__background__` is cut out of the instances in the layers below it.
 *
 * `place` is a file or a folder; other JSON files in a folder are told and left alone. Throws AppError `io`; `invalid`
 * naming a file that is not JSON, or a single one that is not ISAT's.
 */
export const readIsat: DatasetReader['read'] = async (place, sink, options) => {
  const { root, files, single } = await jsonFiles(place, options.signal);
  const images = await imagesOf(options);
  const categories = categorySink(sink);
  for (const { name, color } of await classesOf(root)) if (name !== ISAT_BACKGROUND) categories.add(name, color);
  const reading: Reading = { root, images, sink, options, categories, single, imageKeys: 0, instances: 0 };
  let done = 0;
  for (const file of files) {
    options.signal?.throwIfAborted();
    await readOne(reading, file);
    options.onProgress?.(++done, files.length);
  }
};

interface Reading {
  readonly root: string;
  readonly images: ImageFiles;
  readonly sink: DatasetSink;
  readonly options: ReadOptions;
  readonly categories: CategorySink;
  readonly single: boolean;
  imageKeys: number;
  instances: number;
}

async function classesOf(root: string): Promise<{ name: string; color: string | null }[]> {
  const path = join(root, CLASSES_FILE);
  if ((await stat(path).catch(() => null)) === null) return [];
  let value: unknown;
  try {
    value = parse(await readText(path), { maxAliasCount: 100, logLevel: 'error' });
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('invalid', `${path} is not YAML: ${cause instanceof Error ? cause.message : String(cause)}`, { path }, cause);
  }
  const result = classesSchema.safeParse(value);
  if (!result.success) throw new AppError('invalid', `${path}: "label" is not a list of classes with names.`, { path, key: 'label' });
  return result.data.label.map(({ name, color }) => ({ name, color: color && /^#[0-9a-f]{6}$/i.test(color) ? color : null }));
}

async function readOne(reading: Reading, file: string): Promise<void> {
  const { root, images, sink, options } = reading;
  const path = join(root, file);
  const parsed = fileSchema.safeParse(await readJson(path));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const key = issue?.path.join('.') ?? '';
    if (reading.single) throw new AppError('invalid', `${path} is not a file of ISAT: "${key}": ${issue?.message ?? ''}`, { path, key });
    sink.finding({ kind: 'refused', what: 'file', id: file, reason: 'not-this-format', message: `${file} is not ISAT's: "${key}".` });
    return;
  }
  const { info, objects } = parsed.data;
  const folder = info.folder?.startsWith('.') ? join(dirname(path), info.folder) : dirname(path);
  const named = namedImage(images, options, file, folder, info.name);
  const { said } = named;
  const found = named.found ?? images.findStem(stemOf(file));
  const own = info.width && info.height ? { width: info.width, height: info.height } : null;
  const size = own ?? (found === null ? null : await options.sizeOf(found));
  const { description: _description, folder: _folder, name: _name, width: _width, height: _height, ...rest } = info;
  const imageKey = ++reading.imageKeys;
  sink.image({
    key: imageKey,
    path: found ?? said,
    width: size?.width ?? null,
    height: size?.height ?? null,
    split: null,
    source: JSON.stringify(rest),
  });
  readObjects(reading, file, objects, imageKey, size);
}

interface Piece {
  readonly object: z.output<typeof objectSchema>;
  readonly id: string;
  readonly layer: number;
  readonly parts: readonly PolygonPart[];
}

function readObjects(reading: Reading, file: string, objects: readonly unknown[], imageKey: number, size: Size | null): void {
  const { sink } = reading;
  const pieces: Piece[] = [];
  objects.forEach((value, i) => {
    const id = `${file}#${i}`;
    const refuse = (reason: string, message: string): void =>
      sink.finding({ kind: 'refused', what: 'annotation', id, reason, message: `${id}: ${message}` });
    const parsed = objectSchema.safeParse(value);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      return refuse('not-as-expected', `"${issue?.path.join('.') ?? ''}": ${issue?.message ?? 'not as expected'}.`);
    }
    const object = parsed.data;
    const type = object.shape_type ?? 'polygon';
    if (type === 'line' || type === 'point') return refuse('shape-without-area', `a ${type} covers no area; instances are areas here.`);
    const points = object.segmentation;
    const different = new Set(points.map(([x, y]) => `${x} ${y}`)).size;
    if (different < 3) return refuse('ring-too-short', `its ring has ${different} different points; a polygon needs three.`);
    const parts = splitRing(opened(points.flatMap(([x, y]) => [x, y])));
    const wrong = impossible({ kind: 'polygon', parts }, size);
    if (wrong !== null) return refuse('geometry-impossible', wrong);
    pieces.push({ object, id, layer: object.layer ?? 0, parts });
  });
  pieces.sort((a, b) => a.layer - b.layer);
  const groups = new Map<string, Piece[]>();
  for (const piece of pieces) {
    const { category, group, iscrowd } = piece.object;
    if (category === ISAT_BACKGROUND) continue;
    const none = group === null || group === undefined || group === 0 || group === '' || group === '0';
    const key = none ? piece.id : JSON.stringify([group, category, Boolean(iscrowd)]);
    const known = groups.get(key);
    if (known) known.push(piece);
    else groups.set(key, [piece]);
  }
  const cuts = pieces.filter(({ object }) => object.category === ISAT_BACKGROUND);
  for (const [, own] of groups) addInstance(reading, own, cuts, imageKey, size);
}

function addInstance(reading: Reading, own: readonly Piece[], cuts: readonly Piece[], imageKey: number, size: Size | null): void {
  const { sink, categories } = reading;
  const first = own[0];
  if (!first) return;
  const { geometry, by } = cutAway(own, cuts, size);
  if (by.length > 0) {
    const message = `${first.id}: ${by.map(({ id }) => id).join(', ')} (${ISAT_BACKGROUND}) cut something out of it; it is kept as a mask.`;
    sink.finding({ kind: 'repaired', what: 'annotation', id: first.id, reason: 'background-cut', message });
  }
  const name = first.object.category.trim();
  if (name === '' && !categories.has('unnamed')) {
    const message = `${first.id}: an empty category; such objects are of the class "unnamed".`;
    sink.finding({ kind: 'repaired', what: 'category', id: '', reason: 'class-without-name', message });
  }
  const extras = own.map(({ object }) => Object.fromEntries(Object.entries(object).filter(([key]) => !READ_KEYS.has(key))));
  sink.instance({
    key: ++reading.instances,
    imageKey,
    categoryKey: categories.add(name === '' ? 'unnamed' : name, null),
    geometry,
    crowd: Boolean(first.object.iscrowd),
    source: JSON.stringify({ objects: extras }),
  });
}

function cutAway(own: readonly Piece[], cuts: readonly Piece[], size: Size | null): { geometry: Geometry; by: readonly Piece[] } {
  const whole: Geometry = { kind: 'polygon', parts: own.flatMap(({ parts }) => parts) };
  if (size === null || cuts.length === 0) return { geometry: whole, by: [] };
  const by: Piece[] = [];
  let all: Uint32Array = Uint32Array.of(size.width * size.height);
  for (const { parts, layer } of own) {
    let runs = geometryRuns({ kind: 'polygon', parts }, size.width, size.height);
    for (const cut of cuts) {
      if (cut.layer <= layer) continue;
      const hole = geometryRuns({ kind: 'polygon', parts: cut.parts }, size.width, size.height);
      if (runsOverlap(runs, hole) === 0) continue;
      runs = combineRuns(runs, hole, 'difference');
      if (!by.includes(cut)) by.push(cut);
    }
    all = combineRuns(all, runs, 'union');
  }
  if (by.length === 0) return { geometry: whole, by };
  return { geometry: { kind: 'mask', rle: { size: [size.height, size.width], counts: countsToString(all) } }, by };
}

/** How much a place looks like ISAT's. */
export async function detectIsat(place: string): Promise<number> {
  return 0.97 * (await likeness(place, (value) => (fileSchema.safeParse(value).success ? 1 : 0)));
}

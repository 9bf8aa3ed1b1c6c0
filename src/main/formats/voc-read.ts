import { basename, join } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import type { Box } from '../../shared/records.ts';
import type { DatasetSink, ReadOptions } from './dataset.ts';
import type { ImageFiles } from './folder.ts';
import { listFiles, imagesOf } from './folder.ts';
import { placeBelow, placeProblem, readWhole } from './image-places.ts';
import { keptText } from './kept-records.ts';
import { readPngNumbers } from './png-numbers.ts';
import type { PngNumbers } from './png-numbers.ts';
import { categorySink } from './sink-categories.ts';
import type { CategorySink } from './sink-categories.ts';
import type { MapClass } from './voc-colors.ts';
import type { VocEntry } from './voc-layout.ts';
import { entriesOf, labelmapOf, layoutOf, pathOf } from './voc-layout.ts';
import type { MapObject } from './voc-maps.ts';
import { mapNames, readObjects } from './voc-maps.ts';
import type { Once, VocObject } from './voc-xml.ts';
import { readVocXml } from './voc-xml.ts';

interface Context {
  readonly root: string;
  readonly sink: DatasetSink;
  readonly options: ReadOptions;
  readonly images: ImageFiles;
  readonly below: string;
  readonly categories: CategorySink;
  readonly labelmap: readonly MapClass[] | null;
  readonly once: Once;
}

/** Reads a VOC folder, or the one XML file. */
export async function readVoc(place: string, sink: DatasetSink, options: ReadOptions): Promise<void> {
  const { root, only } = layoutOf(place);
  const files = await listFiles(root, ['.xml', '.png', '.txt'], options.signal);
  const said = new Set<string>();
  const once = (reason: string, message: string): void => {
    if (said.has(reason)) return;
    said.add(reason);
    sink.finding({ kind: 'kept', what: 'file', id: basename(place), reason, message });
  };
  const labelmap = await labelmapOf(root, files, sink);
  const categories = categorySink(sink);
  for (const each of labelmap ?? []) if (!each.ground) categories.add(each.name, each.color);
  const images = await imagesOf(options);
  const entries = await entriesOf(root, files, only, images, placeBelow(options.images, root), sink);
  if (entries.length === 0) {
    throw new AppError('invalid', `${place} has neither annotation files nor class maps as Pascal VOC has them.`, { path: place });
  }
  const context: Context = { root, sink, options, images, below: placeBelow(options.images, root), categories, labelmap, once };
  const paths = new Set<string>();
  let key = 0;
  for (const [done, entry] of entries.entries()) {
    options.signal?.throwIfAborted();
    key = await readEntry(context, entry, done + 1, key, paths);
    options.onProgress?.(done + 1, entries.length);
  }
}

/** One image with its objects. Answers with the last key that an instance got. */
async function readEntry(context: Context, entry: VocEntry, imageKey: number, lastKey: number, paths: Set<string>): Promise<number> {
  const { sink, options, images, below } = context;
  const { base, stem } = entry;
  const said = entry.xml === undefined ? null : await readVocXml(context.root, entry.xml, sink, context.once, options.signal);
  const filename = said?.filename ?? null;
  const path = pathOf(images, below, entry, filename, sink);
  if (paths.has(path)) {
    const message = `${entry.xml ?? entry.classMap ?? stem} is about ${path}, which another file was about already.`;
    sink.finding({ kind: 'refused', what: 'image', id: path, reason: 'image-twice', message });
    return lastKey;
  }
  paths.add(path);
  const maps = await readMaps(context, entry);
  const map = maps.objects ?? maps.classes;
  let [width, height] = [said?.width ?? null, said?.height ?? null];
  if (map) {
    if (width !== null && height !== null && (width !== map.width || height !== map.height)) {
      const message = `${entry.xml ?? ''} says ${width} × ${height}, its map is ${map.width} × ${map.height}; the map's size is taken.`;
      sink.finding({ kind: 'repaired', what: 'image', id: path, reason: 'size-differs', message });
    }
    [width, height] = [map.width, map.height];
  } else if (width === null || height === null) {
    const size = await options.sizeOf(path);
    [width, height] = [size?.width ?? null, size?.height ?? null];
    if (entry.xml !== undefined) context.once('size-missing', `${entry.xml} says no size of its image; that of the file is taken.`);
  }
  sink.image({ key: imageKey, path, width, height, split: entry.split, source: said ? keptText(said.kept) : null });
  let objects: MapObject[] = [];
  if (map) {
    const names = mapNames(maps.classes, context.labelmap, 'voc', context.once);
    objects = readObjects(maps, names, path, sink, context.once, options.regions);
  }
  const matched = matchObjects(said?.objects ?? [], objects);
  let key = lastKey;
  matched.forEach(({ object, mask }, i) => {
    const id = `${path} object ${object?.place ?? `${(said?.objects.length ?? 0) + i + 1}`}`;
    const refuse = (reason: string, message: string): void => sink.finding({ kind: 'refused', what: 'annotation', id, reason, message });
    const name = object?.name ?? mask?.name ?? null;
    if (name === null) return refuse('class-missing', `${base}${stem}: an object has no name.`);
    if (object?.name && mask?.name && object.name !== mask.name) {
      const message = `The object is ${object.name} by its annotation and ${mask.name} by the class map; the annotation counts.`;
      sink.finding({ kind: 'repaired', what: 'annotation', id, reason: 'class-differs', message });
    }
    if (mask === null && (!object || object.box === null)) {
      return refuse('box-unclear', `${base}${stem}: object ${object?.place ?? ''} has neither a box with an area nor pixels of its own.`);
    }
    const geometry = mask ? ({ kind: 'mask', rle: mask.rle } as const) : ({ kind: 'box', box: object?.box ?? [0, 0, 0, 0] } as const);
    const problem = placeProblem(geometry, width === null || height === null ? null : { width, height });
    if (problem) sink.finding({ what: 'annotation', id, ...problem });
    if (problem?.kind === 'refused') return;
    const categoryKey = context.categories.add(name, null);
    sink.instance({
      key: ++key,
      imageKey,
      categoryKey,
      geometry,
      crowd: object?.crowd ?? false,
      source: object ? keptText(object.kept) : null,
    });
  });
  return key;
}

/** The class map and the object map of an image; a damaged one is said and left out. */
async function readMaps(
  { root, sink }: Context,
  { classMap, objectMap }: VocEntry,
): Promise<{ classes: PngNumbers | null; objects: PngNumbers | null }> {
  const read = async (file: string | undefined): Promise<PngNumbers | null> => {
    if (file === undefined) return null;
    try {
      return readPngNumbers(await readWhole(join(root, file)), file);
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown;
      sink.finding({ kind: 'refused', what: 'file', id: file, reason: 'map-unreadable', message: thrown.message });
      return null;
    }
  };
  return { classes: await read(classMap), objects: await read(objectMap) };
}

/**
 * Which pixels belong to which object. By the challenge's rule the object with number n in the map is the n-th of the file;
 * where its box says otherwise, the best box of the same class; what is left stays by itself.
 */
function matchObjects(objects: readonly VocObject[], masks: readonly MapObject[]): { object: VocObject | null; mask: MapObject | null }[] {
  const left = new Map(masks.map((mask) => [mask.ordinal, mask]));
  const found = new Map<VocObject, MapObject>();
  const fits = (object: VocObject, mask: MapObject): boolean => mask.name === null || object.name === null || mask.name === object.name;
  for (const object of objects) {
    const mask = left.get(object.place);
    if (!mask || !fits(object, mask) || (object.box && boxIou(object.box, mask.box) < 0.3)) continue;
    found.set(object, mask);
    left.delete(object.place);
  }
  for (const object of objects) {
    if (found.has(object) || !object.box) continue;
    const { box } = object;
    const [best] = [...left.values()].filter((mask) => fits(object, mask)).sort((a, b) => boxIou(box, b.box) - boxIou(box, a.box));
    if (!best || boxIou(box, best.box) < 0.5) continue;
    found.set(object, best);
    left.delete(best.ordinal);
  }
  return [
    ...objects.map((object) => ({ object, mask: found.get(object) ?? null })),
    ...[...left.values()].map((mask) => ({ object: null, mask })),
  ];
}

function boxIou(a: Box, b: Box): number {
  const w = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const h = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  if (w <= 0 || h <= 0) return 0;
  return (w * h) / (a[2] * a[3] + b[2] * b[3] - w * h);
}

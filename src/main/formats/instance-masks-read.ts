import { open } from 'node:fs/promises';
import { statSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import { LIST_ENDINGS, readClassList } from './class-lists.ts';
import type { DatasetSink, ReadOptions } from './dataset.ts';
import { imagesOf, listFiles, stemOf } from './folder.ts';
import { imageAtStem, placeBelow, readWhole, splitName } from './image-places.ts';
import { readPanoptic } from './panoptic-read.ts';
import type { PngNumbers } from './png-numbers.ts';
import { readPngNumbers } from './png-numbers.ts';
import { categorySink } from './sink-categories.ts';
import { valueMasks } from './value-masks.ts';
import type { MapClass } from './voc-colors.ts';

const MAP_FOLDER = /^(instances?|instance_?masks?|instance_?ids?|masks?|labels?|SegmentationObject)$/i;
/** MOTS and Cityscapes: class × 1000 + instance; MOTS has 10000 for what is to be ignored. */
const PER_CLASS = 1000;
const IGNORED = 10_000;

/** Reads COCO's panoptic files where there are some, else a map of instance numbers an image. */
export async function readInstanceMasks(place: string, sink: DatasetSink, options: ReadOptions): Promise<void> {
  const found = statSync(place, { throwIfNoEntry: false });
  if (!found) throw new AppError('io', `There is no ${place}.`, { path: place });
  if (!found.isDirectory() && /\.json$/i.test(place)) return readPanoptic([place], dirname(place), sink, options);
  const root = found.isDirectory() ? place : dirname(place);
  const files = await listFiles(root, ['.png', ...LIST_ENDINGS], options.signal);
  const jsons: string[] = [];
  for (const path of files) if (/\.json$/i.test(path) && (await isPanoptic(join(root, path)))) jsons.push(join(root, path));
  if (found.isDirectory() && jsons.length > 0) return readPanoptic(jsons, root, sink, options);
  const maps = found.isDirectory() ? files.filter(isMap) : [basename(place)];
  if (maps.length === 0) {
    throw new AppError('invalid', `${place} has neither a panoptic JSON file nor a folder of instance maps.`, { path: place });
  }
  await readMaps(root, maps, await readClassList(root, files, sink), sink, options);
}

function isMap(path: string): boolean {
  if (!/\.png$/i.test(path)) return false;
  return (
    /_instance(Ids|TrainIds)?\.png$/i.test(path) ||
    path
      .split('/')
      .slice(0, -1)
      .some((part) => MAP_FOLDER.test(part))
  );
}

/** Maps without any list of segments: each number is an instance. */
async function readMaps(
  root: string,
  maps: readonly string[],
  list: readonly MapClass[] | null,
  sink: DatasetSink,
  options: ReadOptions,
): Promise<void> {
  const categories = categorySink(sink);
  const images = await imagesOf(options);
  const below = placeBelow(options.images, root);
  const paths = new Set<string>();
  const said = new Set<string>();
  const once = (reason: string, message: string): void => {
    if (!said.has(reason)) sink.finding({ kind: 'kept', what: 'file', id: basename(root), reason, message });
    said.add(reason);
  };
  let key = 0;
  for (const [done, file] of maps.entries()) {
    options.signal?.throwIfAborted();
    options.onProgress?.(done, maps.length);
    try {
      const map = readPngNumbers(await readWhole(join(root, file)), file);
      const stems = imageStems(file);
      const path = imageAtStem(images, [...stems.map((stem) => below + stem), ...stems]);
      if (path === null) {
        const message = `No image belongs to ${file}; ${stemOf(basename(file))}.jpg is assumed.`;
        sink.finding({ kind: 'kept', what: 'image', id: file, reason: 'image-missing', message });
      }
      const imagePath = path ?? `${stemOf(basename(file))}.jpg`;
      if (paths.has(imagePath)) {
        const message = `${file} is about ${imagePath}, which another map was about already.`;
        sink.finding({ kind: 'refused', what: 'image', id: imagePath, reason: 'image-twice', message });
        continue;
      }
      paths.add(imagePath);
      sink.image({ key: paths.size, path: imagePath, width: map.width, height: map.height, split: splitOf(file), source: null });
      const masks = valueMasks(map.values, map.width, map.height);
      masks.delete(0);
      const nameOf = instanceNames(map, file, list, once);
      for (const [value, { rle, area }] of masks) {
        const name = nameOf(value);
        if (name === null) {
          const message = `${area} pixels have number ${value}, which stands for what is to be ignored.`;
          sink.finding({ kind: 'refused', what: 'annotation', id: `${imagePath} ${value}`, reason: 'region-ignored', message });
          continue;
        }
        const categoryKey = categories.add(name, null);
        sink.instance({ key: ++key, imageKey: paths.size, categoryKey, geometry: { kind: 'mask', rle }, crowd: false, source: null });
      }
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown;
      sink.finding({ kind: 'refused', what: 'file', id: file, reason: 'map-unreadable', message: thrown.message });
    }
  }
}

/** The class of an instance by its number. Null for what is to be ignored. */
function instanceNames(
  map: PngNumbers,
  file: string,
  list: readonly MapClass[] | null,
  once: (reason: string, message: string) => void,
): (value: number) => string | null {
  const named = (list ?? []).filter(({ name }) => name !== '');
  const perClass =
    /_instance(Ids|TrainIds)?\.png$/i.test(file) ||
    (named.length > 0 && map.kind === 'grey' && map.values.some((value) => value >= PER_CLASS));
  if (!perClass) {
    const [only, more] = named;
    const name = only && !more ? only.name : 'object';
    once('instances-without-class', `No file says the class of an instance; all of them are "${name}".`);
    return () => name;
  }
  return (value) => {
    const number = value < PER_CLASS ? value : Math.floor(value / PER_CLASS);
    if (value === IGNORED && (named.length === 0 || named.length < number)) return null;
    const listed = named[number - 1];
    if (listed) return listed.name;
    once('class-without-name', 'Instances have classes of which no file says the name; they are called by their number.');
    return `class ${number}`;
  };
}

/** Where the image may lie, without ending: `images` for the maps' folder, or beside it. */
function imageStems(file: string): string[] {
  const stem = stemOf(file);
  const name = posix.basename(stem).replace(/(_gtFine)?_instance(Ids|TrainIds)?$/i, '');
  const parts = posix.dirname(stem) === '.' ? [] : posix.dirname(stem).split('/');
  const at = parts.findLastIndex((part) => MAP_FOLDER.test(part));
  const swapped = ['images', 'image', 'img', 'JPEGImages'].map((folder) => [...parts.slice(0, at), folder, ...parts.slice(at + 1)]);
  const city = parts.map((part) => (part === 'gtFine' ? 'leftImg8bit' : part));
  const folders = [...(at < 0 ? [] : swapped), ...(at < 0 ? [] : [parts.slice(0, at)]), city];
  return [...folders.flatMap((folder) => [[...folder, name].join('/'), [...folder, `${name}_leftImg8bit`].join('/')]), name];
}

function splitOf(file: string): string | null {
  const names = file
    .split('/')
    .slice(0, -1)
    .map((part) => splitName(part));
  return names.find((name) => name !== null && ['train', 'val', 'test'].includes(name)) ?? null;
}

/** Whether a JSON file has lists of segments: by its name, or by its beginning. */
async function isPanoptic(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(1 << 16), 0, 1 << 16, 0);
    const head = buffer.toString('latin1', 0, bytesRead);
    return head.includes('"segments_info"') || (/panoptic/i.test(basename(path)) && head.includes('"images"'));
  } finally {
    await file.close();
  }
}

/** Whether the place has panoptic files or instance maps. */
export async function looksLikeInstanceMasks(place: string): Promise<number> {
  try {
    if (!statSync(place).isDirectory()) return /\.json$/i.test(place) && (await isPanoptic(place)) ? 1 : 0;
    const files = await listFiles(place, ['.png', '.json']);
    // Cheap: of a folder of thousands of JSON files only some are opened, likely ones first.
    const jsons = files.filter((path) => /\.json$/i.test(path));
    const named = jsons.filter((path) => /panoptic/i.test(path));
    for (const path of [...named, ...jsons].slice(0, 20)) if (await isPanoptic(join(place, path))) return 0.95;
    const maps = files.filter(isMap);
    if (maps.length === 0) return 0;
    if (maps.some((path) => /_instance(Ids|TrainIds)?\.png$/i.test(path) || /(^|\/)instances?\//i.test(path))) return 0.7;
    return 0.2;
  } catch {
    return 0;
  }
}

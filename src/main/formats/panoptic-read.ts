import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import type { DatasetSink, ReadOptions } from './dataset.ts';
import type { ImageFiles } from './folder.ts';
import { imagesOf, stemOf } from './folder.ts';
import { imageAt, insidePath, placeBelow, readWhole, splitName } from './image-places.ts';
import { readJsonElements } from './json-elements.ts';
import type { KeptValue } from './kept-records.ts';
import { keptText } from './kept-records.ts';
import type { PngNumbers } from './png-numbers.ts';
import { readPngNumbers } from './png-numbers.ts';
import { valueMasks } from './value-masks.ts';
import { hexOf } from './voc-colors.ts';

/**
 * COCO's panoptic format (https://cocodataset.org/#format-data): a JSON file with the segments of each image, and a PNG file
 * an image in which a segment's pixels have its id as R + 256 G + 65536 B. Things, stuff and crowds alike become instances.
 */

type Fields = Readonly<Record<string, unknown>>;

interface PanopticImage {
  readonly key: number;
  readonly path: string;
  readonly width: number | null;
  readonly height: number | null;
  readonly kept: string | null;
}

interface Reading {
  readonly sink: DatasetSink;
  readonly options: ReadOptions;
  readonly files: ImageFiles;
  /** Categories by name: several files of one dataset have the same. */
  readonly categories: Map<string, number>;
  readonly paths: Set<string>;
  instance: number;
}

/** Reads the JSON files, one after the other; memory goes with the number of their images. */
export async function readPanoptic(jsons: readonly string[], root: string, sink: DatasetSink, options: ReadOptions): Promise<void> {
  const reading: Reading = { sink, options, files: await imagesOf(options), categories: new Map(), paths: new Set(), instance: 0 };
  for (const json of jsons) await readFile(reading, json, root);
}

async function readFile(reading: Reading, json: string, root: string): Promise<void> {
  const { sink, options, files, paths } = reading;
  const images = new Map<string, PanopticImage>();
  const categories = new Map<string, number>();
  const split = splitOf(json);
  const folders = pngFolders(json);
  const below = placeBelow(options.images, root);
  // Images and categories may come after the annotations, so the file is read twice: once for each.
  let annotations = 0;
  for await (const { key, index, value } of readJsonElements(json)) {
    if (key === 'annotations') annotations += index === null ? 0 : 1;
    else if (key === 'categories' && index !== null) readCategory(reading, categories, value, json);
    else if (key === 'images' && index !== null) {
      const image = readImage(value, files, below, split, paths.size + 1);
      if (image === null || paths.has(image.path)) {
        const id = image?.path ?? `number ${index + 1}`;
        const message = image === null ? `${json}: image ${index + 1} has no id or file name.` : `${json} has ${id} twice.`;
        sink.finding({ kind: 'refused', what: 'image', id, reason: image === null ? 'image-unclear' : 'image-twice', message });
      } else {
        paths.add(image.path);
        images.set(idOf(field(value, 'id')), image);
      }
    } else if (key !== 'images' && key !== 'categories') sink.rest(key, JSON.stringify(value));
  }
  const told = new Set<string>();
  let done = 0;
  for await (const { key, index, value } of readJsonElements(json)) {
    if (key !== 'annotations' || index === null) continue;
    options.signal?.throwIfAborted();
    const id = idOf(field(value, 'image_id'));
    const image = images.get(id);
    if (!image || told.has(id)) {
      const message = image
        ? `${image.path} has two lists of segments.`
        : `${json}: a list of segments is of image ${id}, which is not there.`;
      sink.finding({ kind: 'refused', what: 'image', id: image?.path ?? id, reason: image ? 'image-twice' : 'image-missing', message });
    } else {
      told.add(id);
      await readSegments(reading, image, value, folders, categories, split);
    }
    options.onProgress?.(++done, annotations);
  }
  for (const [id, image] of images) if (!told.has(id)) tellImage(sink, image, split, image);
}

/** Beside `panoptic_train.json` lies `panoptic_train/`, or its images' folder, or the PNG files themselves. */
function pngFolders(json: string): string[] {
  const here = dirname(json);
  const name = stemOf(basename(json));
  return [
    join(here, name),
    here,
    join(here, '..', name),
    join(here, '..', 'masks'),
    join(here, 'masks'),
    join(here, '..', 'annotations', name),
  ];
}

function splitOf(json: string): string | null {
  const name = stemOf(basename(json));
  const split = name.replace(/^panoptic_?/i, '');
  const [, usual] = /^(train|val|test)(?:idation|ing)?\d*$/i.exec(split) ?? [];
  return splitName(usual ?? (split === name ? '' : split));
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Fields)[key] : undefined;
}

function idOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function without(value: unknown, keys: readonly string[]): string | null {
  if (typeof value !== 'object' || value === null) return null;
  return keptText(Object.fromEntries(Object.entries(value as Readonly<Record<string, KeptValue>>).filter(([key]) => !keys.includes(key))));
}

function readCategory({ sink, categories }: Reading, byId: Map<string, number>, value: unknown, json: string): void {
  const [id, name, color] = [field(value, 'id'), field(value, 'name'), field(value, 'color')];
  if (idOf(id) === '' || typeof name !== 'string' || name.trim() === '') {
    const message = `${json}: ${JSON.stringify(value).slice(0, 80)} is no category with id and name.`;
    return sink.finding({ kind: 'refused', what: 'category', id: idOf(id), reason: 'category-unclear', message });
  }
  let key = categories.get(name.trim());
  if (key === undefined) {
    key = categories.size + 1;
    categories.set(name.trim(), key);
    sink.category({ key, name: name.trim(), color: colorOf(color), source: without(value, ['id', 'name', 'color']) });
  }
  byId.set(idOf(id), key);
}

function colorOf(value: unknown): string | null {
  const [r, g, b] = Array.isArray(value) ? (value as unknown[]) : [];
  const isByte = (each: unknown): each is number => typeof each === 'number' && Number.isInteger(each) && each >= 0 && each <= 255;
  return isByte(r) && isByte(g) && isByte(b) ? hexOf([r, g, b]) : null;
}

function readImage(value: unknown, files: ImageFiles, below: string, split: string | null, key: number): PanopticImage | null {
  const [id, name, width, height] = ['id', 'file_name', 'width', 'height'].map((each) => field(value, each));
  const said = typeof name === 'string' ? insidePath(name) : '';
  if (idOf(id) === '' || said === '') return null;
  const folders = [`${below}images/`, ...(split === null ? [] : [`${below}images/${split}/`, `${below}${split}/`]), below, 'images/', ''];
  const path =
    imageAt(
      files,
      folders.map((folder) => folder + said),
    ) ?? said;
  const side = (each: unknown): number | null => (typeof each === 'number' && Number.isInteger(each) && each > 0 ? each : null);
  return { key, path, width: side(width), height: side(height), kept: without(value, ['id', 'file_name', 'width', 'height']) };
}

function tellImage(sink: DatasetSink, image: PanopticImage, split: string | null, size: Pick<PanopticImage, 'width' | 'height'>): void {
  sink.image({ key: image.key, path: image.path, width: size.width, height: size.height, split, source: image.kept });
}

async function readSegments(
  reading: Reading,
  image: PanopticImage,
  value: unknown,
  folders: readonly string[],
  categories: ReadonlyMap<string, number>,
  split: string | null,
): Promise<void> {
  const { sink } = reading;
  const name = field(value, 'file_name');
  const map = await readMap(folders, typeof name === 'string' ? name : stemOf(basename(image.path)) + '.png', image, sink);
  const fits = map !== null && (await sizeFits(reading, image, map));
  tellImage(sink, image, split, fits ? map : image);
  if (!fits) return;
  const masks = valueMasks(map.values, map.width, map.height);
  masks.delete(0);
  const infos = field(value, 'segments_info');
  for (const [place, info] of (Array.isArray(infos) ? (infos as unknown[]) : []).entries()) {
    const [id, category, crowd, area] = ['id', 'category_id', 'iscrowd', 'area'].map((each) => field(info, each));
    const named = `${image.path} segment ${idOf(id) || `number ${place + 1}`}`;
    const refuse = (reason: string, message: string): void =>
      sink.finding({ kind: 'refused', what: 'annotation', id: named, reason, message });
    const mask = typeof id === 'number' ? masks.get(id) : undefined;
    const categoryKey = categories.get(idOf(category));
    if (!mask) refuse('no-pixel', 'No pixel of the map has the id of this segment.');
    else if (categoryKey === undefined) refuse('class-missing', `Its category ${idOf(category)} is not in the file.`);
    else {
      if (typeof area === 'number' && area !== mask.area) {
        const message = `It says an area of ${area}; it has ${mask.area} pixels.`;
        sink.finding({ kind: 'repaired', what: 'annotation', id: named, reason: 'area-differs', message });
      }
      const source = without(info, ['id', 'category_id', 'iscrowd', 'area', 'bbox']);
      const geometry = { kind: 'mask', rle: mask.rle } as const;
      sink.instance({ key: ++reading.instance, imageKey: image.key, categoryKey, geometry, crowd: crowd === 1 || crowd === true, source });
    }
    if (typeof id === 'number') masks.delete(id);
  }
  for (const [id, { area }] of masks) {
    const message = `${area} pixels have number ${id}, of which the file says nothing.`;
    sink.finding({ kind: 'refused', what: 'annotation', id: `${image.path} segment ${id}`, reason: 'segment-not-listed', message });
  }
}

async function readMap(folders: readonly string[], name: string, image: PanopticImage, sink: DatasetSink): Promise<PngNumbers | null> {
  const file = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  let why = `There is no ${name}.`;
  if (file !== undefined && !name.replaceAll('\\', '/').split('/').includes('..')) {
    try {
      return readPngNumbers(await readWhole(file), name);
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown;
      why = thrown.message;
    }
  }
  sink.finding({ kind: 'refused', what: 'image', id: image.path, reason: 'map-unreadable', message: `Its segments are lost: ${why}` });
  return null;
}

/** A map of another size than the file says counts if the image itself has it. */
async function sizeFits({ sink, options }: Reading, image: PanopticImage, map: PngNumbers): Promise<boolean> {
  const { width, height } = image;
  if (width === map.width && height === map.height) return true;
  const said = width === null || height === null ? 'no size' : `${width} × ${height}`;
  const size = width === null || height === null ? map : await options.sizeOf(image.path);
  const fits = size !== null && size.width === map.width && size.height === map.height;
  const message = `The file says ${said}, its map is ${map.width} × ${map.height}; ${fits ? "the map's size is taken" : 'its segments are left out'}.`;
  sink.finding({ kind: fits ? 'repaired' : 'refused', what: 'image', id: image.path, reason: 'size-differs', message });
  return fits;
}

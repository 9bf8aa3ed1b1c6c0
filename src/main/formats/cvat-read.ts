import { statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import type { DatasetSink, ReadOptions } from './dataset.ts';
import type { ImageFiles } from './folder.ts';
import { listFiles, imagesOf } from './folder.ts';
import { imageAt, imageAtStem, insidePath, placeBelow, placeProblem, splitName } from './image-places.ts';
import type { KeptRecord } from './kept-records.ts';
import { isKeptRecord, keptChildren, keptElement, keptText } from './kept-records.ts';
import { AREA_SHAPES, PLACE_ATTRIBUTES, readShape } from './cvat-shapes.ts';
import type { TaskFrames } from './cvat-tracks.ts';
import { filledTrack, taskFrames } from './cvat-tracks.ts';
import type { Size } from './orientation.ts';
import type { CategorySink } from './sink-categories.ts';
import { categorySink } from './sink-categories.ts';
import type { XmlElement } from './xml-elements.ts';
import { childOf, numberOf, readXml, rootOf, textOf } from './xml-elements.ts';

interface Context {
  readonly sink: DatasetSink;
  readonly categories: CategorySink;
  readonly images: ImageFiles;
  /** Where the file lies below the images' folder, with a `/` at its end. */
  readonly below: string;
  /** Of the file that is read now. */
  listed: boolean;
  videoSize: Size | null;
  readonly frames: Map<number, number>;
  readonly paths: Set<string>;
  /** Frames that have an image, ascending. */
  imageFrames: readonly number[];
  /** Of the task that the file is of. */
  task: TaskFrames;
  readonly track: { tracks: number; filled: number };
  image: number;
  instance: number;
}

/** Reads a file of CVAT, or all of them in a folder. Memory goes with the largest image or track. */
export async function readCvat(place: string, sink: DatasetSink, options: ReadOptions): Promise<void> {
  const files = await cvatFiles(place);
  if (files.length === 0)
    throw new AppError('invalid', `${place} has no XML file of CVAT: none begins with <annotations>.`, { path: place });
  const categories = categorySink(sink);
  const images = await imagesOf(options);
  const numbers = { image: 0, instance: 0 };
  const paths = new Set<string>();
  let before = 0;
  const total = files.reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
  for (const file of files) {
    const below = placeBelow(options.images, dirname(file));
    const context: Context = {
      sink,
      categories,
      images,
      below,
      listed: false,
      videoSize: null,
      frames: new Map(),
      paths,
      imageFrames: [],
      task: { start: 0, step: 1, stop: null },
      track: { tracks: 0, filled: 0 },
      ...numbers,
    };
    context.imageFrames = framesOf(context);
    let size = 0;
    await readXml(file, {
      root: (name) => {
        if (name !== 'annotations')
          throw new AppError('invalid', `${file} begins with <${name}>, CVAT's files with <annotations>.`, { path: file });
      },
      child: (element) => readChild(context, element, file, options),
      ...(options.signal ? { signal: options.signal } : {}),
      onProgress: (bytes, bytesOfFile) => {
        size = bytesOfFile;
        options.onProgress?.(before + bytes, total);
      },
    });
    before += size;
    [numbers.image, numbers.instance] = [context.image, context.instance];
    const { tracks, filled } = context.track;
    if (tracks > 0) {
      const message = `${tracks} tracks: every frame with an image is an instance of its own; ${filled} of them lie between frames that the file lists, and were worked out.`;
      sink.finding({ kind: 'kept', what: 'file', id: basename(file), reason: 'tracks-per-frame', message });
    }
  }
}

async function cvatFiles(place: string): Promise<string[]> {
  const found = statSync(place, { throwIfNoEntry: false });
  if (!found) throw new AppError('io', `There is no ${place}.`, { path: place });
  if (!found.isDirectory()) return [place];
  const files: string[] = [];
  for (const path of await listFiles(place, ['.xml']))
    if ((await rootOf(join(place, path))) === 'annotations') files.push(join(place, path));
  return files;
}

async function readChild(context: Context, element: XmlElement, file: string, options: ReadOptions): Promise<void> {
  const { sink } = context;
  switch (element.name) {
    case 'image':
      return readImage(context, element, options);
    case 'track':
      return readTrack(context, element);
    case 'meta':
      return readMeta(context, element);
    case 'version':
      if (element.text === '1.1') return;
      return sink.finding({
        kind: 'kept',
        what: 'file',
        id: basename(file),
        reason: 'version-other',
        message: `The file says version ${element.text}; it is read as 1.1.`,
      });
    default:
      return sink.rest(element.name, JSON.stringify(keptElement(element)));
  }
}

function readMeta(context: Context, meta: XmlElement): void {
  const { sink, categories } = context;
  for (const part of meta.children) {
    if (part.name === 'task' || part.name === 'job') context.task = taskFrames(part);
    const size = childOf(part, 'original_size');
    const [width, height] = size ? [numberOf(textOf(size, 'width')), numberOf(textOf(size, 'height'))] : [null, null];
    if (width != null && height != null && width > 0 && height > 0 && Number.isInteger(width) && Number.isInteger(height))
      context.videoSize = { width, height };
    for (const label of childOf(part, 'labels')?.children ?? []) {
      const name = textOf(label, 'name');
      // Points of a skeleton have a class of their own, which nothing but the skeleton uses.
      if (name === null || textOf(label, 'parent') !== null) continue;
      context.listed = true;
      const color = textOf(label, 'color');
      const kept = keptChildren(label.children.filter((each) => each.name !== 'name' && each.name !== 'color'));
      categories.add(name, color !== null && /^#[0-9a-f]{6}$/i.test(color) ? color.toUpperCase() : null, keptText(kept));
    }
  }
  sink.rest('meta', JSON.stringify(keptElement(meta)));
}

async function readImage(context: Context, element: XmlElement, options: ReadOptions): Promise<void> {
  const { sink, images, below, paths } = context;
  const { name: said = '', width: wide, height: high, subset: subsetSaid = '', ...others } = element.attributes;
  const [name, subset] = [insidePath(said), insidePath(subsetSaid)];
  const [width, height] = [numberOf(wide), numberOf(high)];
  const inSubset = subset ? [`${below}images/${subset}/${name}`, `${below}${subset}/${name}`] : [];
  let path = imageAt(images, [...inSubset, `${below}images/${name}`, `${below}${name}`, `images/${name}`, name]) ?? name;
  // Two tasks of a project may have images of one name.
  if (paths.has(path) && subset) path = `${subset}/${name}`;
  if (name === '' || paths.has(path)) {
    const message = name === '' ? 'An image has no name.' : `${path} is in the file twice; the later one is left out.`;
    return sink.finding({
      kind: 'refused',
      what: 'image',
      id: element.attributes['id'] ?? name,
      reason: name === '' ? 'name-missing' : 'image-twice',
      message,
    });
  }
  paths.add(path);
  const isSide = (value: number | null): value is number => value !== null && Number.isInteger(value) && value > 0;
  const size = isSide(width) && isSide(height) ? { width, height } : await options.sizeOf(path);
  const areas = element.children.filter((each) => AREA_SHAPES.has(each.name));
  const noAreas = element.children.filter((each) => !AREA_SHAPES.has(each.name));
  const kept: Record<string, KeptRecord | string> = Object.fromEntries(Object.entries(others).map(([key, value]) => ['@' + key, value]));
  if (noAreas.length > 0) kept['shapes'] = keptChildren(noAreas);
  const key = ++context.image;
  sink.image({
    key,
    path,
    width: size?.width ?? null,
    height: size?.height ?? null,
    split: splitName(subset),
    source: keptText(kept),
  });
  for (const other of noAreas) tellNoArea(sink, path, other.name);
  const z = (shape: XmlElement): number => numberOf(shape.attributes['z_order']) ?? 0;
  const order = areas.map((shape, i) => ({ shape, i })).sort((a, b) => z(a.shape) - z(b.shape) || a.i - b.i);
  for (const { shape, i } of order)
    readArea(context, shape, shape.attributes['label'] ?? '', key, size, `${path} ${shape.name} ${i + 1}`, {});
}

function tellNoArea(sink: DatasetSink, path: string, name: string): void {
  const message = `“${name}” is no area: it is not shown, stays with the image, and is written again in this format.`;
  sink.finding({ kind: 'kept', what: 'annotation', id: `${path} ${name}`, reason: 'not-an-area', message });
}

/** A track's shapes, each on the image of its frame. */
function readTrack(context: Context, track: XmlElement): void {
  context.track.tracks++;
  const { id: trackId = '', label = '' } = track.attributes;
  // A frame that nobody kept as an image would only be told as missing.
  const { shapes, filled, gaps } = filledTrack(track.children, context.task, context.imageFrames);
  context.track.filled += filled;
  for (const { from, to, why } of gaps) {
    const id = `track ${trackId} frames ${from} to ${to}`;
    const message = `Track ${trackId} is not filled in from frame ${from} to ${to}: ${why}.`;
    context.sink.finding({ kind: 'refused', what: 'annotation', id, reason: 'track-gap', message });
  }
  for (const shape of shapes) {
    const frame = numberOf(shape.attributes['frame']);
    const id = `track ${trackId} ${shape.name} ${shape.attributes['frame'] ?? ''}`;
    if (frame === null || !Number.isInteger(frame) || frame < 0) {
      context.sink.finding({
        kind: 'refused',
        what: 'annotation',
        id,
        reason: 'frame-missing',
        message: 'A shape of a track names no frame.',
      });
      continue;
    }
    // The object is out of sight there.
    if (shape.attributes['outside'] === '1') continue;
    const image = frameImage(context, frame);
    if (AREA_SHAPES.has(shape.name)) readArea(context, shape, label, image, context.videoSize, id, { track: trackId });
    else {
      const message = `“${shape.name}” of a track is no area; it is left out.`;
      context.sink.finding({ kind: 'refused', what: 'annotation', id, reason: 'not-an-area', message });
    }
  }
}

function frameImage(context: Context, frame: number): number {
  const known = context.frames.get(frame);
  if (known !== undefined) return known;
  const { videoSize } = context;
  const path = frameFile(context, frame) ?? `${stemOfFrame(frame)}.png`;
  const key = ++context.image;
  context.frames.set(frame, key);
  context.paths.add(path);
  context.sink.image({ key, path, width: videoSize?.width ?? null, height: videoSize?.height ?? null, split: null, source: null });
  return key;
}

/** CVAT's name of a frame's image, without its ending. */
function stemOfFrame(frame: number): string {
  return `frame_${String(frame).padStart(6, '0')}`;
}

/** The frames of which there is an image: however long a file says that its video is, there are no more. */
function framesOf(context: Context): number[] {
  const numbers = context.images.paths.map((path) => Number(/(?:^|\/)frame_(\d{6,9})\.[^/.]+$/.exec(path)?.[1] ?? NaN));
  const frames = [...new Set(numbers.filter(Number.isInteger))].sort((a, b) => a - b);
  return frames.filter((frame) => frameFile(context, frame) !== null);
}

function frameFile({ images, below }: Context, frame: number): string | null {
  const stem = stemOfFrame(frame);
  return imageAtStem(images, [`${below}images/${stem}`, `${below}${stem}`, `images/${stem}`, stem]);
}

function readArea(
  context: Context,
  shape: XmlElement,
  label: string,
  imageKey: number,
  size: Size | null,
  id: string,
  more: KeptRecord,
): void {
  const { sink, categories } = context;
  const refuse = (reason: string, message: string): void => sink.finding({ kind: 'refused', what: 'annotation', id, reason, message });
  if (label === '') return refuse('class-missing', `A ${shape.name} has no label.`);
  const read = readShape(shape.name, shape.attributes, size);
  if (read.geometry === null) return refuse(read.reason, read.message);
  const problem = placeProblem(read.geometry, size);
  if (problem) sink.finding({ what: 'annotation', id, ...problem });
  if (problem?.kind === 'refused') return;
  if (read.repaired) sink.finding({ kind: 'repaired', what: 'annotation', id, ...read.repaired });
  if (context.listed && !categories.has(label)) {
    const message = `The file's list of labels does not have "${label}"; it was added.`;
    sink.finding({ kind: 'repaired', what: 'category', id: label, reason: 'class-not-listed', message });
  }
  const crowd = shape.children.some((each) => each.attributes['name'] === 'is_crowd' && /^(true|1)$/i.test(each.text));
  const said = keptElement({
    ...shape,
    attributes: Object.fromEntries(Object.entries(shape.attributes).filter(([key]) => key !== 'label' && !PLACE_ATTRIBUTES.has(key))),
    children: shape.children.filter((each) => each.attributes['name'] !== 'is_crowd'),
  });
  const kept: Record<string, KeptRecord[string]> = { ...(isKeptRecord(said) ? said : {}), ...more };
  // What becomes a polygon is written as it was for as long as it is that polygon.
  if (shape.name === 'ellipse' || (shape.name === 'box' && read.geometry.kind === 'polygon')) {
    kept[shape.name] = Object.fromEntries(Object.entries(shape.attributes).filter(([key]) => PLACE_ATTRIBUTES.has(key)));
  }
  const categoryKey = categories.add(label, null);
  sink.instance({ key: ++context.instance, imageKey, categoryKey, geometry: read.geometry, crowd, source: keptText(kept) });
}

/** Whether the place is a file of CVAT or a folder with one. */
export async function looksLikeCvat(place: string): Promise<number> {
  try {
    if (!statSync(place).isDirectory()) return (await rootOf(place)) === 'annotations' ? 1 : 0;
    if ((await rootOf(join(place, 'annotations.xml'))) === 'annotations') return 0.95;
    const [first] = await listFiles(place, ['.xml']);
    return first !== undefined && (await rootOf(join(place, first))) === 'annotations' ? 0.8 : 0;
  } catch {
    return 0;
  }
}

import { writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import type { Box, ImageRecord } from '../../shared/records.ts';
import type { Finding } from '../../shared/formats.ts';
import { rgbOf } from '../../shared/views/coverage.ts';
import type { Rgb } from '../../shared/views/coverage.ts';
import { makeFolder } from '../make-folder.ts';
import { encodeIndexedPng } from '../render-indexed.ts';
import type { DatasetSource, DatasetWriter, WriteOptions } from './dataset.ts';
import { placeImage } from './folder.ts';
import { writtenNames } from './image-places.ts';
import type { KeptReader, KeptRecord } from './kept-records.ts';
import { elementsOf, isKeptRecord, keptReader } from './kept-records.ts';
import type { InstanceMap } from './map-instances.ts';
import { inMapOrder, isWritten, labelOf, mapInstances, pause, tellSameNames } from './map-instances.ts';
import { mapPalette, vocPalette } from './voc-colors.ts';
import { BOXES_FROM_ONE } from './voc-xml.ts';
import type { XmlElement } from './xml-elements.ts';
import { branch, leaf, xmlText } from './xml-elements.ts';

/** Numbers 1 to 254 of a palette; 0 is the background, 255 the border. */
const MOST = 254;

export const VOC_LIMITS = [
  'Where instances overlap, a pixel belongs to the upper one; crowds lie under the others.',
  `At most ${MOST} classes, and ${MOST} instances with pixels in an image.`,
  'Polygons are written as pixels; boxes as boxes.',
];

/** Lists of images by split, and which of them have pixels. */
type Sets = Map<string, { readonly all: string[]; readonly segmented: string[] }>;

/** Writes `Annotations`, `SegmentationClass`, `SegmentationObject`, `ImageSets`, `labelmap.txt`, and `JPEGImages` where asked for. */
export const writeVoc: DatasetWriter['write'] = async (source, folder, options, tell) => {
  const { labels } = source;
  if (labels.length > MOST) {
    throw new AppError('unsupported', `Pascal VOC has room for ${MOST} classes; the project has ${labels.length}.`, {
      classes: labels.length,
    });
  }
  tellSameNames(labels, tell);
  const palette = mapPalette(labels.map((label) => rgbOf(label.color)));
  await writeFile(
    join(folder, 'labelmap.txt'),
    labelmapText(
      labels.map(({ name }) => name),
      palette,
    ),
    { flag: 'wx' },
  );
  const names = writtenNames(source, 'JPEGImages/');
  const kept = keptReader(source, 'voc', 'Pascal VOC');
  const sets: Sets = new Map();
  let done = 0;
  for (const image of source.images()) {
    await pause(options.signal);
    options.onProgress?.(++done, source.imageCount);
    const name = names.get(image.id);
    if (!name || !isWritten(source, image, options, tell)) continue;
    const segmented = await writeImage({ source, folder, options, tell, palette, kept }, image, name.stem, name.path);
    addToSets(sets, source.split(image.id), name.stem, segmented);
  }
  await writeSets(folder, sets, tell);
  kept.tell(tell);
};

interface Writing {
  readonly source: DatasetSource;
  readonly folder: string;
  readonly options: WriteOptions;
  readonly tell: (finding: Finding) => void;
  readonly palette: readonly Rgb[];
  readonly kept: KeptReader;
}

/** One image; answers whether it has pixels. */
async function writeImage(writing: Writing, image: ImageRecord, stem: string, path: string): Promise<boolean> {
  const { source, folder, options, tell, palette, kept } = writing;
  const all = inMapOrder(source, image.id);
  const map = mapInstances(
    image,
    all.filter(({ annotation }) => annotation.geometry.kind !== 'box'),
    MOST,
    tell,
    options.onInstance,
  );
  const labels = new Map(source.labels.map((label) => [label.id, label]));
  const objects: XmlElement[] = [];
  const boxes = boxesOf(map, image);
  const add = (number: number, labelId: number, crowd: boolean, name: string, box: Box): void => {
    objects.push(branch('object', [leaf('name', name), ...detailsOf(kept.of('annotation', number), crowd), bndbox(box)]));
  };
  // The n-th object of the file is number n of the map; boxes follow.
  map.instances.forEach(({ number, annotation }, i) =>
    add(number, annotation.labelId, annotation.crowd, labelOf(labels, annotation).name, boxes[i] ?? [0, 0, 0, 0]),
  );
  for (const { number, annotation } of all) {
    const { geometry, labelId, crowd } = annotation;
    if (geometry.kind === 'box') add(number, labelId, crowd, labelOf(labels, annotation).name, geometry.box);
  }
  const segmented = map.instances.length > 0;
  const top = branch('annotation', [...headOf(source, image, path, kept.of('image', image.id), segmented), ...objects]);
  await writeInto(folder, `Annotations/${stem}.xml`, xmlText(top));
  if (segmented) {
    const places = new Map(source.labels.map((label, i) => [label.id, i + 1]));
    const classOf = Uint8Array.from([0, ...map.instances.map(({ annotation }) => places.get(annotation.labelId) ?? 0)]);
    const { width, height } = image;
    const objectMap = Uint8Array.from(map.ordinals);
    const classMap = objectMap.map((ordinal) => classOf[ordinal] ?? 0);
    await writeInto(folder, `SegmentationClass/${stem}.png`, encodeIndexedPng(classMap, width, height, palette));
    await writeInto(folder, `SegmentationObject/${stem}.png`, encodeIndexedPng(objectMap, width, height, vocPalette()));
  }
  const put = await placeImage(source, image, options.images, join(folder, 'JPEGImages', path));
  options.onImage?.(image.id, put ? `JPEGImages/${path}` : path);
  return segmented;
}

/** Boxes of what is seen of each instance, in pixels. */
function boxesOf({ instances, ordinals }: InstanceMap, { width, height }: ImageRecord): Box[] {
  const edges = instances.map(() => [width, height, 0, 0] as [number, number, number, number]);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const edge = edges[(ordinals[i] ?? 0) - 1];
      if (!edge) continue;
      edge[0] = Math.min(edge[0], x);
      edge[1] = Math.min(edge[1], y);
      edge[2] = Math.max(edge[2], x + 1);
      edge[3] = y + 1;
    }
  }
  return edges.map(([left, top, right, bottom]) => [left, top, right - left, bottom - top]);
}

/** Pixels from 1, the last one included, as the VOC development kit counts them; fractions stay. */
function bndbox([x, y, width, height]: Box): XmlElement {
  return branch('bndbox', [leaf('xmin', x + 1), leaf('ymin', y + 1), leaf('xmax', x + width), leaf('ymax', y + height)]);
}

/** `pose`, `truncated` and the others, as they were imported or as nobody has said. */
function detailsOf(kept: KeptRecord, crowd: boolean): XmlElement[] {
  const said: KeptRecord = { pose: 'Unspecified', truncated: '0', difficult: '0', ...kept, ...(crowd ? { crowd: '1' } : {}) };
  return Object.entries(said).flatMap(([name, value]) => elementsOf(name, value));
}

function headOf(source: DatasetSource, image: ImageRecord, path: string, kept: KeptRecord, segmented: boolean): XmlElement[] {
  const { folder: keptFolder, source: keptSource, depth, ...rest } = kept;
  const sourceRecord = isKeptRecord(keptSource) ? keptSource : {};
  return [
    leaf('folder', typeof keptFolder === 'string' ? keptFolder : posix.dirname(`JPEGImages/${path}`)),
    leaf('filename', posix.basename(path)),
    ...elementsOf('source', { database: source.projectName, ...sourceRecord, annotation: BOXES_FROM_ONE }),
    ...Object.entries(rest).flatMap(([name, value]) => elementsOf(name, value)),
    branch('size', [leaf('width', image.width), leaf('height', image.height), leaf('depth', typeof depth === 'string' ? depth : 3)]),
    leaf('segmented', segmented ? 1 : 0),
  ];
}

function labelmapText(names: readonly string[], palette: readonly Rgb[]): string {
  const lines = ['background', ...names].map((name, i) => `${name.replace(/\s+/g, ' ')}:${(palette[i] ?? [0, 0, 0]).join(',')}::`);
  return ['# label:color_rgb:parts:actions', ...lines, ''].join('\n');
}

function addToSets(sets: Sets, split: string | null, stem: string, segmented: boolean): void {
  // Whatever is no test image is in `trainval`, as the challenge has it.
  for (const name of new Set([split, split === 'test' ? null : 'trainval'])) {
    if (name === null) continue;
    const set = sets.get(name) ?? { all: [], segmented: [] };
    sets.set(name, set);
    set.all.push(stem);
    if (segmented) set.segmented.push(stem);
  }
}

async function writeSets(folder: string, sets: Sets, tell: (finding: Finding) => void): Promise<void> {
  const taken = new Set<string>();
  for (const [name, { all, segmented }] of sets) {
    const file = splitFile(name, taken, tell);
    await writeInto(folder, `ImageSets/Main/${file}.txt`, lines(all));
    if (segmented.length > 0) await writeInto(folder, `ImageSets/Segmentation/${file}.txt`, lines(segmented));
  }
}

/** A name of a file for a split, unique in any case of letters; says where it differs. */
export function splitFile(name: string, taken: Set<string>, tell: (finding: Finding) => void): string {
  let file = name.replace(/[^\p{L}\p{N} ._-]/gu, '_').replace(/^\.+/, '_');
  while (taken.has(file.toLowerCase())) file += '_';
  taken.add(file.toLowerCase());
  const message = `The split "${name}" is written as "${file}".`;
  if (file !== name) tell({ kind: 'repaired', what: 'file', id: name, reason: 'split-renamed', message });
  return file;
}

function lines(stems: readonly string[]): string {
  return stems.map((stem) => (/\s/.test(stem) ? `"${stem}"` : stem) + '\n').join('');
}

/** Writes a file of the dataset, with its folders. Throws Node's error of the disk. */
export async function writeInto(folder: string, path: string, content: string | Uint8Array): Promise<void> {
  const file = join(folder, ...path.split('/'));
  makeFolder(dirname(file));
  await writeFile(file, content, { flag: 'wx' });
}

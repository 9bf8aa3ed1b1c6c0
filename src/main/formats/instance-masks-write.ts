import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageRecord } from '../../shared/records.ts';
import { rgbOf } from '../../shared/views/coverage.ts';
import type { DatasetSource, DatasetWriter } from './dataset.ts';
import type { FileWriter } from './file-writer.ts';
import { createFileWriter } from './file-writer.ts';
import { placeImage } from './folder.ts';
import { writtenNames } from './image-places.ts';
import type { KeptReader } from './kept-records.ts';
import { keptReader } from './kept-records.ts';
import type { InstanceMap } from './map-instances.ts';
import { inMapOrder, isWritten, mapInstances, pause } from './map-instances.ts';
import { encodeColourNumbers } from './png-numbers.ts';
import { splitFile, writeInto } from './voc-write.ts';

/** Ids are the 24 bits of a colour; 0 is for no segment. */
const MOST = 2 ** 24 - 1;

export const INSTANCE_MASKS_LIMITS = [
  'Where instances overlap, a pixel belongs to the upper one; crowds lie under the others.',
  'Polygons and boxes are written as pixels.',
];

/** The files of one split, open while images come in any order. */
interface SplitFiles {
  readonly name: string;
  readonly main: FileWriter;
  readonly images: FileWriter;
  readonly annotations: FileWriter;
  readonly parts: readonly string[];
  rows: number;
}

/**
 * Writes COCO's panoptic format: `annotations/panoptic.json`, or one for each split, a folder of PNG files of the same name
 * beside it, and `images` where asked for. A segment's id is the annotation's number while it fits.
 */
export const writeInstanceMasks: DatasetWriter['write'] = async (source, folder, options, tell) => {
  const written = writtenNames(source, 'images/');
  const kept = keptReader(source, 'instance-masks', 'panoptic files');
  const splits = new Map<string, SplitFiles>();
  const taken = new Set<string>();
  await mkdir(join(folder, 'annotations'));
  try {
    let done = 0;
    for (const image of source.images()) {
      await pause(options.signal);
      options.onProgress?.(++done, source.imageCount);
      const name = written.get(image.id);
      if (!name || !isWritten(source, image, options, tell)) continue;
      const split = source.split(image.id) ?? '';
      let files = splits.get(split);
      if (!files) {
        files = await openSplit(folder, splitFile(split === '' ? 'panoptic' : `panoptic_${split}`, taken, tell));
        splits.set(split, files);
      }
      const map = mapInstances(image, inMapOrder(source, image.id), MOST, tell, options.onInstance);
      for (const { number, annotation } of map.instances) {
        if (annotation.geometry.kind !== 'box') continue;
        const message = `${image.path}: annotation ${number} is a box; all of its pixels belong to it.`;
        tell({ kind: 'kept', what: 'annotation', id: String(number), reason: 'box-as-pixels', message });
      }
      const ids = idsOf(map);
      await writeInto(
        folder,
        `annotations/${files.name}/${name.stem}.png`,
        encodeColourNumbers(numbersOf(map, ids), image.width, image.height),
      );
      const comma = files.rows++ === 0 ? '\n' : ',\n';
      const { width, height } = image;
      await files.images.write(
        comma + JSON.stringify({ ...kept.of('image', image.id), id: image.id, file_name: name.path, width, height }),
      );
      const segments = segmentsOf(map, ids, image, kept);
      await files.annotations.write(comma + JSON.stringify({ image_id: image.id, file_name: `${name.stem}.png`, segments_info: segments }));
      const put = await placeImage(source, image, options.images, join(folder, 'images', name.path));
      options.onImage?.(image.id, put ? `images/${name.path}` : name.path);
    }
    if (splits.size === 0) splits.set('', await openSplit(folder, 'panoptic'));
    for (const files of splits.values()) await closeSplit(files, source, kept);
  } finally {
    for (const { main, images, annotations, parts } of splits.values()) {
      for (const writer of [main, images, annotations]) await writer.abandon();
      for (const part of parts) await rm(part, { force: true });
    }
  }
  kept.tell(tell);
};

async function openSplit(folder: string, name: string): Promise<SplitFiles> {
  const path = join(folder, 'annotations', `${name}.json`);
  const parts = [`${path}.images`, `${path}.annotations`] as const;
  const [main, images, annotations] = [await createFileWriter(path), await createFileWriter(parts[0]), await createFileWriter(parts[1])];
  return { name, main, images, annotations, parts, rows: 0 };
}

async function closeSplit({ main, images, annotations, parts }: SplitFiles, source: DatasetSource, kept: KeptReader): Promise<void> {
  const categories = source.labels.map((label) => {
    const row = {
      supercategory: '',
      isthing: 1,
      ...kept.of('category', label.id),
      id: label.id,
      name: label.name,
      color: rgbOf(label.color),
    };
    return '\n' + JSON.stringify(row);
  });
  const [imagesPart, annotationsPart] = parts;
  await images.finish();
  await annotations.finish();
  const info = importedText(source, 'info') ?? JSON.stringify({ description: source.projectName, version: '1.0' });
  await main.write(`{\n"info": ${info},\n"licenses": ${importedText(source, 'licenses') ?? '[]'},\n"images": [`);
  if (imagesPart !== undefined) await main.append(imagesPart);
  await main.write('\n],\n"annotations": [');
  if (annotationsPart !== undefined) await main.append(annotationsPart);
  await main.write(`\n],\n"categories": [${categories.join(',')}\n]\n}\n`);
  await main.finish();
}

/** What an imported file said of itself as a whole; null where it said nothing, or no JSON. */
function importedText(source: DatasetSource, key: string): string | null {
  const text = source.rest().find((each) => each.key === key)?.text;
  try {
    if (text !== undefined) JSON.parse(text);
    return text ?? null;
  } catch {
    return null;
  }
}

/** The ids of the instances on a map: their numbers, or their places where a number is too large for a colour. */
function idsOf({ instances }: InstanceMap): Uint32Array {
  const fits = instances.every(({ number }) => number > 0 && number <= MOST);
  return Uint32Array.from([0, ...instances.map(({ number }, i) => (fits ? number : i + 1))]);
}

function numbersOf({ ordinals }: InstanceMap, ids: Uint32Array): Uint32Array {
  return Uint32Array.from(ordinals, (ordinal) => ids[ordinal] ?? 0);
}

function segmentsOf(map: InstanceMap, ids: Uint32Array, { width, height }: ImageRecord, kept: KeptReader): object[] {
  const edges = map.instances.map(() => ({ left: width, top: height, right: 0, bottom: 0 }));
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const edge = edges[(map.ordinals[i] ?? 0) - 1];
      if (!edge) continue;
      edge.left = Math.min(edge.left, x);
      edge.top = Math.min(edge.top, y);
      edge.right = Math.max(edge.right, x + 1);
      edge.bottom = y + 1;
    }
  }
  return map.instances.map(({ number, annotation, visible }, i) => {
    const { left, top, right, bottom } = edges[i] ?? { left: 0, top: 0, right: 0, bottom: 0 };
    return {
      ...kept.of('annotation', number),
      id: ids[i + 1] ?? 0,
      category_id: annotation.labelId,
      area: visible,
      bbox: [left, top, right - left, bottom - top],
      iscrowd: annotation.crowd ? 1 : 0,
    };
  });
}

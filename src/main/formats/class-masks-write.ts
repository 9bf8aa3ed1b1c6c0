import { join } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import type { Finding } from '../../shared/formats.ts';
import { rasterizePatch } from '../../shared/mask/raster.ts';
import type { ImageRecord } from '../../shared/records.ts';
import { classMap } from '../../shared/views/class-map.ts';
import { rgbOf } from '../../shared/views/coverage.ts';
import { encodeIndexedPng } from '../render-indexed.ts';
import type { DatasetSource, DatasetWriter } from './dataset.ts';
import { placeImage } from './folder.ts';
import { writtenNames } from './image-places.ts';
import { keptReader } from './kept-records.ts';
import { inMapOrder, isWritten, pause, tellSameNames } from './map-instances.ts';
import { mapPalette } from './voc-colors.ts';
import { splitFile, writeInto } from './voc-write.ts';

const MOST = 254;

export const CLASS_MASKS_LIMITS = [
  'Instances of one class become one region: they cannot be told apart again.',
  'Where classes overlap, a pixel belongs to the upper one; crowds lie under the others.',
  `At most ${MOST} classes; crowds are regions like the others.`,
];

/**
 * Writes `masks` (palette PNG files, number 0 for no class, then the classes in the project's order), `classes.txt`,
 * `dataset_meta.json` with the colours, lists of pairs for the splits, and `images` where asked for.
 */
export const writeClassMasks: DatasetWriter['write'] = async (source, folder, options, tell) => {
  const { labels } = source;
  if (labels.length > MOST) {
    throw new AppError('unsupported', `Class masks have room for ${MOST} classes; the project has ${labels.length}.`, {
      classes: labels.length,
    });
  }
  tellSameNames(labels, tell);
  const palette = mapPalette(labels.map((label) => rgbOf(label.color)));
  const names = ['background', ...labels.map(({ name }) => name)];
  const meta = {
    label_map: Object.fromEntries(names.map((name, i) => [String(i), name])),
    segmentation_colors: palette,
    background_label: '0',
  };
  await writeInto(folder, 'dataset_meta.json', JSON.stringify(meta, null, 2) + '\n');
  await writeInto(folder, 'classes.txt', names.map((name) => name.replace(/\s+/g, ' ') + '\n').join(''));
  const written = writtenNames(source, 'images/');
  const kept = keptReader(source, 'class-masks', 'class masks');
  const lists = new Map<string, string[]>();
  const merged = { instances: 0, regions: 0 };
  let done = 0;
  for (const image of source.images()) {
    await pause(options.signal);
    options.onProgress?.(++done, source.imageCount);
    const name = written.get(image.id);
    if (!name || !isWritten(source, image, options, tell)) continue;
    for (const { number } of source.document(image.id)) kept.of('annotation', number);
    const numbers = numbersOf(source, image, merged, tell, options.onInstance);
    await writeInto(folder, `masks/${name.stem}.png`, encodeIndexedPng(numbers, image.width, image.height, palette));
    const put = await placeImage(source, image, options.images, join(folder, 'images', name.path));
    options.onImage?.(image.id, put ? `images/${name.path}` : name.path);
    const split = source.split(image.id);
    if (split === null) continue;
    const list = lists.get(split) ?? [];
    lists.set(split, list);
    list.push(`${quoted(`images/${name.path}`)} ${quoted(`masks/${name.stem}.png`)}\n`);
  }
  const taken = new Set(['classes']);
  for (const [split, lines] of lists) await writeInto(folder, `${splitFile(split, taken, tell)}.txt`, lines.join(''));
  const message = `${merged.instances} instances became ${merged.regions} regions, one for each class of an image.`;
  if (merged.instances > merged.regions) tell({ kind: 'lost', what: 'file', id: 'masks', reason: 'instances-merged', message });
  kept.tell(tell);
};

/** The class number of each pixel. Tells of instances that are covered by another class, or were no masks. */
function numbersOf(
  source: DatasetSource,
  image: ImageRecord,
  merged: { instances: number; regions: number },
  tell: (finding: Finding) => void,
  onInstance?: (number: number, how: 'left-out' | 'changed') => void,
): Uint8Array {
  const { width, height } = image;
  const all = inMapOrder(source, image.id);
  const numbers = classMap(
    all.map(({ annotation }) => annotation),
    source.labels,
    width,
    height,
  );
  const places = new Map(source.labels.map((label, i) => [label.id, i + 1]));
  const regions = new Set<number>();
  for (const { number, annotation } of all) {
    const say = (kind: Finding['kind'], reason: string, text: string): void =>
      tell({ kind, what: 'annotation', id: String(number), reason, message: `${image.path}: annotation ${number} ${text}` });
    const own = places.get(annotation.labelId) ?? 0;
    const patch = rasterizePatch(annotation.geometry, width, height);
    let [area, left] = [0, 0];
    if (patch) {
      patch.bitmap.data.forEach((set, i) => {
        if (set !== 1) return;
        area++;
        const x = patch.x + (i % patch.bitmap.width);
        const y = patch.y + Math.floor(i / patch.bitmap.width);
        if (numbers[y * width + x] === own) left++;
      });
    }
    if (area === 0) say('lost', 'no-pixel', 'covers no pixel.');
    else if (left === 0) say('lost', 'covered', 'lies wholly under other classes.');
    else if (left < area) say('lost', 'covered', `loses ${area - left} of ${area} pixels to classes above it.`);
    if (left < area || area === 0) onInstance?.(number, left === 0 ? 'left-out' : 'changed');
    if (left === 0) continue;
    if (annotation.crowd) say('lost', 'crowd', 'is a crowd, which a class map cannot say.');
    if (annotation.geometry.kind === 'box') say('kept', 'box-as-pixels', 'is a box; all of its pixels are of its class.');
    merged.instances++;
    regions.add(own);
  }
  merged.regions += regions.size;
  return numbers;
}

function quoted(path: string): string {
  return /\s/.test(path) ? `"${path}"` : path;
}

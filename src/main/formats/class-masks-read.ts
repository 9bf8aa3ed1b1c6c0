import { statSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import { LIST_ENDINGS, pairOf, readClassList } from './class-lists.ts';
import type { DatasetSink, ReadOptions } from './dataset.ts';
import type { ImageFiles } from './folder.ts';
import { listFiles, imagesOf, readText, stemOf } from './folder.ts';
import { imageAtStem, placeBelow, readWhole, splitName } from './image-places.ts';
import { readPngNumbers } from './png-numbers.ts';
import { categorySink } from './sink-categories.ts';
import { classRegions, mapNames, regionsSay } from './voc-maps.ts';

/** Folders of masks by their usual names; CamVid's are called as the images' folder and `annot`. */
const MASK_FOLDER = /^(masks?|labels?|annotations?|gt|ground_?truth|SegmentationClass|.+_?annot|.+_labels|.+_masks?)$/i;
const IMAGE_FOLDERS = ['images', 'image', 'imgs', 'img', 'JPEGImages', 'data', 'input'];

/** One mask and the image it is of. */
interface Pair {
  /** Below the dataset's folder. */
  readonly mask: string;
  /** The image as a list says it, or null. */
  readonly listed: string | null;
  /** Paths without ending at which the image may lie, below the dataset's folder. */
  readonly stems: readonly string[];
  readonly split: string | null;
}

/**
 * Reads class maps: every class of an image becomes one instance, with all the pixels of the class; or, if that is asked for, each
 * connected piece of it does.
 */
export async function readClassMasks(place: string, sink: DatasetSink, options: ReadOptions): Promise<void> {
  const found = statSync(place, { throwIfNoEntry: false });
  if (!found) throw new AppError('io', `There is no ${place}.`, { path: place });
  const root = found.isDirectory() ? place : dirname(place);
  const only = found.isDirectory() || !/\.png$/i.test(place) ? null : basename(place);
  const files = await listFiles(root, ['.png', ...LIST_ENDINGS], options.signal);
  const pairs = only === null ? await pairsOf(root, files) : [{ mask: only, listed: null, stems: maskStems(stemOf(only)), split: null }];
  if (pairs.length === 0) {
    throw new AppError('invalid', `${place} has no class maps: neither PNG files in a folder of masks nor a list of pairs.`, {
      path: place,
    });
  }
  const images = await imagesOf(options);
  const below = placeBelow(options.images, root);
  const said = new Set<string>();
  const once = (reason: string, message: string): void => {
    if (!said.has(reason)) sink.finding({ kind: 'kept', what: 'file', id: basename(place), reason, message });
    said.add(reason);
  };
  const classes = await readClassList(root, files, sink);
  const categories = categorySink(sink);
  for (const each of classes ?? []) if (!each.ground) categories.add(each.name, each.color);
  const regions = options.regions ?? 'class';
  once('regions-not-instances', `Class maps do not tell instances apart: ${regionsSay(regions)}`);
  const about = pairs.map((pair) => imageOf(images, below, pair));
  const claimed = new Set(about);
  const paths = new Set<string>();
  let key = 0;
  for (const [done, { mask, split }] of pairs.entries()) {
    options.signal?.throwIfAborted();
    // An image in a folder that is called like one of masks.
    if (claimed.has(below + mask)) continue;
    try {
      const map = readPngNumbers(await readWhole(join(root, mask)), mask);
      const path = about[done] ?? null;
      if (path === null) {
        const message = `No image belongs to ${mask}; ${stemOf(basename(mask))}.jpg is assumed.`;
        sink.finding({ kind: 'kept', what: 'image', id: mask, reason: 'image-missing', message });
      }
      const imagePath = path ?? `${stemOf(basename(mask))}.jpg`;
      if (paths.has(imagePath)) {
        const message = `${mask} is about ${imagePath}, which another mask was about already.`;
        sink.finding({ kind: 'refused', what: 'image', id: imagePath, reason: 'image-twice', message });
      } else {
        paths.add(imagePath);
        sink.image({ key: paths.size, path: imagePath, width: map.width, height: map.height, split, source: null });
        for (const { name, rle } of classRegions(map, mapNames(map, classes, 'none', once), imagePath, sink, regions)) {
          const categoryKey = categories.add(name ?? '', null);
          sink.instance({ key: ++key, imageKey: paths.size, categoryKey, geometry: { kind: 'mask', rle }, crowd: false, source: null });
        }
      }
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown;
      sink.finding({ kind: 'refused', what: 'file', id: mask, reason: 'map-unreadable', message: thrown.message });
    }
    options.onProgress?.(done + 1, pairs.length);
  }
}

/** All masks: those in lists of pairs, and those in folders of masks. */
async function pairsOf(root: string, files: readonly string[]): Promise<Pair[]> {
  const listed = new Map<string, { image: string; split: string | null }>();
  for (const list of files.filter((path) => /^[^/]+\.txt$/i.test(path))) {
    for (const line of (await readText(join(root, list))).split(/\r?\n/)) {
      const pair = pairOf(line);
      if (pair && !listed.has(pair[1])) listed.set(pair[1], { image: pair[0], split: splitName(stemOf(list)) });
    }
  }
  const pairs: Pair[] = [];
  for (const mask of files.filter((path) => /\.png$/i.test(path))) {
    const parts = mask.split('/');
    // Images themselves may lie in a folder that is called like one of masks.
    const places = parts.slice(0, -1).flatMap((part, at) => (MASK_FOLDER.test(part) ? [at] : []));
    const said = listed.get(mask);
    if (places.length === 0 && !said) continue;
    const stems = (places.length > 0 ? places : [-1]).flatMap((at) => {
      const folders = [...IMAGE_FOLDERS, imageFolder(parts[at] ?? '')].filter((name) => name !== '');
      const head = parts.slice(0, Math.max(0, at));
      return maskStems(stemOf(parts.slice(at + 1).join('/'))).flatMap((stem) => [
        ...folders.map((folder) => [...head, folder, stem].join('/')),
        [...head, stem].join('/'),
      ]);
    });
    const inFolder = parts
      .slice(0, -1)
      .map((part) => splitName(imageFolder(part)))
      .find((name) => ['train', 'val', 'test'].includes(name ?? ''));
    pairs.push({ mask, listed: said?.image ?? null, stems, split: said?.split ?? inFolder ?? null });
  }
  return pairs;
}

/** The images' folder for a folder of masks: `train` for CamVid's `trainannot`. */
function imageFolder(part: string): string {
  return part.replace(/_?(annot|labels|masks?)$/i, '');
}

/** What the image may be called, after the mask's name: without what tools put before or behind it. */
function maskStems(stem: string): string[] {
  const folder = posix.dirname(stem) === '.' ? '' : posix.dirname(stem) + '/';
  const name = posix.basename(stem);
  const bare = name
    .replace(/^(gt|mask|label|seg)[_-]/i, '')
    .replace(/[_-](gt|masks?|labels?|seg|L|labelIds|labelTrainIds|segmentation)$/i, '');
  return [...new Set([name, bare, `image_${bare}`, `img_${bare}`, `${bare}_leftImg8bit`])].map((each) => folder + each);
}

function imageOf(images: ImageFiles, below: string, { mask, listed, stems }: Pair): string | null {
  if (listed !== null) {
    const found = [below + listed, listed].find((each) => images.find(each) === each);
    if (found !== undefined) return found;
  }
  for (const each of [...stems.map((stem) => below + stem), ...stems]) {
    const found = images.findStem(each);
    if (found?.startsWith(each + '.') && found !== below + mask) return found;
  }
  // Anywhere, as long as only one image has the name.
  for (const stem of maskStems(stemOf(basename(mask)))) {
    const found = imageAtStem(images, [stem]);
    if (found !== null && found !== below + mask && !MASK_FOLDER.test(posix.basename(posix.dirname(found)))) return found;
  }
  return null;
}

/** Whether the place has class maps. */
export async function looksLikeClassMasks(place: string): Promise<number> {
  try {
    if (!statSync(place).isDirectory()) return 0;
    const files = await listFiles(place, ['.png', ...LIST_ENDINGS]);
    const masks = files.filter(
      (path) =>
        /\.png$/i.test(path) &&
        path
          .split('/')
          .slice(0, -1)
          .some((part) => MASK_FOLDER.test(part)),
    );
    if (masks.length === 0) return 0;
    const colours = files.some((path) => ['dataset_meta.json', 'label_colors.txt', 'class_dict.csv'].includes(basename(path)));
    if (colours) return 0.9;
    if (masks.some((path) => /annot\//.test(path))) return 0.7;
    return files.some((path) => basename(path) === 'classes.txt') ? 0.75 : 0.4;
  } catch {
    return 0;
  }
}

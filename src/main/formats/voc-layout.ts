import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import type { DatasetSink } from './dataset.ts';
import type { ImageFiles } from './folder.ts';
import { listFiles, readText, stemOf } from './folder.ts';
import { imageAt, imageAtStem, insidePath, splitName } from './image-places.ts';
import type { MapClass } from './voc-colors.ts';
import { readLabelmap } from './voc-colors.ts';
import { rootOf } from './xml-elements.ts';

/** Where the files of a VOC dataset lie, and which belong to one image. */

/** The files of one image. Paths are relative to the dataset's folder. */
export interface VocEntry {
  /** Folder that `JPEGImages` and the others lie in, with a `/` at its end, or empty. */
  readonly base: string;
  /** Path of the image below `JPEGImages`, without ending. */
  readonly stem: string;
  xml?: string;
  classMap?: string;
  objectMap?: string;
  split: string | null;
}

/** The folder of the dataset, and the one file to read where a file was chosen. */
export function layoutOf(place: string): { root: string; only: string | null } {
  const found = statSync(place, { throwIfNoEntry: false });
  if (!found) throw new AppError('io', `There is no ${place}.`, { path: place });
  if (found.isDirectory()) return { root: place, only: null };
  const folder = dirname(place);
  if (!/^(Annotations|SegmentationClass|SegmentationObject)$/.test(basename(folder))) return { root: folder, only: basename(place) };
  return { root: dirname(folder), only: `${basename(folder)}/${basename(place)}` };
}

export async function labelmapOf(root: string, files: readonly string[], sink: DatasetSink): Promise<MapClass[] | null> {
  const path = files.find((each) => basename(each) === 'labelmap.txt');
  if (path !== undefined) {
    const { classes, wrong } = readLabelmap(await readText(join(root, path)));
    for (const line of wrong) {
      const message = `${path}: "${line.slice(0, 80)}" is no class with a colour.`;
      sink.finding({ kind: 'refused', what: 'category', id: line.slice(0, 80), reason: 'class-line-unclear', message });
    }
    return classes;
  }
  const names = files.find((each) => basename(each) === 'class_names.txt');
  if (names === undefined) return null;
  const lines = (await readText(join(root, names))).split(/\r?\n/).map((line) => line.trim());
  return lines.map((name, index) => ({ index, name, color: null, ground: name === '' || index === 0 }));
}

export async function entriesOf(
  root: string,
  files: readonly string[],
  only: string | null,
  images: ImageFiles,
  below: string,
  sink: DatasetSink,
): Promise<VocEntry[]> {
  const entries = new Map<string, VocEntry>();
  const entry = (base: string, stem: string): VocEntry => {
    const known = entries.get(base + stem);
    if (known) return known;
    const made: VocEntry = { base, stem, split: null };
    entries.set(base + stem, made);
    return made;
  };
  for (const path of files) {
    const [, base = '', kind = '', rest = ''] = /^(|.*?\/)(Annotations|SegmentationClass|SegmentationObject)\/(.+)$/.exec(path) ?? [];
    const xml = path.toLowerCase().endsWith('.xml');
    if (kind === 'Annotations' && xml) entry(base, stemOf(rest)).xml = path;
    else if (kind === 'SegmentationClass' && !xml && rest.toLowerCase().endsWith('.png')) entry(base, stemOf(rest)).classMap = path;
    else if (kind === 'SegmentationObject' && rest.toLowerCase().endsWith('.png')) entry(base, stemOf(rest)).objectMap = path;
    else if (kind === '' && xml) {
      const folder = posix.dirname(path) === '.' ? '' : posix.dirname(path) + '/';
      const made = entry(folder, posix.basename(stemOf(path)));
      made.xml = path;
      // Images and annotations side by side, a folder for each split.
      made.split = ['train', 'val', 'test'].find((name) => name === splitName(posix.basename(folder))) ?? null;
    }
  }
  if (only !== null) {
    const id = stemOf(only.replace(/^(Annotations|SegmentationClass|SegmentationObject)\//, ''));
    return [...entries.values()].filter((each) => each.base + each.stem === id);
  }
  await readSets(root, files, entries, sink, (base, stem) => {
    const there = imageAtStem(images, [`${below}${base}JPEGImages/${stem}`]);
    if (there !== null || entries.size > 0) entry(base, stem);
  });
  const bases = new Set([...entries.values()].map((each) => each.base));
  for (const path of images.paths) {
    const [, base, rest] = path.startsWith(below) ? (/^(|.*?\/)JPEGImages\/(.+)$/.exec(path.slice(below.length)) ?? []) : [];
    if (base !== undefined && rest !== undefined && bases.has(base)) entry(base, stemOf(rest));
  }
  return [...entries.values()];
}

/** `ImageSets`: a list of images is a split. Lists of one class (`cat_train.txt`) say nothing that the annotations don't. */
async function readSets(
  root: string,
  files: readonly string[],
  entries: ReadonlyMap<string, VocEntry>,
  sink: DatasetSink,
  add: (base: string, stem: string) => void,
): Promise<void> {
  const sets = files.flatMap((path) => {
    const [, base = '', kind = '', name = ''] = /^(|.*?\/)ImageSets\/(Main|Segmentation|Layout|Action)\/([^/]+)\.txt$/i.exec(path) ?? [];
    return name === '' || /_(train|val|trainval|test)$/.test(name) ? [] : [{ path, base, kind, name }];
  });
  const known = ['train', 'val', 'test'];
  const rank = (name: string): number => (known.includes(name) ? known.indexOf(name) : splitName(name) === null ? 4 : 3);
  for (const { path, base, name } of sets.sort((a, b) => rank(a.name) - rank(b.name))) {
    for (const line of (await readText(join(root, path))).split(/\r?\n/)) {
      let stem = line.trim().replace(/^"(.*)"$/, '$1');
      if (stem === '' || (stem.startsWith('#') && !entries.has(base + stem))) continue;
      if (!entries.has(base + stem)) stem = stem.replace(/\s+-?[01]$/, '');
      if (!entries.has(base + stem)) {
        const inside = insidePath(stem);
        if (inside === '') continue;
        if (inside !== stem) {
          const message = `${path} names "${stem.slice(0, 80)}", which leads out of the dataset; "${inside.slice(0, 80)}" is taken.`;
          sink.finding({ kind: 'repaired', what: 'image', id: stem.slice(0, 80), reason: 'path-outside', message });
          stem = inside;
        }
        add(base, stem);
      }
      const found = entries.get(base + stem);
      const split = splitName(name);
      if (!found || split === null || found.split === split) continue;
      if (found.split === null) found.split = split;
      else {
        const message = `${stem} is in ${found.split} and, by ${path}, in ${split}; it stays in ${found.split}.`;
        sink.finding({ kind: 'repaired', what: 'image', id: base + stem, reason: 'in-two-splits', message });
      }
    }
  }
}

/** The path of the image that an entry is about, below the folder of the images. */
export function pathOf(
  images: ImageFiles,
  below: string,
  { base, stem, xml }: VocEntry,
  filename: string | null,
  sink: DatasetSink,
): string {
  const folder = xml === undefined ? '' : posix.dirname(xml) + '/';
  const from = (name: string): string[] => [
    `${below}${base}JPEGImages/${name}`,
    `${below}${folder.replace(/^\.\//, '')}${name}`,
    `${base}JPEGImages/${name}`,
    `JPEGImages/${name}`,
    `images/${name}`,
    base + name,
    name,
  ];
  const said =
    insidePath(filename ?? '')
      .split('/')
      .pop() ?? null;
  const sub = posix.dirname(stem) === '.' ? '' : posix.dirname(stem) + '/';
  if (said !== null && said !== '') {
    const found = imageAt(images, [...from(sub + said), ...(sub === '' ? [] : from(said))]);
    if (found !== null) return found;
  }
  const byStem = imageAtStem(images, from(stem));
  if (byStem !== null) {
    if (said) {
      const message = `${xml ?? stem} names ${said}, which is not there; ${byStem}, with the annotation's own name, is taken.`;
      sink.finding({ kind: 'repaired', what: 'image', id: said, reason: 'image-renamed', message });
    }
    return byStem;
  }
  return base + (said ? sub + said : `${stem}.jpg`);
}

/** Whether the place looks like VOC. */
export async function looksLikeVoc(place: string): Promise<number> {
  try {
    if (!statSync(place).isDirectory()) return (await rootOf(place)) === 'annotation' ? 0.9 : 0;
    const has = (name: string): boolean => existsSync(join(place, name));
    if (has('Annotations') && (has('JPEGImages') || has('ImageSets'))) return 0.9;
    if (has('SegmentationClass') || has('SegmentationObject')) return 0.85;
    const [first] = await listFiles(place, ['.xml']);
    return first !== undefined && (await rootOf(join(place, first))) === 'annotation' ? 0.7 : 0;
  } catch {
    return 0;
  }
}

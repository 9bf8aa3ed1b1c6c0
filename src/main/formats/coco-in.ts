import { open, readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import { readCocoFile } from './coco-in-file.ts';
import type { DatasetFile } from './coco-in-merge.ts';
import { mergingSink } from './coco-in-merge.ts';
import type { DatasetReader, DatasetSink, Format, ReadOptions } from './dataset.ts';

/**
 * Reads COCO's files: one, or a folder with one for each split (`instances_train2017.json` beside `instances_val2017.json`,
 * Roboflow's `train/_annotations.coco.json`, our own `annotations/train.json`), which are one dataset then.
 */
export const readCoco: DatasetReader = { space: 'by-size', detect, read };

/** Written by `export.coco`, which has options of its own. */
export const COCO: Format = { id: 'coco', name: 'COCO', reader: readCoco, writer: null };

const LISTS = ['images', 'annotations', 'categories'];
/** A file is judged by its beginning. */
const LOOK_BYTES = 1 << 18;

async function detect(place: string): Promise<number> {
  try {
    if (!(await stat(place)).isDirectory()) return await judge(place);
    return (await candidates(place)).length === 0 ? 0 : 0.9;
  } catch {
    return 0;
  }
}

/** How much the beginning of a file looks like COCO, 0 to 1. */
async function judge(file: string): Promise<number> {
  if (!file.toLowerCase().endsWith('.json')) return 0;
  const handle = await open(file, 'r');
  let head: string;
  try {
    const buffer = Buffer.alloc(LOOK_BYTES);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
    head = buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
  if (!/^\uFEFF?\s*\{/.test(head)) return 0;
  const has = (key: string): boolean => head.includes(`"${key}"`);
  const lists = LISTS.filter(has).length;
  const records = has('file_name') || (has('image_id') && (has('category_id') || has('bbox')));
  if (lists === 0 || has('imagePath')) return 0;
  return records ? (lists > 1 ? 1 : 0.9) : lists === 3 ? 0.8 : 0.2;
}

/** Folders of a dataset that may hold its files, and those of splits; one name a folder, whatever the case. */
const FOLDERS = ['', 'annotations', 'train', 'valid', 'val', 'validation', 'test'];

/** Files of a folder that may be COCO: in it, in `annotations`, and in the folders of splits. Relative, with `/`. */
async function candidates(folder: string): Promise<string[]> {
  const out: string[] = [];
  for (const inner of FOLDERS) {
    let names: string[];
    try {
      names = await readdir(join(folder, inner));
    } catch {
      continue;
    }
    const files = names.filter((name) => name.toLowerCase().endsWith('.json')).sort();
    // A folder of many small files is LabelMe's or another's: COCO has one a split, or a few.
    if (files.length > 20) continue;
    for (const name of files) {
      if ((await judge(join(folder, inner, name))) >= 0.8) out.push(inner === '' ? name : `${inner}/${name}`);
    }
  }
  return out;
}

async function read(place: string, sink: DatasetSink, options: ReadOptions): Promise<void> {
  let folder: boolean;
  try {
    folder = (await stat(place)).isDirectory();
  } catch (cause) {
    throw new AppError('io', `${place} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { path: place }, cause);
  }
  if (!folder) return readCocoFile(place, sink, options);
  const files = await filesOf(place, options.images);
  const [only] = files;
  if (only && files.length === 1) return readCocoFile(join(place, only.file), sink, options);
  const merged = mergingSink(sink);
  const sizes = await Promise.all(files.map(async ({ file }) => (await stat(join(place, file))).size));
  // A list that waits is read twice.
  const total = 2 * sizes.reduce((sum, size) => sum + size, 0);
  let before = 0;
  for (const [i, file] of files.entries()) {
    options.signal?.throwIfAborted();
    await readCocoFile(join(place, file.file), merged.of(file), {
      ...options,
      sizeOf: (path) => options.sizeOf(file.prefix + path),
      onProgress: (done) => options.onProgress?.(Math.min(before + done, total), total),
    });
    before += 2 * (sizes[i] ?? 0);
    merged.finish(file);
  }
}

/** The part of a dataset that a word in a name says, by what tools write. */
const WORDS: Readonly<Record<string, string | null>> = {
  train: 'train',
  training: 'train',
  valid: 'val',
  val: 'val',
  validation: 'val',
  test: 'test',
  testing: 'test',
  testdev: 'test',
  unassigned: null,
};
const WORD = new RegExp(
  `(?:^|(?<=[^a-z]))(${Object.keys(WORDS)
    .sort((a, b) => b.length - a.length)
    .join('|')})(\\d{4})?(?=[^a-z]|$)`,
  'i',
);

/** What a file is called without its split, and that split; undefined where its name says none. */
function splitOf(file: string): { readonly kind: string; readonly split: string | null | undefined; readonly words: readonly string[] } {
  const slash = file.lastIndexOf('/');
  const inner = slash < 0 ? '' : file.slice(0, slash);
  const name = file.slice(slash + 1).replace(/\.json$/i, '');
  if (inner !== '' && inner in WORDS) return { kind: name.replace(WORD, ''), split: WORDS[inner], words: [inner] };
  const found = WORD.exec(name);
  if (!found) return { kind: name, split: undefined, words: [] };
  const [whole, word = ''] = found;
  return { kind: name.replace(WORD, ''), split: WORDS[word.toLowerCase()] ?? null, words: [whole, word] };
}

/**
 * The files of a folder that are one dataset: those whose names differ by their split only, of several kinds the one that is
 * called `instances`. Throws AppError `invalid` naming the files where that decides nothing.
 */
async function filesOf(place: string, images: string): Promise<DatasetFile[]> {
  const found = await candidates(place);
  const kinds = new Map<string, string[]>();
  for (const file of found) {
    const { kind, split } = splitOf(file);
    // A file without a split stands for itself.
    const key = split === undefined ? `\n${file}` : kind;
    const list = kinds.get(key);
    if (list) list.push(file);
    else kinds.set(key, [file]);
  }
  const groups = [...kinds.values()];
  const named = groups.filter((files) => files.every((file) => /(^|\/)instances[^/]*$/i.test(file) && splitOf(file).split !== undefined));
  const chosen = groups.length === 1 ? groups[0] : named.length === 1 ? named[0] : undefined;
  if (chosen) {
    const order = ['train', 'val', 'test'];
    const rank = ({ split }: DatasetFile): number => (order.indexOf(split ?? '') + order.length + 1) % (order.length + 1);
    return (await Promise.all(chosen.map((file) => described(place, images, file)))).sort((a, b) => rank(a) - rank(b));
  }
  if (found.length === 0) throw new AppError('invalid', `${place} has no COCO file in it.`, { path: place });
  throw new AppError(
    'invalid',
    `${place} has several COCO files, and their names do not say that they are the parts of one dataset: choose one of ${found.join(', ')}.`,
    { path: place },
  );
}

async function described(place: string, images: string, file: string): Promise<DatasetFile> {
  const { split = null, words } = splitOf(file);
  const inner = file.includes('/') ? file.slice(0, file.lastIndexOf('/')) : '';
  // Roboflow's images lie beside their file; those of COCO in a folder that is called as the split is in the file's name.
  if (inner in WORDS) return { file, split, prefix: `${inner}/` };
  for (const root of [place, images]) {
    for (const word of words) {
      for (const folder of [word, `images/${word}`]) {
        const there = await stat(join(root, folder)).catch(() => null);
        if (!there?.isDirectory()) continue;
        const below = relative(images, join(root, folder)).split(sep).join('/');
        return { file, split, prefix: below.startsWith('..') ? `${folder}/` : `${below}/` };
      }
    }
  }
  return { file, split, prefix: '' };
}

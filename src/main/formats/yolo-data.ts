import { stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { AppError } from '../../shared/errors.ts';
import type { Finding } from './dataset.ts';
import { listFiles, readText, stemOf } from './folder.ts';

/**
 * What lies beside YOLO's label files: `data.yaml` (https://docs.ultralytics.com/datasets/segment/), Darknet's `obj.data`
 * and `obj.names`, or a plain `classes.txt`, as labelImg and X-AnyLabeling write it.
 */
export interface YoloData {
  /** The folder that paths of the dataset are relative to, absolute. */
  readonly root: string;
  /** By class number; empty where nothing names classes. */
  readonly names: ReadonlyMap<number, string>;
  /** Splits that are folders, relative to `root`, with `/`; the longest match counts. */
  readonly folders: readonly { readonly split: string; readonly path: string }[];
  /** Splits that are lists of image files: by the end of a path without its ending. */
  readonly listed: ReadonlyMap<string, string>;
  /** Text files that hold no labels, relative to `root`. */
  readonly others: ReadonlySet<string>;
}

const SPLITS = ['train', 'val', 'test'] as const;
/** Names that people give to a split's folder. */
const SPLIT_NAMES: Readonly<Record<string, string>> = {
  train: 'train',
  training: 'train',
  val: 'val',
  valid: 'val',
  validation: 'val',
  test: 'test',
};

const places = z.union([z.string(), z.array(z.string())]).nullish();
const yamlSchema = z.looseObject({
  path: z.string().nullish(),
  train: places,
  val: places,
  valid: places,
  test: places,
  nc: z.number().int().nonnegative().nullish(),
  names: z.union([z.array(z.union([z.string(), z.number()])), z.record(z.string(), z.union([z.string(), z.number()]))]).nullish(),
});

/**
 * Reads what says which classes and splits there are. `place` is the dataset's folder or its yaml.
 * Throws AppError `io`, or `invalid` naming the file and the key.
 */
export async function readYoloData(place: string, tell: (finding: Finding) => void): Promise<YoloData> {
  const folder = await isFolder(place);
  if (folder === null) throw new AppError('io', `${place} cannot be read: there is no such file or folder.`, { path: place });
  const yaml = folder ? await findYaml(place) : isYaml(place) ? place : null;
  const root = resolve(folder ? place : dirname(place));
  const names = yaml === null ? await readNames(root) : null;
  const data = yaml === null ? {} : readYaml(yaml, await readText(yaml));
  const byNumber = names?.byNumber ?? namesOf(data, yaml ?? '');
  const folders: { split: string; path: string }[] = [];
  const listed = new Map<string, string>();
  const others = new Set<string>(names === null ? [] : [names.file]);
  const base = await rootOf(root, data.path);
  for (const split of SPLITS) {
    const said = split === 'val' ? (data.val ?? data.valid) : data[split];
    for (const path of said === null || said === undefined ? [] : [said].flat()) {
      const found = await findSplit([base, root], path);
      if (found === null) {
        tell({
          kind: 'refused',
          what: 'file',
          id: path,
          reason: 'split-missing',
          message: `${basename(yaml ?? root)} names ${path} for ${split}, which is not there.`,
        });
      } else if (found.list) {
        others.add(toRelative(root, found.path));
        await readList(found.path, split, listed);
      } else folders.push({ split, path: toRelative(root, found.path) });
    }
  }
  for (const file of await listFiles(root, ['.txt'])) {
    const split = SPLIT_NAMES[stemOf(file).toLowerCase()];
    // With a yaml it is the one that names lists; a list it does not name is none, and holds no labels either.
    if (split !== undefined && (await readList(join(root, file), split, yaml === null ? listed : new Map<string, string>())))
      others.add(file);
    if (/^(?:classes|labels|readme|requirements|license|obj|notes)\b.*\.txt$/i.test(basename(file))) others.add(file);
  }
  return { root, names: byNumber, folders: sameForAll(folders) ? [] : folders, listed, others };
}

/** The split of an image by its path without ending, relative to the root, or null. */
export function splitOf(data: YoloData, stem: string): string | null {
  const parts = stem.split('/');
  for (let from = 0; from < parts.length; from++) {
    const listed = data.listed.get(parts.slice(from).join('/'));
    if (listed !== undefined) return listed;
  }
  const inside = data.folders
    .filter(({ path }) => path === '' || stem.startsWith(path + '/'))
    .sort((a, b) => b.path.length - a.path.length)[0];
  if (inside) return inside.split;
  // Nothing says it: images/train and train/images mean the same to everybody.
  const at = parts.indexOf('images');
  return SPLIT_NAMES[parts[at + 1] ?? ''] ?? SPLIT_NAMES[parts[at - 1] ?? ''] ?? null;
}

/** One folder that is both train and val, as in Ultralytics' small samples, is no split. */
function sameForAll(folders: readonly { readonly split: string; readonly path: string }[]): boolean {
  return folders.length > 1 && folders.every(({ path }) => path === folders[0]?.path);
}

async function findYaml(folder: string): Promise<string | null> {
  const files = (await listFiles(folder, ['.yaml', '.yml'])).filter((file) => !file.includes('/'));
  const first = ['data.yaml', 'data.yml', 'dataset.yaml', 'dataset.yml'].find((name) => files.includes(name));
  if (first !== undefined) return join(folder, first);
  for (const file of files) if (/^names\s*:/m.test(await readText(join(folder, file)))) return join(folder, file);
  return null;
}

function readYaml(path: string, text: string): Partial<z.output<typeof yamlSchema>> {
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 100, logLevel: 'error' });
  } catch (cause) {
    throw new AppError('invalid', `${path} is not YAML: ${cause instanceof Error ? cause.message : String(cause)}`, { path }, cause);
  }
  const result = yamlSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const key = issue?.path.join('.') ?? '';
  throw new AppError('invalid', `${path}: "${key}": ${issue?.message ?? 'not as expected'}`, { path, key });
}

function namesOf(data: Partial<z.output<typeof yamlSchema>>, path: string): Map<number, string> {
  const { names, nc } = data;
  const found = new Map<number, string>();
  for (const [key, name] of Object.entries(names ?? {})) {
    const number = Number(key);
    if (!Number.isInteger(number) || number < 0) {
      throw new AppError('invalid', `${path}: "names": "${key}" is not the number of a class.`, { path, key: 'names' });
    }
    found.set(number, String(name));
  }
  if (names === null || names === undefined) for (let i = 0; i < Math.min(nc ?? 0, 10_000); i++) found.set(i, `class ${i}`);
  return found;
}

/** `classes.txt`, `obj.names` and their like: a name a line. */
async function readNames(root: string): Promise<{ file: string; byNumber: Map<number, string> } | null> {
  const files = await listFiles(root, ['.txt', '.names']);
  const file = files.find(
    (path) => /^(?:classes|labels|_darknet)\.txt$|\.(?:labels|names)$/i.test(basename(path)) && !path.slice(0, -1).includes('/labels/'),
  );
  if (file === undefined) return null;
  const lines = (await readText(join(root, file))).split(/\r?\n/).map((line) => line.trim());
  while (lines.at(-1) === '') lines.pop();
  return { file, byNumber: new Map(lines.map((line, i) => [i, line === '' ? `class ${i}` : line])) };
}

/** Ultralytics looks beside the yaml and in its own folder of datasets; only the first is known here. */
async function rootOf(root: string, said: string | null | undefined): Promise<string> {
  if (said === null || said === undefined || said === '') return root;
  const base = resolve(root, said);
  return (await isFolder(base)) === true ? base : root;
}

async function findSplit(bases: readonly string[], said: string): Promise<{ path: string; list: boolean } | null> {
  // Roboflow's files say ../train/images where they mean train/images; Ultralytics takes both.
  for (const path of [said, said.replace(/^(?:\.\.\/)+/, '')]) {
    for (const base of bases) {
      const folder = await isFolder(resolve(base, path));
      if (folder !== null && (folder || extname(path).toLowerCase() === '.txt')) return { path: resolve(base, path), list: !folder };
      // Labels may be given without their images.
      if (/(?:^|\/)images(?:\/|$)/.test(path) && (await isFolder(resolve(base, path.replace(/(^|\/)images(?=\/|$)/, '$1labels')))) === true)
        return { path: resolve(base, path), list: false };
    }
  }
  return null;
}

/** Takes the lines of a list of images. Answers whether the file was one. */
async function readList(path: string, split: string, listed: Map<string, string>): Promise<boolean> {
  const lines = (await readText(path)).split(/\r?\n/).map((line) => line.trim().replaceAll('\\', '/'));
  const images = lines.filter((line) => /\.(?:jpe?g|png|webp|gif|tiff?|avif|bmp)$/i.test(line));
  for (const image of images) {
    const parts = stemOf(image.replace(/^\.?\//, '')).split('/');
    // The last two names are enough to find it from another root (`data/obj_train_data/1.jpg`).
    listed.set(parts.join('/'), split);
    if (parts.length > 2) listed.set(parts.slice(-2).join('/'), split);
  }
  return images.length > 0;
}

function isYaml(path: string): boolean {
  return ['.yaml', '.yml'].includes(extname(path).toLowerCase());
}

function toRelative(root: string, path: string): string {
  return relative(root, path).replaceAll('\\', '/');
}

/** Null where there is nothing. */
async function isFolder(path: string): Promise<boolean | null> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return null;
  }
}

import { basename, join, posix } from 'node:path';
import type { Rgb } from '../../shared/views/coverage.ts';
import type { DatasetSink } from './dataset.ts';
import { readJson, readText } from './folder.ts';
import type { MapClass } from './voc-colors.ts';
import { isGroundClass, readLabelmap } from './voc-colors.ts';

/** The lists of classes that lie beside class maps: which number or colour has which name. */

/** Files that list classes, the one that says most first. */
const LISTS = [
  'dataset_meta.json',
  'labelmap.txt',
  'label_colors.txt',
  'class_dict.csv',
  'classes.txt',
  'class_names.txt',
  'labels.txt',
  'obj.names',
];

/** Endings of these files, for `listFiles`. */
export const LIST_ENDINGS = ['.json', '.txt', '.csv', '.names'];

/**
 * The classes of a dataset, null where no file lists them. `files` are paths below `root`; the uppermost list counts.
 * Throws AppError `io` or `invalid`, naming the file.
 */
export async function readClassList(root: string, files: readonly string[], sink: DatasetSink): Promise<MapClass[] | null> {
  const depth = (path: string): number => path.split('/').length;
  const lists = files
    .filter((path) => LISTS.includes(basename(path)))
    .sort((a, b) => depth(a) - depth(b) || LISTS.indexOf(basename(a)) - LISTS.indexOf(basename(b)));
  for (const path of lists) {
    const wrong = (line: string): void =>
      sink.finding({
        kind: 'refused',
        what: 'category',
        id: line.slice(0, 80),
        reason: 'class-line-unclear',
        message: `${path}: "${line.slice(0, 80)}" is no class.`,
      });
    const classes = await readList(join(root, path), basename(path), wrong);
    if (classes !== null && classes.length > 0) return classes;
  }
  return null;
}

async function readList(file: string, name: string, wrong: (line: string) => void): Promise<MapClass[] | null> {
  if (name === 'dataset_meta.json') return metaClasses(await readJson(file), wrong);
  const text = await readText(file);
  if (name === 'labelmap.txt') {
    const { classes, wrong: lines } = readLabelmap(text);
    lines.forEach(wrong);
    return classes;
  }
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  if (name === 'label_colors.txt' || name === 'class_dict.csv') return colourLines(lines, wrong);
  while (lines.at(-1) === '') lines.pop();
  return lines.map((line, index) => ({ index, name: line, color: null, ground: line === '' || isGroundClass(line, index, null) }));
}

/** Datumaro's `dataset_meta.json`: `label_map` by number, `segmentation_colors` in the same order, `background_label`. */
function metaClasses(value: unknown, wrong: (line: string) => void): MapClass[] | null {
  if (typeof value !== 'object' || value === null) return null;
  const { label_map: names, segmentation_colors: colors, background_label: ground } = value as Readonly<Record<string, unknown>>;
  if (typeof names !== 'object' || names === null) return null;
  const list = Array.isArray(colors) ? (colors as unknown[]) : [];
  return Object.entries(names).flatMap(([key, name], place): MapClass[] => {
    const index = Number(key);
    if (!Number.isInteger(index) || index < 0 || typeof name !== 'string') {
      wrong(`${key}: ${JSON.stringify(name)}`);
      return [];
    }
    const color = rgbFrom(list[place]);
    const isNumber = typeof ground === 'number' || typeof ground === 'string';
    const isGround = isNumber ? String(ground) === String(index) : isGroundClass(name, index, color);
    return [{ index, name: name.trim(), color, ground: isGround || name.trim() === '' }];
  });
}

function rgbFrom(value: unknown): Rgb | null {
  if (!Array.isArray(value) || value.length < 3) return null;
  const [r, g, b] = value as unknown[];
  const isByte = (each: unknown): each is number => typeof each === 'number' && Number.isInteger(each) && each >= 0 && each <= 255;
  return isByte(r) && isByte(g) && isByte(b) ? [r, g, b] : null;
}

/** CamVid's `64 128 64 Animal`, and `name,r,g,b` of a table. */
function colourLines(lines: readonly string[], wrong: (line: string) => void): MapClass[] {
  const out: MapClass[] = [];
  for (const line of lines) {
    if (line === '' || /^name\s*,\s*r\s*,/i.test(line)) continue;
    const first = /^(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})[\s,]+(.+)$/.exec(line);
    const last = /^(.+?)\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})$/.exec(line);
    const color = rgbFrom((first?.slice(1, 4) ?? last?.slice(2, 5) ?? []).map(Number));
    const name = (first?.[4] ?? last?.[1] ?? '').trim();
    if (color === null || name === '') wrong(line);
    else out.push({ index: out.length, name, color, ground: isGroundClass(name, out.length, color) });
  }
  return out;
}

/** A line of a list of pairs: two paths, in quotes where they have spaces; null where it is none. */
export function pairOf(line: string): readonly [image: string, mask: string] | null {
  const tokens = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map((each) => each[1] ?? each[2] ?? '');
  const [image, mask] = tokens;
  if (tokens.length !== 2 || image === undefined || mask === undefined || posix.extname(mask).toLowerCase() !== '.png') return null;
  return [image.replace(/^\/+/, ''), mask.replace(/^\/+/, '')];
}

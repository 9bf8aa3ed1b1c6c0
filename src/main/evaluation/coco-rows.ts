import { AppError } from '../../shared/errors.ts';
import type { CocoDetection, CocoSegmentation, CocoTruth } from '../../shared/evaluate/dataset.ts';
import type { Box } from '../../shared/records.ts';

/**
 * Records of COCO files as evaluation needs them, checked by hand: a file has a million of them, and a schema library takes
 * longer for one than everything else that is done with it. Errors name the file, the record and the key.
 */

type Row = Readonly<Record<string, unknown>>;

export interface TruthImage {
  readonly id: number;
  readonly file_name: string;
  readonly width: number;
  readonly height: number;
}

/** A detection, and what Maskloop and others write beside it so that it can be matched by names. */
export interface NamedDetection extends CocoDetection {
  readonly file_name: string | null;
  readonly category_name: string | null;
}

function fail(path: string, what: string, key: string, expected: string): AppError {
  return new AppError('invalid', `${path}: ${what}: "${key}": expected ${expected}`, { path, what, key });
}

/** Names a record by its id, or by its place. */
export function nameOf(kind: string, value: unknown, index: number): string {
  if (typeof value === 'object' && value !== null && 'id' in value && (typeof value.id === 'number' || typeof value.id === 'string')) {
    return `${kind} ${value.id}`;
  }
  return `${kind} number ${index}`;
}

function record(value: unknown, path: string, what: string): Row {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new AppError('invalid', `${path}: ${what} is not an object`, { path, what });
  }
  return value as Row;
}

function numberAt(row: Row, key: string, path: string, what: string): number {
  const value = row[key];
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  // Ids are strings in some files; whole numbers among them mean the same.
  if ((key === 'id' || key.endsWith('_id')) && typeof value === 'string' && /^-?\d{1,15}$/.test(value)) return Number(value);
  throw fail(path, what, key, 'a number');
}

function boxAt(row: Row, path: string, what: string): Box | null {
  const value = row['bbox'];
  if (value === undefined || value === null) return null;
  if (!numbers(value)) throw fail(path, what, 'bbox', 'four numbers');
  if (value.length === 0) return null;
  const [x = NaN, y = NaN, width = NaN, height = NaN] = value;
  if (value.length !== 4 || !value.every(Number.isFinite)) throw fail(path, what, 'bbox', 'four numbers');
  return [x, y, width, height];
}

function numbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((number) => typeof number === 'number');
}

function segmentationAt(row: Row, path: string, what: string): CocoSegmentation | null {
  const value = row['segmentation'];
  if (value === undefined || value === null) return null;
  if (Array.isArray(value)) {
    if (value.length === 0) return null;
    if (!value.every(numbers)) throw fail(path, what, 'segmentation', 'lists of numbers');
    return value;
  }
  const { size, counts } = record(value, path, `${what}: "segmentation"`);
  if (!numbers(size) || size.length !== 2) throw fail(path, what, 'segmentation.size', 'height and width');
  if (typeof counts !== 'string' && !numbers(counts)) throw fail(path, what, 'segmentation.counts', 'a string or numbers');
  return { size: [size[0] ?? 0, size[1] ?? 0], counts };
}

export function readImage(value: unknown, index: number, path: string): TruthImage {
  const what = nameOf('image', value, index);
  const row = record(value, path, what);
  const width = numberAt(row, 'width', path, what);
  const height = numberAt(row, 'height', path, what);
  const name = row['file_name'];
  return { id: numberAt(row, 'id', path, what), file_name: typeof name === 'string' ? name : '', width, height };
}

export function readCategory(value: unknown, index: number, path: string): { readonly id: number; readonly name: string } {
  const what = nameOf('category', value, index);
  const row = record(value, path, what);
  const id = numberAt(row, 'id', path, what);
  return { id, name: typeof row['name'] === 'string' ? row['name'] : String(id) };
}

/** An annotation without `area` or `bbox` gets them from `measure`. */
export function readTruth(
  value: unknown,
  index: number,
  path: string,
): Omit<CocoTruth, 'area' | 'bbox'> & { area: number | null; bbox: Box | null } {
  const what = nameOf('annotation', value, index);
  const row = record(value, path, what);
  const crowd = row['iscrowd'];
  if (crowd !== undefined && crowd !== null && crowd !== 0 && crowd !== 1 && typeof crowd !== 'boolean') {
    throw fail(path, what, 'iscrowd', '0 or 1');
  }
  const segmentation = segmentationAt(row, path, what);
  return {
    id: numberAt(row, 'id', path, what),
    image_id: numberAt(row, 'image_id', path, what),
    category_id: numberAt(row, 'category_id', path, what),
    area: row['area'] === undefined || row['area'] === null ? null : numberAt(row, 'area', path, what),
    bbox: boxAt(row, path, what),
    iscrowd: crowd === 1 || crowd === true ? 1 : 0,
    ...(segmentation === null ? {} : { segmentation }),
  };
}

/** `byName`: ids may be missing where names are there. */
export function readDetection(value: unknown, index: number, path: string, byName = false): NamedDetection {
  const what = `detection number ${index}`;
  const row = record(value, path, what);
  const fileName = typeof row['file_name'] === 'string' ? row['file_name'] : null;
  const categoryName = typeof row['category_name'] === 'string' ? row['category_name'] : null;
  const bbox = boxAt(row, path, what);
  const segmentation = segmentationAt(row, path, what);
  return {
    image_id: byName && fileName !== null ? 0 : numberAt(row, 'image_id', path, what),
    category_id: byName && categoryName !== null ? 0 : numberAt(row, 'category_id', path, what),
    score: numberAt(row, 'score', path, what),
    ...(bbox === null ? {} : { bbox }),
    ...(segmentation === null ? {} : { segmentation }),
    file_name: fileName,
    category_name: categoryName,
  };
}

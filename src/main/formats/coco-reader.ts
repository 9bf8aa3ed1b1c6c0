import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { AppError } from '../../shared/errors.ts';
import type { CocoDataset, CocoDetection, CocoTruth } from '../../shared/evaluate/dataset.ts';
import { readJsonElements } from './json-elements.ts';

const id = z.number().int();
const box = z.tuple([z.number(), z.number(), z.number(), z.number()]);
const segmentation = z.union([
  z.array(z.array(z.number()).min(6)),
  z.object({
    size: z.tuple([z.number().int().positive(), z.number().int().positive()]),
    counts: z.union([z.string(), z.array(z.number().int().nonnegative())]),
  }),
]);
const category = z.object({ id, name: z.string() });
const image = z.object({ id, file_name: z.string().min(1), width: z.number().int().positive(), height: z.number().int().positive() });
const truth = z.object({
  id,
  image_id: id,
  category_id: id,
  area: z.number().nonnegative(),
  bbox: box,
  iscrowd: z.union([z.literal(0), z.literal(1), z.boolean().transform((crowd) => (crowd ? 1 : 0))]).default(0),
  segmentation: segmentation.optional(),
});
const detection = z.object({
  image_id: id,
  category_id: id,
  score: z.number(),
  bbox: box.optional(),
  segmentation: segmentation.optional(),
});

export type CocoFileImage = z.output<typeof image>;

/** A COCO instances file as read for evaluation. */
export interface CocoFile extends CocoDataset {
  readonly images: readonly CocoFileImage[];
  readonly annotations: readonly CocoTruth[];
}

/**
 * Reads a COCO instances file (https://cocodataset.org/#format-data). Other keys may be there.
 * Throws AppError: `io`, or `invalid` naming the file, the annotation's or image's id and the key: a
 * key that is missing or of the wrong kind, an id twice, a reference to an image or category that is
 * not in the file.
 */
export async function readCocoFile(path: string): Promise<CocoFile> {
  const images: CocoFileImage[] = [];
  const annotations: CocoTruth[] = [];
  const categories: z.output<typeof category>[] = [];
  const seen = new Set<string>();
  for await (const { key, index, value } of readJsonElements(path)) {
    if (index === null) seen.add(key);
    else if (key === 'images') images.push(parsed(image, value, path, 'image', index));
    else if (key === 'categories') categories.push(parsed(category, value, path, 'category', index));
    else if (key === 'annotations') {
      const { segmentation: shape, ...rest } = parsed(truth, value, path, 'annotation', index);
      annotations.push({ ...rest, ...(shape === undefined ? {} : { segmentation: shape }) });
    }
  }
  for (const key of ['images', 'annotations', 'categories']) {
    if (!seen.has(key)) throw new AppError('invalid', `${path} is not a COCO instances file: it has no "${key}".`, { path, key });
  }
  const imageIds = unique(images, path, 'image');
  const categoryIds = unique(categories, path, 'category');
  unique(annotations, path, 'annotation');
  for (const { id: own, image_id: imageId, category_id: categoryId } of annotations) {
    if (!imageIds.has(imageId))
      throw new AppError('invalid', `${path}: annotation ${own}: there is no image ${imageId}.`, {
        path,
        annotation: own,
        key: 'image_id',
      });
    if (!categoryIds.has(categoryId))
      throw new AppError('invalid', `${path}: annotation ${own}: there is no category ${categoryId}.`, {
        path,
        annotation: own,
        key: 'category_id',
      });
  }
  return { images, annotations, categories };
}

/**
 * Reads a COCO results file (https://cocodataset.org/#format-results): a JSON array of detections.
 * Throws as `readCocoFile`, naming the place in the array, from 0.
 */
export async function readCocoResults(path: string): Promise<CocoDetection[]> {
  let value: unknown;
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new AppError('io', `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { path }, cause);
  }
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new AppError('invalid', `${path} is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, { path }, cause);
  }
  if (!Array.isArray(value))
    throw new AppError('invalid', `${path} is not a COCO results file: expected an array of detections.`, { path });
  const rows: unknown[] = value;
  return rows.map((row, index) => {
    const found = parsed(detection, row, path, 'detection', index);
    const { bbox, segmentation: shape, ...rest } = found;
    return { ...rest, ...(bbox === undefined ? {} : { bbox }), ...(shape === undefined ? {} : { segmentation: shape }) };
  });
}

function parsed<S extends z.ZodType>(schema: S, value: unknown, path: string, what: string, index: number): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const named = z.object({ id: z.number() }).safeParse(value);
  const who = named.success ? `${what} ${named.data.id}` : `${what} number ${index}`;
  const key = issue?.path.join('.') ?? '';
  throw new AppError('invalid', `${path}: ${who}: ${key === '' ? '' : `"${key}": `}${issue?.message ?? 'not as expected'}`, {
    path,
    what,
    index,
    key,
  });
}

function unique(rows: readonly { readonly id: number }[], path: string, what: string): Set<number> {
  const ids = new Set<number>();
  for (const row of rows) {
    if (ids.has(row.id)) throw new AppError('invalid', `${path}: ${what} ${row.id} is there twice.`, { path, what, id: row.id });
    ids.add(row.id);
  }
  return ids;
}

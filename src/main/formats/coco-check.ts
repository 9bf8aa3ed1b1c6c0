import { z } from 'zod';
import type { ExportProgress, ExportReport } from '../../shared/answers.ts';
import { AppError } from '../../shared/errors.ts';
import type { ImageRecord } from '../../shared/records.ts';
import type { CocoOptions, PlacedInstance, WrittenCoco } from './coco.ts';
import { cocoCategories, cocoSize, placeInstance } from './coco.ts';
import { areaOf, boxOf, intervalsOfCounts, intervalsOfRing, intervalsOfRuns, iouOf, unionOf } from './intervals.ts';
import { readJsonElements } from './json-elements.ts';
import type { Size } from './orientation.ts';
import type { ExportSource } from './source.ts';

const whole = z.number().int();
const categorySchema = z.object({ id: whole.positive(), name: z.string() });
const imageSchema = z.object({ id: whole.positive(), file_name: z.string().min(1), width: whole.positive(), height: whole.positive() });
const annotationSchema = z.object({
  id: whole.positive(),
  image_id: whole.positive(),
  category_id: whole.positive(),
  segmentation: z.union([
    z.array(z.array(z.number()).min(6)).min(1),
    z.object({ size: z.tuple([whole.positive(), whole.positive()]), counts: z.string() }),
  ]),
  area: z.number().positive(),
  bbox: z.tuple([z.number(), z.number(), z.number(), z.number()]),
  iscrowd: z.literal([0, 1]),
});
type FileAnnotation = z.output<typeof annotationSchema>;

/** After so much work at a stretch, the window's messages are let through. */
const REST_MS = 12;

interface Expected {
  readonly image: ImageRecord;
  readonly size: Size;
  readonly instance: PlacedInstance;
}

/**
 * Reads a written COCO file back with a JSON reader and mask decoders of its own and compares it with
 * the project: every category, image and annotation is there, once, in order, with its id, file name,
 * size, class, crowd flag, area and box, and its pixels are the project's (IoU 1).
 * Throws `internal`, naming the image or annotation, at the first thing that differs; the signal's
 * reason when aborted.
 */
export async function checkCoco(
  path: string,
  source: ExportSource,
  options: CocoOptions,
  written: Pick<WrittenCoco, 'leftOut' | 'annotations'>,
  signal?: AbortSignal,
  onProgress?: (progress: ExportProgress) => void,
): Promise<ExportReport['verified']> {
  const categories = cocoCategories(source.labels).values();
  const images = expectedImages(source, written.leftOut);
  const instances = expectedInstances(source, written.leftOut, options);
  const numbers = new Set<number>();
  const seen = new Set<string>();
  let restedAt = performance.now();
  const worst = { annotationsCompared: 0, textsEqual: 0, minIou: 1, maxAreaDifference: 0, maxBoxDifference: 0 };

  for await (const { key, index, value } of readJsonElements(path)) {
    signal?.throwIfAborted();
    const what = index === null ? key : `${key}[${index}]`;
    if (index === null) {
      seen.add(key);
      const rest =
        key === 'categories' ? categories.next() : key === 'images' ? images.next() : key === 'annotations' ? instances.next() : null;
      if (rest && rest.done !== true) throw differs(key, 'the file has fewer than the project');
    } else if (key === 'categories') {
      const found = parsed(categorySchema, value, what);
      const label = next(categories, what);
      same(what, 'id', found.id, label.id);
      same(what, 'name', found.name, label.name);
    } else if (key === 'images') {
      const found = parsed(imageSchema, value, what);
      const image = next(images, what);
      const size = cocoSize(image, options.pixelSpace);
      same(what, 'id', found.id, image.id);
      same(what, 'file_name', found.file_name, image.path);
      same(what, 'width', found.width, size.width);
      same(what, 'height', found.height, size.height);
    } else if (key === 'annotations') {
      const found = parsed(annotationSchema, value, what);
      if (numbers.has(found.id)) throw differs(`annotation ${found.id}`, 'its id is in the file twice');
      numbers.add(found.id);
      const difference = compare(found, next(instances, what));
      worst.annotationsCompared++;
      if (performance.now() - restedAt > REST_MS) {
        onProgress?.({ stage: 'comparing', done: worst.annotationsCompared, total: written.annotations });
        await new Promise((resolve) => setImmediate(resolve));
        restedAt = performance.now();
      }
      worst.minIou = Math.min(worst.minIou, difference.iou);
      worst.maxAreaDifference = Math.max(worst.maxAreaDifference, difference.area);
      worst.maxBoxDifference = Math.max(worst.maxBoxDifference, difference.box);
    }
  }
  for (const key of ['categories', 'images', 'annotations']) if (!seen.has(key)) throw differs(key, 'it is missing in the file');
  return worst;
}

function* expectedImages(source: ExportSource, leftOut: ReadonlySet<number>): Generator<ImageRecord> {
  for (const image of source.images()) if (!leftOut.has(image.id)) yield image;
}

function* expectedInstances(source: ExportSource, leftOut: ReadonlySet<number>, options: CocoOptions): Generator<Expected> {
  for (const image of expectedImages(source, leftOut)) {
    const size = cocoSize(image, options.pixelSpace);
    for (const item of [...source.document(image.id)].sort((a, b) => a.number - b.number)) {
      const instance = placeInstance(image, item, options);
      if (instance.area > 0) yield { image, size, instance };
    }
  }
}

function compare(found: FileAnnotation, { image, size, instance }: Expected): { iou: number; area: number; box: number } {
  const what = `${image.path}: annotation ${instance.number}`;
  same(what, 'id', found.id, instance.number);
  same(what, 'image_id', found.image_id, image.id);
  same(what, 'category_id', found.category_id, instance.labelId);
  same(what, 'iscrowd', found.iscrowd, instance.crowd ? 1 : 0);
  const mask = decode(found.segmentation, size, what);
  const project = intervalsOfRuns(instance.runs, size.width, size.height);
  const iou = iouOf(mask, project);
  if (iou !== 1) throw differs(what, `its mask in the file has IoU ${iou} with the project's`);
  const area = Math.abs(found.area - areaOf(mask));
  if (area !== 0) throw differs(what, `its area is ${found.area} in the file and ${areaOf(mask)} by its mask`);
  const byMask = boxOf(mask, size.height);
  const box = Math.max(...byMask.map((side, i) => Math.abs(side - (found.bbox[i] ?? NaN))));
  if (box !== 0) throw differs(what, `its box is ${found.bbox.join(' ')} in the file and ${byMask.join(' ')} by its mask`);
  return { iou, area, box };
}

function decode(segmentation: FileAnnotation['segmentation'], size: Size, what: string): number[] {
  if (Array.isArray(segmentation)) return unionOf(segmentation.map((ring) => intervalsOfRing(ring, size.width, size.height)));
  same(what, 'segmentation.size', segmentation.size.join(' '), `${size.height} ${size.width}`);
  try {
    return intervalsOfCounts(segmentation.counts, size.width, size.height);
  } catch (cause) {
    throw differs(what, cause instanceof Error ? cause.message : String(cause));
  }
}

function next<T>(rows: Iterator<T>, what: string): T {
  const row = rows.next();
  if (row.done === true) throw differs(what, 'the project does not have it');
  return row.value;
}

function parsed<S extends z.ZodType>(schema: S, value: unknown, what: string): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw differs(what, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not as expected'}`);
}

function same(what: string, key: string, found: string | number, expected: string | number): void {
  if (found !== expected) throw differs(what, `${key} is ${found} in the file, ${expected} in the project`);
}

function differs(what: string, how: string): AppError {
  return new AppError('internal', `The written file differs from the project, so nothing was exported. ${what}: ${how}.`, { what, how });
}

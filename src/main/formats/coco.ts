import { rm } from 'node:fs/promises';
import type { ExportProgress } from '../../shared/answers.ts';
import type { CocoExportOptions } from '../../shared/contract.ts';
import { AppError } from '../../shared/errors.ts';
import { contourOfRle } from '../../shared/mask/contour.ts';
import { geometryRuns } from '../../shared/mask/raster.ts';
import { countsToString } from '../../shared/mask/rle.ts';
import { runsArea, runsBox } from '../../shared/mask/runs.ts';
import type { Box, Geometry, ImageRecord, Label, Ring, Rle } from '../../shared/records.ts';
import type { FileWriter } from './file-writer.ts';
import { createFileWriter } from './file-writer.ts';
import type { Size } from './orientation.ts';
import { rawSize, turnToRaw } from './orientation.ts';
import type { ExportSource, NumberedAnnotation } from './source.ts';

/** COCO's `segmentation`: polygons, flat x, y each, or compressed RLE. */
export type CocoSegmentation = readonly Ring[] | Rle;

export type CocoOptions = Pick<CocoExportOptions, 'includeEmpty' | 'pixelSpace' | 'states'>;

/** An annotation in the pixel space of the export, as runs. */
export interface PlacedInstance {
  readonly number: number;
  readonly id: string;
  readonly labelId: number;
  readonly crowd: boolean;
  readonly geometry: Geometry;
  /** Column-major run lengths, starting with zeros. */
  readonly runs: Uint32Array;
  readonly area: number;
  readonly box: Box;
}

/** What was written and what was left out, for the check and for the report. */
export interface WrittenCoco {
  readonly images: number;
  readonly emptyImages: number;
  readonly annotations: number;
  readonly byLabel: ReadonlyMap<number, number>;
  readonly polygons: number;
  readonly rles: number;
  readonly crowds: number;
  /** Images that are not in the file. */
  readonly leftOut: ReadonlySet<number>;
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
}

/** Categories in the project's order. Their ids are the labels' and never move. */
export function cocoCategories(labels: readonly Label[]): Label[] {
  return [...labels].sort((a, b) => a.position - b.position || a.id - b.id);
}

/** Width and height of an image in the export's pixel space. */
export function cocoSize(image: ImageRecord, pixelSpace: CocoOptions['pixelSpace']): Size {
  return pixelSpace === 'raw' ? rawSize(image, image.orientation) : { width: image.width, height: image.height };
}

/**
 * An annotation as pixels of the export's pixel space, by COCO's raster rule.
 * Throws `invalid` or `internal`, naming the annotation, for geometry that does not fit its image.
 */
export function placeInstance(image: ImageRecord, { number, annotation }: NumberedAnnotation, options: CocoOptions): PlacedInstance {
  const size = cocoSize(image, options.pixelSpace);
  try {
    const geometry = options.pixelSpace === 'raw' ? turnToRaw(annotation.geometry, image.orientation, image) : annotation.geometry;
    const runs = geometryRuns(geometry, size.width, size.height);
    const { id, labelId, crowd } = annotation;
    return { number, id, labelId, crowd, geometry, runs, area: runsArea(runs), box: runsBox(runs, size.height) };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const code = cause instanceof AppError ? cause.code : 'internal';
    throw new AppError(
      code,
      `${image.path}: annotation ${number} cannot be exported: ${why}`,
      { path: image.path, annotation: number },
      cause,
    );
  }
}

/**
 * COCO's `segmentation` of an instance.
 *
 * - A crowd, and whatever has a hole, is compressed RLE: COCO polygons have no holes.
 * - A polygon without holes keeps the vertices the user set, to the last digit. Parts that overlap stay
 *   as they are: every reader takes the union of the polygons, and so do we.
 * - A box is its four corners.
 * - A mask without a hole is its exact outline along pixel edges, one polygon a part; filled again by
 *   COCO's rule it is the same mask, pixel by pixel.
 */
function cocoSegmentation(instance: PlacedInstance, size: Size): CocoSegmentation {
  const { geometry } = instance;
  const rle = (): Rle => ({ size: [size.height, size.width], counts: countsToString(instance.runs) });
  if (instance.crowd) return rle();
  switch (geometry.kind) {
    case 'polygon':
      return geometry.parts.some((part) => part.holes.length > 0) ? rle() : geometry.parts.map((part) => part.outer);
    case 'box': {
      const [x, y, w, h] = geometry.box;
      return [[x, y, x, y + h, x + w, y + h, x + w, y]];
    }
    case 'mask': {
      const mask = rle();
      const parts = contourOfRle(mask);
      return parts.some((part) => part.holes.length > 0) ? mask : parts.map((part) => part.outer);
    }
  }
}

/** Why an image is not exported, or null. */
function reasonToSkip(image: ImageRecord, options: CocoOptions): string | null {
  if (image.error !== null) return `cannot be read: ${image.error}`;
  if (image.width <= 0 || image.height <= 0) return 'cannot be read: its size is not known';
  if (options.states.length > 0 && !options.states.includes(image.state))
    return `its state is ${image.state}, not ${options.states.join(' or ')}`;
  return null;
}

/**
 * Writes the source as one COCO file: `info`, `licenses`, `categories`, `images`, `annotations`, an
 * element a line. Two exports of the same project are the same bytes (no date, no machine). `path` must
 * not exist; `path + '.annotations'` is used meanwhile. Only one image's annotations are held at a time.
 * Throws AppError: `invalid` or `internal` (an annotation that cannot be exported, a class that is not
 * there); Node's errors of the disk; the signal's reason when aborted. The caller removes what is left.
 */
export async function writeCoco(
  source: ExportSource,
  path: string,
  options: CocoOptions,
  signal?: AbortSignal,
  onProgress?: (progress: ExportProgress) => void,
): Promise<WrittenCoco> {
  const categories = cocoCategories(source.labels);
  const byLabel = new Map(categories.map((label) => [label.id, 0]));
  const counts = { images: 0, emptyImages: 0, annotations: 0, polygons: 0, rles: 0, crowds: 0 };
  const leftOut = new Set<number>();
  const skipped: { path: string; reason: string }[] = [];

  const partPath = `${path}.annotations`;
  const main = await createFileWriter(path);
  let part: FileWriter | null = null;
  try {
    part = await createFileWriter(partPath);
    await main.write('{\n"info": ' + JSON.stringify({ description: source.projectName, version: '1.0', contributor: '' }));
    await main.write(',\n"licenses": [],\n"categories": [');
    await main.write(lines(categories.map(({ id, name }) => ({ id, name, supercategory: '' }))));
    await main.write('],\n"images": [');
    let done = 0;
    for (const image of source.images()) {
      signal?.throwIfAborted();
      const reason = reasonToSkip(image, options);
      const instances = reason === null ? keepInstances(image, source, options, skipped) : [];
      if (reason !== null || (instances.length === 0 && !options.includeEmpty)) {
        leftOut.add(image.id);
        skipped.push({ path: image.path, reason: reason ?? 'has no annotation' });
      } else {
        const size = cocoSize(image, options.pixelSpace);
        const row = { id: image.id, file_name: image.path, width: size.width, height: size.height };
        await main.write((counts.images === 0 ? '\n' : ',\n') + JSON.stringify(row));
        counts.images++;
        if (instances.length === 0) counts.emptyImages++;
        for (const instance of instances) {
          const segmentation = cocoSegmentation(instance, size);
          if ('counts' in segmentation) counts.rles++;
          else counts.polygons++;
          if (instance.crowd) counts.crowds++;
          byLabel.set(instance.labelId, labelCount(byLabel, instance, image) + 1);
          const annotation = {
            id: instance.number,
            image_id: image.id,
            category_id: instance.labelId,
            segmentation,
            area: instance.area,
            bbox: instance.box,
            iscrowd: instance.crowd ? 1 : 0,
          };
          await part.write((counts.annotations === 0 ? '\n' : ',\n') + JSON.stringify(annotation));
          counts.annotations++;
        }
      }
      onProgress?.({ stage: 'writing', done: ++done, total: source.imageCount });
      // One image is a few milliseconds of work: let the window's messages through in between.
      await new Promise((resolve) => setImmediate(resolve));
    }
    await part.finish();
    await main.write('\n],\n"annotations": [');
    await main.append(partPath);
    await main.write('\n]\n}\n');
    await main.finish();
  } finally {
    await main.abandon();
    await part?.abandon();
    await rm(partPath, { force: true });
  }
  return { ...counts, byLabel, leftOut, skipped };
}

/** The image's instances that have a pixel, in the order of their numbers; the others are named. */
function keepInstances(
  image: ImageRecord,
  source: ExportSource,
  options: CocoOptions,
  skipped: { path: string; reason: string }[],
): PlacedInstance[] {
  const all = [...source.document(image.id)].sort((a, b) => a.number - b.number).map((item) => placeInstance(image, item, options));
  for (const empty of all.filter((instance) => instance.area === 0)) {
    skipped.push({ path: image.path, reason: `annotation ${empty.number} covers no pixel` });
  }
  return all.filter((instance) => instance.area > 0);
}

function labelCount(byLabel: ReadonlyMap<number, number>, instance: PlacedInstance, image: ImageRecord): number {
  const count = byLabel.get(instance.labelId);
  if (count !== undefined) return count;
  throw new AppError(
    'internal',
    `${image.path}: annotation ${instance.number} has class ${instance.labelId}, which the project does not have`,
    {
      path: image.path,
      annotation: instance.number,
      labelId: instance.labelId,
    },
  );
}

function lines(rows: readonly object[]): string {
  return rows.map((row) => '\n' + JSON.stringify(row)).join(',') + (rows.length > 0 ? '\n' : '');
}

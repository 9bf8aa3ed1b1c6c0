import type { ReadBack } from '../../shared/calls/formats.ts';
import { AppError } from '../../shared/errors.ts';
import { boxIou } from '../../shared/geometry/measure.ts';
import { geometryToRle } from '../../shared/mask/raster.ts';
import { maskIou, rleBox } from '../../shared/mask/rle.ts';
import type { Annotation, ImageRecord, Rle } from '../../shared/records.ts';
import { createStaging } from '../store/staging.ts';
import { createBreath } from './breath.ts';
import type { DatasetSource, Format, WriteOptions } from './dataset.ts';
import { imageFiles } from './folder.ts';

/** What a writer told while it wrote. */
export interface Told {
  /** Path of each image in the files, null for one that is not there. */
  readonly images: ReadonlyMap<number, string | null>;
  readonly instances: ReadonlyMap<number, 'left-out' | 'changed'>;
}

/** Takes down what a writer tells, for `readBack`. */
export function listen(): Told & Required<Pick<WriteOptions, 'onImage' | 'onInstance'>> {
  const images = new Map<number, string | null>();
  const instances = new Map<number, 'left-out' | 'changed'>();
  return {
    images,
    instances,
    onImage: (id, path) => void images.set(id, path),
    onInstance: (number, how) => void instances.set(number, how),
  };
}

export interface ReadBackOptions {
  /** Where the dataset was written. */
  readonly folder: string;
  /** Folder that the images' paths, as told, are relative to: the dataset's own, or where they were left. */
  readonly images: string;
  /** A file that is not there, for what is read; removed again. */
  readonly scratch: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Rounding of a fraction of the image's side and back, as an IoU. */
const ROUNDING = 1e-9;

/**
 * Reads a written dataset with the format's own reader and compares it with what was to be written: every image that was not
 * told to be left out is there, with its size; every instance is there once, of its class and crowd mark, with an IoU of at
 * least the format's `fidelity`. Where a format cannot tell instances apart, the classes on each image are compared.
 *
 * Throws AppError `internal`, naming the image or instance, at the first difference; and as the reader.
 */
export async function readBack(format: Format, source: DatasetSource, told: Told, options: ReadBackOptions): Promise<ReadBack> {
  const { signal } = options;
  const writer = format.writer;
  if (!writer) throw new AppError('internal', `There is no writer of ${format.name}.`);
  const sizes = new Map<string, { readonly width: number; readonly height: number }>();
  for (const image of source.images()) {
    const path = told.images.get(image.id);
    if (path !== undefined && path !== null) sizes.set(path, { width: image.width, height: image.height });
  }
  const staging = createStaging(format.id, options.scratch);
  try {
    await format.reader.read(options.folder, staging, {
      images: options.images,
      files: imageFiles([...sizes.keys()]),
      sizeOf: (path) => Promise.resolve(sizes.get(path) ?? null),
      ...(signal ? { signal } : {}),
    });
    const found = staging.source({ projectName: source.projectName, folder: options.images });
    const refused = staging.findingCounts().filter(({ kind }) => kind === 'refused');
    const first = refused[0] ? staging.findings({ kind: 'refused', offset: 0, limit: 1 }).rows[0] : undefined;
    if (first) throw differs(first.id, `reading it again refuses something: ${first.message}`);
    return await compare(format, source, found, told, options);
  } finally {
    staging.close();
  }
}

async function compare(
  { writer }: Format,
  source: DatasetSource,
  found: DatasetSource,
  told: Told,
  { signal, onProgress }: ReadBackOptions,
): Promise<ReadBack> {
  const breath = createBreath(signal);
  const names = new Map(source.labels.map(({ id, name }) => [id, name.trim()]));
  const foundNames = new Map(found.labels.map(({ id, name }) => [id, name]));
  const byPath = new Map<string, ImageRecord>();
  for (const image of found.images()) {
    if (byPath.has(image.path)) throw differs(image.path, 'the files have it twice');
    byPath.set(image.path, image);
  }
  const fidelity = writer?.fidelity ?? null;
  const boxes = writer?.keeps === 'boxes';
  let sum = 0;
  const out = { imagesCompared: 0, annotationsCompared: 0, minIou: 1, lost: 0 };
  let done = 0;
  for (const image of source.images()) {
    if (breath.due()) await breath.take();
    onProgress?.(++done, source.imageCount);
    const path = told.images.get(image.id);
    if (path === undefined) throw differs(image.path, 'the writer did not say where it is');
    const all = source.document(image.id);
    const wanted = path === null ? [] : all.filter(({ number }) => told.instances.get(number) !== 'left-out');
    out.lost += all.length - wanted.length;
    if (path === null) continue;
    const other = byPath.get(path);
    if (!other) throw differs(path, 'it is not in the files');
    byPath.delete(path);
    if (other.width !== 0 && (other.width !== image.width || other.height !== image.height)) {
      throw differs(path, `it is ${other.width}×${other.height} in the files and ${image.width}×${image.height} in the project`);
    }
    out.imagesCompared++;
    const read = found.document(other.id).map(({ annotation }) => annotation);
    if (fidelity === null) {
      const classes = new Set(wanted.map(({ annotation }) => names.get(annotation.labelId)));
      const strange = read.find(({ labelId }) => !classes.has(foundNames.get(labelId)));
      if (strange) throw differs(path, `the files have "${foundNames.get(strange.labelId) ?? ''}" on it, the project has not`);
      continue;
    }
    if (read.length !== wanted.length) throw differs(path, `it has ${read.length} instances in the files, not ${wanted.length}`);
    const left = read.map((annotation) => ({ annotation, rle: geometryToRle(annotation.geometry, image.width, image.height) }));
    // Those that have to be the same first: another that lost pixels may look like one of them.
    const isChanged = (number: number): number => (told.instances.get(number) === 'changed' ? 1 : 0);
    for (const { number, annotation } of [...wanted].sort((a, b) => isChanged(a.number) - isChanged(b.number))) {
      const changed = isChanged(number) === 1;
      const rle = geometryToRle(annotation.geometry, image.width, image.height);
      const alike = (each: Annotation): boolean =>
        foundNames.get(each.labelId) === names.get(annotation.labelId) && (changed || each.crowd === annotation.crowd);
      const best = bestOf(left, rle, alike, boxes);
      if (best === null) throw differs(path, `annotation ${number} (${names.get(annotation.labelId) ?? ''}) is not in the files`);
      left.splice(best.at, 1);
      if (!changed && best.iou < fidelity - ROUNDING) {
        throw differs(path, `annotation ${number} has an IoU of ${best.iou} with what is in the files; it should have ${fidelity}`);
      }
      out.annotationsCompared++;
      out.minIou = Math.min(out.minIou, best.iou);
      sum += best.iou;
    }
  }
  const [more] = byPath.keys();
  if (more !== undefined) throw differs(more, 'the files have it, the project has not');
  const { annotationsCompared } = out;
  if (fidelity === null) return { ...out, minIou: null, meanIou: null };
  return { ...out, meanIou: annotationsCompared === 0 ? 1 : sum / annotationsCompared };
}

interface Found {
  readonly annotation: Annotation;
  readonly rle: Rle;
}

/** The most alike of those that are left; the first of equals, for files keep the order. */
function bestOf(
  left: readonly Found[],
  rle: Rle,
  alike: (found: Annotation) => boolean,
  boxes: boolean,
): { at: number; iou: number } | null {
  let best: { at: number; iou: number } | null = null;
  const box = rleBox(rle);
  for (const [at, found] of left.entries()) {
    if (!alike(found.annotation)) continue;
    const same = !boxes && found.rle.counts === rle.counts;
    const iou = same ? 1 : boxes ? boxIou(rleBox(found.rle), box) : maskIou(rle, found.rle);
    if (best === null || iou > best.iou) best = { at, iou };
    if (iou === 1) break;
  }
  return best;
}

function differs(what: string, how: string): AppError {
  return new AppError('internal', `The written files differ from the project, so nothing was exported. ${what}: ${how}.`, { what, how });
}

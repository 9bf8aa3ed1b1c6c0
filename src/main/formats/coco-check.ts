import type { ExportProgress, ExportReport } from '../../shared/answers.ts';
import { AppError } from '../../shared/errors.ts';
import type { Geometry, Label } from '../../shared/records.ts';
import { checkedAnnotation, checkedCategory, checkedImage, createIds, fileRecord, sameAsKept } from './check-records.ts';
import type { FileAnnotation, FileRecord, Kept } from './check-records.ts';
import type { CheckedImage } from './check-space.ts';
import { expectedIntervals, sizeInFile } from './check-space.ts';
import type { CocoSource } from './coco-source.ts';
import { annotationsInOrder, cocoRest, imagesInOrder } from './coco-source.ts';
import type { OrderedAnnotation, SourceText } from './dataset.ts';
import type { Intervals } from './intervals.ts';
import { areaOf, boxOf, intervalsOfCounts, intervalsOfRing, intervalsOfRuns, iouOf, unionOf } from './intervals.ts';
import type { JsonText } from './json-texts.ts';
import { readJsonTexts } from './json-texts.ts';

/** After so much work at a stretch, the window's messages are let through. */
const REST_MS = 12;

export interface CheckOptions {
  readonly pixelSpace: 'oriented' | 'raw';
  /** Above 0 polygons may differ from the project by what `written` says, instance by instance. */
  readonly simplifyPx?: number;
  /** The file is one of several that share their ids. */
  readonly part?: boolean;
  /** As it was asked for when the file was written. */
  readonly fileName?: (image: { readonly id: number; readonly path: string }, imported: string | null) => string;
}

/** What the writer claims. */
export interface CheckedClaims {
  readonly leftOut: ReadonlySet<number>;
  readonly annotations: number;
  readonly untouched?: number;
  /** IoU of each simplified instance with what it was, in the order of the file. */
  readonly simplified?: { readonly ious: readonly number[] };
}

/** The figures of the report, and where the worst simplified instance is. */
export type CheckedCoco = ExportReport['verified'] & {
  readonly simplified: {
    readonly instances: number;
    readonly sumIou: number;
    readonly worst: { path: string; id: string; iou: number } | null;
  };
};

/**
 * Reads a written COCO file back with mask decoders of its own and compares it with the project: every category, image
 * and annotation is there, once, in order, with its id, file name, size, class and crowd flag; its pixels are the
 * project's (IoU 1; with `simplifyPx` exactly the IoU that the writer said it costs), area and box those of its pixels, or
 * for what was imported and not touched those of the imported file; everything that an imported record had besides is
 * there as it was. Nothing of what writes is used, only the JSON parser.
 * Throws `internal`, naming the image or annotation, at the first thing that differs; the signal's
 * reason when aborted.
 */
export async function checkCoco(
  path: string,
  source: CocoSource,
  options: CheckOptions,
  written: CheckedClaims,
  signal?: AbortSignal,
  onProgress?: (progress: ExportProgress) => void,
): Promise<CheckedCoco> {
  const raw = options.pixelSpace === 'raw';
  const figures = { annotationsCompared: 0, textsEqual: 0, minIou: 1, maxAreaDifference: 0, maxBoxDifference: 0 };
  let restedAt = performance.now();
  const breathe = async (): Promise<void> => {
    signal?.throwIfAborted();
    onProgress?.({ stage: 'comparing', done: figures.annotationsCompared, total: written.annotations });
    await new Promise((resolve) => setImmediate(resolve));
    restedAt = performance.now();
  };
  const images = new Map<number, CheckedImage>();
  for (const { id, path: name, width, height, orientation } of source.images()) {
    if (!written.leftOut.has(id)) images.set(id, { id, path: name, width, height, orientation });
    if (performance.now() - restedAt > REST_MS) await breathe();
  }
  const labels = [...source.labels].sort((a, b) => a.position - b.position || a.id - b.id);
  const expected = {
    categories: labels.values(),
    images: expectedImages(source, images),
    annotations: expectedAnnotations(source, images, raw),
  };
  const ids = { categories: createIds(), images: createIds(), annotations: createIds() };
  /** Ids in the file by the project's. Annotations may refer to what comes after them. */
  const categoryId = new Map<number, string>();
  const imageId = new Map<number, string>();
  const agree = (known: Map<number, string>, own: number, what: string, key: string, id: string): void => {
    same(what, key, id, known.get(own) ?? id);
    known.set(own, id);
  };
  const seen = new Set<string>();
  const rest = cocoRest(source);
  const simplified = { instances: 0, sumIou: 0, worst: null as { path: string; id: string; iou: number } | null };
  let untouched = 0;

  /** Elements of other arrays, as text, until their end. */
  let others: string[] = [];
  const compare = ({ key, index, text }: JsonText): void => {
    const what = index === null ? key : `${key}[${index}]`;
    if (index === null) {
      if (seen.has(key)) throw differs(key, 'it is in the file twice');
      seen.add(key);
      if (key === 'categories' || key === 'images' || key === 'annotations') {
        if (expected[key].next().done !== true) throw differs(key, 'the file has fewer than the project');
      } else if (rest.size > 0) {
        const kept = rest.get(key);
        if (kept === undefined) throw differs(key, 'it was not in the imported file');
        const array = kept.startsWith('[');
        const equal = array
          ? JSON.stringify(JSON.parse(kept)) === JSON.stringify(others.map((of): unknown => JSON.parse(of)))
          : kept === text;
        if (!equal) throw differs(key, 'it is not as it was imported');
      }
      others = [];
      return;
    }
    if (key !== 'categories' && key !== 'images' && key !== 'annotations') {
      others.push(text);
      return;
    }
    const record = fileRecord(text, differ(what));
    if (key === 'categories') {
      const label = next<Label>(expected.categories, what);
      const kept = sameAsKept(source.sourceOf?.('category', label.id) ?? null, record, ['id', 'name'], differ(what));
      const found = checkedCategory(record, differ(what));
      // Two categories of one name are one class each here, under names that differ.
      if (!kept?.untouched) same(what, 'name', found.name, label.name);
      agree(categoryId, label.id, what, 'id', ids.categories.add(record, kept, String(label.id), differ(what)));
      if (kept?.equal) figures.textsEqual++;
    } else if (key === 'images') {
      const { image, source: imported } = next<ExpectedImage>(expected.images, what);
      const kept = sameAsKept(imported, record, ['id', 'file_name', 'width', 'height'], differ(what));
      const found = checkedImage(record, differ(what));
      const [width, height] = sizeInFile(image, raw);
      const name = textOf(kept?.member('file_name') ?? null);
      same(what, 'file_name', found.file_name, options.fileName?.(image, name) ?? image.path);
      same(what, 'width', found.width, width);
      same(what, 'height', found.height, height);
      agree(imageId, image.id, what, 'id', ids.images.add(record, kept, String(image.id), differ(what)));
      if (kept?.equal) figures.textsEqual++;
    } else {
      const { item, image, pixels } = next<Expected>(expected.annotations, what);
      const name = `${image.path}: annotation ${item.number}`;
      const kept = sameAsKept(item.source, record, KNOWN, differ(name));
      const found = checkedAnnotation(record, differ(name));
      const id = ids.annotations.add(record, kept, String(item.number), differ(name));
      agree(imageId, image.id, name, 'image_id', found.image_id);
      const { labelId, crowd, geometry } = item.annotation();
      agree(categoryId, labelId, name, 'category_id', found.category_id);
      same(name, 'iscrowd', found.iscrowd, crowd ? 1 : 0);
      const turned = raw && image.orientation !== 1;
      const asDrawn = !turned && isDrawn(found.segmentation, geometry);
      const polygons = Array.isArray(found.segmentation) && found.segmentation.length > 0;
      const fewer = (options.simplifyPx ?? 0) > 0 && polygons && !crowd;
      let iou = 1;
      let mask: Intervals | null = null;
      if (!asDrawn || fewer) {
        const [width, height] = sizeInFile(image, raw);
        mask = decoded(found, width, height, name);
        const project = pixels ?? expectedIntervals(geometry, image, raw);
        iou = iouOf(mask, project);
        if (fewer && areaOf(project) > 0) {
          const claimed = written.simplified?.ious[simplified.instances];
          if (iou !== claimed)
            throw differs(name, `its mask in the file has IoU ${iou} with the project's, not ${claimed ?? 'none'} as was told`);
          simplified.instances++;
          simplified.sumIou += iou;
          if (iou < (simplified.worst?.iou ?? Infinity)) simplified.worst = { path: image.path, id, iou };
        } else if (iou !== 1) throw differs(name, `its mask in the file has IoU ${iou} with the project's`);
      }
      // Area and box of what was not touched are what the file said: they may be of a convention of its own.
      const asGiven = kept?.untouched === true && (kept.equal || (keeps(kept, record, 'area') && keeps(kept, record, 'bbox')));
      if (!asGiven) {
        const [width, height] = sizeInFile(image, raw);
        const of = mask ?? decoded(found, width, height, name);
        const area = Math.abs((found.area ?? NaN) - areaOf(of));
        if (area !== 0) throw differs(name, `its area is ${found.area ?? 'missing'} in the file and ${areaOf(of)} by its mask`);
        const byMask = boxOf(of, height);
        const box = Math.max(...byMask.map((side, i) => Math.abs(side - (found.bbox?.[i] ?? NaN))));
        if (box !== 0) throw differs(name, `its box is ${(found.bbox ?? []).join(' ')} in the file and ${byMask.join(' ')} by its mask`);
      }
      figures.annotationsCompared++;
      figures.minIou = Math.min(figures.minIou, iou);
      if (kept?.equal) {
        figures.textsEqual++;
        untouched++;
      }
    }
  };
  for await (const batch of readJsonTexts(path)) {
    for (const element of batch) {
      compare(element);
      if (performance.now() - restedAt > REST_MS) await breathe();
    }
  }
  signal?.throwIfAborted();
  for (const key of ['categories', 'images', 'annotations', ...rest.keys()])
    if (!seen.has(key)) throw differs(key, 'it is missing in the file');
  const known = new Set(labels.map(({ id }) => id));
  for (const [id, name] of categoryId) if (!known.has(id)) throw differs('categories', `there is no category ${name}`);
  for (const [key, of] of Object.entries(ids)) of.finish(key !== 'images' || options.part !== true, (how) => differs(key, how));
  if (figures.annotationsCompared !== written.annotations)
    throw differs('annotations', `${figures.annotationsCompared} instead of ${written.annotations}`);
  if (written.untouched !== undefined && untouched !== written.untouched) {
    throw differs('annotations', `${untouched} are as they were imported, not ${written.untouched} as was told`);
  }
  if (written.simplified && simplified.instances !== written.simplified.ious.length) {
    throw differs('annotations', `${simplified.instances} were simplified, not ${written.simplified.ious.length} as was told`);
  }
  return { ...figures, simplified };
}

/** What our records of annotations have. */
const KNOWN = ['id', 'image_id', 'category_id', 'segmentation', 'area', 'bbox', 'iscrowd'];

interface Expected {
  readonly item: OrderedAnnotation;
  readonly image: CheckedImage;
  /** Where they had to be looked at already. */
  readonly pixels: Intervals | null;
}

interface ExpectedImage {
  readonly image: CheckedImage;
  readonly source: SourceText | null;
}

function* expectedImages(source: CocoSource, images: ReadonlyMap<number, CheckedImage>): Generator<ExpectedImage> {
  for (const { id, source: text } of imagesInOrder(source)) {
    const image = images.get(id);
    if (image) yield { image, source: text };
  }
}

/** Those that belong into the file: what has a pixel, and what was imported in the pixel space of the export and not touched. */
function* expectedAnnotations(source: CocoSource, images: ReadonlyMap<number, CheckedImage>, raw: boolean): Generator<Expected> {
  for (const item of annotationsInOrder(source)) {
    const image = images.get(item.imageId);
    if (!image) continue;
    const { source: text } = item;
    const kept = text?.format === 'coco' ? text : null;
    if (kept?.untouched && (image.orientation === 1 || kept.raw === raw)) yield { item, image, pixels: null };
    else {
      const pixels = expectedIntervals(item.annotation().geometry, image, raw);
      if (pixels.length > 0) yield { item, image, pixels };
    }
  }
}

/** The rings of the file are number by number those of the project: then so are the pixels. */
function isDrawn(found: FileAnnotation['segmentation'], geometry: Geometry): boolean {
  if (Array.isArray(found)) {
    if (geometry.kind !== 'polygon' || geometry.parts.length !== found.length) return false;
    return geometry.parts.every(({ outer, holes }, i) => {
      const ring = found[i];
      // A last point that repeats the first adds an edge of no length.
      const closed = ring?.length === outer.length + 2 && ring.at(-2) === ring[0] && ring.at(-1) === ring[1];
      if (!ring || holes.length > 0 || (ring.length !== outer.length && !closed)) return false;
      for (let k = 0; k < outer.length; k++) if (ring[k] !== outer[k]) return false;
      return true;
    });
  }
  if (found === null || geometry.kind !== 'mask') return false;
  const { size, counts } = geometry.rle;
  return found.counts === counts && found.size[0] === size[0] && found.size[1] === size[1];
}

function decoded({ segmentation, bbox }: FileAnnotation, width: number, height: number, name: string): Intervals {
  try {
    if (segmentation === null || (Array.isArray(segmentation) && segmentation.length === 0)) {
      const [x = NaN, y = NaN, w = NaN, h = NaN] = bbox ?? [];
      return intervalsOfRing([x, y, x, y + h, x + w, y + h, x + w, y], width, height);
    }
    if (Array.isArray(segmentation)) return unionOf(segmentation.map((ring) => intervalsOfRing(ring, width, height)));
    same(name, 'segmentation.size', segmentation.size.join(' '), `${height} ${width}`);
    const { counts } = segmentation;
    return typeof counts === 'string' ? intervalsOfCounts(counts, width, height) : intervalsOfRuns(counts, width, height);
  } catch (cause) {
    if (cause instanceof AppError && cause.code === 'internal') throw cause;
    throw differs(name, cause instanceof Error ? cause.message : String(cause));
  }
}

/** The value of a JSON text that is a string, else null. */
function textOf(json: string | null): string | null {
  return json?.startsWith('"') === true ? String(JSON.parse(json)) : null;
}

/** The file has the imported text of this key, or both have none. */
function keeps(kept: Kept, record: FileRecord, key: string): boolean {
  return kept.member(key) === record.member(key);
}

function next<T>(rows: Iterator<T>, what: string): T {
  const row = rows.next();
  if (row.done === true) throw differs(what, 'the project does not have it');
  return row.value;
}

function same(what: string, key: string, found: string | number, expected: string | number): void {
  if (found !== expected) throw differs(what, `${key} is ${found} in the file, ${expected} in the project`);
}

function differ(what: string): (how: string) => AppError {
  return (how) => differs(what, how);
}

function differs(what: string, how: string): AppError {
  return new AppError('internal', `The written file differs from the project, so nothing was exported. ${what}: ${how}.`, { what, how });
}

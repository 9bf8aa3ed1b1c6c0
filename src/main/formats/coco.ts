import { rm } from 'node:fs/promises';
import type { ExportProgress, LeftOut } from '../../shared/answers.ts';
import type { CocoExportOptions } from '../../shared/calls/coco-export.ts';
import { AppError } from '../../shared/errors.ts';
import type { Finding } from '../../shared/formats.ts';
import type { ImageRecord, Label } from '../../shared/records.ts';
import type { Breath } from './breath.ts';
import { createBreath } from './breath.ts';
import type { CocoId } from './coco-ids.ts';
import { categoryIds, imageIds } from './coco-ids.ts';
import type { CocoImage } from './coco-records.ts';
import { annotationRecord, categoryRecord, imageRecord } from './coco-records.ts';
import type { CocoSource } from './coco-source.ts';
import { annotationsInOrder, cocoRest, imagesInOrder } from './coco-source.ts';
import { cocoText, valueOf } from './coco-text.ts';
import type { FileWriter } from './file-writer.ts';
import { createFileWriter } from './file-writer.ts';
import type { Size } from './orientation.ts';
import { rawSize } from './orientation.ts';

export interface CocoOptions extends Pick<CocoExportOptions, 'includeEmpty' | 'pixelSpace' | 'states'> {
  readonly segmentation?: CocoExportOptions['segmentation'];
  readonly simplifyPx?: number;
  /** Name of an image in the file; `imported` is the one it was imported with. The image's path where this is absent. */
  readonly fileName?: (image: Pick<ImageRecord, 'id' | 'path'>, imported: string | null) => string;
  /** Ids that several files of one export share; made for this file alone where they are absent. */
  readonly ids?: CocoIds;
}

export interface CocoIds {
  readonly categories: ReadonlyMap<number, CocoId>;
  readonly images: ReadonlyMap<number, CocoId>;
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
  /** Annotations that are the imported text, byte for byte. */
  readonly untouched: number;
  /** Images that are not in the file. */
  readonly leftOut: ReadonlySet<number>;
  readonly skipped: readonly LeftOut[];
  readonly simplified: SimplifiedSum;
}

/** `ious` has an entry for each simplified instance, in the order of the file. */
export interface SimplifiedSum {
  readonly pointsBefore: number;
  readonly pointsAfter: number;
  readonly ious: readonly number[];
}

/** Categories in the project's order. */
export function cocoCategories(labels: readonly Label[]): Label[] {
  return [...labels].sort((a, b) => a.position - b.position || a.id - b.id);
}

/** The ids of a whole source, for files that hold a part of it each. */
export async function cocoIds(source: CocoSource, breath: Breath, tell: (finding: Finding) => void): Promise<CocoIds> {
  return { categories: await categoryIds(source, breath, tell), images: await imageIds(source, breath, tell) };
}

/** Width and height of an image in the export's pixel space. */
function cocoSize(image: ImageRecord, pixelSpace: CocoOptions['pixelSpace']): Size {
  return pixelSpace === 'raw' ? rawSize(image, image.orientation) : { width: image.width, height: image.height };
}

/** Why an image is not exported, or null. */
function reasonToSkip(image: ImageRecord, options: CocoOptions): Omit<LeftOut, 'path'> | null {
  if (image.error !== null) return { reason: `cannot be read: ${image.error}` };
  if (image.width <= 0 || image.height <= 0) return { reason: 'cannot be read: its size is not known' };
  if (options.states.length > 0 && !options.states.includes(image.state))
    return { reason: `its state is ${image.state}, not ${options.states.join(' or ')}`, asked: true };
  return null;
}

/** The order of keys where no file was imported. */
const KEYS = ['info', 'licenses', 'categories', 'images', 'annotations'];

/**
 * Writes the source as one COCO file, an element a line: keys, records and texts of an imported file as they were and in
 * their order, everything else by the rules of `annotationRecord`; without an import `info`, `licenses`, `categories`,
 * `images`, `annotations`. Two exports of the same project are the same bytes (no date, no machine). `path` must not
 * exist; `path + '.annotations'` is used meanwhile. One annotation is held at a time, and a few numbers of each image.
 * Throws AppError: `invalid` or `internal` (an annotation that cannot be exported, a class that is not
 * there); Node's errors of the disk; the signal's reason when aborted. The caller removes what is left.
 */
export async function writeCoco(
  source: CocoSource,
  path: string,
  options: CocoOptions,
  signal?: AbortSignal,
  onProgress?: (progress: ExportProgress) => void,
  tell: (finding: Finding) => void = () => undefined,
): Promise<WrittenCoco> {
  const categories = cocoCategories(source.labels);
  const byLabel = new Map(categories.map((label) => [label.id, 0]));
  const counts = { images: 0, emptyImages: 0, annotations: 0, polygons: 0, rles: 0, crowds: 0, untouched: 0 };
  const fewer = { pointsBefore: 0, pointsAfter: 0, ious: [] as number[] };
  const leftOut = new Set<number>();
  const skipped: LeftOut[] = [];
  const images = new Map<number, CocoImage>();
  const shape = { segmentation: options.segmentation ?? 'imported', simplifyPx: options.simplifyPx ?? 0, pixelSpace: options.pixelSpace };
  const breath = createBreath(signal);
  const ids = options.ids ?? (await cocoIds(source, breath, tell));
  let expected = 0;
  let done = 0;
  const progress = (): void => onProgress?.({ stage: 'writing', done: ++done, total: Math.max(done, source.imageCount + expected) });

  const partPath = `${path}.annotations`;
  const main = await createFileWriter(path);
  let part: FileWriter | null = null;
  try {
    for (const image of source.images()) {
      if (breath.due()) await breath.take();
      const reason = reasonToSkip(image, options);
      const id = ids.images.get(image.id);
      if (reason !== null || !id) {
        leftOut.add(image.id);
        skipped.push({ path: image.path, ...(reason ?? { reason: 'has no id' }) });
      } else {
        const { path: name, width, height, orientation } = image;
        const record = { id: image.id, path: name, width, height, orientation };
        images.set(image.id, { record, size: cocoSize(image, options.pixelSpace), id, annotations: 0 });
        expected += image.annotations;
      }
      progress();
    }
    /** Writes one element after the other with what `write` is given; `]` is the caller's. */
    const list = (to: FileWriter): ((text: string) => Promise<void> | void) => {
      let first = true;
      return (text) => {
        const lead = first ? '\n' : ',\n';
        first = false;
        return to.write(lead + text);
      };
    };
    const writeCategories = async (to: FileWriter): Promise<void> => {
      const add = list(to);
      for (const label of categories) {
        await add(categoryRecord(label, categoryId(label, ids), cocoText(source.sourceOf?.('category', label.id) ?? null)).text);
      }
      if (categories.length > 0) await to.write('\n');
    };
    const writeAnnotations = async (to: FileWriter): Promise<void> => {
      const add = list(to);
      for (const item of annotationsInOrder(source)) {
        if (breath.due()) await breath.take();
        const image = images.get(item.imageId);
        if (!image) continue;
        const written = annotationRecord(item, cocoText(item.source), image, ids.categories, shape, tell);
        progress();
        if (written === null) {
          skipped.push({ path: image.record.path, reason: `annotation ${item.number} covers no pixel` });
          continue;
        }
        image.annotations++;
        counts.annotations++;
        if (written.kind === 'rle') counts.rles++;
        else if (written.kind === 'polygons') counts.polygons++;
        if (written.crowd) counts.crowds++;
        if (written.verbatim) counts.untouched++;
        const labelId = item.labelId ?? item.annotation().labelId;
        byLabel.set(labelId, (byLabel.get(labelId) ?? 0) + 1);
        if (written.shape?.simplified) {
          fewer.pointsBefore += written.shape.simplified.pointsBefore;
          fewer.pointsAfter += written.shape.simplified.pointsAfter;
          fewer.ious.push(written.shape.simplified.iou);
        }
        await add(written.text);
      }
    };
    const writeImages = async (to: FileWriter): Promise<void> => {
      const add = list(to);
      for (const { id, source: text } of imagesInOrder(source)) {
        if (breath.due()) await breath.take();
        const image = images.get(id);
        if (!image) continue;
        if (image.annotations === 0 && !options.includeEmpty) {
          leftOut.add(id);
          skipped.push({ path: image.record.path, reason: 'has no annotation', asked: true });
          continue;
        }
        const imported = cocoText(text);
        const name = imported === null ? null : fileNameOf(valueOf(imported, 'file_name'));
        const fileName = options.fileName?.(image.record, name) ?? image.record.path;
        counts.images++;
        await add(imageRecord(image, fileName, imported).text);
      }
    };

    // Which images have annotations is known when those are written.
    if (!options.includeEmpty) {
      part = await createFileWriter(partPath);
      await writeAnnotations(part);
      await part.finish();
    }
    const rest = cocoRest(source);
    const lists: Record<string, (to: FileWriter) => Promise<void>> = {
      categories: writeCategories,
      images: writeImages,
      annotations: (to) => (part ? to.append(partPath) : writeAnnotations(to)),
    };
    const keys = [...new Set([...(rest.size > 0 ? rest.keys() : KEYS), ...Object.keys(lists)])];
    let lead = '{\n';
    for (const key of keys) {
      const write = Object.hasOwn(lists, key) ? lists[key] : undefined;
      await main.write(`${lead}${JSON.stringify(key)}: `);
      lead = ',\n';
      if (write) {
        await main.write('[');
        await write(main);
        await main.write(key === 'categories' ? ']' : '\n]');
      } else await main.write(rest.get(key) ?? ownText(key, source));
    }
    await main.write('\n}\n');
    await main.finish();
    for (const image of images.values()) if (image.annotations === 0 && !leftOut.has(image.record.id)) counts.emptyImages++;
  } finally {
    await main.abandon();
    await part?.abandon();
    await rm(partPath, { force: true });
  }
  return { ...counts, byLabel, leftOut, skipped, simplified: fewer };
}

function categoryId({ id, name }: Label, ids: CocoIds): CocoId {
  const found = ids.categories.get(id);
  if (found) return found;
  throw new AppError('internal', `Class ${name} has no id in the export.`, { labelId: id });
}

function ownText(key: string, source: CocoSource): string {
  return key === 'info' ? JSON.stringify({ description: source.projectName, version: '1.0', contributor: '' }) : '[]';
}

/** The name that an imported image record has, or null where it is no text. */
function fileNameOf(text: string | null): string | null {
  if (text?.startsWith('"') !== true) return null;
  return String(JSON.parse(text));
}

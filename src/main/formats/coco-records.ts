import { AppError } from '../../shared/errors.ts';
import type { Finding } from '../../shared/formats.ts';
import type { ImageRecord, Label } from '../../shared/records.ts';
import type { CocoId } from './coco-ids.ts';
import type { CocoShaped, ShapeOptions } from './coco-shape.ts';
import { shapeOf } from './coco-shape.ts';
import type { CocoText } from './coco-text.ts';
import { valueOf } from './coco-text.ts';
import type { OrderedAnnotation } from './dataset.ts';
import type { Size } from './orientation.ts';
import { turnToRaw } from './orientation.ts';
import { withMembers } from './record-text.ts';

/** An image of the file. */
export interface CocoImage {
  readonly record: Pick<ImageRecord, 'id' | 'path' | 'width' | 'height' | 'orientation'>;
  /** In the export's pixel space. */
  readonly size: Size;
  readonly id: CocoId;
  /** Annotations written so far. */
  annotations: number;
}

/** One element of the file, as text. */
export interface CocoRecord {
  readonly text: string;
  /** The text is the imported one, byte for byte. */
  readonly verbatim: boolean;
}

export interface CocoAnnotationRecord extends CocoRecord {
  readonly kind: 'polygons' | 'rle' | 'box';
  readonly crowd: boolean;
  /** Null where the shape is the imported text's. */
  readonly shape: CocoShaped | null;
}

export interface AnnotationOptions extends ShapeOptions {
  readonly pixelSpace: 'oriented' | 'raw';
}

export function categoryRecord(label: Label, { id, asImported }: CocoId, imported: CocoText | null): CocoRecord {
  if (imported === null) return { text: `{"id":${id},"name":${JSON.stringify(label.name)},"supercategory":""}`, verbatim: false };
  const changes = new Map<string, string>();
  if (!asImported) changes.set('id', id);
  if (!imported.untouched) set(changes, imported, 'name', label.name);
  return changed(imported, changes);
}

/** `fileName` as the file is to have it. Sizes that the imported record does not have, or has otherwise, are written. */
export function imageRecord({ id, size }: CocoImage, fileName: string, imported: CocoText | null): CocoRecord {
  if (imported === null) {
    return {
      text: `{"id":${id.id},"file_name":${JSON.stringify(fileName)},"width":${size.width},"height":${size.height}}`,
      verbatim: false,
    };
  }
  const changes = new Map<string, string>();
  if (!id.asImported) changes.set('id', id.id);
  set(changes, imported, 'file_name', fileName);
  set(changes, imported, 'width', size.width);
  set(changes, imported, 'height', size.height);
  return changed(imported, changes);
}

/**
 * An annotation as the file has it, or null where it covers no pixel. What was imported and not touched is its text, with
 * nothing replaced but ids that had to change and, where another form of `segmentation` is asked for, that; area and box
 * stay those of the file as long as the pixels do. Whatever was touched keeps its id and the keys that we do not know.
 * Throws `invalid` or `internal`, naming the annotation, for geometry that does not fit its image.
 */
export function annotationRecord(
  item: OrderedAnnotation,
  imported: CocoText | null,
  image: CocoImage,
  categories: ReadonlyMap<number, CocoId>,
  options: AnnotationOptions,
  tell: (finding: Finding) => void,
): CocoAnnotationRecord | null {
  const sameSpace = imported !== null && (image.record.orientation === 1 || imported.raw === (options.pixelSpace === 'raw'));
  const untouched = sameSpace && imported.untouched;
  const own = imported !== null && !imported.renumbered && imported.id !== null ? imported.id : String(item.number);
  const changes = new Map<string, string>();
  if (imported?.renumbered) {
    changes.set('id', own);
    const message = `${image.record.path}: annotation ${imported.id ?? 'without an id'} is written with id ${own}.`;
    tell({ kind: 'repaired', what: 'annotation', id: imported.id ?? 'none', reason: 'renumbered', message });
  }
  const labelId = item.labelId ?? item.annotation().labelId;
  const category = categories.get(labelId);
  if (!category) {
    const detail = { path: image.record.path, annotation: item.number, labelId };
    const message = `${image.record.path}: annotation ${item.number} has class ${labelId}, which the project does not have`;
    throw new AppError('internal', message, detail);
  }
  if (untouched) {
    // The image or the class may have come with another file before, and have the id of that one.
    if (!isSameId(valueOf(imported, 'image_id'), image.id.id)) changes.set('image_id', image.id.id);
    if (!isSameId(valueOf(imported, 'category_id'), category.id)) changes.set('category_id', category.id);
    const form = formOf(imported);
    const asked = options.segmentation;
    const crowd = isCrowd(imported);
    const keeps =
      asked === 'imported'
        ? options.simplifyPx === 0 || form !== 'polygons' || crowd
        : asked === 'rle'
          ? form === 'rle' && hasStringCounts(imported)
          : form === 'polygons' && options.simplifyPx === 0;
    if (keeps) return { ...changed(imported, changes), kind: form, crowd, shape: null };
    const shape = placed(item, image, options);
    tellNotPolygon(shape, asked, image, own, tell);
    if (shape.area === 0) return { ...changed(imported, changes), kind: form, crowd, shape: null };
    changes.set('segmentation', JSON.stringify(shape.segmentation));
    if (shape.simplified) setPixels(changes, shape);
    return { ...changed(imported, changes), kind: 'counts' in shape.segmentation ? 'rle' : 'polygons', crowd, shape };
  }
  const { crowd } = item.annotation();
  const shape = placed(item, image, options);
  if (shape.area === 0) return null;
  tellNotPolygon(shape, options.segmentation, image, own, tell);
  const kind = 'counts' in shape.segmentation ? 'rle' : 'polygons';
  const segmentation = JSON.stringify(shape.segmentation);
  if (imported === null) {
    const rest = `"segmentation":${segmentation},"area":${shape.area},"bbox":${JSON.stringify(shape.box)},"iscrowd":${crowd ? 1 : 0}}`;
    return {
      text: `{"id":${own},"image_id":${image.id.id},"category_id":${category.id},${rest}`,
      verbatim: false,
      kind,
      crowd,
      shape,
    };
  }
  changes.set('id', own);
  changes.set('image_id', image.id.id);
  changes.set('category_id', category.id);
  changes.set('segmentation', segmentation);
  setPixels(changes, shape);
  if (isCrowd(imported) !== crowd || valueOf(imported, 'iscrowd') === null) changes.set('iscrowd', crowd ? '1' : '0');
  return { ...changed(imported, changes), kind, crowd, shape };
}

function placed(item: OrderedAnnotation, { record, size }: CocoImage, options: AnnotationOptions): CocoShaped {
  const { geometry, crowd } = item.annotation();
  try {
    const turned = options.pixelSpace === 'raw' ? turnToRaw(geometry, record.orientation, record) : geometry;
    return shapeOf(turned, crowd, size, options);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const detail = { path: record.path, annotation: item.number };
    const code = cause instanceof AppError ? cause.code : 'internal';
    throw new AppError(code, `${record.path}: annotation ${item.number} cannot be exported: ${why}`, detail, cause);
  }
}

function tellNotPolygon(
  { notPolygon }: CocoShaped,
  asked: ShapeOptions['segmentation'],
  { record }: CocoImage,
  id: string,
  tell: (finding: Finding) => void,
): void {
  if (asked !== 'polygons' || notPolygon === null) return;
  const why = notPolygon === 'has-hole' ? 'it has a hole' : 'it is a crowd';
  tell({
    kind: 'kept',
    what: 'annotation',
    id,
    reason: notPolygon,
    message: `${record.path}: annotation ${id} is written as RLE: ${why}.`,
  });
}

function setPixels(changes: Map<string, string>, { area, box }: CocoShaped): void {
  changes.set('area', String(area));
  changes.set('bbox', JSON.stringify(box));
}

/** Replaces a value that is not the same; `1.0` is the same as 1. */
function set(changes: Map<string, string>, imported: CocoText, key: string, value: string | number): void {
  const text = valueOf(imported, key);
  const wanted = JSON.stringify(value);
  if (text === wanted) return;
  // Another spelling of the same stays.
  const same = text !== null && (typeof value === 'number' ? Number(text) === value : text.startsWith('"') && JSON.parse(text) === value);
  if (!same) changes.set(key, wanted);
}

/** JSON texts of ids; `5.0` is the same as `5`, `"5"` is not. */
function isSameId(a: string | null, b: string): boolean {
  if (a === b) return true;
  return a !== null && !a.startsWith('"') && !b.startsWith('"') && Number.isSafeInteger(Number(a)) && Number(a) === Number(b);
}

function changed(imported: CocoText, changes: ReadonlyMap<string, string>): CocoRecord {
  return { text: withMembers(imported.text, imported.members, changes), verbatim: changes.size === 0 };
}

function formOf(imported: CocoText): CocoAnnotationRecord['kind'] {
  const text = valueOf(imported, 'segmentation') ?? '';
  if (text.startsWith('{')) return 'rle';
  return text.startsWith('[') && !/^\[\s*\]$/.test(text) ? 'polygons' : 'box';
}

function hasStringCounts(imported: CocoText): boolean {
  return /"counts"\s*:\s*"/.test(valueOf(imported, 'segmentation') ?? '');
}

function isCrowd(imported: CocoText): boolean {
  const text = valueOf(imported, 'iscrowd');
  return text === 'true' || (text !== null && Number(text) === 1);
}

import type { Finding } from '../../shared/formats.ts';
import { AppError } from '../../shared/errors.ts';
import type { Annotation, ImageRecord, Label } from '../../shared/records.ts';
import type { DatasetSource, WriteOptions } from './dataset.ts';
import type { NumberedAnnotation } from './source.ts';
import { paintInstances } from './value-masks.ts';

/** The instances of an image on one map, where each pixel belongs to one of them at most. */
export interface InstanceMap {
  /** What is seen of the map, from the bottom up; `ordinals` has their places in it from 1. */
  readonly instances: readonly MappedInstance[];
  /** Row-major, 0 for no instance. */
  readonly ordinals: ArrayLike<number>;
}

export interface MappedInstance {
  readonly number: number;
  readonly annotation: Annotation;
  /** Pixels that it has on the map. */
  readonly visible: number;
}

/** An image's annotations as a map has them, from the bottom up: crowds lie under everything that is told apart. */
export function inMapOrder(source: DatasetSource, imageId: number): NumberedAnnotation[] {
  const all = inPaintOrder(source, imageId);
  return [...all.filter(({ annotation }) => annotation.crowd), ...all.filter(({ annotation }) => !annotation.crowd)];
}

/** An image's annotations from the bottom up. */
export function inPaintOrder(source: DatasetSource, imageId: number): NumberedAnnotation[] {
  return [...source.document(imageId)].sort((a, b) => a.annotation.z - b.annotation.z || a.number - b.number);
}

/**
 * Paints the annotations of an image, the upper ones over the lower ones, at most `most` of them. Whatever is covered,
 * has no pixel or is one too many is told as lost.
 * Throws AppError `invalid`, naming the annotation, for geometry that does not fit its image.
 */
export function mapInstances(
  image: ImageRecord,
  annotations: readonly NumberedAnnotation[],
  most: number,
  tell: (finding: Finding) => void,
  onInstance?: WriteOptions['onInstance'],
): InstanceMap {
  const lost = (number: number, how: 'left-out' | 'changed', reason: string, message: string): void => {
    tell({ kind: 'lost', what: 'annotation', id: String(number), reason, message: `${image.path}: ${message}` });
    onInstance?.(number, how);
  };
  let list = [...annotations];
  let painted = paint(image, list);
  const seen = list.filter((_, i) => (painted.visible[i] ?? 0) > 0);
  for (const [i, { number }] of list.entries()) {
    const area = painted.areas[i] ?? 0;
    if (area === 0) lost(number, 'left-out', 'no-pixel', `annotation ${number} covers no pixel.`);
    else if (painted.visible[i] === 0) lost(number, 'left-out', 'covered', `annotation ${number} lies wholly under others.`);
  }
  const kept = new Set(seen.slice(0, most));
  for (const { number } of seen.slice(most)) {
    lost(number, 'left-out', 'too-many-instances', `annotation ${number} is one more than the ${most} instances that a map holds.`);
  }
  if (kept.size < list.length) {
    list = list.filter((each) => kept.has(each));
    painted = paint(image, list);
  }
  for (const [i, { number }] of list.entries()) {
    const [area = 0, visible = 0] = [painted.areas[i], painted.visible[i]];
    if (visible < area)
      lost(number, 'changed', 'covered', `annotation ${number} loses ${area - visible} of ${area} pixels to those above it.`);
  }
  const instances = list.map(({ number, annotation }, i) => ({ number, annotation, visible: painted.visible[i] ?? 0 }));
  return { instances, ordinals: painted.ordinals };
}

function paint(image: ImageRecord, list: readonly NumberedAnnotation[]) {
  try {
    return paintInstances(
      list.map(({ annotation }) => annotation.geometry),
      image.width,
      image.height,
    );
  } catch (thrown) {
    const [code, why] = thrown instanceof AppError ? [thrown.code, thrown.message] : (['internal', String(thrown)] as const);
    const numbers = list.map(({ number }) => number).join(', ');
    throw new AppError(code, `${image.path}: annotations ${numbers.slice(0, 80)} cannot be painted: ${why}`, { path: image.path }, thrown);
  }
}

/** Whether an image is written; says so where it is not. */
export function isWritten(source: DatasetSource, image: ImageRecord, options: WriteOptions, tell: (finding: Finding) => void): boolean {
  const leaveOut = (reason: string, message: string): boolean => {
    tell({ kind: 'lost', what: 'image', id: image.path, reason, message });
    options.onImage?.(image.id, null);
    return false;
  };
  if (image.error !== null) return leaveOut('image-unreadable', `${image.path} is left out with its annotations: ${image.error}`);
  if (image.width <= 0 || image.height <= 0) return leaveOut('image-unreadable', `${image.path} is left out: its size is not known.`);
  if (options.includeEmpty === false && source.document(image.id).length === 0)
    return leaveOut('image-empty', `${image.path} has no instance.`);
  return true;
}

/** Says which classes have one name: a format that knows names only makes one class of them. */
export function tellSameNames(labels: readonly Label[], tell: (finding: Finding) => void): void {
  const seen = new Set<string>();
  for (const { name } of labels) {
    const message = `Several classes are called "${name}"; they become one.`;
    if (seen.has(name)) tell({ kind: 'lost', what: 'category', id: name, reason: 'same-name', message });
    seen.add(name);
  }
}

/** The class of an annotation. Throws AppError `internal` where the project does not have it. */
export function labelOf(labels: ReadonlyMap<number, Label>, annotation: Annotation): Label {
  const label = labels.get(annotation.labelId);
  if (label) return label;
  throw new AppError('internal', `Annotation ${annotation.id} has class ${annotation.labelId}, which the project does not have.`);
}

/** Lets the window's messages through between two images; ends the work where it was cancelled. */
export async function pause(signal?: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal?.throwIfAborted();
}

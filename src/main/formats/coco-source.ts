import type { DatasetSource, OrderedAnnotation, OrderedImage } from './dataset.ts';
import type { ExportSource } from './source.ts';

/** What COCO is written from: a source that knows nothing of imported files is enough. */
export type CocoSource = ExportSource & Partial<Pick<DatasetSource, 'sourceOf' | 'imageOrder' | 'annotationOrder' | 'rest' | 'split'>>;

/** Ids of the images in the order of the file, with the texts they were imported as. */
export function imagesInOrder(source: CocoSource): Iterable<OrderedImage> {
  return source.imageOrder?.() ?? asListed(source);
}

/** Annotations in the order of the file; without an order of its own: by image, then by number. */
export function annotationsInOrder(source: CocoSource): Iterable<OrderedAnnotation> {
  return source.annotationOrder?.() ?? byImage(source);
}

function* asListed(source: CocoSource): Generator<OrderedImage> {
  for (const { id } of source.images()) yield { id, source: source.sourceOf?.('image', id) ?? null };
}

function* byImage(source: CocoSource): Generator<OrderedAnnotation> {
  for (const { id } of source.images()) {
    for (const { number, annotation } of [...source.document(id)].sort((a, b) => a.number - b.number)) {
      yield { number, imageId: id, source: source.sourceOf?.('annotation', number) ?? null, annotation: () => annotation };
    }
  }
}

/** Keys of an imported COCO file as a whole, in its order; other formats have keys of their own. */
export function cocoRest(source: CocoSource): Map<string, string> {
  const rows = source.rest?.() ?? [];
  return new Map(rows.filter(({ format = 'coco' }) => format === 'coco').map(({ key, text }) => [key, text]));
}

import type { Annotation, ImageRecord, Label } from '../../shared/records.ts';
import { geometryOfRecord } from './coco-geometry.ts';
import type { CocoSource } from './coco-source.ts';
import type { OrderedAnnotation, SourceText } from './dataset.ts';
import { readJsonTexts } from './json-texts.ts';

/** A change of one annotation of the file; its number is the place in the file, from 1, unless `numbered` says the file's. */
export type Touch = (annotation: Annotation, number: number) => Annotation | null;

interface Row {
  readonly id: string | number;
  readonly image_id: string | number;
  readonly category_id: string | number;
  readonly name: string;
  readonly file_name: string;
  readonly width: number;
  readonly height: number;
  readonly iscrowd?: number;
}

/**
 * A COCO file as a source whose records are all what the file says, as an import of a good file leaves them, for tests of
 * what writes. Annotations go by the ids of the file where they are positive numbers. `touch` changes or (null) removes some.
 */
export async function cocoFileSource(path: string, touch: Touch = (annotation) => annotation): Promise<CocoSource> {
  const labels: (Label & { readonly text: string; readonly fileId: string })[] = [];
  const images: (ImageRecord & { readonly text: string; readonly fileId: string })[] = [];
  const rows: { readonly row: Row; readonly text: string }[] = [];
  const rest = new Map<string, string[] | string>();
  for await (const batch of readJsonTexts(path)) {
    for (const { key, index, text } of batch) {
      if (index === null) {
        const elements = rest.get(key);
        rest.set(key, Array.isArray(elements) ? `[${elements.join(',')}]` : text);
        continue;
      }
      const row = JSON.parse(text) as Row;
      const fileId = JSON.stringify(row.id);
      if (key === 'categories') {
        const position = labels.length;
        labels.push({ id: position + 1, name: row.name, color: '#F2A93B', hotkey: null, position, text, fileId });
      } else if (key === 'images') {
        const known = {
          orientation: 1,
          bytes: 0,
          sha256: '',
          state: 'done',
          revision: 1,
          error: null,
          annotations: 0,
          pending: 0,
        } as const;
        const { file_name, width, height } = row;
        images.push({ id: images.length + 1, path: `photos/${file_name}`, width, height, ...known, text, fileId });
      } else if (key === 'annotations') rows.push({ row, text });
      else rest.set(key, [...((rest.get(key) as string[] | undefined) ?? []), text]);
    }
  }
  const byFileId = <T extends { readonly fileId: string }>(of: readonly T[]): Map<string, T> => new Map(of.map((one) => [one.fileId, one]));
  const imageOf = byFileId(images);
  const labelOf = byFileId(labels);
  const highest = rows.reduce((most, { row }) => (Number.isSafeInteger(row.id) ? Math.max(most, Number(row.id)) : most), 0);
  const kept = (text: string, untouched = true, renumbered = false): SourceText => ({
    format: 'coco',
    text,
    untouched,
    raw: false,
    renumbered,
  });
  const items: OrderedAnnotation[] = rows.flatMap(({ row, text }, z) => {
    const number = Number.isSafeInteger(row.id) && Number(row.id) > 0 ? Number(row.id) : highest + z + 1;
    const made: Annotation = {
      id: `imported-${z}`,
      labelId: labelOf.get(JSON.stringify(row.category_id))?.id ?? 0,
      geometry: geometryOfRecord(text),
      z,
      crowd: row.iscrowd === 1,
      origin: 'imported',
      suggestionId: null,
    };
    const annotation = touch(made, number);
    if (annotation === null) return [];
    const source = kept(text, annotation === made, row.id === 0);
    const imageId = imageOf.get(JSON.stringify(row.image_id))?.id ?? 0;
    return [{ number, imageId, labelId: annotation.labelId, source, annotation: () => annotation }];
  });
  return {
    projectName: 'test',
    folder: '/nowhere',
    labels,
    imageCount: images.length,
    images: () => images,
    document: (id) => items.filter(({ imageId }) => imageId === id).map(({ number, annotation }) => ({ number, annotation: annotation() })),
    split: () => null,
    sourceOf(kind, id) {
      const text = kind === 'category' ? labels[id - 1]?.text : kind === 'image' ? images[id - 1]?.text : undefined;
      if (text !== undefined) return kept(text);
      return items.find(({ number }) => number === id)?.source ?? null;
    },
    imageOrder: () => images.map(({ id, text }) => ({ id, source: kept(text) })),
    annotationOrder: () => items,
    rest: () => [...rest].map(([key, text]) => ({ key, text: typeof text === 'string' ? text : `[${text.join(',')}]` })),
  };
}

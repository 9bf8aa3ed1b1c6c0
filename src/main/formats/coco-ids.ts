import type { Finding } from '../../shared/formats.ts';
import type { CocoSource } from './coco-source.ts';
import { cocoText } from './coco-text.ts';

/** How the file calls a class or an image: JSON text, as `7` or `"b7"`, and whether the imported record says the same. */
export interface CocoId {
  readonly id: string;
  readonly asImported: boolean;
}

/**
 * Ids of classes. They never move: an id goes to whoever had it first, since it may be in exports already. Ids are the
 * labels' own but for imported categories, which keep those of their file; where one is taken, the id is the label's own
 * above all of them.
 */
export function categoryIds(source: CocoSource, tell: (finding: Finding) => void): Map<number, CocoId> {
  return distribute(
    [...source.labels].sort((a, b) => a.id - b.id),
    'category',
    source,
    ({ name }) => name,
    tell,
  );
}

/** Ids of images, by the same rule; but imported ones come first, since a folder numbers its images when it is looked through. */
export function imageIds(
  images: readonly { readonly id: number; readonly path: string }[],
  source: CocoSource,
  tell: (finding: Finding) => void,
): Map<number, CocoId> {
  const { sourceOf } = source;
  const imported = sourceOf ? images.filter(({ id }) => sourceOf('image', id) !== null) : [];
  const known = new Set(imported.map(({ id }) => id));
  const order = [...imported, ...images.filter(({ id }) => !known.has(id))];
  return distribute(order, 'image', source, ({ path }) => path, tell);
}

function distribute<T extends { readonly id: number }>(
  records: readonly T[],
  what: 'category' | 'image',
  source: CocoSource,
  nameOf: (record: T) => string,
  tell: (finding: Finding) => void,
): Map<number, CocoId> {
  const wanted = records.map((record) => {
    const text = cocoText(source.sourceOf?.(what, record.id) ?? null);
    const own = text === null || text.renumbered ? null : text.id;
    if (text?.renumbered) {
      tell({ kind: 'repaired', what, id: text.id ?? 'none', reason: 'renumbered', message: `${nameOf(record)}: its id is not used.` });
    }
    return { record, kept: own !== null, id: own ?? String(record.id) };
  });
  let highest = 0;
  for (const { id } of wanted) if (Number.isSafeInteger(Number(id))) highest = Math.max(highest, Number(id));
  const taken = new Set<string>();
  const out = new Map<number, CocoId>();
  for (const { record, kept, id } of wanted) {
    const given = taken.has(id) ? String(highest + record.id) : id;
    if (given !== id && kept) {
      const message = `${nameOf(record)}: id ${id} belongs to another ${what}, so it is written as ${given}.`;
      tell({ kind: 'repaired', what, id, reason: 'id-taken', message });
    }
    taken.add(given);
    out.set(record.id, { id: given, asImported: kept && given === id });
  }
  return out;
}

import type { Finding } from '../../shared/formats.ts';
import type { Breath } from './breath.ts';
import type { CocoSource } from './coco-source.ts';
import { imagesInOrder } from './coco-source.ts';
import { cocoText } from './coco-text.ts';
import type { SourceText } from './dataset.ts';

/** How the file calls a class or an image: JSON text, as `7` or `"b7"`, and whether the imported record says the same. */
export interface CocoId {
  readonly id: string;
  readonly asImported: boolean;
}

type Tell = (finding: Finding) => void;

/**
 * Ids of classes. They never move: an id goes to whoever had it first, since it may be in exports already. Ids are the
 * labels' own but for imported categories, which keep those of their file; where one is taken, the id is the label's own
 * above all of them.
 */
export function categoryIds(source: CocoSource, breath: Breath, tell: Tell): Promise<Map<number, CocoId>> {
  const labels = [...source.labels].sort((a, b) => a.id - b.id);
  const names = new Map(labels.map(({ id, name }) => [id, name]));
  const texts = labels.map(({ id }) => ({ id, source: source.sourceOf?.('category', id) ?? null }));
  return distribute(texts, 'category', (id) => names.get(id) ?? '', breath, tell);
}

/** Ids of images, by the same rule; but imported ones come first, since a folder numbers its images when it is looked through. */
export function imageIds(source: CocoSource, breath: Breath, tell: Tell): Promise<Map<number, CocoId>> {
  let paths: Map<number, string> | null = null;
  const pathOf = (id: number): string => {
    if (paths === null) {
      paths = new Map();
      for (const image of source.images()) paths.set(image.id, image.path);
    }
    return paths.get(id) ?? '';
  };
  return distribute(imagesInOrder(source), 'image', pathOf, breath, tell);
}

async function distribute(
  records: Iterable<{ readonly id: number; readonly source: SourceText | null }>,
  what: 'category' | 'image',
  nameOf: (id: number) => string,
  breath: Breath,
  tell: Tell,
): Promise<Map<number, CocoId>> {
  const wanted: { readonly own: number; readonly kept: boolean; readonly id: string }[] = [];
  let highest = 0;
  for (const { id: own, source } of records) {
    if (breath.due()) await breath.take();
    const text = cocoText(source);
    const kept = text === null || text.renumbered ? null : text.id;
    if (text?.renumbered) {
      tell({ kind: 'repaired', what, id: text.id ?? 'none', reason: 'renumbered', message: `${nameOf(own)}: its id is not used.` });
    }
    const id = kept ?? String(own);
    if (Number.isSafeInteger(Number(id))) highest = Math.max(highest, Number(id));
    wanted.push({ own, kept: kept !== null, id });
  }
  const taken = new Set<string>();
  const out = new Map<number, CocoId>();
  for (const { own, kept, id } of wanted) {
    if (breath.due()) await breath.take();
    const given = taken.has(id) ? String(highest + own) : id;
    if (given !== id && kept) {
      const message = `${nameOf(own)}: id ${id} belongs to another ${what}, so it is written as ${given}.`;
      tell({ kind: 'repaired', what, id, reason: 'id-taken', message });
    }
    taken.add(given);
    out.set(own, { id: given, asImported: kept && given === id });
  }
  return out;
}

import type { Finding, FormatId } from '../../shared/formats.ts';
import type { DatasetSource } from './dataset.ts';
import type { XmlElement } from './xml-elements.ts';

/**
 * What a file says of a record beyond its class and shape, as JSON beside the record, so that a file of the same format
 * can say it again.
 */
export type KeptValue = string | number | boolean | null | readonly KeptValue[] | KeptRecord;
export interface KeptRecord {
  readonly [key: string]: KeptValue;
}

/** The JSON of a record, null where it says nothing. */
export function keptText(record: KeptRecord): string | null {
  return Object.keys(record).length === 0 ? null : JSON.stringify(record);
}

export function isKeptRecord(value: KeptValue | undefined): value is KeptRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads back what was kept by one format, and tells once that what other formats kept is not written. */
export interface KeptReader {
  of(kind: 'category' | 'image' | 'annotation', id: number): KeptRecord;
  /** Says how many records had something to say in another format; call it at the end. */
  tell(tell: (finding: Finding) => void): void;
}

export function keptReader(source: DatasetSource, format: FormatId, name: string): KeptReader {
  const foreign = new Map<FormatId, number>();
  return {
    of(kind, id) {
      const kept = source.sourceOf(kind, id);
      if (kept === null) return {};
      if (kept.format !== format) {
        foreign.set(kept.format, (foreign.get(kept.format) ?? 0) + 1);
        return {};
      }
      try {
        const value = JSON.parse(kept.text) as KeptValue;
        return isKeptRecord(value) ? value : {};
      } catch {
        return {};
      }
    },
    tell(tell) {
      for (const [from, count] of foreign) {
        tell({
          kind: 'lost',
          what: 'file',
          id: from,
          reason: 'fields-of-another-format',
          message: `${count} records came from ${from} files; what those say beyond class and shape has no place in ${name}.`,
        });
      }
    },
  };
}

/** An element as JSON: a leaf is its text, attributes are keys with `@`, children of one name a list. Its own name is not in it. */
export function keptElement(element: XmlElement): KeptValue {
  const names = Object.keys(element.attributes);
  if (element.children.length === 0 && names.length === 0) return element.text;
  const out: Record<string, KeptValue> = {};
  for (const name of names) out['@' + name] = element.attributes[name] ?? '';
  if (element.text !== '') out['#'] = element.text;
  const children = keptChildren(element.children);
  return { ...out, ...children };
}

/** The same for a list of elements. */
export function keptChildren(children: readonly XmlElement[]): KeptRecord {
  const byName = new Map<string, KeptValue[]>();
  for (const child of children) {
    const list = byName.get(child.name) ?? [];
    list.push(keptElement(child));
    byName.set(child.name, list);
  }
  return Object.fromEntries([...byName].map(([name, list]) => [name, list.length === 1 ? (list[0] ?? null) : list]));
}

/** The inverse of `keptElement`: one element, or one for each of a list. */
export function elementsOf(name: string, value: KeptValue): XmlElement[] {
  if (Array.isArray(value)) return (value as readonly KeptValue[]).flatMap((each) => elementsOf(name, each));
  if (!isKeptRecord(value)) return [{ name, attributes: {}, children: [], text: plainText(value) }];
  const attributes: Record<string, string> = {};
  const children: XmlElement[] = [];
  let text = '';
  for (const [key, each] of Object.entries(value)) {
    if (key === '#') text = plainText(each);
    else if (key.startsWith('@')) attributes[key.slice(1)] = plainText(each);
    else children.push(...elementsOf(key, each));
  }
  return [{ name, attributes, children, text }];
}

function plainText(value: KeptValue): string {
  return typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value);
}

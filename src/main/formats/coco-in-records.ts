import type { Finding } from '../../shared/formats.ts';
import type { DatasetCategory, DatasetImage, DatasetSink } from './dataset.ts';
import type { RecordId } from './id-table.ts';
import { memberText, textMembers } from './record-text.ts';

/** A JSON object of unknown content. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** A record's text and value; `repaired` where numbers that JSON does not have were in it. */
export interface ParsedRecord {
  readonly text: string;
  readonly value: unknown;
  readonly repaired: boolean;
}

/** `NaN`, `Infinity` and `-Infinity` outside of strings, as Python writes them. */
const NOT_JSON = /"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g;

/**
 * Parses a record; numbers that are none become null. Answers null where it is no JSON even then.
 */
export function parseRecord(text: string): ParsedRecord | null {
  try {
    return { text, value: JSON.parse(text) as unknown, repaired: false };
  } catch {
    const mended = text.replaceAll(NOT_JSON, (found) => (found.startsWith('"') ? found : 'null'));
    if (mended === text) return null;
    try {
      return { text: mended, value: JSON.parse(mended) as unknown, repaired: true };
    } catch {
      return null;
    }
  }
}

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The id that a member says, or null for none. Numbers too large for a double are told apart by their digits. */
export function idOf(record: JsonRecord, text: string, key = 'id'): RecordId | null {
  const value = record[key];
  if (typeof value === 'string') return `s${value}`;
  if (typeof value !== 'number') return null;
  if (Number.isSafeInteger(value)) return value;
  return `n${memberText(text, textMembers(text), key) ?? String(value)}`;
}

/** The same id as the other kind: `"7"` for 7. Tools mix them between the lists of one file. */
export function otherKind(id: RecordId): RecordId | null {
  if (typeof id === 'number') return `s${id}`;
  if (!id.startsWith('s')) return null;
  const number = Number(id.slice(1));
  return Number.isSafeInteger(number) && String(number) === id.slice(1) ? number : null;
}

/** An id for people. */
export function shownId(id: RecordId | null, index: number): string {
  if (id === null) return `number ${index} of the list`;
  return typeof id === 'number' ? String(id) : id.startsWith('s') ? JSON.stringify(id.slice(1)) : id.slice(1);
}

/** Keys of records are their ids where those are numbers above 0, so that what is converted keeps them. */
export function keyOf(id: RecordId, nth: number): number {
  return typeof id === 'number' && id > 0 && id <= 2 ** 50 ? id : 2 ** 51 + nth;
}

/** Tells a sink about a category, or why it is none; `key` is its own. */
export function takeCategory(
  record: JsonRecord,
  { text, repaired }: ParsedRecord,
  id: RecordId,
  key: number,
  sink: DatasetSink,
): DatasetCategory {
  const shown = shownId(id, 0);
  const tell = (kind: Finding['kind'], reason: string, message: string): void =>
    sink.finding({ kind, what: 'category', id: shown, reason, message: `Category ${shown}: ${message}` });
  let name = record['name'];
  let inSource = !repaired;
  if (typeof name !== 'string' || name.trim() === '') {
    tell('repaired', 'name-missing', `it has no name; it is called “category ${shown}”.`);
    name = `category ${shown}`;
    inSource = false;
  }
  if (id === 0) tell('kept', 'category-id-zero', 'its id is 0, which many trainers take for the background.');
  const color = record['color'];
  const hex = typeof color === 'string' && /^#[0-9a-fA-F]{6}$/.test(color) ? color : rgbHex(color);
  const category: DatasetCategory = { key, name: String(name), color: hex, source: text, inSource };
  sink.category(category);
  return category;
}

function rgbHex(color: unknown): string | null {
  if (!Array.isArray(color) || color.length !== 3) return null;
  const channels: unknown[] = color;
  if (!channels.every((c) => typeof c === 'number' && Number.isInteger(c) && c >= 0 && c <= 255)) return null;
  return `#${channels.map((c) => Number(c).toString(16).padStart(2, '0')).join('')}`;
}

/** Tells a sink about an image; null (and a finding) where nothing says which file it is. */
export function takeImage(
  record: JsonRecord,
  { text, repaired }: ParsedRecord,
  id: RecordId,
  key: number,
  sink: DatasetSink,
): DatasetImage | null {
  const shown = shownId(id, 0);
  const tell = (kind: Finding['kind'], reason: string, message: string): void =>
    sink.finding({ kind, what: 'image', id: shown, reason, message: `Image ${shown}: ${message}` });
  const named = record['file_name'];
  let inSource = !repaired;
  let path = typeof named === 'string' ? named.trim() : '';
  if (path === '') {
    const other = ['path', 'name', 'coco_url', 'flickr_url'].map((k) => record[k]).find((v) => typeof v === 'string' && v.trim() !== '');
    if (typeof other !== 'string') {
      tell('refused', 'file-name-missing', 'it has no file_name.');
      return null;
    }
    path = other.trim();
    inSource = false;
    tell('repaired', 'file-name-missing', `it has no file_name; ${JSON.stringify(path)} is taken for it.`);
  }
  const plain = plainPath(path);
  if (plain === '') {
    tell('refused', 'file-name-missing', `its file_name ${JSON.stringify(path)} names no file.`);
    return null;
  }
  // The record's own text is as good as before: it names the file in the tool's own way.
  if (plain !== path) tell('repaired', 'path-changed', `its file_name ${JSON.stringify(path)} is read as ${plain}.`);
  const width = sizeOf(record['width']);
  const height = sizeOf(record['height']);
  if (width === null || height === null) {
    tell('repaired', 'size-missing', 'it has no width and height; those of the file are taken.');
    inSource = false;
  }
  const sized = width !== null && height !== null;
  const image: DatasetImage = {
    key,
    path: plain,
    width: sized ? width : null,
    height: sized ? height : null,
    split: null,
    source: text,
    inSource,
  };
  sink.image(image);
  return image;
}

function sizeOf(value: unknown): number | null {
  const number = typeof value === 'string' ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && number > 0 && number <= 2 ** 20 ? number : null;
}

/** A path that can only lead into a folder: `/` between its parts, no drive, no address, no way up. */
function plainPath(path: string): string {
  const withoutHost = path.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*\//i, '').replace(/^[a-z]:[\\/]/i, '');
  const separated = withoutHost.includes('/') ? withoutHost : withoutHost.replaceAll('\\', '/');
  return separated
    .split('/')
    .filter((part) => part !== '' && part !== '.' && part !== '..')
    .join('/');
}

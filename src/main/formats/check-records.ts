import type { AppError } from '../../shared/errors.ts';
import type { SourceText } from './dataset.ts';
import type { TextMember } from './record-text.ts';
import { memberText, textMembers } from './record-text.ts';

/** The records of a written COCO file as its check reads them; like `intervals.ts` it shares nothing with what writes. */

export type KeptText = SourceText;

type Differs = (how: string) => AppError;

/** A record of the file. Its members are looked for when they are first asked for, and once. */
export interface FileRecord {
  readonly text: string;
  readonly value: Readonly<Record<string, unknown>>;
  /** JSON text of a value, or null. */
  member(key: string): string | null;
  members(): readonly TextMember[];
}

/** Throws what `differs` makes where the text is no JSON object. */
export function fileRecord(text: string, differs: Differs): FileRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw differs(cause instanceof Error ? cause.message : String(cause));
  }
  let found: readonly TextMember[] | null = null;
  const members = (): readonly TextMember[] => (found ??= textMembers(text));
  return { text, value: fields(value, differs), member: (key) => memberText(text, members(), key), members };
}

/** An imported record beside the one in the file. */
export interface Kept {
  readonly untouched: boolean;
  readonly renumbered: boolean;
  /** The texts are the same, byte for byte. */
  readonly equal: boolean;
  /** JSON text of a value of the imported record, or null. */
  member(key: string): string | null;
}

/**
 * Compares a record of the file with the one that was imported: every key but those that may change is there, with the
 * same text, and no key came anew but those. Null where it was not imported from COCO.
 */
export function sameAsKept(source: KeptText | null, record: FileRecord, mayChange: readonly string[], differs: Differs): Kept | null {
  if (source?.format !== 'coco') return null;
  const { text, untouched, renumbered } = source;
  if (text === record.text) return { untouched, renumbered, equal: true, member: record.member };
  const before = textMembers(text);
  const fixed = (members: readonly TextMember[], of: string): string =>
    JSON.stringify(members.filter(({ key }) => !mayChange.includes(key)).map(({ key, from, to }) => [key, of.slice(from, to)]));
  if (fixed(before, text) !== fixed(record.members(), record.text)) throw differs('a key that was imported is not as it was');
  return { untouched, renumbered, equal: false, member: (key) => memberText(text, before, key) };
}

/** Ids of one kind: each once. */
export interface Ids {
  /** The id of a record as text that is the same for the same id. Its own is that of the imported record or, without one, `own`. */
  add(record: FileRecord, kept: Kept | null, own: string, differs: Differs): string;
  /** Throws where an id is in the file twice, or (in a file with all records) another one than its own was given though that was free. */
  finish(all: boolean, differs: Differs): void;
}

export function createIds(): Ids {
  let numbers = new Float64Array(1024);
  let length = 0;
  const texts = new Set<string>();
  const wanted: string[] = [];
  return {
    add(record, kept, own, differs) {
      const id = idOf(record, 'id', differs);
      if (id.startsWith('"') || !Number.isSafeInteger(Number(id))) {
        if (texts.has(id)) throw differs(`its id ${id} is in the file twice`);
        texts.add(id);
      } else {
        if (length === numbers.length) {
          const longer = new Float64Array(length * 2);
          longer.set(numbers);
          numbers = longer;
        }
        numbers[length++] = Number(id);
      }
      if (kept?.equal === true && !kept.renumbered) return id;
      const imported = kept === null || kept.renumbered ? null : kept.member('id');
      const expected = normal(imported ?? own);
      if (id !== expected) wanted.push(expected);
      return id;
    },
    finish(all, differs) {
      const sorted = numbers.slice(0, length).sort();
      for (let i = 1; i < sorted.length; i++) if (sorted[i] === sorted[i - 1]) throw differs(`id ${sorted[i] ?? 0} is in the file twice`);
      if (!all) return;
      const present = wanted.length === 0 ? null : new Set([...sorted].map(String));
      for (const id of wanted) if (present?.has(id) !== true && !texts.has(id)) throw differs(`id ${id} is not in the file`);
    },
  };
}

/** An id of the file as text that is the same for the same id. */
function idOf(record: FileRecord, key: string, differs: Differs): string {
  const value = record.value[key];
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  // A number too large for JavaScript is compared as text.
  const text = record.member(key);
  if (text === null) throw differs(`it has no ${key}`);
  return normal(text);
}

/** `5.0` is the same id as `5`; what is not exact as a number stays text. */
function normal(id: string): string {
  return !id.startsWith('"') && Number.isSafeInteger(Number(id)) ? String(Number(id)) : id;
}

export interface FileAnnotation {
  /** As `Ids.add` answers. */
  readonly image_id: string;
  readonly category_id: string;
  readonly iscrowd: 0 | 1;
  readonly segmentation: number[][] | { readonly size: readonly number[]; readonly counts: string | readonly number[] } | null;
  readonly area: number | null;
  readonly bbox: readonly number[] | null;
}

export function checkedCategory({ value: { name } }: FileRecord, differs: Differs): { name: string } {
  if (typeof name !== 'string') throw differs('its name is no text');
  return { name };
}

export function checkedImage({ value }: FileRecord, differs: Differs): { file_name: string; width: number; height: number } {
  const { file_name, width, height } = value;
  if (typeof file_name !== 'string' || file_name === '') throw differs('its file_name is no text');
  if (!isWhole(width) || !isWhole(height)) throw differs('its size is no whole number of pixels');
  return { file_name, width, height };
}

export function checkedAnnotation(record: FileRecord, differs: Differs): FileAnnotation {
  const { iscrowd, segmentation, area, bbox } = record.value;
  return {
    image_id: idOf(record, 'image_id', differs),
    category_id: idOf(record, 'category_id', differs),
    iscrowd: iscrowd === 1 || iscrowd === true ? 1 : 0,
    segmentation: segmentation === undefined || segmentation === null ? null : shape(segmentation, differs),
    area: typeof area === 'number' ? area : null,
    bbox: isNumbers(bbox) && bbox.length === 4 ? bbox : null,
  };
}

function shape(value: unknown, differs: Differs): NonNullable<FileAnnotation['segmentation']> {
  if (Array.isArray(value)) {
    const rings: readonly unknown[] = value;
    if (rings.every((ring) => isNumbers(ring) && ring.length >= 6 && ring.length % 2 === 0)) return rings as number[][];
    throw differs('a ring of its segmentation has no three points');
  }
  const { size, counts } = fields(value, differs);
  if (!isNumbers(size) || size.length !== 2) throw differs('segmentation.size is no height and width');
  if (typeof counts !== 'string' && !isNumbers(counts)) throw differs('segmentation.counts are no run lengths');
  return { size, counts };
}

function fields(value: unknown, differs: Differs): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw differs('it is no object');
  return value as Readonly<Record<string, unknown>>;
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((number) => typeof number === 'number');
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0;
}

import { open } from 'node:fs/promises';
import { AppError } from '../../shared/errors.ts';
import type { Finding } from '../../shared/formats.ts';
import { createAnnotationReader } from './coco-in-annotations.ts';
import { idOf, isRecord, keyOf, parseRecord, shownId, takeCategory, takeImage } from './coco-in-records.ts';
import type { DatasetSink, ReadOptions } from './dataset.ts';
import type { IdTable } from './id-table.ts';
import { createIdTable, createIntList } from './id-table.ts';
import type { JsonText } from './json-texts.ts';
import { readJsonTexts } from './json-texts.ts';

/** Lists whose elements are looked at; the rest of a file is kept as it stands. */
const LISTS = ['images', 'annotations', 'categories'];
type Tell = (kind: Finding['kind'], what: Finding['what'], id: string, reason: string, message: string) => void;

interface Named {
  readonly id: string;
  readonly name: string;
  readonly supercategory: string | null;
}

/**
 * Reads one COCO instances or keypoints file (https://cocodataset.org/#format-data) as it is found: whatever can be used is taken
 * with a finding, whatever cannot is refused by its id. Files of any size: nothing but ids is held. Throws AppError `io` and
 * `invalid` naming the file, and the byte or key.
 */
export async function readCocoFile(path: string, sink: DatasetSink, options: ReadOptions): Promise<void> {
  const tell: Tell = (kind, what, id, reason, message) => sink.finding({ kind, what, id, reason, message });
  const categories = createIdTable();
  const categoryKeys: number[] = [];
  const named: Named[] = [];
  const images = createIdTable();
  const imageKeys: number[] = [];
  const [widths, heights] = [createIntList(), createIntList()];
  const seen = new Set<string>();
  /** Lists that begin before what they refer to; read at the end. */
  const deferred: { key: string; from: number }[] = [];
  const annotations = createAnnotationReader(path, sink, {
    categories: { table: categories, key: (index) => categoryKeys[index] ?? 0 },
    images: {
      table: images,
      key: (index) => imageKeys[index] ?? 0,
      size: (index) => ({ width: widths.at(index), height: heights.at(index) }),
    },
  });

  function parsed({ text, key, at }: JsonText): NonNullable<ReturnType<typeof parseRecord>> {
    const record = parseRecord(text);
    if (record !== null) return record;
    throw new AppError('invalid', `${path}: not JSON from byte ${at} on in "${key}"`, { path, byte: at, key });
  }

  /** A record with an id that is new to its table; tells why where it is none. */
  function known(what: 'image' | 'category', element: JsonText, table: IdTable) {
    const record = parsed(element);
    const { value } = record;
    const index = element.index ?? 0;
    if (!isRecord(value)) {
      tell('refused', what, shownId(null, index), 'no-record', `The ${what} at ${index} of its list is no object.`);
      return null;
    }
    const id = idOf(value, record.text);
    if (id === null) {
      tell('refused', what, shownId(null, index), 'id-missing', `The ${what} at ${index} of its list has no id.`);
      return null;
    }
    if (table.get(id) >= 0) {
      const shown = shownId(id, index);
      tell('refused', what, shown, 'id-twice', `There is a second ${what} ${shown}; what refers to it is the first one's.`);
      return null;
    }
    if (record.repaired) {
      const shown = shownId(id, index);
      tell(
        'repaired',
        what,
        shown,
        'not-a-number',
        `The ${what} ${shown} has NaN or Infinity in it, which JSON has not: they became null.`,
      );
    }
    return { record, value, id };
  }

  function takeElement(element: JsonText): void {
    if (element.key === 'categories') {
      const found = known('category', element, categories);
      if (!found) return;
      const key = keyOf(found.id, categoryKeys.length);
      const { name } = takeCategory(found.value, found.record, found.id, key, sink);
      const { supercategory } = found.value;
      named.push({ id: shownId(found.id, 0), name, supercategory: typeof supercategory === 'string' ? supercategory : null });
      categories.add(found.id, categoryKeys.length);
      categoryKeys.push(key);
    } else if (element.key === 'images') {
      const found = known('image', element, images);
      if (!found) return;
      const image = takeImage(found.value, found.record, found.id, keyOf(found.id, imageKeys.length), sink);
      if (!image) return;
      images.add(found.id, imageKeys.length);
      imageKeys.push(image.key);
      widths.push(image.width ?? 0);
      heights.push(image.height ?? 0);
    }
  }

  let doneBefore = 0;
  let latest = { done: 0, total: 1 };
  const onProgress = (done: number, total: number): void => {
    latest = { done, total };
    options.onProgress?.(doneBefore + done, Math.max(doneBefore + total, 1));
  };

  /** Asked where a list begins: annotations wait for images and categories, other lists are kept whole. */
  function skip(key: string, from: number): boolean {
    if (!LISTS.includes(key)) return true;
    if (key !== 'annotations' || (seen.has('images') && seen.has('categories'))) return false;
    deferred.push({ key, from });
    return true;
  }

  for await (const batch of await texts(path, { signal: options.signal, onProgress, skip })) {
    for (const element of batch) {
      if (element.index !== null) {
        if (element.key === 'annotations') annotations.take(element);
        else takeElement(element);
        continue;
      }
      const { key } = element;
      if (seen.has(key))
        tell('refused', 'file', key, 'key-twice', `The file has “${key}” twice; the first is kept, of lists of records both.`);
      const first = !seen.has(key);
      seen.add(key);
      if (LISTS.includes(key) && element.text !== '[]') {
        throw new AppError('invalid', `${path} is not a COCO file: its "${key}" is no list.`, { path, key });
      }
      if (!first) continue;
      const { from } = element;
      if (from === undefined || LISTS.includes(key)) sink.rest(key, LISTS.includes(key) ? '[]' : restText(path, element, tell));
      else sink.rest(key, restText(path, { ...element, text: await bytesOf(path, from, element.at) }, tell));
    }
  }
  for (const key of LISTS) {
    if (!seen.has(key)) throw new AppError('invalid', `${path} is not a COCO instances file: it has no "${key}".`, { path, key });
  }
  doneBefore = latest.done;
  for (const within of deferred) {
    for await (const batch of readJsonTexts(path, { signal: options.signal, onProgress, within })) {
      for (const element of batch) if (element.index !== null) annotations.take(element);
    }
  }
  sayCategories(named, annotations.finish(), tell);
}

/** Names that repeat, and the category that Roboflow writes for what is above all others. */
function sayCategories(named: readonly Named[], used: readonly number[], tell: Tell): void {
  const before = new Set<string>();
  const above = new Set(named.map(({ supercategory }) => supercategory));
  for (const [index, { id, name, supercategory }] of named.entries()) {
    if (before.has(name)) tell('kept', 'category', id, 'name-repeated', `Category ${id}: another category is called “${name}”, too.`);
    before.add(name);
    if ((used[index] ?? 0) === 0 && above.has(name) && (supercategory === null || supercategory === 'none')) {
      tell('kept', 'category', id, 'supercategory-as-category', `Category ${id}: “${name}” is what others belong to; no instance has it.`);
    }
  }
}

/** Says what a file is that begins with a list. */
async function texts(path: string, options: Parameters<typeof readJsonTexts>[1]): Promise<AsyncIterable<JsonText[]>> {
  const handle = await open(path, 'r').catch((cause: unknown) => {
    throw new AppError('io', `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { path }, cause);
  });
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(64), 0, 64, 0);
    if (/^\uFEFF?\s*\[/.test(buffer.toString('utf8', 0, bytesRead))) {
      throw new AppError(
        'invalid',
        `${path} is a list, as COCO results are; a dataset is an object with images, annotations and categories.`,
        {
          path,
        },
      );
    }
  } finally {
    await handle.close();
  }
  return readJsonTexts(path, options);
}

/** The text of a list from the byte behind its bracket to the byte behind its end. */
async function bytesOf(path: string, from: number, to: number): Promise<string> {
  const handle = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(to - from);
    await handle.read(buffer, 0, buffer.length, from);
    return `[${buffer.toString('utf8')}`;
  } finally {
    await handle.close();
  }
}

function restText(path: string, { key, text, at }: JsonText, tell: Tell): string {
  const record = parseRecord(text);
  if (record === null) throw new AppError('invalid', `${path}: not JSON from byte ${at} on in "${key}"`, { path, byte: at, key });
  if (record.repaired)
    tell('repaired', 'file', key, 'not-a-number', `“${key}” has NaN or Infinity in it, which JSON has not: they became null.`);
  return record.text;
}

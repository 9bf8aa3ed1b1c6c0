import { isDeepStrictEqual } from 'node:util';
import { contentHash } from './content-hash.ts';
import type { DatasetSink, FindingKind } from './dataset.ts';
import { createIdTable } from './id-table.ts';
import { textMembers, withMembers } from './record-text.ts';

/** One of the files of a dataset. */
export interface DatasetFile {
  /** Relative to the dataset, with `/`. */
  readonly file: string;
  readonly split: string | null;
  /** Folder of its images, with `/` at the end, where its paths are meant from there; '' for none. */
  readonly prefix: string;
}

/** Makes one dataset of several files: categories by name, ids as the first file has them. */
export interface MergingSink {
  /** Where a file is read into; one after the other. */
  of(file: DatasetFile): DatasetSink;
  /** Tells what of a file's ids had to be left. */
  finish(file: DatasetFile): void;
}

/** Keys of records whose id another file has begin here: above the ids of all files that are known, and an export may write them. */
const OTHERS = 1_000_000_000;
/** From here on keys stand for ids that are no numbers, see `keyOf`. */
const UNNAMED = 2 ** 51;

function alike(a: string | null, b: string | null): boolean {
  return a === b || (a !== null && b !== null && isDeepStrictEqual(JSON.parse(a), JSON.parse(b)));
}

/** What the tables of ids can hold: 31 bits. */
function hash(text: string): number {
  return contentHash(text) % 0x7fffffff;
}

/**
 * Records of the first file keep everything. In the others a category is the one of the same name, whatever its number; an image
 * or an annotation whose id another file has gets a number of its own; keys of the file as a whole are the first's. Each is told.
 */
export function mergingSink(sink: DatasetSink): MergingSink {
  const categories = new Map<string, { readonly key: number; readonly file: string; readonly source: string | null }>();
  const categoryKeys = new Map<number, string>();
  /** Of each image's id the hash of its path. */
  const images = createIdTable();
  const known = createIdTable();
  /** Of the hash of each file_name the file that has it first. */
  const names = createIdTable();
  /** Of each annotation's number the image that it is on. */
  const numbers = createIdTable();
  const rest = new Map<string, { readonly text: string; readonly file: string }>();
  let instances = 0;
  let files = 0;
  let others = 0;
  let repeated = { images: 0, annotations: 0 };

  function other(taken: (key: number) => boolean): number {
    do others++;
    while (taken(OTHERS + others));
    return OTHERS + others;
  }

  return {
    of({ file, split, prefix }) {
      const nth = ++files;
      const categoryOf = new Map<number, number>();
      const imageOf = new Map<number, number>();
      repeated = { images: 0, annotations: 0 };
      /** Keys of the images of this file. */
      const inFile = createIdTable();
      const mine = new Set<string>();
      const tell = (kind: FindingKind, what: 'category' | 'file', id: string, reason: string, message: string): void =>
        sink.finding({ kind, what, id, reason, message: `${file}: ${message}` });
      return {
        category(category) {
          const name = category.name.trim();
          const same = categories.get(name);
          // Names that repeat within a file are classes of their own.
          if (same && !mine.has(name)) {
            mine.add(name);
            categoryOf.set(category.key, same.key);
            if (same.key !== category.key) {
              const message = `category “${name}” is ${category.key} here and ${same.key} in ${same.file}; it is the same class, and keeps ${same.key}.`;
              tell('repaired', 'category', String(category.key), 'category-id-differs', message);
            } else if (!alike(same.source, category.source)) {
              const message = `category “${name}” says more, or other things, than in ${same.file}, which is kept.`;
              tell('kept', 'category', String(category.key), 'category-record-differs', message);
            }
            return;
          }
          const holder = categoryKeys.get(category.key);
          const key = holder === undefined ? category.key : other((each) => categoryKeys.has(each));
          if (holder !== undefined) {
            const message = `category ${category.key} is “${name}” here and “${holder}” in another file; it gets a number of its own.`;
            tell('repaired', 'category', String(category.key), 'category-name-differs', message);
          }
          mine.add(name);
          if (!categories.has(name)) categories.set(name, { key, file, source: category.source });
          categoryKeys.set(key, name);
          categoryOf.set(category.key, key);
          sink.category({ ...category, key });
        },
        image(image) {
          const path = image.path.startsWith(prefix) ? image.path : prefix + image.path;
          // Of ids that are no numbers the key says nothing.
          const named = image.key < UNNAMED;
          const mark = hash(path);
          const before = images.get(image.key);
          if (before < 0) images.add(image.key, mark);
          if (before === mark && named && inFile.get(image.key) < 0) {
            const message = `${file}: ${path} is in another file, too; the split of that counts.`;
            sink.finding({ kind: 'kept', what: 'image', id: path, reason: 'image-in-several-files', message });
            inFile.add(image.key, 0);
            return;
          }
          let { key } = image;
          if (known.get(key) >= 0) {
            key = other((each) => known.get(each) >= 0);
            if (named) repeated.images++;
            imageOf.set(image.key, key);
          }
          known.add(key, 0);
          inFile.add(image.key, 0);
          // In one file the name must say which of them it is.
          const unclear = names.add(hash(image.path), nth) !== nth && path !== image.path && image.source !== null;
          if (!unclear) return sink.image({ ...image, key, split, path });
          const message = `${file}: ${image.path} is a name in another file, too; its record says ${path} now.`;
          sink.finding({ kind: 'repaired', what: 'image', id: path, reason: 'file-name-repeats', message });
          const source = withMembers(image.source, textMembers(image.source), new Map([['file_name', JSON.stringify(path)]]));
          sink.image({ ...image, key, split, path, source });
        },
        instance(instance) {
          const number = instance.number ?? null;
          const imageKey = imageOf.get(instance.imageKey) ?? instance.imageKey;
          const mark = imageKey % 0x7fffffff;
          const holder = number === null ? -1 : numbers.get(number);
          if (number !== null && holder === mark) {
            const message = `${file}: annotation ${number} is in another file, too, on the same image.`;
            sink.finding({ kind: 'refused', what: 'annotation', id: String(number), reason: 'annotation-twice', message });
            return;
          }
          if (number !== null && holder < 0) numbers.add(number, mark);
          const taken = holder >= 0;
          if (taken) repeated.annotations++;
          sink.instance({
            ...instance,
            key: ++instances,
            imageKey,
            categoryKey: categoryOf.get(instance.categoryKey) ?? instance.categoryKey,
            number: taken ? null : number,
          });
        },
        finding: (finding) => sink.finding({ ...finding, message: `${file}: ${finding.message}` }),
        rest(key, source) {
          const before = rest.get(key);
          if (before === undefined) {
            rest.set(key, { text: source, file });
            sink.rest(key, source);
          } else if (source !== '[]' && !alike(before.text, source)) {
            tell('kept', 'file', key, 'file-key-differs', `its “${key}” is another than that of ${before.file}, which is kept.`);
          }
        },
      };
    },
    finish({ file }) {
      const tell = (id: string, message: string): void =>
        sink.finding({ kind: 'repaired', what: 'file', id: file, reason: id, message: `${file}: ${message}` });
      if (repeated.images > 0) tell('image-ids-repeat', `${repeated.images} images have ids that another file has; they get others.`);
      if (repeated.annotations > 0)
        tell('annotation-ids-repeat', `${repeated.annotations} annotations have ids that another file has; they get others.`);
    },
  };
}

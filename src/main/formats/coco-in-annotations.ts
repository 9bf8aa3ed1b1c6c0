import { AppError } from '../../shared/errors.ts';
import type { Finding } from '../../shared/formats.ts';
import type { JsonRecord, ParsedRecord } from './coco-in-records.ts';
import { idOf, isRecord, otherKind, parseRecord, shownId } from './coco-in-records.ts';
import type { DeclaredSize } from './coco-in-shape.ts';
import { boxFits, readShape } from './coco-in-shape.ts';
import type { DatasetSink } from './dataset.ts';
import { contentHash } from './content-hash.ts';
import type { IdTable, RecordId } from './id-table.ts';
import { createIdTable } from './id-table.ts';
import type { JsonText } from './json-texts.ts';

/** Records that annotations refer to, by their place in the table. */
interface Referred {
  readonly table: IdTable;
  key(index: number): number;
}

export interface AnnotationReader {
  take(element: JsonText): void;
  /** Tells what is known at the end only. Answers with the number of instances of each category, by its place in the table. */
  finish(): readonly number[];
}

/** Boxes without a segmentation that are held until it is known what their numbers mean. */
const HELD = 20_000;
/** Project's numbers stay below this, so that what is counted up from them is exact. */
const HIGHEST_NUMBER = 2 ** 50;

/**
 * Reads annotations one by one. Boxes of files without any segmentation are first held back, up to `HELD` of them: if some
 * of them leave their images when read from their corner and none does when read from its centre, that is what they are.
 */
export function createAnnotationReader(
  path: string,
  sink: DatasetSink,
  { images, categories }: { readonly images: Referred & { size(index: number): DeclaredSize }; readonly categories: Referred },
): AnnotationReader {
  const ids = createIdTable();
  /** Hashes of what annotations say, with the key of the first that says it. */
  const contents = createIdTable();
  let key = 0;
  let keypoints = 0;
  /** Instances by the place of their category. */
  const used: number[] = [];
  /** Null once it is known whether boxes are centred. */
  let held: (readonly [JsonText, ParsedRecord])[] | null = [];
  let centred = false;

  function take(element: JsonText): void {
    const record = parseRecord(element.text);
    if (record === null) {
      throw new AppError('invalid', `${path}: not JSON from byte ${element.at} on in "annotations"`, { path, byte: element.at });
    }
    if (key === 0 && held?.length === 0) refuseOthers(record.value);
    if (held === null) return one(element, record);
    held.push([element, record]);
    const shaped = isRecord(record.value) && hasSegmentation(record.value);
    if (shaped || held.length >= HELD) release();
  }

  /** Captions and panoptic files have the same lists and other annotations. */
  function refuseOthers(value: unknown): void {
    if (!isRecord(value) || 'bbox' in value || 'segmentation' in value) return;
    const other = 'segments_info' in value ? 'a panoptic file: its masks are in PNG files' : 'caption' in value ? 'a captions file' : null;
    if (other !== null) throw new AppError('unsupported', `${path} is ${other}. An instances or keypoints file is needed.`, { path });
  }

  function release(): void {
    const waiting = held ?? [];
    held = null;
    let [corner, centre, told] = [0, 0, 0];
    for (const [, { value, text }] of waiting) {
      if (!isRecord(value) || hasSegmentation(value)) continue;
      const image = found(images.table, idOf(value, text, 'image_id'));
      const fits = image < 0 ? null : boxFits(value['bbox'], images.size(image));
      if (!fits) continue;
      told++;
      if (!fits.corner) corner++;
      if (!fits.centre) centre++;
    }
    // One in a hundred may be a slip of the hand.
    centred = centre === 0 && corner > 0 && corner * 100 >= told;
    for (const [element, record] of waiting) one(element, record);
  }

  function found(table: IdTable, id: RecordId | null): number {
    if (id === null) return -1;
    const index = table.get(id);
    if (index >= 0) return index;
    const other = otherKind(id);
    return other === null ? -1 : table.get(other);
  }

  function one(element: JsonText, { text, value, repaired: mended }: ParsedRecord): void {
    const index = element.index ?? 0;
    const id = isRecord(value) ? idOf(value, text) : null;
    const shown = shownId(id, index);
    const tell = (kind: Finding['kind'], reason: string, message: string): void =>
      sink.finding({ kind, what: 'annotation', id: shown, reason, message: `Annotation ${shown}: ${message}` });
    if (!isRecord(value)) return tell('refused', 'no-record', 'it is no object.');
    if (mended) tell('repaired', 'not-a-number', 'it has NaN or Infinity in it, which JSON has not: they became null.');
    if (text.includes('\uFFFD')) tell('kept', 'not-utf8', 'it has characters that are no UTF-8.');

    const image = found(images.table, idOf(value, text, 'image_id'));
    if (image < 0) return tell('refused', 'image-unknown', `there is no image ${shownRef(value['image_id'])}.`);
    const category = found(categories.table, idOf(value, text, 'category_id'));
    if (category < 0) return tell('refused', 'category-unknown', `there is no category ${shownRef(value['category_id'])}.`);

    const number = numberOf(id, index, value, tell);
    if (number === undefined) return;
    const { geometry, inSource: said, remarks, measured } = readShape(value, images.size(image), centred);
    for (const { kind, reason, message } of remarks) tell(kind, reason, message);
    if (geometry === null) return;
    const crowd = crowdOf(value['iscrowd'], tell);
    if ('keypoints' in value) keypoints++;
    key++;
    const earlier = number.content === null ? key : contents.add(number.content, key);
    if (earlier !== key) tell('kept', 'annotation-repeated', `annotation ${earlier} of those taken says the same under another id.`);
    used[category] = (used[category] ?? 0) + 1;
    const inSource = said && crowd.plain && !mended;
    sink.instance({
      key,
      imageKey: images.key(image),
      categoryKey: categories.key(category),
      number: number.own,
      geometry,
      crowd: crowd.crowd,
      source: text,
      inSource,
      measured: inSource ? measured : null,
    });
  }

  /** The number an annotation goes by; undefined where it is refused. */
  function numberOf(
    id: RecordId | null,
    index: number,
    value: JsonRecord,
    tell: (kind: Finding['kind'], reason: string, message: string) => void,
  ): { readonly own: number | null; readonly content: number | null } | undefined {
    if (id === null) {
      tell('repaired', 'id-missing', 'it has no id; it gets one.');
      return { own: null, content: null };
    }
    const content = contentHash(value['image_id'], value['category_id'], value['bbox'], value['segmentation']);
    // Hashes of 31 bits suffice where the ids are the same.
    const mine = content % 0x7fffffff;
    const before = ids.get(id);
    if (before >= 0) {
      if (before === mine) {
        tell('refused', 'annotation-twice', `it is there twice, the second time at ${index} of the list.`);
        return undefined;
      }
      tell('repaired', 'id-twice', 'another annotation has its id; it gets one of its own.');
      return { own: null, content: null };
    }
    ids.add(id, mine);
    if (id === 0) tell('repaired', 'id-zero', 'its id is 0, which COCO’s evaluation takes for none; it gets one of its own.');
    const own = typeof id === 'number' && id > 0 && id <= HIGHEST_NUMBER ? id : null;
    if (typeof id === 'number' && id < 0) tell('kept', 'id-negative', 'its id is negative.');
    return { own, content };
  }

  return {
    take,
    finish() {
      release();
      if (keypoints > 0) {
        const message = `${keypoints} annotations have keypoints. They are not shown; an export to COCO has them again.`;
        sink.finding({ kind: 'kept', what: 'file', id: path, reason: 'keypoints', message });
      }
      return used;
    },
  };
}

function hasSegmentation(value: JsonRecord): boolean {
  const { segmentation } = value;
  return segmentation !== undefined && segmentation !== null && !(Array.isArray(segmentation) && segmentation.length === 0);
}

function shownRef(value: unknown): string {
  return value === undefined ? '(none is named)' : JSON.stringify(value);
}

function crowdOf(
  value: unknown,
  tell: (kind: Finding['kind'], reason: string, message: string) => void,
): { readonly crowd: boolean; readonly plain: boolean } {
  if (value === undefined || value === 0 || value === false) return { crowd: false, plain: true };
  if (value === 1 || value === true) return { crowd: true, plain: true };
  const crowd = value === '1' || value === 'true';
  tell('repaired', 'crowd-not-flag', `its iscrowd is ${JSON.stringify(value)}; it is read as ${crowd ? 1 : 0}.`);
  return { crowd, plain: false };
}

import { statSync } from 'node:fs';
import { AppError } from '../../shared/errors.ts';
import type { CocoEvaluation, ResultsForm } from '../../shared/evaluate/coco.ts';
import { evaluationOf, resultsForm } from '../../shared/evaluate/coco.ts';
import type { CocoSegmentation, OverlapKind } from '../../shared/evaluate/dataset.ts';
import { segmentationRuns } from '../../shared/evaluate/dataset.ts';
import type { CategoryCurves } from '../../shared/evaluate/figures.ts';
import { createTally } from '../../shared/evaluate/tally.ts';
import { countsToString, rleToCounts } from '../../shared/mask/rle.ts';
import { runsArea, runsBox } from '../../shared/mask/runs.ts';
import type { Box, Rle } from '../../shared/records.ts';
import { createBreath } from '../formats/breath.ts';
import { readJsonTexts } from '../formats/json-texts.ts';
import type { NamedDetection, TruthImage } from './coco-rows.ts';
import { readCategory, readImage, readTruth } from './coco-rows.ts';
import { readResults, valueOf } from './results-rows.ts';
import type { Spool, SpooledObject } from './spool.ts';
import { createSpool } from './spool.ts';
import { byImage, comparedImage } from './spooled-images.ts';

export interface FilesEvaluation {
  readonly bbox: CocoEvaluation;
  /** Null where the truth has instances without a mask: they cannot be compared by masks. And where only boxes were asked for. */
  readonly segm: CocoEvaluation | null;
  /** What a reader of the figures should know, in words. */
  readonly notes: readonly string[];
}

export interface FilesOptions {
  /** Masks are only looked at where an annotation lacks `area` or `bbox`. */
  readonly boxesOnly?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Bytes of both files that were read, then images that were compared. */
  readonly onProgress?: ((stage: 'reading' | 'comparing', done: number, total: number) => void) | undefined;
}

/**
 * COCO's figures of a results file against an instances file, by boxes and by masks, equal to pycocotools' (`loadRes`,
 * `COCOeval`). Both files are read in pieces and sorted by image through temporary files, so that memory goes with the number of
 * images and detections (some 80 bytes each) and not with the files. `area` and `bbox` that the truth lacks are its mask's.
 * Throws AppError `io`, `cancelled`, or `invalid` naming the file, the record and the key: a key that is missing or of the
 * wrong kind, an id twice, a reference to an image or category that is not there, broken counts, masks of different sizes.
 */
export async function evaluateCocoFiles(truthPath: string, resultsPath: string, options: FilesOptions = {}): Promise<FilesEvaluation> {
  const bytes = sizeOf(truthPath) + sizeOf(resultsPath);
  const spool = createSpool(bytes);
  try {
    const truth = await readTruths(truthPath, spool, options, bytes);
    const found = await readDetections(resultsPath, truth, spool, options, bytes - sizeOf(resultsPath), bytes);
    const kinds: readonly OverlapKind[] = truth.maskless === 0 && !options.boxesOnly ? ['bbox', 'segm'] : ['bbox'];
    const tallies = kinds.map((kind) => ({ kind, tally: createTally(truth.categories.length) }));
    const breath = createBreath();
    let compared = 0;
    for (let heap = 0; heap < spool.heaps; heap++) {
      for (const [place, { truths, detections }] of byImage(spool.take(heap))) {
        // Whoever cancels is heard only when this rests.
        if (breath.due()) await breath.take();
        if (options.signal?.aborted) throw cancelled();
        const image = truth.images[place];
        if (!image) continue;
        for (const { kind, tally } of tallies) {
          tally.add(comparedImage(image, truths, detections, kind, resultsPath));
        }
        if (++compared % 500 === 0) options.onProgress?.('comparing', compared, truth.images.length);
      }
    }
    const evaluations: CocoEvaluation[] = [];
    for (const { kind, tally } of tallies) {
      const curves: CategoryCurves[] = [];
      for (const place of truth.categories.keys()) {
        if (breath.due()) await breath.take();
        if (options.signal?.aborted) throw cancelled();
        const own = tally.curvesOf(place);
        if (own) curves.push(own);
      }
      const [images, truths, detections] = [truth.images.length, truth.count, found.count];
      evaluations.push({ kind, images, truths, detections, ...evaluationOf(truth.categories, curves) });
    }
    const [bbox, segm] = evaluations;
    if (!bbox) throw new AppError('internal', 'Nothing was measured.');
    return { bbox, segm: segm ?? null, notes: notesOf(truthPath, truth, found, options) };
  } finally {
    spool.close();
  }
}

function cancelled(): AppError {
  return new AppError('cancelled', 'The evaluation was cancelled.');
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch (cause) {
    throw new AppError('io', `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { path }, cause);
  }
}

interface Truths {
  readonly images: readonly TruthImage[];
  readonly places: ReadonlyMap<number, number>;
  /** By rising id. */
  readonly categories: readonly { readonly id: number; readonly name: string }[];
  readonly categoryPlaces: ReadonlyMap<number, number>;
  readonly count: number;
  /** Annotations without a segmentation. */
  readonly maskless: number;
  readonly idZero: boolean;
}

async function readTruths(path: string, spool: Spool, options: FilesOptions, total: number): Promise<Truths> {
  const images: TruthImage[] = [];
  const categories: { readonly id: number; readonly name: string }[] = [];
  const seen = new Set<string>();
  let annotationsFrom = -1;
  // Annotations need the sizes of their images, which may stand behind them.
  const skip = (key: string, from: number): boolean => {
    if (key === 'annotations') annotationsFrom = from;
    return key === 'annotations';
  };
  for await (const batch of readJsonTexts(path, { signal: options.signal, skip })) {
    for (const { key, index, text, at } of batch) {
      if (index === null) seen.add(key);
      else if (key === 'images') images.push(readImage(valueOf(path, text, at), index, path));
      else if (key === 'categories') categories.push(readCategory(valueOf(path, text, at), index, path));
    }
  }
  for (const key of ['images', 'categories', 'annotations']) {
    if (!seen.has(key)) throw new AppError('invalid', `${path}: there is no "${key}".`, { path, key });
  }
  categories.sort((a, b) => a.id - b.id);
  const places = placesOf(images, path, 'image');
  const categoryPlaces = placesOf(categories, path, 'category');

  let ids = new Float64Array(1024);
  let count = 0;
  let maskless = 0;
  let idZero = false;
  const within = { key: 'annotations', from: annotationsFrom };
  const breath = createBreath();
  const onProgress = (done: number): void => options.onProgress?.('reading', done, total);
  for await (const batch of readJsonTexts(path, { signal: options.signal, within, onProgress })) {
    for (const { index, text, at } of batch) {
      if (index === null) continue;
      if (breath.due()) await breath.take();
      const truth = readTruth(valueOf(path, text, at), index, path);
      const what = `annotation ${truth.id}`;
      const place = reference(places, truth.image_id, path, what, 'image');
      const category = reference(categoryPlaces, truth.category_id, path, what, 'category');
      const image = images[place];
      if (!image) continue;
      if (!truth.segmentation) maskless++;
      const needed = !options.boxesOnly || truth.area === null || truth.bbox === null;
      const mask = truth.segmentation && needed ? packed(truth.segmentation, image, `${path}: ${what}`) : null;
      const area = truth.area ?? (mask ? mask.area() : null);
      const box = truth.bbox ?? (mask ? mask.box() : null);
      if (area === null) throw missing(path, what, 'area');
      if (box === null) throw missing(path, what, 'bbox');
      if (truth.id === 0) idZero = true;
      if (count === ids.length) {
        const larger = new Float64Array(count * 2);
        larger.set(ids);
        ids = larger;
      }
      ids[count] = truth.id;
      const crowd = truth.iscrowd === 1;
      spool.put({
        kind: 'truth',
        image: place,
        category,
        place: count,
        crowd,
        counts: truth.id !== 0,
        score: 0,
        area,
        box,
        rle: mask?.rle ?? null,
      });
      count++;
    }
  }
  ids.subarray(0, count).sort();
  for (let i = 1; i < count; i++) {
    if (ids[i] === ids[i - 1])
      throw new AppError('invalid', `${path}: annotation ${ids[i] ?? ''} is there twice.`, { path, id: ids[i] ?? 0 });
  }
  return { images, places, categories, categoryPlaces, count, maskless, idZero };
}

interface Found {
  readonly count: number;
  /** Of categories that the truth does not have. */
  readonly leftOut: number;
  readonly form: ResultsForm;
}

async function readDetections(
  path: string,
  truth: Truths,
  spool: Spool,
  options: FilesOptions,
  before: number,
  total: number,
): Promise<Found> {
  let form = null as ResultsForm | null;
  let count = 0;
  let leftOut = 0;
  await readResults(
    path,
    (detection, index) => {
      form ??= resultsForm(detection);
      const what = `detection number ${index}`;
      const place = reference(truth.places, detection.image_id, path, what, 'image');
      const image = truth.images[place];
      const category = truth.categoryPlaces.get(detection.category_id);
      count++;
      if (category === undefined || !image) leftOut++;
      else spool.put(spooledDetection(detection, { place: index, image: place, category }, image, form, path));
    },
    { signal: options.signal, onProgress: (done) => options.onProgress?.('reading', before + done, total) },
  );
  return { count, leftOut, form: form ?? 'boxes' };
}

/** As pycocotools' `loadRes` reads it; see `detectionObject` of the shared part. */
function spooledDetection(
  { bbox, segmentation, score }: NamedDetection,
  at: Pick<SpooledObject, 'place' | 'image' | 'category'>,
  image: TruthImage,
  form: ResultsForm,
  path: string,
): SpooledObject {
  const what = `detection number ${at.place}`;
  const rest = { kind: 'detection', ...at, crowd: false, counts: true, score } as const;
  if (form === 'boxes') {
    if (!bbox) throw missing(path, what, 'bbox');
    const mask = segmentation ? packed(segmentation, image, `${path}: ${what}`) : null;
    return { ...rest, area: bbox[2] * bbox[3], box: bbox, rle: mask?.rle ?? null };
  }
  if (!segmentation) throw missing(path, what, 'segmentation');
  const mask = packed(segmentation, image, `${path}: ${what}`);
  return { ...rest, area: mask.area(), box: bbox ?? mask.box(), rle: mask.rle };
}

/** A segmentation as it is spooled. Throws `invalid`, beginning with `what`. */
function packed(segmentation: CocoSegmentation, image: TruthImage, what: string): { rle: Rle; area(): number; box(): Box } {
  try {
    // Compressed counts are checked when they are unpacked, once; see `comparedImage`.
    if ('counts' in segmentation && typeof segmentation.counts === 'string') {
      const rle: Rle = { size: segmentation.size, counts: segmentation.counts };
      return { rle, area: () => runsArea(rleToCounts(rle)), box: () => runsBox(rleToCounts(rle), rle.size[0]) };
    }
    const { size, runs } = segmentationRuns(segmentation, image);
    return { rle: { size, counts: countsToString(runs) }, area: () => runsArea(runs), box: () => runsBox(runs, size[0]) };
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    throw new AppError(thrown.code, `${what}: ${thrown.message}`, thrown.detail, thrown);
  }
}

function placesOf(rows: readonly { readonly id: number }[], path: string, what: string): ReadonlyMap<number, number> {
  const places = new Map<number, number>();
  for (const [place, { id }] of rows.entries()) {
    if (places.has(id)) throw new AppError('invalid', `${path}: ${what} ${id} is there twice.`, { path, what, id });
    places.set(id, place);
  }
  return places;
}

function reference(places: ReadonlyMap<number, number>, id: number, path: string, what: string, kind: 'image' | 'category'): number {
  const place = places.get(id);
  if (place !== undefined) return place;
  throw new AppError('invalid', `${path}: ${what}: there is no ${kind} ${id}.`, { path, what, key: `${kind}_id` });
}

function missing(path: string, what: string, key: string): AppError {
  return new AppError('invalid', `${path}: ${what}: "${key}" is missing.`, { path, what, key });
}

function notesOf(truthPath: string, truth: Truths, found: Found, { boxesOnly }: FilesOptions): string[] {
  return [
    ...(truth.maskless > 0 && !boxesOnly
      ? [`${truth.maskless} of ${truth.count} annotations of ${truthPath} have no segmentation: there are no figures by masks.`]
      : []),
    ...(truth.idZero
      ? ['An annotation has id 0: as in pycocotools, it never counts as found. Number the annotations from 1 to count it.']
      : []),
    ...(found.leftOut > 0
      ? [`${found.leftOut} of ${found.count} detections are of categories that the truth does not have; they are left out.`]
      : []),
    ...(found.form === 'boxes' && found.count > 0
      ? ['The results have boxes: sizes of detections are those of their boxes, as in pycocotools.']
      : []),
  ];
}

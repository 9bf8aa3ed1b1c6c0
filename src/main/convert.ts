import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import type { ExportReport } from '../shared/answers.ts';
import type { DatasetExportReport, FindingCount } from '../shared/calls/formats.ts';
import { LISTED_FINDINGS } from '../shared/calls/formats.ts';
import { AppError } from '../shared/errors.ts';
import type { Finding, FormatId } from '../shared/formats.ts';
import { exportDataset } from './dataset-export.ts';
import { exportCoco } from './export.ts';
import type { DatasetSource, Format } from './formats/dataset.ts';
import { imagesOf } from './formats/folder.ts';
import { rawSize, turnFromRaw } from './formats/orientation.ts';
import { detectFormats, knownFormat } from './formats/registry.ts';
import { readHeader } from './inference/pixels.ts';
import type { StagedCounts, Staging } from './store/staging.ts';
import { createStaging } from './store/staging.ts';

export interface ConvertOptions {
  /** A file or folder. */
  readonly place: string;
  readonly out: string;
  /** Null for what it looks like. */
  readonly from: FormatId | null;
  readonly to: FormatId;
  /** Folder of the images; null for the place itself, or the folder that the file lies in. */
  readonly images: string | null;
  /** Of maps that do not tell instances apart, see `ReadOptions`. */
  readonly regions?: 'class' | 'components';
  /** Where the images go in what is written. */
  readonly put: 'leave' | 'copy' | 'link';
  readonly includeEmpty: boolean;
}

export interface ConvertProgress {
  readonly stage: 'reading' | 'writing' | 'comparing' | 'images';
  readonly done: number;
  readonly total: number;
}

export interface ConvertReport {
  readonly from: FormatId;
  readonly to: FormatId;
  readonly place: string;
  readonly out: string;
  /** What was read, and what was unusual about it. */
  readonly read: { readonly counts: StagedCounts; readonly findingCounts: readonly FindingCount[]; readonly findings: readonly Finding[] };
  readonly written: DatasetExportReport | ExportReport;
  readonly ms: number;
}

/**
 * One dataset format to another, without a project: read to a file of its own, written, read back and compared, all or nothing.
 * Images whose sizes the dataset does not say are measured; coordinates of a file's own rows and columns are turned as EXIF
 * says, but from COCO to COCO, where the texts stay.
 *
 * Throws AppError: `not-found` and `invalid` (the place, or what it is), `unsupported` (a format that is not written), and as the
 * reader, `exportDataset` and `exportCoco`.
 */
export async function convert(
  options: ConvertOptions,
  signal?: AbortSignal,
  onProgress?: (progress: ConvertProgress) => void,
): Promise<ConvertReport> {
  const started = performance.now();
  const place = resolve(options.place);
  const out = resolve(options.out);
  const there = await stat(place).catch(() => null);
  if (there === null) throw new AppError('not-found', `There is no ${place}.`, { path: place });
  const images = options.images === null ? (there.isDirectory() ? place : dirname(place)) : resolve(options.images);
  const from = options.from === null ? await detected(place) : knownFormat(options.from);
  const to = knownFormat(options.to);
  if (to.writer === null && to.id !== 'coco') throw new AppError('unsupported', `${to.name} is only read.`, { format: to.id });
  const scratch = await mkdtemp(join(tmpdir(), 'maskloop-convert-'));
  let staging: Staging | null = null;
  try {
    const staged = (staging = createStaging(from.id, join(scratch, 'read.db')));
    const headers = headersIn(images);
    const files = await imagesOf({ images, ...(signal ? { signal } : {}) });
    await from.reader.read(place, staged, {
      images,
      files,
      regions: options.regions ?? 'class',
      sizeOf: async (path) => {
        const header = await headers(path);
        return header && { width: header.width, height: header.height };
      },
      onProgress: (done, total) => onProgress?.({ stage: 'reading', done, total }),
      ...(signal ? { signal } : {}),
    });
    const turned = await measure(staged, from, headers, signal);
    const source = staged.source({ projectName: basename(place), folder: images });
    const read = {
      counts: staged.counts(),
      findingCounts: staged.findingCounts(),
      findings: staged.findings({ offset: 0, limit: LISTED_FINDINGS }).rows,
    };
    const written = await write(to, turned.size === 0 || (from.id === 'coco' && to.id === 'coco') ? source : turnedSource(source, turned));
    return { from: from.id, to: to.id, place, out, read, written, ms: Math.round(performance.now() - started) };
  } catch (cause) {
    if (signal?.aborted && !(cause instanceof AppError))
      throw new AppError('cancelled', 'The conversion was cancelled; nothing was written.', {}, cause);
    throw cause;
  } finally {
    staging?.close();
    await rm(scratch, { recursive: true, force: true });
  }

  async function write(format: Format, source: DatasetSource): Promise<DatasetExportReport | ExportReport> {
    const { includeEmpty, put } = options;
    if (format.writer === null) return exportCoco(source, { out, includeEmpty, images: put }, signal, onProgress);
    return exportDataset(format, source, { format: format.id, out, includeEmpty, states: [], images: put }, signal, onProgress);
  }
}

/** Throws `invalid` where nothing, or two formats equally, fit the place. */
async function detected(place: string): Promise<Format> {
  const [first, second] = await detectFormats(place);
  if (first === undefined)
    throw new AppError('invalid', `${place} looks like no dataset that is known. Say what it is with --from.`, { path: place });
  if (second !== undefined && second.confidence > first.confidence - 0.02) {
    throw new AppError('invalid', `${place} may be ${first.id} or ${second.id}. Say which with --from.`, { path: place });
  }
  return knownFormat(first.id);
}

interface Header {
  readonly width: number;
  readonly height: number;
  readonly orientation: number;
}

/** Reads headers below a folder, each once in a row; null where a file cannot be read. */
function headersIn(images: string): (path: string) => Promise<Header | null> {
  let last: { readonly path: string; readonly header: Promise<Header | null> } | null = null;
  return (path) => {
    if (last?.path !== path) last = { path, header: readHeader(join(images, path)).catch(() => null) };
    return last.header;
  };
}

/** Fills in sizes that the dataset does not say, and answers with the images whose coordinates EXIF turns, by key. */
async function measure(
  staging: Staging,
  { reader }: Format,
  headers: (path: string) => Promise<Header | null>,
  signal: AbortSignal | undefined,
): Promise<Map<number, Header>> {
  const turned = new Map<number, Header>();
  const missing: { key: number; header: Header }[] = [];
  for (const image of staging.images()) {
    signal?.throwIfAborted();
    const known = image.width !== null && image.height !== null;
    const header = await headers(image.path);
    if (header === null) {
      if (!known) {
        const message = `${image.path}: neither the dataset nor a file says its size, so it is left out.`;
        staging.finding({ kind: 'refused', what: 'image', id: image.path, reason: 'image-size-unknown', message });
      }
      continue;
    }
    if (!known) missing.push({ key: image.key, header });
    if (header.orientation === 1) continue;
    const raw = rawSize(header, header.orientation);
    const says = (size: { width: number; height: number }): boolean => size.width === image.width && size.height === image.height;
    if (reader.space === 'raw' || (reader.space === 'by-size' && !says(header) && says(raw))) turned.set(image.key, header);
  }
  for (const { key, header } of missing) staging.setSize(key, header.width, header.height);
  return turned;
}

/** The same dataset with the coordinates of some images turned as EXIF says. */
function turnedSource(source: DatasetSource, turned: ReadonlyMap<number, Header>): DatasetSource {
  const document: DatasetSource['document'] = (imageId) => {
    const header = turned.get(imageId);
    const items = source.document(imageId);
    if (!header) return items;
    const raw = rawSize(header, header.orientation);
    return items.map(({ number, annotation }) => ({
      number,
      annotation: { ...annotation, geometry: turnFromRaw(annotation.geometry, header.orientation, raw) },
    }));
  };
  return {
    ...source,
    document,
    *images() {
      for (const image of source.images()) {
        const header = turned.get(image.id);
        yield header ? { ...image, width: header.width, height: header.height } : image;
      }
    },
    *annotationOrder() {
      for (const item of source.annotationOrder()) {
        const moved = turned.has(item.imageId);
        yield moved ? { ...item, source: null, annotation: () => annotationOf(document(item.imageId), item.number) } : item;
      }
    },
  };
}

function annotationOf(items: ReturnType<DatasetSource['document']>, number: number): (typeof items)[number]['annotation'] {
  const found = items.find((item) => item.number === number);
  if (found) return found.annotation;
  throw new AppError('internal', `Annotation ${number} is not on its image.`, { annotation: number });
}

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { ExportPart, ExportProgress, ExportReport } from '../shared/answers.ts';
import type { CocoExportInput, CocoExportOptions } from '../shared/calls/coco-export.ts';
import { cocoExportOptions } from '../shared/calls/coco-export.ts';
import { AppError } from '../shared/errors.ts';
import type { ImageFiles } from './export-images.ts';
import { imageNames, placeImages } from './export-images.ts';
import { finishOlder, removeEmpty, REPORT_FILE, stageExport } from './export-staging.ts';
import type { ExportStaging } from './export-staging.ts';
import { createFindings, nothingToWrite } from './export-findings.ts';
import { createBreath } from './formats/breath.ts';
import { checkCoco } from './formats/coco-check.ts';
import type { CocoOptions, WrittenCoco } from './formats/coco.ts';
import { cocoCategories, cocoIds, writeCoco } from './formats/coco.ts';
import type { CocoSource } from './formats/coco-source.ts';
import { splitParts } from './formats/coco-splits.ts';
import type { DatasetSource } from './formats/dataset.ts';
import { makeFolder } from './make-folder.ts';

export type { ExportSource, NumberedAnnotation } from './formats/source.ts';

/** Name of the file with annotations where splits are not told apart. */
export const COCO_FILE = 'annotations.json';

type Source = CocoSource & Partial<Pick<DatasetSource, 'fileOf'>>;

/**
 * Exports the project as a COCO dataset: `annotations.json` or, by split, `annotations/train.json` and so on, the images
 * below `images/` if they are asked for, and `export-report.json`. Without the images `file_name` is what the image was
 * imported with, else relative to the project's folder, with `/`.
 *
 * Every file is written aside, synced, read back with independent decoders and compared with the project; only then all
 * get their names (`export-staging.ts` says what a crash can do). When anything fails, or the signal aborts, the older
 * export is untouched and nothing is left.
 *
 * Throws AppError: `internal` or `invalid` (an annotation that cannot be written or came out different, named; splits that
 * are not made), `conflict` (another picture where one should go), `io` (the folder or the disk, named), `cancelled`.
 */
export async function exportCoco(
  source: Source,
  wanted: CocoExportInput,
  signal?: AbortSignal,
  onProgress?: (progress: ExportProgress) => void,
): Promise<ExportReport> {
  const started = performance.now();
  const options = cocoExportOptions(wanted);
  const out = resolve(options.out);
  /** The uppermost folder that had to be made, to be removed again if nothing comes of it. */
  let made: string | null;
  try {
    signal?.throwIfAborted();
    made = makeFolder(out);
  } catch (cause) {
    throw exportError(cause, out, signal);
  }
  let staging: ExportStaging | null = null;
  try {
    await finishOlder(out);
    staging = await stageExport(out);
    const report = await fill(source, options, out, staging.folder, started, signal, onProgress);
    signal?.throwIfAborted();
    await staging.publish();
    return report;
  } catch (cause) {
    await staging?.abandon();
    if (made !== null) await removeEmpty(out, made);
    throw exportError(cause, out, signal);
  }
}

async function fill(
  source: Source,
  options: CocoExportOptions,
  out: string,
  folder: string,
  started: number,
  signal: AbortSignal | undefined,
  onProgress: ((progress: ExportProgress) => void) | undefined,
): Promise<ExportReport> {
  const findings = createFindings();
  const { tell } = findings;
  const breath = createBreath(signal);
  const ids = await cocoIds(source, breath, tell);
  const names = options.images === 'leave' ? null : await imageNames(source, breath, tell);
  const fileName: CocoOptions['fileName'] = ({ id, path }, imported) => names?.get(id) ?? imported ?? path;
  const parts = options.split === 'one' ? [{ split: null, file: COCO_FILE, source }] : await splitParts(source, breath, tell);

  const files: ExportPart[] = [];
  const all: WrittenCoco[] = [];
  const verified = { annotationsCompared: 0, textsEqual: 0, minIou: 1, maxAreaDifference: 0, maxBoxDifference: 0 };
  const fewer = { instances: 0, sumIou: 0, worst: null as { path: string; id: string; iou: number } | null };
  for (const part of parts) {
    const path = join(folder, part.file);
    await mkdir(dirname(path), { recursive: true });
    const how = { ...options, ids, fileName, part: parts.length > 1 };
    const written = await writeCoco(part.source, path, how, signal, onProgress, tell);
    const { simplified, ...found } = await checkCoco(path, part.source, how, written, signal, onProgress);
    verified.annotationsCompared += found.annotationsCompared;
    verified.textsEqual += found.textsEqual;
    verified.minIou = Math.min(verified.minIou, found.minIou);
    fewer.instances += simplified.instances;
    fewer.sumIou += simplified.sumIou;
    if ((simplified.worst?.iou ?? Infinity) < (fewer.worst?.iou ?? Infinity)) fewer.worst = simplified.worst;
    const print = await fingerprint(path);
    files.push({ split: part.split, file: part.file, images: written.images, annotations: written.annotations, ...print });
    all.push(written);
  }
  const none = all.every(({ images }) => images === 0) ? all.flatMap(({ skipped }) => skipped)[0] : undefined;
  if (none) throw nothingToWrite('COCO', source.imageCount, `${none.path}: ${none.reason}.`);
  const leftOut = intersection(all.map((written) => written.leftOut));
  const imageFiles: ImageFiles =
    names === null || options.images === 'leave'
      ? { copied: 0, linked: 0, present: 0, bytes: 0 }
      : await placeImages(source, { out, staging: folder, how: options.images, names, leftOut, signal, onProgress }, tell);
  const sum = (of: (written: WrittenCoco) => number): number => all.reduce((total, written) => total + of(written), 0);
  await tellOlder(out, [...files.map(({ file }) => file), REPORT_FILE], tell);
  const report: ExportReport = {
    format: 'coco',
    files: [...files.map(({ file }) => file), REPORT_FILE],
    images: sum((written) => written.images),
    emptyImages: sum((written) => written.emptyImages),
    annotations: sum((written) => written.annotations),
    categories: cocoCategories(source.labels).map(({ id, name }) => ({
      id: numberOf(ids.categories.get(id)?.id, id),
      name,
      annotations: sum((written) => written.byLabel.get(id) ?? 0),
    })),
    polygons: sum((written) => written.polygons),
    rles: sum((written) => written.rles),
    crowds: sum((written) => written.crowds),
    pixelSpace: options.pixelSpace,
    untouched: sum((written) => written.untouched),
    parts: files,
    imageFiles,
    simplification:
      options.simplifyPx === 0
        ? null
        : {
            tolerancePx: options.simplifyPx,
            instances: fewer.instances,
            pointsBefore: sum((written) => written.simplified.pointsBefore),
            pointsAfter: sum((written) => written.simplified.pointsAfter),
            meanIou: fewer.instances === 0 ? 1 : fewer.sumIou / fewer.instances,
            worstIou: fewer.worst?.iou ?? 1,
            worst: fewer.worst === null ? null : { path: fewer.worst.path, id: fewer.worst.id },
          },
    findingCounts: findings.counts(),
    findings: findings.listed(),
    skipped: all.flatMap((written) => written.skipped),
    verified,
    ms: Math.round(performance.now() - started),
  };
  await writeFile(join(folder, REPORT_FILE), JSON.stringify(report, null, 2) + '\n', { flag: 'wx', flush: true });
  return report;
}

function numberOf(id: string | undefined, own: number): number {
  const number = Number(id);
  return Number.isSafeInteger(number) ? number : own;
}

/** What is in none of the files. */
function intersection(sets: readonly ReadonlySet<number>[]): ReadonlySet<number> {
  const [first, ...others] = sets;
  if (others.length === 0) return first ?? new Set();
  return new Set([...(first ?? [])].filter((id) => others.every((set) => set.has(id))));
}

/** Files of an earlier export that this one does not replace: they stay, and are named. */
async function tellOlder(out: string, files: readonly string[], tell: ReturnType<typeof createFindings>['tell']): Promise<void> {
  let older: unknown;
  try {
    older = JSON.parse(await readFile(join(out, REPORT_FILE), 'utf8'));
  } catch {
    return;
  }
  const listed =
    typeof older === 'object' && older !== null && 'files' in older && Array.isArray(older.files) ? (older.files as unknown[]) : [];
  for (const name of listed) {
    if (typeof name !== 'string' || files.includes(name) || (await stat(join(out, name)).catch(() => null)) === null) continue;
    const message = `${name} is of an earlier export and does not belong to this one.`;
    tell({ kind: 'kept', what: 'file', id: name, reason: 'older-file', message });
  }
}

async function fingerprint(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return { bytes: (await stat(path)).size, sha256: hash.digest('hex') };
}

function exportError(cause: unknown, out: string, signal: AbortSignal | undefined): AppError {
  if (cause instanceof AppError) return cause;
  if (signal?.aborted) return new AppError('cancelled', 'The export was cancelled; nothing was written.', { out }, cause);
  if (cause instanceof Error && 'code' in cause)
    return new AppError('io', `${out}: the export cannot be written: ${cause.message}`, { out }, cause);
  return new AppError('internal', `The export failed: ${cause instanceof Error ? cause.message : String(cause)}`, { out }, cause);
}

import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readdir, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { ExportProgress, ExportReport } from '../shared/answers.ts';
import type { CocoExportInput } from '../shared/calls/coco-export.ts';
import { cocoExportOptions } from '../shared/calls/coco-export.ts';
import { AppError } from '../shared/errors.ts';
import { checkCoco } from './formats/coco-check.ts';
import { cocoCategories, writeCoco } from './formats/coco.ts';
import type { ExportSource } from './formats/source.ts';
import { makeFolder } from './make-folder.ts';

export type { ExportSource, NumberedAnnotation } from './formats/source.ts';

/** Names of the two files an export leaves in its folder. */
export const COCO_FILE = 'annotations.json';
const REPORT_FILE = 'export-report.json';

/** A temporary file that nobody has written to for so long is left over from an export that was killed. */
const ABANDONED_MS = 3_600_000;

/**
 * Exports the project as a COCO dataset: `out/annotations.json` and `out/export-report.json`. Images are
 * not copied; `file_name` is relative to the project's folder, with `/`.
 *
 * The file is written under a temporary name beside its place, synced, read back with independent
 * decoders and compared with the project; only then it is renamed over an older export and the folder
 * synced. When anything fails, or the signal aborts, the older export is untouched and nothing is left.
 *
 * Throws AppError: `internal` or `invalid` (an annotation that cannot be written or came out different,
 * named), `io` (the folder or the disk, named), `cancelled`.
 */
export async function exportCoco(
  source: ExportSource,
  wanted: CocoExportInput,
  signal?: AbortSignal,
  onProgress?: (progress: ExportProgress) => void,
): Promise<ExportReport> {
  const started = performance.now();
  const options = cocoExportOptions(wanted);
  const out = resolve(options.out);
  const token = randomUUID().slice(0, 8);
  const temporary = join(out, `.${COCO_FILE}.${token}.tmp`);
  const temporaryReport = join(out, `.${REPORT_FILE}.${token}.tmp`);
  /** The uppermost folder that had to be made, to be removed again if nothing comes of it. */
  let made: string | null;
  try {
    signal?.throwIfAborted();
    made = makeFolder(out);
  } catch (cause) {
    throw exportError(cause, out, signal);
  }
  try {
    await removeAbandoned(out);
    const written = await writeCoco(source, temporary, options, signal, onProgress);
    const verified = await checkCoco(temporary, source, options, written, signal, onProgress);
    const report: ExportReport = {
      format: 'coco',
      files: [COCO_FILE, REPORT_FILE],
      images: written.images,
      emptyImages: written.emptyImages,
      annotations: written.annotations,
      categories: cocoCategories(source.labels).map(({ id, name }) => ({ id, name, annotations: written.byLabel.get(id) ?? 0 })),
      polygons: written.polygons,
      rles: written.rles,
      crowds: written.crowds,
      pixelSpace: options.pixelSpace,
      untouched: 0,
      parts: [
        { split: null, file: COCO_FILE, images: written.images, annotations: written.annotations, ...(await fingerprint(temporary)) },
      ],
      imageFiles: { copied: 0, linked: 0, present: 0, bytes: 0 },
      simplification: null,
      findingCounts: [],
      findings: [],
      skipped: written.skipped,
      verified,
      ms: Math.round(performance.now() - started),
    };
    await writeFile(temporaryReport, JSON.stringify(report, null, 2) + '\n', { flag: 'wx', flush: true });
    signal?.throwIfAborted();
    await rename(temporary, join(out, COCO_FILE));
    await rename(temporaryReport, join(out, REPORT_FILE));
    await syncFolder(out);
    return report;
  } catch (cause) {
    await rm(temporary, { force: true });
    await rm(temporaryReport, { force: true });
    if (made !== null) await removeEmpty(out, made);
    throw exportError(cause, out, signal);
  }
}

async function fingerprint(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return { bytes: (await stat(path)).size, sha256: hash.digest('hex') };
}

function exportError(cause: unknown, out: string, signal: AbortSignal | undefined): AppError {
  if (cause instanceof AppError) return cause;
  if (signal?.aborted) return new AppError('cancelled', 'The export was cancelled; nothing was written.', { out }, cause);
  if (cause instanceof Error && 'code' in cause)
    return new AppError('io', `${out}: the export cannot be written: ${cause.message}`, { out }, cause);
  return new AppError('internal', `The export failed: ${cause instanceof Error ? cause.message : String(cause)}`, { out }, cause);
}

/** Makes the renames survive a power loss. Windows has no such call and refuses to open a folder. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What an export that was killed left in the folder; one that still runs has written to its file lately. */
async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!/^\.(annotations|export-report)\.json\.[0-9a-f]{8}\.tmp(\.annotations)?$/.test(name)) continue;
    const path = join(folder, name);
    if (Date.now() - (await stat(path)).mtimeMs > ABANDONED_MS) await rm(path, { force: true });
  }
}

/** Removes `folder` and its parents up to `top` while they are empty. */
async function removeEmpty(folder: string, top: string): Promise<void> {
  for (let at = folder; at.startsWith(top); at = dirname(at)) {
    try {
      await rmdir(at);
    } catch {
      // Somebody put something in it meanwhile: it is theirs now.
      return;
    }
  }
}

import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import type { ExportProgress } from '../shared/answers.ts';
import type { DatasetExportOptions, DatasetExportReport } from '../shared/calls/formats.ts';
import { AppError } from '../shared/errors.ts';
import type { ImageRecord } from '../shared/records.ts';
import { createFindings, nothingToWrite } from './export-findings.ts';
import { removeEmpty, REPORT_FILE, syncFolder, syncTree } from './export-staging.ts';
import type { DatasetSource, Finding, Format } from './formats/dataset.ts';
import { listen, readBack } from './formats/round-trip.ts';
import { makeFolder } from './make-folder.ts';

/** A folder that nobody has written to for so long is left over from an export that was killed. */
const ABANDONED_MS = 3_600_000;

/** How many of the files a report names when it is answered; the file of it names all. */
const LISTED_FILES = 1000;

/**
 * Writes a dataset of any format but COCO, reads it back with the format's reader and compares it instance by instance. The
 * folder is made beside its place under another name and gets its own only when it is whole and right; an older export in
 * that place is replaced then, but never a folder with a file that Maskloop did not write.
 *
 * Throws AppError: `unsupported` (no writer), `conflict` (the folder holds other files), `internal` (what was written differs,
 * naming where), `invalid` (no image is left to write among others), `io`, `cancelled`. Whatever fails, an older export is as it was and nothing else is left.
 */
export async function exportDataset(
  format: Format,
  source: DatasetSource,
  options: DatasetExportOptions,
  signal?: AbortSignal,
  onProgress?: (progress: ExportProgress) => void,
): Promise<DatasetExportReport> {
  const started = performance.now();
  const { writer } = format;
  if (!writer) throw new AppError('unsupported', `${format.name} is not written by this export.`, { format: format.id });
  const out = resolve(options.out);
  const token = `${basename(out)}.${randomUUID().slice(0, 8)}`;
  const draft = join(dirname(out), `.${token}.tmp`);
  const scratch = join(dirname(out), `.${token}.read`);
  let made: string | null = null;
  try {
    signal?.throwIfAborted();
    await clearLeftovers(out);
    await refuseInUse(out);
    made = makeFolder(dirname(out));
    await mkdir(draft);
    const findings = createFindings();
    const wanted = chosen(source, options, findings.tell);
    tellSharedNames(source, format, findings.tell);
    const told = listen();
    await writer.write(
      wanted,
      draft,
      {
        images: options.images,
        includeEmpty: options.includeEmpty,
        onImage: told.onImage,
        onInstance: told.onInstance,
        onProgress: (done, total) => onProgress?.({ stage: 'writing', done, total }),
        ...(signal ? { signal } : {}),
      },
      findings.tell,
    );
    // Most formats are known by what lies in them: without an image a folder is no dataset that anybody could read.
    if (![...told.images.values()].some((path) => path !== null)) {
      const why = findings.listed().find(({ what }) => what === 'image')?.message ?? null;
      throw nothingToWrite(format.name, source.imageCount, why);
    }
    const back = await readBack(format, wanted, told, {
      folder: draft,
      images: options.images === 'leave' ? source.folder : draft,
      scratch,
      onProgress: (done, total) => onProgress?.({ stage: 'comparing', done, total }),
      ...(signal ? { signal } : {}),
    });
    const files = [...(await filesOf(draft)), REPORT_FILE];
    const report: DatasetExportReport = {
      format: format.id,
      out,
      files,
      fileCount: files.length,
      ...counted(wanted, told.images, told.instances),
      limits: writer.limits,
      findingCounts: findings.counts(),
      findings: findings.listed(),
      readBack: back,
      ms: Math.round(performance.now() - started),
    };
    const { out: _out, ...written } = report;
    await writeFile(join(draft, REPORT_FILE), JSON.stringify(written, null, 2) + '\n', { flag: 'wx', flush: true });
    signal?.throwIfAborted();
    await moveInto(draft, out);
    return { ...report, files: files.slice(0, LISTED_FILES) };
  } catch (cause) {
    await rm(draft, { recursive: true, force: true });
    if (made !== null) await removeEmpty(dirname(out), made);
    if (cause instanceof AppError) throw cause;
    if (signal?.aborted) throw new AppError('cancelled', 'The export was cancelled; nothing was written.', { out }, cause);
    const why = cause instanceof Error ? cause.message : String(cause);
    const disk = cause instanceof Error && 'code' in cause;
    throw new AppError(
      disk ? 'io' : 'internal',
      disk ? `${out}: the export cannot be written: ${why}` : `The export failed: ${why}`,
      { out },
      cause,
    );
  }
}

/** Two classes of one name, as COCO files have them, are one where a format knows classes by name. */
function tellSharedNames({ labels }: DatasetSource, { name: format }: Format, tell: (finding: Finding) => void): void {
  const seen = new Set<string>();
  for (const { name } of labels) {
    if (seen.has(name)) {
      const message = `Two classes are called "${name}"; whoever knows classes by name, as readers of ${format} do, sees one.`;
      tell({ kind: 'kept', what: 'category', id: name, reason: 'classes-share-name', message });
    }
    seen.add(name);
  }
}

/** The images in the wanted states; each of the others is told. */
function chosen(source: DatasetSource, { states }: DatasetExportOptions, tell: (finding: Finding) => void): DatasetSource {
  if (states.length === 0) return source;
  const wanted = (image: ImageRecord): boolean => states.includes(image.state);
  let imageCount = 0;
  for (const image of source.images()) {
    if (wanted(image)) imageCount++;
    else {
      const message = `${image.path}: its state is ${image.state}, not ${states.join(' or ')}.`;
      tell({ kind: 'lost', what: 'image', id: image.path, reason: 'state', message });
    }
  }
  return {
    ...source,
    imageCount,
    *images() {
      for (const image of source.images()) if (wanted(image)) yield image;
    },
  };
}

function counted(
  source: DatasetSource,
  images: ReadonlyMap<number, string | null>,
  instances: ReadonlyMap<number, 'left-out' | 'changed'>,
): Pick<DatasetExportReport, 'images' | 'annotations' | 'categories'> {
  const byLabel = new Map(source.labels.map(({ id }) => [id, 0]));
  let count = 0;
  let annotations = 0;
  for (const { id } of source.images()) {
    if ((images.get(id) ?? null) === null) continue;
    count++;
    for (const { number, annotation } of source.document(id)) {
      if (instances.get(number) === 'left-out') continue;
      annotations++;
      byLabel.set(annotation.labelId, (byLabel.get(annotation.labelId) ?? 0) + 1);
    }
  }
  const categories = source.labels.map(({ id, name }) => ({ name, annotations: byLabel.get(id) ?? 0 }));
  return { images: count, annotations, categories };
}

const reportSchema = z.looseObject({ format: z.string(), files: z.array(z.string()) });

/** Throws `conflict` where the place is a file, or a folder with anything that is not of an older export. */
async function refuseInUse(out: string): Promise<void> {
  const there = await stat(out).catch(() => null);
  if (there === null) return;
  if (!there.isDirectory()) throw new AppError('conflict', `${out} is a file, not a folder. Choose another folder.`, { out });
  const files = await filesOf(out);
  if (files.length === 0) return;
  let older: readonly string[] = [];
  try {
    older = reportSchema.parse(JSON.parse(await readFile(join(out, REPORT_FILE), 'utf8'))).files;
  } catch {
    // No report of ours: nothing in the folder is.
  }
  const known = new Set(older);
  const strange = files.find((file) => !known.has(file));
  if (strange === undefined) return;
  throw new AppError('conflict', `${out} holds files that are not of an older export, as ${strange}. Choose a new or empty folder.`, {
    out,
    file: strange,
  });
}

/** All of it is on the disk before it gets its name. An older export steps aside first and goes last: a crash in between leaves one of the two whole. */
async function moveInto(draft: string, out: string): Promise<void> {
  await syncTree(draft);
  const older = `${draft}.older`;
  const there = (await stat(out).catch(() => null)) !== null;
  if (there) await rename(out, older);
  try {
    await rename(draft, out);
  } catch (cause) {
    if (there) await rename(older, out);
    throw cause;
  }
  await syncFolder(dirname(out));
  if (there) await rm(older, { recursive: true, force: true });
}

/** What exports into this place left when they were killed: an older export that had stepped aside comes back. */
async function clearLeftovers(out: string): Promise<void> {
  const names = await readdir(dirname(out)).catch(() => []);
  for (const name of names) {
    const path = join(dirname(out), name);
    if (!name.startsWith(`.${basename(out)}.`)) continue;
    const rest = /^([0-9a-f]{8})\.(tmp|read|tmp\.older)$/.exec(name.slice(basename(out).length + 2));
    if (rest?.[2] === 'tmp.older') {
      if ((await stat(out).catch(() => null)) === null) await rename(path, out);
      else await rm(path, { recursive: true, force: true });
    } else if (rest) {
      const found = await stat(path).catch(() => null);
      if (found && Date.now() - found.mtimeMs > ABANDONED_MS) await rm(path, { recursive: true, force: true });
    }
  }
}

/** Files below a folder, relative, with `/`, sorted, hidden ones too. */
async function filesOf(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    found.push(
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    );
  }
  return found.sort();
}

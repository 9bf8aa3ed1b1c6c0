import { existsSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import type { ImportProgress, ImportReport } from '../shared/calls/imports.ts';
import { LISTED_FINDINGS } from '../shared/calls/formats.ts';
import { AppError, toWireError } from '../shared/errors.ts';
import type { FormatId } from '../shared/formats.ts';
import { readCoco } from './formats/coco-in.ts';
import type { DatasetReader } from './formats/dataset.ts';
import { placeBelow } from './formats/image-places.ts';
import type { ImportAnswers, ImportAsk, ImportQuestions, ImportThreadData, ImportTold } from './import-thread.ts';
import { openSnapshot } from './store/database.ts';
import { commitImport } from './store/import-commit.ts';
import { undoImport } from './store/import-undo.ts';
import { mergeLog } from './store/import-write.ts';
import { knownImages } from './store/import-known.ts';
import type { Planned } from './store/import-plan.ts';
import { planImport } from './store/import-plan.ts';
import { createImageIndex } from './store/image-index.ts';
import { createLabels } from './store/labels.ts';
import type { Staging } from './store/staging.ts';
import { createStaging } from './store/staging.ts';

/** Reads one dataset, plans and takes it, in a thread of its own. Questions come one after the other. */

const { flags, stagingFile } = workerData as ThreadData;
type ThreadData = ImportThreadData;

let staging: Staging | null = null;
let planned: Planned | null = null;
let read: ImportQuestions['read'] | null = null;
/** The project that something was written into. */
let written: string | null = null;

const PROGRESS_MS = 100;
let toldAt = 0;

parentPort?.on('message', (ask: ImportAsk) => {
  const done = (told: ImportTold): void => parentPort?.postMessage(told);
  answer(ask).then(
    (value) => done({ kind: 'answer', id: ask.id, value }),
    (thrown: unknown) => done({ kind: 'failed', id: ask.id, error: toWireError(thrown) }),
  );
});

async function answer(ask: ImportAsk): Promise<ImportAnswers[keyof ImportAnswers]> {
  switch (ask.kind) {
    case 'read':
      return await readDataset(ask.input);
    case 'findings':
      return open().findings(ask.input);
    case 'commit':
      return commit(ask.input);
    case 'undo':
      return undoImport({ ...ask.input, onProgress: (done, total) => tell('undoing', done, total), checkpoint });
    case 'close':
      staging?.close();
      staging = null;
      if (written !== null) mergeLog(written);
      return null;
  }
}

/** Other formats read pictures: what that takes is loaded only for them. */
async function readerOf(format: FormatId): Promise<DatasetReader | null> {
  if (format === 'coco') return readCoco;
  const { formatOf } = await import('./formats/registry.ts');
  return formatOf(format)?.reader ?? null;
}

function open(): Staging {
  if (staging) return staging;
  throw new AppError('not-found', 'Nothing was read that could be imported.');
}

function checkpoint(): void {
  if (Atomics.load(flags, 0) === 1) throw new AppError('cancelled', 'The import was cancelled; nothing was changed.');
}

function tell(stage: ImportProgress['stage'], done: number, total: number): void {
  const now = performance.now();
  if (now - toldAt < PROGRESS_MS) return;
  toldAt = now;
  const told: ImportTold = { kind: 'progress', progress: { stage, done, total } };
  parentPort?.postMessage(told);
}

async function readDataset(input: ImportQuestions['read']): Promise<Planned> {
  const { place, format, pixels, project } = input;
  const reader = await readerOf(format);
  if (!reader) throw new AppError('unsupported', `Files of the format “${format}” cannot be read.`, { format });
  const images = input.images ?? project.folder;
  const snapshot = openSnapshot(project.file);
  // A reader looks at the flag wherever it tells its progress, or waits for a file.
  const abort = new AbortController();
  const watch = setInterval(() => {
    if (Atomics.load(flags, 0) === 1) abort.abort();
  }, PROGRESS_MS);
  try {
    const prefixes = [images, place, dirname(place), dirname(dirname(place))].map((folder) => placeBelow(project.folder, folder));
    const index = createImageIndex(
      snapshot.db,
      [...new Set(prefixes)].filter((prefix) => prefix !== ''),
    );
    staging = createStaging(format, stagingFile, { thread: true });
    await reader.read(place, staging, {
      images,
      regions: input.regions,
      signal: abort.signal,
      sizeOf(path) {
        const named = index.byPath(path) ?? index.byName(path);
        const found = named === 'several' ? null : named;
        return Promise.resolve(found === null || found.error !== null ? null : { width: found.width, height: found.height });
      },
      onProgress(done, total) {
        if (Atomics.load(flags, 0) === 1) abort.abort();
        tell('reading', done, total);
      },
    });
    checkpoint();
    await staging.settled();
    planned = await planImport({
      staging,
      space: reader.space,
      pixels,
      index,
      known: knownImages(snapshot.db),
      labels: new Set(
        createLabels(snapshot.db, (work) => work())
          .list()
          .map(({ name }) => name),
      ),
      async digest(path) {
        for (const folder of [input.images ?? place, place, dirname(place)]) {
          const file = join(folder, path.split('/').join(sep));
          if (!existsSync(file)) continue;
          const { hashFile } = await import('./scan.ts');
          return await hashFile(file).catch(() => null);
        }
        return null;
      },
      onProgress: (done, total) => tell('matching', done, total),
      checkpoint: () => Promise.resolve(checkpoint()),
    });
    read = input;
    return planned;
  } catch (thrown) {
    // Where rows could not be put, this says why; and the file must not be open elsewhere when it is removed.
    const unwritten: unknown = await staging?.settled().then(
      () => null,
      (error: unknown) => error,
    );
    staging?.close();
    staging = null;
    if (abort.signal.aborted) throw new AppError('cancelled', 'The import was cancelled; nothing was changed.', {}, thrown);
    throw unwritten ?? thrown;
  } finally {
    clearInterval(watch);
    snapshot.close();
  }
}

function commit({ onConflict, asDone, atMs }: ImportQuestions['commit']): Omit<ImportReport, 'file' | 'ms'> {
  const from = open();
  if (!planned || !read) throw new AppError('not-found', 'Nothing was read that could be imported.');
  const { categories, images: matched, findingCounts } = planned;
  const { place } = read;
  const { rows: findings } = from.findings({ offset: 0, limit: LISTED_FINDINGS });
  const common = { format: from.format, place, categories, onConflict, matched, findingCounts };
  const figures = commitImport({
    file: read.project.file,
    staged: from.file,
    format: from.format,
    place,
    onConflict,
    asDone,
    atMs,
    report: (found) => JSON.stringify({ ...found, ...common }),
    onProgress: (done, total) => tell('writing', done, total),
    checkpoint,
  });
  written = read.project.file;
  return { ...figures, ...common, findings };
}

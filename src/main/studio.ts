import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostKind, ProjectInfo, RunInfo } from '../shared/answers.ts';
import { SPLIT_CALLS } from '../shared/calls/splits.ts';
import type { Handlers, PixelSize } from '../shared/contract.ts';
import { AppError, fromWireError, toWireError } from '../shared/errors.ts';
import { createBundleHandlers } from './bundle-handlers.ts';
import { createClassicalThread } from './classical/thread.ts';
import { createClassicalHandlers } from './classical-handlers.ts';
import type { Desktop } from './desktop-handlers.ts';
import { createDesktopHandlers } from './desktop-handlers.ts';
import { createEvaluations } from './evaluation-handlers.ts';
import type { StudioListener } from './events.ts';
import { createStudioEvents } from './events.ts';
import { createExporting } from './exporting.ts';
import { createImportHandlers } from './import-handlers.ts';
import { createImporting } from './importing.ts';
import { listFormats } from './formats/registry.ts';
import type { Inference } from './inference/inference.ts';
import { pathOf } from './jobs.ts';
import { createModelHandlers } from './model-handlers.ts';
import type { PixelBytes } from './pixel-source.ts';
import { readPixels } from './pixel-source.ts';
import type { Project } from './project.ts';
import { openProject } from './project.ts';
import { placeProject } from './project-place.ts';
import { createPromptHandlers } from './prompt-handlers.ts';
import { createProviderHandlers } from './provider-handlers.ts';
import { createRecent } from './recent.ts';
import { createRecordHandlers } from './record-handlers.ts';
import { writeSample } from './sample.ts';
import type { ScanReport } from './scan.ts';
import { createReturnHandlers } from './return-handlers.ts';
import { createSettings } from './settings.ts';
import { takeAnnotations } from './uploads.ts';
import { createStatisticsHandlers } from './statistics-handlers.ts';
import { createViewsHandlers } from './views-handlers.ts';
import { isSqliteError, storageError } from './store/database.ts';

export interface StudioOptions {
  readonly inference: Inference;
  /** Where settings, recent projects, the sample, and projects of folders that cannot be written are. */
  readonly appFolder: string;
  readonly host: HostKind;
  /** Folders of models as the inference has them, the user's own last; that of `appFolder` when left out. */
  readonly modelFolders?: readonly string[];
  /** Which build of sharp decodes, for diagnostics. */
  readonly decoder: string;
  readonly version: string;
  /** The system's folder dialog, or null where there is none. Null from it: the user thought better. */
  readonly pickFolder: (() => Promise<string | null>) | null;
  /** The same for model files. */
  readonly pickFiles?: (() => Promise<readonly string[] | null>) | null;
  /** The system's other dialogs and its file manager, where there are any. */
  readonly desktop?: Desktop | null;
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
}

/** All use cases of one host: at most one project is open at a time. */
export interface Studio {
  /** One method per call of the contract; inputs are already parsed (see `dispatch`). */
  readonly handlers: Handlers;
  /** Answers with the way to stop listening. */
  onEvent(listener: StudioListener): () => void;
  readonly pixels: {
    /** Throws `not-found` where no project is open or it has no such image; see `readPixels`. */
    read(imageId: number, size: PixelSize): Promise<PixelBytes>;
  };
  /** Takes a model file that a browser sends, or, with a `batch`, a file of annotations; answers with its path. */
  upload(name: string, body: Readable, bytes: number, batch: string | null): Promise<string>;
  /** Waits for the scan of the open project; null where none is open, or it was closed. Throws what stopped the scan. */
  scanned(): Promise<ScanReport | null>;
  /** Waits until a run of the open project has ended. */
  runEnded(runId: number): Promise<RunInfo>;
  /** Stops runs (they can be resumed), closes the project and the inference. */
  close(): Promise<void>;
}

/** How long `project.open` waits for the scan, so that a small folder is complete when it answers. */
const SCAN_WAIT_MS = 2000;

export function createStudio(options: StudioOptions): Studio {
  const { inference, appFolder } = options;
  const clock = options.clock ?? Date.now;
  const settings = createSettings(appFolder);
  const recent = createRecent(appFolder);
  let project: Project | null = null;
  const events = createStudioEvents(() => {
    try {
      return project?.info() ?? null;
    } catch (thrown) {
      // Told from a timer, where nobody waits for an answer: the next call says that the file is damaged.
      if (isSqliteError(thrown)) return null;
      throw thrown;
    }
  });
  const closing = new AbortController();
  /** Opening and closing happen one after the other. */
  let turn: Promise<unknown> = Promise.resolve();

  const exporting = createExporting(current, closing.signal, events.exported);
  const importing = createImporting(current, clock, {
    progress: events.imported,
    committed() {
      events.tell('labels.changed', current().store.labels.list());
      tellRows([]);
    },
  });
  const bundles = createBundleHandlers({
    current,
    closing: closing.signal,
    version: options.version,
    makeSplits: () => statistics.handlers['splits.make'](SPLIT_CALLS['splits.make'].input.parse({ kind: 'class' })),
    clearSplits: () => statistics.handlers['splits.clear']({}),
    tell: events.tell,
  });
  const models = createModelHandlers({
    inference,
    appFolder,
    modelFolders: options.modelFolders,
    pickFiles: options.pickFiles,
    tell: events.tell,
    imagePath: (imageId) => pathOf(current().place.folder, current().store.images.get(imageId)),
  });
  const prompts = createPromptHandlers({
    inference,
    current,
    tell: (state) => events.tell('prompt.state', state),
    cacheBytes: () => settings.get().embeddingsMb * 2 ** 20,
  });
  const providers = createProviderHandlers({ inference, current, settings, appFolder, tell: events.tell, closing: closing.signal });
  const views = createViewsHandlers({ current, closing: closing.signal, progress: events.pictures, inference, tell: events.tell });
  const statistics = createStatisticsHandlers({ current, closing: closing.signal, progress: events.statistics });
  const evaluations = createEvaluations({ current, tell: (progress) => events.tell('evaluation.progress', progress) });
  const returns = createReturnHandlers({
    current,
    catalog: models.catalog,
    modelFolder: models.folder,
    modelAdded: models.changed,
    evaluate: (wanted) => evaluations.handlers['evaluation.run'](wanted),
    tell: events.tell,
    clock,
  });
  const thread = createClassicalThread();
  const classical = createClassicalHandlers({
    current,
    thread,
    tell: {
      labels: () => events.tell('labels.changed', current().store.labels.list()),
      suggestions: (imageId) => {
        tellRows([imageId]);
        events.tell('suggestions.changed', { imageId });
      },
      run: (run) => events.tell('run.progress', run),
    },
  });
  const stopStatus = inference.onStatus((status) => events.engine.push(status));

  function current(): Project {
    if (!project) throw new AppError('not-found', 'No project is open.');
    return project;
  }

  /** Writing names its file itself; that reading met a damaged one is only known here. */
  function named(thrown: unknown): Error {
    return project && isSqliteError(thrown) ? storageError(thrown, project.place.file) : fromWireError(toWireError(thrown));
  }

  /** A synchronous use case as the contract's method: what it throws becomes the rejection. */
  function at<I, O>(work: (input: I) => O): (input: I) => Promise<O> {
    return (input) =>
      new Promise((resolve) => {
        try {
          resolve(work(input));
        } catch (thrown) {
          throw named(thrown);
        }
      });
  }

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = turn.then(work).catch((thrown: unknown) => {
      throw named(thrown);
    });
    turn = next.catch(() => undefined);
    return next;
  }

  function tellRows(imageIds: readonly number[]): void {
    events.rows.push(imageIds);
    events.summary.push(null);
  }

  async function closeProject(): Promise<void> {
    if (!project) return;
    await importing.close();
    await views.stop();
    await returns.stop();
    await evaluations.stop();
    await statistics.stop();
    prompts.close();
    await project.close();
    project = null;
    events.rows.stop();
    events.summary.stop();
    events.scan.stop();
    events.tell('project.changed', null);
  }

  async function open(folder: string, file: string | null): Promise<ProjectInfo> {
    const place = placeProject(folder, file, appFolder);
    if (project && project.place.file === place.file && project.place.folder === place.folder && !project.store.lost()) {
      void project.rescan();
    } else {
      // What is open stays open when the other cannot be opened; one file is never opened twice.
      if (project?.place.file === place.file) await closeProject();
      const next = openProject(
        place,
        inference,
        {
          scanProgress(progress) {
            events.scan.push(progress);
            if (progress.done) events.scan.flush();
          },
          rowsChanged: tellRows,
          scanFailed(failure) {
            // Otherwise a window would wait for its end for ever.
            events.scan.push({ folder: place.folder, found: 0, read: 0, broken: 0, done: true, failure });
            events.scan.flush();
          },
          progress: (run) => events.tell('run.progress', run),
          imageDone(imageId) {
            tellRows([imageId]);
            events.tell('suggestions.changed', { imageId });
          },
          labelsMade: () => events.tell('labels.changed', next.store.labels.list()),
        },
        clock,
      );
      await closeProject();
      project = next;
    }
    const opened = current();
    const scanned = opened.scanned();
    await (options.host === 'command-line' ? scanned : Promise.race([scanned, sleep(SCAN_WAIT_MS, null, { ref: false })]));
    const info = opened.info();
    remember(info);
    events.tell('project.changed', info);
    return info;
  }

  /** The project is open, whether or not the list of recent ones can be written. */
  function remember({ name, folder, file }: ProjectInfo): void {
    try {
      recent.add({ name, folder, file, openedAtMs: Math.round(clock()) });
    } catch (thrown) {
      process.stderr.write(`maskloop: the recent projects could not be written: ${toWireError(thrown).message}\n`);
    }
  }

  const handlers: Handlers = {
    ...classical,
    'app.info': at(() => ({
      version: options.version,
      host: options.host,
      platform: `${process.platform}-${process.arch}`,
      decoder: options.decoder,
      canPickFolders: options.pickFolder !== null,
    })),
    'settings.get': at(() => settings.get()),
    'settings.set': at((change) => settings.set(change)),

    'project.pickFolder': async () => {
      if (!options.pickFolder) {
        throw new AppError('unsupported', 'There is no folder dialog here: type the path of the folder.');
      }
      return await options.pickFolder();
    },
    'project.open': ({ folder, file }) => inTurn(() => open(folder, file)),
    'project.openSample': () =>
      inTurn(async () => {
        const folder = join(appFolder, 'sample');
        await writeSample(folder, (read, found) => events.scan.push({ folder, found, read, broken: 0, done: false }), closing.signal);
        return open(folder, null);
      }),
    'project.current': at(() => project?.info() ?? null),
    'project.close': () =>
      inTurn(async () => {
        await closeProject();
        return null;
      }),
    'project.recent': at(() => recent.list()),

    ...createRecordHandlers({ current, at, tell: events.tell, tellRows }),
    ...models.handlers,
    ...providers,
    ...prompts.handlers,
    ...views.handlers,
    ...evaluations.handlers,
    ...statistics.handlers,
    ...createDesktopHandlers(options.desktop ?? null),
    ...bundles.handlers,
    ...returns.handlers,
    'engine.status': at(() => inference.status()),
    ...createImportHandlers(importing),
    'export.coco': (wanted) => exporting.start(wanted),
    'export.dataset': (wanted) => exporting.startDataset(wanted),
    'formats.list': at(listFormats),
    'export.cancel': at(() => {
      exporting.cancel();
      return null;
    }),
  };

  return {
    handlers,
    onEvent: (listener) => events.on(listener),
    pixels: {
      read: async (imageId, size) => {
        const { place, store } = current();
        return readPixels(place.folder, place.cache, store.images.get(imageId), size);
      },
    },
    upload: (name, body, bytes, batch) =>
      batch === null ? models.upload(name, body, bytes) : takeAnnotations(join(appFolder, 'uploads'), batch, name, body, bytes),
    async scanned() {
      const report = (await project?.scanned()) ?? null;
      const failure = project?.scanFailure() ?? null;
      if (failure !== null) throw fromWireError(failure);
      return report;
    },
    runEnded: (runId) => current().jobs.finished(runId),
    close() {
      closing.abort();
      return inTurn(async () => {
        await exporting.ended();
        await bundles.stop();
        await models.close();
        await closeProject();
        stopStatus();
        events.engine.stop();
        await thread.close();
        await inference.close();
      });
    },
  };
}

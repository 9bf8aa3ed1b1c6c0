import type { ExportProgress, ExportReport } from '../shared/answers.ts';
import type { DatasetExportOptions, DatasetExportReport } from '../shared/calls/formats.ts';
import type { CocoExportOptions } from '../shared/contract.ts';
import { AppError } from '../shared/errors.ts';
import { exportDataset } from './dataset-export.ts';
import { exportCoco } from './export.ts';
import type { DatasetSource } from './formats/dataset.ts';
import { knownFormat } from './formats/registry.ts';
import type { Paced } from './paced.ts';
import type { Project } from './project.ts';
import { datasetOf } from './store/snapshot.ts';

/** The export of the open project. One at a time: two would compete for the same file names. */
export interface Exporting {
  /** Waits for the scan first. Throws `conflict` while another one runs, and as `exportCoco`. */
  start(wanted: CocoExportOptions): Promise<ExportReport>;
  /** The same for any other format. Throws as `exportDataset`. */
  startDataset(wanted: DatasetExportOptions): Promise<DatasetExportReport>;
  /** The running one, if there is one, fails with `cancelled`. */
  cancel(): void;
  /** Waits for the end of the running one; whoever asked for it is told how it ended. */
  ended(): Promise<void>;
}

/** `current` answers with the open project or throws; an abort of `closing` cancels. */
export function createExporting(current: () => Project, closing: AbortSignal, progress: Paced<ExportProgress>): Exporting {
  let running: { readonly stop: AbortController; readonly ended: Promise<unknown> } | null = null;

  async function run<T>(job: (source: DatasetSource, signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    const from = current();
    await from.scanned();
    const snapshot = from.store.snapshot();
    try {
      return await job(datasetOf(snapshot, from.info().name, from.place.folder), signal);
    } finally {
      snapshot.close();
    }
  }

  async function alone<T>(job: (source: DatasetSource, signal: AbortSignal) => Promise<T>): Promise<T> {
    if (running) throw new AppError('conflict', 'An export is running already.');
    const stop = new AbortController();
    const ended = run(job, AbortSignal.any([stop.signal, closing])).finally(() => {
      running = null;
      progress.stop();
    });
    running = { stop, ended };
    return await ended;
  }

  return {
    start: (wanted) => alone((source, signal) => exportCoco(source, wanted, signal, (done) => progress.push(done))),
    startDataset: async (wanted) => {
      const format = knownFormat(wanted.format);
      return alone((source, signal) => exportDataset(format, source, wanted, signal, (done) => progress.push(done)));
    },
    cancel: () => running?.stop.abort(),
    async ended() {
      await running?.ended.catch(() => undefined);
    },
  };
}

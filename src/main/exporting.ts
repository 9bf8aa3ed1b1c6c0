import type { ExportProgress, ExportReport } from '../shared/answers.ts';
import type { CocoExportOptions } from '../shared/contract.ts';
import { AppError } from '../shared/errors.ts';
import { exportCoco } from './export.ts';
import type { Paced } from './paced.ts';
import type { Project } from './project.ts';
import { datasetOf } from './store/snapshot.ts';

/** The export of the open project. One at a time: two would compete for the same file names. */
export interface Exporting {
  /** Waits for the scan first. Throws `conflict` while another one runs, and as `exportCoco`. */
  start(wanted: CocoExportOptions): Promise<ExportReport>;
  /** The running one, if there is one, fails with `cancelled`. */
  cancel(): void;
  /** Waits for the end of the running one; whoever asked for it is told how it ended. */
  ended(): Promise<void>;
}

/** `current` answers with the open project or throws; an abort of `closing` cancels. */
export function createExporting(current: () => Project, closing: AbortSignal, progress: Paced<ExportProgress>): Exporting {
  let running: { readonly stop: AbortController; readonly ended: Promise<unknown> } | null = null;

  async function run(wanted: CocoExportOptions, signal: AbortSignal): Promise<ExportReport> {
    const from = current();
    await from.scanned();
    const snapshot = from.store.snapshot();
    try {
      const source = datasetOf(snapshot, from.info().name, from.place.folder);
      return await exportCoco(source, wanted, signal, (done) => progress.push(done));
    } finally {
      snapshot.close();
    }
  }

  return {
    async start(wanted) {
      if (running) throw new AppError('conflict', 'An export is running already.');
      const stop = new AbortController();
      const ended = run(wanted, AbortSignal.any([stop.signal, closing])).finally(() => {
        running = null;
        progress.stop();
      });
      running = { stop, ended };
      return await ended;
    },
    cancel: () => running?.stop.abort(),
    async ended() {
      await running?.ended.catch(() => undefined);
    },
  };
}

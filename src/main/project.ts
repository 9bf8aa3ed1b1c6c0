import { basename } from 'node:path';
import type { ProjectInfo, ScanProgress } from '../shared/answers.ts';
import type { WireError } from '../shared/errors.ts';
import { AppError, toWireError } from '../shared/errors.ts';
import type { Inference } from './inference/inference.ts';
import type { JobEvents, Jobs } from './jobs.ts';
import { createJobs } from './jobs.ts';
import type { ProjectPlace } from './project-place.ts';
import type { ScanReport } from './scan.ts';
import { scanFolder } from './scan.ts';
import { isSqliteError, storageError } from './store/database.ts';
import type { Store } from './store/store.ts';
import { openStore } from './store/store.ts';

export interface ProjectEvents extends JobEvents {
  scanProgress(progress: ScanProgress): void;
  rowsChanged(imageIds: readonly number[]): void;
  /** A scan that ended with an error; the project stays usable. */
  scanFailed(failure: WireError): void;
}

/** An open project: its file, the scan of its folder, and the runs on its images. */
export interface Project {
  readonly place: ProjectPlace;
  readonly store: Store;
  readonly jobs: Jobs;
  info(): ProjectInfo;
  /** Remembers which image was shown, once somebody stays with it. */
  showed(imageId: number): void;
  /** Looks through the folder again, after a scan that still goes on. */
  rescan(): Promise<ScanReport | null>;
  /** The newest scan; null where it failed or was stopped. */
  scanned(): Promise<ScanReport | null>;
  /** What ended the newest scan, or null. */
  scanFailure(): WireError | null;
  close(): Promise<void>;
}

const LAST_IMAGE = 'last_image_id';
/** Leafing through images writes nothing; one that is looked at for so long is remembered. */
const STAYED_MS = 300;

/** Throws AppError as `openStore`. The scan goes on after this returns: `scanned()` waits for it. */
export function openProject(place: ProjectPlace, inference: Inference, events: ProjectEvents, clock: () => number): Project {
  const store = openStore(place.file, { clock });
  const jobs = createJobs(store, place.folder, inference, events, clock);
  const abort = new AbortController();
  let lastImageId = Number(store.meta(LAST_IMAGE) ?? 0);
  let scan: Promise<ScanReport | null> = Promise.resolve(null);
  let failure: WireError | null = null;
  let staying: NodeJS.Timeout | undefined;

  /** A comfort: where it cannot be written, edits say why. */
  function rememberShown(): void {
    clearTimeout(staying);
    if (lastImageId <= 0) return;
    try {
      if (store.meta(LAST_IMAGE) !== String(lastImageId)) store.setMeta(LAST_IMAGE, String(lastImageId));
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown;
    }
  }

  async function look(): Promise<ScanReport | null> {
    failure = null;
    try {
      return await scanFolder({
        folder: place.folder,
        store,
        signal: abort.signal,
        onProgress: events.scanProgress,
        onRows: events.rowsChanged,
      });
    } catch (thrown) {
      if (abort.signal.aborted) return null;
      failure = toWireError(isSqliteError(thrown) ? storageError(thrown, place.file) : thrown);
      events.scanFailed(failure);
      return null;
    }
  }

  function rescan(): Promise<ScanReport | null> {
    scan = scan.then(look);
    return scan;
  }

  void rescan();
  return {
    place,
    store,
    jobs,
    info() {
      const summary = store.images.summary();
      const shown = lastImageId > 0 && store.images.has(lastImageId);
      return {
        name: basename(place.folder) || place.folder,
        folder: place.folder,
        file: place.file,
        ...summary,
        note: place.note,
        lastImageId: shown ? lastImageId : null,
      };
    },
    showed(imageId) {
      lastImageId = imageId;
      clearTimeout(staying);
      staying = setTimeout(rememberShown, STAYED_MS).unref();
    },
    rescan,
    scanned: () => scan,
    scanFailure: () => failure,
    async close() {
      abort.abort();
      await jobs.close();
      await scan;
      rememberShown();
      store.close();
    },
  };
}

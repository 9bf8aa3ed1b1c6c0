import type { EventName, Events } from '../shared/contract.ts';
import { toWireError } from '../shared/errors.ts';
import type { Paced } from './paced.ts';
import { paced } from './paced.ts';

export type StudioListener = (name: EventName, payload: Events[EventName]) => void;

/** The studio's voice: tells every listener, and what comes often at most ten times a second. */
export interface StudioEvents {
  /** Answers with the way to stop listening. */
  on(listener: StudioListener): () => void;
  /** At once. */
  tell<N extends EventName>(name: N, payload: Events[N]): void;
  readonly rows: Paced<readonly number[]>;
  /** Asks `summary` for the project as it is then; twice a second is enough for figures. */
  readonly summary: Paced<null>;
  readonly scan: Paced<Events['scan.progress']>;
  readonly exported: Paced<Events['export.progress']>;
  readonly imported: Paced<Events['import.progress']>;
  readonly engine: Paced<Events['engine.status']>;
  readonly pictures: Paced<Events['pictures.progress']>;
  readonly statistics: Paced<Events['statistics.progress']>;
}

const OFTEN_MS = 100;
const SUMMARY_MS = 400;
/** Above this many changed rows the window is told to fetch again what it shows. */
const MANY_ROWS = 500;

export function createStudioEvents(summary: () => Events['project.changed']): StudioEvents {
  const listeners = new Set<StudioListener>();

  function tell<N extends EventName>(name: N, payload: Events[N]): void {
    for (const listener of listeners) {
      try {
        listener(name, payload);
      } catch (thrown) {
        // Telling comes after the commit: a window that cannot be told must not make a saved edit look lost.
        process.stderr.write(`maskloop: “${name}” could not be told: ${toWireError(thrown).message}\n`);
      }
    }
  }

  return {
    on(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    tell,
    rows: paced<readonly number[]>(
      OFTEN_MS,
      (imageIds) => tell('images.changed', { imageIds: imageIds.length > MANY_ROWS ? [] : imageIds }),
      (a, b) => (a.length === 0 || b.length === 0 ? [] : [...new Set([...a, ...b])]),
    ),
    summary: paced<null>(SUMMARY_MS, () => {
      const project = summary();
      if (project) tell('project.changed', project);
    }),
    scan: paced<Events['scan.progress']>(OFTEN_MS, (progress) => tell('scan.progress', progress)),
    imported: paced<Events['import.progress']>(OFTEN_MS, (progress) => tell('import.progress', progress)),
    exported: paced<Events['export.progress']>(OFTEN_MS, (progress) => tell('export.progress', progress)),
    engine: paced<Events['engine.status']>(OFTEN_MS, (status) => tell('engine.status', status)),
    pictures: paced<Events['pictures.progress']>(OFTEN_MS, (progress) => tell('pictures.progress', progress)),
    statistics: paced<Events['statistics.progress']>(OFTEN_MS, (progress) => tell('statistics.progress', progress)),
  };
}

import { BUNDLE_SPLITS } from '../shared/answers/bundles.ts';
import type { BundleProgress, BundleReport } from '../shared/answers/bundles.ts';
import type { SplitReport } from '../shared/answers/splits.ts';
import type { BUNDLE_CALLS } from '../shared/calls/bundles.ts';
import type { Handlers } from '../shared/contract.ts';
import { AppError } from '../shared/errors.ts';
import type { BundleSource } from './bundle/bundle.ts';
import { writeBundle } from './bundle/bundle.ts';
import { pathOf } from './jobs.ts';
import type { StudioEvents } from './events.ts';
import { paced } from './paced.ts';
import type { Project } from './project.ts';

export interface BundleHandlersOptions {
  /** Answers with the open project or throws. */
  readonly current: () => Project;
  /** An abort cancels what runs. */
  readonly closing: AbortSignal;
  readonly version: string;
  /** Divides the images of the open project, by class, and freezes that. */
  readonly makeSplits: () => Promise<SplitReport>;
  /** Takes that back. */
  readonly clearSplits: () => Promise<unknown>;
  readonly tell: StudioEvents['tell'];
}

export interface BundleHandlers {
  readonly handlers: Pick<Handlers, keyof typeof BUNDLE_CALLS>;
  /** Cancels what runs, and waits for its end. */
  stop(): Promise<void>;
}

/** The calls that write a retraining bundle. One at a time. */
export function createBundleHandlers(options: BundleHandlersOptions): BundleHandlers {
  const { current, closing, version, makeSplits, clearSplits, tell } = options;
  const bundled = paced<BundleProgress>(100, (progress) => tell('bundle.progress', progress));
  let running: { readonly stop: AbortController; readonly ended: Promise<unknown> } | null = null;

  return {
    handlers: {
      'bundle.write': async (wanted) => {
        if (running) throw new AppError('conflict', 'A bundle is being written already.');
        const stop = new AbortController();
        const work = async (): Promise<BundleReport> => {
          const project = current();
          await project.scanned();
          const splitsMade = await splitWhereNeeded(project, makeSplits);
          const { store, place } = project;
          const snapshot = store.snapshot();
          try {
            const source: BundleSource = {
              ...snapshot,
              projectName: project.info().name,
              folder: place.folder,
              split: store.splits.of,
              fileOf: (image) => pathOf(place.folder, image),
            };
            const signal = AbortSignal.any([stop.signal, closing]);
            return await writeBundle(source, { ...wanted, splitsMade, version }, signal, (progress) => bundled.push(progress));
          } catch (thrown) {
            // Without a bundle there is nothing that the division belongs to.
            if (splitsMade !== null) await clearSplits();
            throw thrown;
          } finally {
            snapshot.close();
          }
        };
        const ended = work().finally(() => {
          running = null;
          bundled.stop();
        });
        running = { stop, ended };
        return await ended;
      },
      'bundle.cancel': () => {
        running?.stop.abort();
        return Promise.resolve(null);
      },
    },
    async stop() {
      running?.stop.abort();
      await running?.ended.catch(() => undefined);
    },
  };
}

/** Nothing is held out where nobody divided the images: they are divided by class then, and what was done is said. */
async function splitWhereNeeded(project: Project, makeSplits: () => Promise<SplitReport>): Promise<string | null> {
  const known: readonly string[] = BUNDLE_SPLITS;
  const found = project.store.splits.all();
  if (found.some(({ name }) => known.includes(name))) return null;
  if (found.length > 0) {
    const names = [...new Set(found.map(({ name }) => name))].join(', ');
    throw new AppError('invalid', `The images are split into ${names}: training needs train, and val or test.`, { key: 'splits' });
  }
  const { parts, options } = await makeSplits();
  const counts = parts.map(({ name, images }) => `${images} ${name}`).join(', ');
  return `The images were in no split: they were divided by class (${counts}; seed ${options.seed}) and stay so from now on.`;
}

import type { CallName, Events, Handlers } from '../shared/contract.ts';
import { damageOf } from './inference/damage.ts';
import { pathOf } from './jobs.ts';
import type { Project } from './project.ts';
import { writeResults } from './results.ts';
import type { Committed } from './store/documents.ts';
import type { ListFilter } from './store/image-filter.ts';
import { needsMeasures } from './store/image-filter.ts';
import type { Images } from './store/images.ts';
import type { Labels } from './store/labels.ts';

type RecordHandlers = Pick<
  Handlers,
  Extract<CallName, `images.${string}` | `labels.${string}` | `document.${string}` | `runs.${string}` | `predict.${string}`>
>;

export interface RecordsOf {
  /** The open project. Throws `not-found` where none is. */
  current(): Project;
  /** A synchronous use case as a method of the contract. */
  at<I, O>(work: (input: I) => O): (input: I) => Promise<O>;
  tell(name: 'labels.changed', labels: Events['labels.changed']): void;
  tellRows(imageIds: readonly number[]): void;
}

/** Images that are measured before a list is answered: as many as nobody notices. */
const FRESHENED = 40;

/** The calls that read and write what the project file keeps: images, labels, documents and runs. */
export function createRecordHandlers({ current, at, tell, tellRows }: RecordsOf): RecordHandlers {
  function tellLabels(): void {
    tell('labels.changed', current().store.labels.list());
  }

  function changeLabels<T>(change: (labels: Labels) => T): T {
    const result = change(current().store.labels);
    tellLabels();
    return result;
  }

  /** The images, with what the filter reads up to date; after a large change only a part of it, until somebody counts. */
  function listed(filter: ListFilter): Images {
    const { images, measures } = current().store;
    if (needsMeasures(filter.behind)) measures.freshen(FRESHENED);
    return images;
  }

  function committed(result: Committed): Committed['saved'] {
    if (result.revived) tellLabels();
    tellRows([result.saved.imageId]);
    return result.saved;
  }

  return {
    'images.list': at((query) => listed(query).page(query)),
    'images.place': at(({ imageId, ...filter }) => listed(filter).place(imageId, filter)),
    'images.nextPending': at(({ from, step, ...filter }) => listed(filter).nextPending(from, step, filter)),
    'images.damage': async ({ imageId }) => damageOf(pathOf(current().place.folder, current().store.images.get(imageId))),
    'images.get': at(({ imageId }) => current().store.images.get(imageId)),
    'images.setState': at(({ imageIds, state }) => {
      current().store.images.setState(imageIds, state);
      tellRows(imageIds);
      return null;
    }),

    'labels.list': at(() => current().store.labels.list()),
    'labels.create': at(({ name, color }) => changeLabels((labels) => labels.create(name, color))),
    'labels.update': at((change) => changeLabels((labels) => labels.update(change))),
    'labels.remove': at(({ id }) =>
      changeLabels((labels) => {
        labels.remove(id);
        return null;
      }),
    ),
    'labels.counts': at(() => current().store.labels.counts()),

    'document.load': at(({ imageId }) => {
      const document = current().store.documents.load(imageId);
      current().showed(imageId);
      return document;
    }),
    'document.apply': at(({ imageId, base, diff }) => committed(current().store.documents.apply(imageId, base, diff))),
    'document.undo': at(({ imageId, base }) => committed(current().store.documents.undo(imageId, base))),
    'document.redo': at(({ imageId, base }) => committed(current().store.documents.redo(imageId, base))),

    'predict.start': async ({ modelId, scope, options: told }) => {
      const from = current();
      if (scope.kind === 'images') return from.jobs.start(modelId, scope.imageIds, told);
      await from.scanned();
      return from.jobs.start(modelId, from.store.images.ids(scope.untouched), told);
    },
    'predict.cancel': async ({ runId }) => current().jobs.cancel(runId),
    'predict.resume': async ({ runId }) => current().jobs.resume(runId),
    'runs.list': at(() => current().jobs.list()),
    'runs.writeResults': async ({ runId, file }) => writeResults(current().store, runId, file),
    'runs.failures': at(({ runId }) => current().store.runs.failures(runId)),
  };
}

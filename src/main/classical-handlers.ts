import { join } from 'node:path';
import type { RunInfo } from '../shared/answers.ts';
import type { CLASSICAL_CALLS, ClassicalInstance } from '../shared/calls/classical.ts';
import type { ParsedQuestion } from '../shared/classical/questions.ts';
import type { Handlers } from '../shared/contract.ts';
import { AppError } from '../shared/errors.ts';
import { METHOD_VERSION } from './classical/models.ts';
import type { ClassicalImage, ClassicalThread } from './classical/thread.ts';
import { pathOf } from './jobs.ts';
import type { Project } from './project.ts';

interface ClassicalContext {
  /** The open project, or throws. */
  readonly current: () => Project;
  readonly thread: ClassicalThread;
  readonly tell: {
    /** A class was made. */
    labels(): void;
    /** An image has other suggestions. */
    suggestions(imageId: number): void;
    run(run: RunInfo): void;
  };
}

/** The classical methods on images of the open project. Of previews, and of paths, the newest question wins. */
export function createClassicalHandlers({ current, thread, tell }: ClassicalContext): Pick<Handlers, keyof typeof CLASSICAL_CALLS> {
  const previews = newestOf();
  const paths = newestOf();

  function imageOf(imageId: number): ClassicalImage {
    const { store, place } = current();
    const image = store.images.get(imageId);
    if (image.error !== null)
      throw new AppError('unsupported', `${image.path} cannot be used: ${image.error}`, { imageId, path: image.path });
    return { key: `${image.sha256} ${join(place.folder, image.path)}`, path: pathOf(place.folder, image) };
  }

  return {
    async 'classical.open'({ imageId }) {
      const startedMs = performance.now();
      const work = await thread.open(imageOf(imageId));
      return { imageId, work, ms: performance.now() - startedMs };
    },
    async 'classical.preview'({ imageId, question, draft }) {
      const startedMs = performance.now();
      const found = await previews((signal) => thread.segment(imageOf(imageId), question, draft, signal));
      return { ...found, imageId, totalMs: performance.now() - startedMs };
    },
    'classical.cancel': () => {
      previews.cancel();
      return Promise.resolve(null);
    },
    async 'classical.propose'({ imageId, question, label }) {
      const project = current();
      const { instances } = await previews((signal) => thread.segment(imageOf(imageId), question, false, signal));
      if (current() !== project) throw new AppError('cancelled', 'The project was closed meanwhile.');
      return keep(project, imageId, question, label, instances);
    },
    async 'classical.path'({ imageId, from, to, snap }) {
      const startedMs = performance.now();
      const path = await paths((signal) => thread.path(imageOf(imageId), from, to, snap, signal));
      return { ...path, ms: performance.now() - startedMs };
    },
  };

  /** In one transaction: a run that is done, with its suggestions. */
  function keep(
    project: Project,
    imageId: number,
    question: ParsedQuestion,
    label: string | null,
    found: readonly ClassicalInstance[],
  ): RunInfo {
    const { store } = project;
    const before = store.labels.list().length;
    const run = store.write(() => {
      const labelIds = store.labels.ensure([...new Set(found.map((instance) => label ?? instance.label))]);
      const { id } = store.runs.start(question.method, METHOD_VERSION, [imageId], question.parameters);
      const suggestions = found.map(({ label: own, score, box, rle }) => ({ labelId: labelIds.get(label ?? own)!, score, box, rle }));
      store.runs.finishImage(id, imageId, suggestions);
      store.runs.setProvider(id, 'cpu');
      store.runs.setState(id, 'done', null);
      return { ...store.runs.get(id), msLeft: null };
    });
    if (store.labels.list().length !== before) tell.labels();
    tell.suggestions(imageId);
    tell.run(run);
    return run;
  }
}

interface Newest {
  <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  cancel(): void;
}

/** Each new piece of work gives up the one before it, which then fails with `cancelled`. */
function newestOf(): Newest {
  let running: AbortController | null = null;
  const begin = async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    running?.abort();
    const own = new AbortController();
    running = own;
    try {
      return await work(own.signal);
    } finally {
      if (running === own) running = null;
    }
  };
  return Object.assign(begin, { cancel: () => running?.abort() });
}

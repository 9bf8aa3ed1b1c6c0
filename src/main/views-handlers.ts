import type { PictureProgress } from '../shared/answers/views.ts';
import type { CUTOUT_CALLS } from '../shared/calls/cutouts.ts';
import type { VIEW_CALLS } from '../shared/calls/views.ts';
import type { Handlers } from '../shared/contract.ts';
import { writeCounts } from './counts.ts';
import { createCutouts } from './cutouts-handlers.ts';
import type { StudioEvents } from './events.ts';
import type { Inference } from './inference/inference.ts';
import type { Paced } from './paced.ts';
import { createPictureJobs } from './picture-jobs.ts';
import type { Project } from './project.ts';
import type { PictureSource } from './render.ts';
import { renderOverlays } from './render.ts';

/** What pictures of the open project are made from, as it is while they are made. */
export function pictureSource(project: Project): PictureSource {
  const { store, place } = project;
  return {
    folder: place.folder,
    labels: store.labels.list(),
    *images() {
      const limit = 500;
      for (let offset = 0; ; offset += limit) {
        const { rows } = store.images.page({ offset, limit, search: '', states: [] });
        yield* rows;
        if (rows.length < limit) return;
      }
    },
    document: (imageId) => store.documents.load(imageId),
  };
}

interface ViewsContext {
  readonly current: () => Project;
  /** An abort cancels what runs. */
  readonly closing: AbortSignal;
  readonly progress: Paced<PictureProgress>;
  readonly inference: Inference;
  readonly tell: StudioEvents['tell'];
}

export interface Views {
  readonly handlers: Pick<Handlers, keyof typeof VIEW_CALLS | keyof typeof CUTOUT_CALLS>;
  /** Cancels the job that writes pictures, if one runs, and waits for its end. */
  stop(): Promise<void>;
}

/** The four views as pictures. `current` answers with the open project or throws. */
export function createViewsHandlers({ current, closing, progress, inference, tell }: ViewsContext): Views {
  const pictures = createPictureJobs(closing, (told) => progress.push(told));
  const cutouts = createCutouts({ current, source: pictureSource, pictures, inference });
  const handlers: Views['handlers'] = {
    ...cutouts.handlers,
    'overlays.render': (options) =>
      pictures.run('render', async (signal, onProgress) => {
        const project = current();
        await project.scanned();
        return renderOverlays(pictureSource(project), options, signal, onProgress);
      }),
    'counts.write': async ({ minScore, ...options }) => {
      const project = current();
      await project.scanned();
      const { labels, images } = pictureSource(project);
      return writeCounts({ labels, images: images(), counts: project.store.counts.byImage(minScore) }, options);
    },
    'tags.list': ({ imageId }) => Promise.resolve(current().store.tags.of(imageId)),
    'tags.set': ({ imageId, labelId, state }) => {
      const { tags } = current().store;
      tags.set(imageId, labelId, state);
      tell('suggestions.changed', { imageId });
      return Promise.resolve(tags.of(imageId));
    },
    'pictures.cancel': () => {
      pictures.cancel();
      return Promise.resolve(null);
    },
  };
  return {
    handlers,
    async stop() {
      pictures.cancel();
      await pictures.ended();
      await cutouts.stop();
      progress.stop();
    },
  };
}

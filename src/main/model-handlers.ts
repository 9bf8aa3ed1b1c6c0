import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ModelInfo } from '../shared/answers.ts';
import type { MODEL_CALLS } from '../shared/calls/models.ts';
import type { Handlers } from '../shared/contract.ts';
import { AppError } from '../shared/errors.ts';
import type { StudioEvents } from './events.ts';
import type { FetchingOptions } from './fetching.ts';
import { createFetching } from './fetching.ts';
import type { CatalogEntry } from './inference/catalog.ts';
import { createCatalog } from './inference/catalog.ts';
import { removeFetched } from './inference/fetch-model.ts';
import type { Inference } from './inference/inference.ts';

export interface ModelHandlersOptions {
  readonly inference: Inference;
  readonly appFolder: string;
  /** As the inference has them; the user's own is the last. */
  readonly modelFolders?: readonly string[] | undefined;
  readonly tell: StudioEvents['tell'];
  readonly fetch?: FetchingOptions['fetch'];
}

export interface ModelHandlers {
  readonly handlers: Pick<Handlers, keyof typeof MODEL_CALLS>;
  /** Stops what is being fetched. */
  close(): Promise<void>;
}

/** The calls about models: listing, fetching, removing, adding. */
export function createModelHandlers({ inference, appFolder, modelFolders, tell, fetch }: ModelHandlersOptions): ModelHandlers {
  const folders = modelFolders ?? [join(appFolder, 'models')];
  const own = folders.at(-1) ?? join(appFolder, 'models');
  const catalog = createCatalog(folders);
  const fetching = createFetching({
    folder: own,
    tell: (told) => tell('models.progress', told),
    onDone: () => void tellModels(),
    ...(fetch === undefined ? {} : { fetch }),
  });

  async function list(): Promise<readonly ModelInfo[]> {
    const [models, entries] = await Promise.all([inference.models(), catalog.list()]);
    const mine = new Set(entries.filter((entry) => dirname(entry.folder) === own).map((entry) => entry.id));
    const busy = new Set(fetching.running().map((told) => told.modelId));
    return models.map((model) => ({
      ...model,
      ...(mine.has(model.id) ? { origin: 'own' as const } : {}),
      ...(busy.has(model.id) ? { state: 'fetching' as const } : {}),
    }));
  }

  async function tellModels(): Promise<void> {
    tell('models.changed', await list());
  }

  async function entryOf(id: string): Promise<CatalogEntry> {
    const entry = (await catalog.list()).find((candidate) => candidate.id === id);
    if (entry) return entry;
    throw new AppError('not-found', `There is no model "${id}" any more.`, { modelId: id });
  }

  return {
    handlers: {
      'models.list': list,
      'models.get': async ({ modelId, acceptLicense }) => fetching.start(await entryOf(modelId), acceptLicense),
      'models.fetches': () => Promise.resolve(fetching.running()),
      'models.cancelGet': ({ modelId }) => {
        fetching.cancel(modelId);
        return Promise.resolve(null);
      },
      'models.remove': async ({ modelId }) => {
        const entry = await entryOf(modelId);
        if (dirname(entry.folder) === own) await rm(entry.folder, { recursive: true });
        else if (!(await removeFetched(modelId, own))) {
          throw new AppError('unsupported', `${modelId} comes with Maskloop: there is nothing that was fetched.`, { modelId });
        }
        await tellModels();
        return null;
      },
    },
    close: () => fetching.close(),
  };
}

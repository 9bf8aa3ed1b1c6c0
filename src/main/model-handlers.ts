import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { ModelInfo } from '../shared/answers.ts';
import type { MODEL_CALLS } from '../shared/calls/models.ts';
import type { Handlers } from '../shared/contract.ts';
import { AppError } from '../shared/errors.ts';
import { createDrafts } from './drafts.ts';
import type { StudioEvents } from './events.ts';
import type { FetchingOptions } from './fetching.ts';
import { createFetching } from './fetching.ts';
import type { Catalog, CatalogEntry } from './inference/catalog.ts';
import { createCatalog } from './inference/catalog.ts';
import { removeFetched } from './inference/fetch-model.ts';
import type { Inference } from './inference/inference.ts';
import { takeUpload } from './uploads.ts';

export interface ModelHandlersOptions {
  readonly inference: Inference;
  readonly appFolder: string;
  /** As the inference has them; the user's own is the last. */
  readonly modelFolders?: readonly string[] | undefined;
  readonly tell: StudioEvents['tell'];
  /** The system's file dialog, or null where there is none. */
  readonly pickFiles?: (() => Promise<readonly string[] | null>) | null | undefined;
  /** Absolute path of an image of the open project. Throws `not-found`. */
  readonly imagePath: (imageId: number) => string;
  readonly fetch?: FetchingOptions['fetch'];
}

export interface ModelHandlers {
  readonly handlers: Pick<Handlers, keyof typeof MODEL_CALLS>;
  /** Takes a model file that a browser sends; answers with its path, for `models.inspect`. Throws as `takeUpload`. */
  upload(name: string, body: Readable, bytes: number): Promise<string>;
  readonly catalog: Catalog;
  /** The user's own models. */
  readonly folder: string;
  /** Tells the window that the list has changed. */
  changed(): Promise<void>;
  /** Stops what is being fetched. */
  close(): Promise<void>;
}

/** A golden of the model that the sample project begins with. */
const SAMPLE = join('mask-rcnn-scenes', 'golden', 'scene.png');

/** The calls about models: listing, fetching, removing, adding. */
export function createModelHandlers(options: ModelHandlersOptions): ModelHandlers {
  const { inference, appFolder, modelFolders, tell, imagePath, pickFiles, fetch } = options;
  const folders = modelFolders ?? [join(appFolder, 'models')];
  const own = folders.at(-1) ?? join(appFolder, 'models');
  const catalog = createCatalog(folders);
  const fetching = createFetching({
    folder: own,
    tell: (told) => tell('models.progress', told),
    onDone: () => void tellModels(),
    ...(fetch === undefined ? {} : { fetch }),
  });

  const draftFolder = join(appFolder, 'drafts', String(process.pid));
  const drafts = createDrafts({
    inference,
    folder: draftFolder,
    modelFolder: own,
    takenIds: async () => (await catalog.list()).map((entry) => entry.id),
    onDownload: (draftId, { received, total, from }) =>
      tell('models.progress', { modelId: draftId, state: 'fetching', received, total, from, msLeft: null, message: null }),
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
      'models.pickFiles': async () => {
        if (!pickFiles) throw new AppError('unsupported', 'There is no file dialog here: drop the file on the window, or type its path.');
        return await pickFiles();
      },
      'models.inspect': ({ paths }) => drafts.inspect(paths),
      'models.propose': ({ draftId, answers }) => drafts.propose(draftId, answers),
      'models.try': ({ draftId, answers, imageId }) =>
        drafts.examine(draftId, answers, imageId === null ? sampleImage(folders) : imagePath(imageId)),
      'models.keep': async ({ draftId, answers }) => {
        const id = await drafts.keep(draftId, answers);
        await tellModels();
        const kept = (await list()).find((model) => model.id === id);
        if (kept) return kept;
        throw new AppError('internal', `${id} was added, but is not listed.`, { modelId: id });
      },
      'models.discard': async ({ draftId }) => {
        await drafts.discard(draftId);
        return null;
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
    catalog,
    folder: own,
    changed: tellModels,
    upload: (name, body, bytes) => takeUpload(draftFolder, name, body, bytes),
    async close() {
      await fetching.close();
      await drafts.close();
    },
  };
}

/** A picture that comes with the models, for a trial without a project; absolute path. @throws AppError `not-found`. */
export function sampleImage(folders: readonly string[]): string {
  const found = folders.map((folder) => join(folder, SAMPLE)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new AppError('not-found', 'There is no image to try the model on: open a project, or name one.');
}

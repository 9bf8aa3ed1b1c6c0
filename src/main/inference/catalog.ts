import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ModelInfo } from '../../shared/answers.ts';
import { AppError } from '../../shared/errors.ts';
import { outsideArchive } from './archive.ts';
import { isPermissive, sourceName } from './fetch-source.ts';
import type { Manifest, WeightFile } from './manifest.ts';
import { parseManifest, weightFiles } from './manifest.ts';

/** A folder with a `manifest.json`. A model that cannot be used is listed all the same, with why. */
export interface CatalogEntry {
  readonly id: string;
  readonly folder: string;
  readonly manifest: Manifest | null;
  readonly problem: string | null;
  /** Nothing is wrong, but the weights have to be fetched first; `problem` says how. */
  readonly toFetch: boolean;
  /** Absolute path of the weights (of the first file), there or missing; null where they were never fetched. */
  readonly file: string | null;
  /** Absolute path of each file by its role; empty where they were never fetched, or only in part. */
  readonly files: Readonly<Record<string, string>>;
}

export interface UsableModel {
  readonly manifest: Manifest;
  readonly folder: string;
  /** Absolute path of each file of weights by its role (`model` where there is one), whose hash was checked. */
  readonly files: Readonly<Record<string, string>>;
  /** The first of them. */
  readonly file: string;
  /** Of all files together: other weights, another digest. */
  readonly digest: string;
}

export interface Catalog {
  /** Every model folder, by id. Reads manifests and file sizes anew each time, not the weights. */
  list(): Promise<readonly CatalogEntry[]>;
  /**
   * A model ready to be loaded. The weights' hash is checked before their first use and whenever size
   * or modification time changed since.
   * @throws AppError `not-found` (no such model), `invalid` (its manifest), `model-load` (its file).
   */
  use(id: string): Promise<UsableModel>;
}

/**
 * Looks in `folders` in order; of two models with one id the first counts, the second says so. Weights
 * that were fetched lie in a later folder, under the same id and without a manifest of their own.
 */
export function createCatalog(folders: readonly string[]): Catalog {
  const parsed = new Map<string, { readonly text: string; readonly manifest: Manifest }>();
  const checked = new Map<string, { readonly stamp: string; readonly problem: string | null }>();

  async function manifestAt(path: string): Promise<Manifest> {
    const text = await readText(path);
    const known = parsed.get(path);
    if (known?.text === text) return known.manifest;
    const manifest = parseManifest(text, path);
    parsed.set(path, { text, manifest });
    return manifest;
  }

  async function read(folder: string): Promise<CatalogEntry> {
    const id = basename(folder);
    const path = join(folder, 'manifest.json');
    try {
      const manifest = await manifestAt(path);
      if (manifest.id !== id) {
        throw new AppError('invalid', `${path}: id is "${manifest.id}"; its folder is "${id}".`, { path, key: 'id' });
      }
      const weights = weightFiles(manifest);
      const paths = await Promise.all(weights.map((weight) => locate(folder, manifest.id, weight)));
      const files: Record<string, string> = {};
      for (const [i, { role }] of weights.entries()) if (paths[i] != null) files[role] = paths[i];
      if (Object.keys(files).length < weights.length) {
        const problem = `not fetched yet: maskloop models get ${id}`;
        return { id, folder, manifest, problem, toFetch: true, file: null, files: {} };
      }
      let problem: string | null = null;
      for (const [i, weight] of weights.entries()) problem ??= await fileProblem(paths[i] ?? '', weight);
      return { id, folder, manifest, problem, toFetch: false, file: paths[0] ?? null, files };
    } catch (thrown) {
      if (thrown instanceof AppError) return { id, folder, manifest: null, problem: thrown.message, toFetch: false, file: null, files: {} };
      throw thrown;
    }
  }

  /** Where a file of weights is, or would be; null where it has to be fetched. */
  async function locate(folder: string, id: string, { path, sources }: WeightFile): Promise<string | null> {
    const own = join(folder, path);
    if (sources.length === 0) return own;
    for (const candidate of [own, ...folders.map((root) => join(root, id, path))]) {
      if ((await stat(candidate).catch(() => null))?.isFile()) return candidate;
    }
    return null;
  }

  async function fileProblem(path: string, { bytes }: WeightFile): Promise<string | null> {
    const found = await stat(path).catch(() => null);
    if (!found?.isFile()) return `${path}: the model's file is missing.`;
    if (found.size !== bytes) return `${path}: has ${found.size} bytes; the manifest says ${bytes}.`;
    const known = checked.get(path);
    return known?.stamp === stampOf(found) ? known.problem : null;
  }

  async function list(): Promise<readonly CatalogEntry[]> {
    const entries = new Map<string, CatalogEntry>();
    for (const root of folders) {
      const names = await readdir(root, { withFileTypes: true }).catch(() => []);
      for (const { name } of names.filter((entry) => entry.isDirectory()).sort((a, b) => (a.name < b.name ? -1 : 1))) {
        const folder = join(root, name);
        if (!(await stat(join(folder, 'manifest.json')).catch(() => null))) continue;
        const entry = await read(folder);
        const first = entries.get(name);
        if (first) {
          const problem = `${folder}: another model with the id "${name}" lies in ${first.folder}, which is used.`;
          entries.set(`${name}\0${folder}`, { ...entry, problem });
        } else {
          entries.set(name, entry);
        }
      }
    }
    return [...entries.values()];
  }

  /** The one that counts; of the others nothing is read, since this is asked before every prediction. */
  async function first(id: string): Promise<CatalogEntry | null> {
    if (basename(id) !== id) return null;
    for (const root of folders) {
      const folder = join(root, id);
      if ((await stat(join(folder, 'manifest.json')).catch(() => null))?.isFile()) return read(folder);
    }
    return null;
  }

  async function use(id: string): Promise<UsableModel> {
    const entry = await first(id);
    if (!entry) {
      throw new AppError('not-found', `There is no model "${id}" in ${folders.join(' or ') || 'any folder'}.`, { modelId: id });
    }
    if (!entry.manifest) throw new AppError('invalid', entry.problem ?? `${id}: unusable`, { modelId: id });
    const weights = weightFiles(entry.manifest);
    const files: Record<string, string> = {};
    for (const { role, path } of weights) files[role] = outsideArchive(entry.files[role] ?? join(entry.folder, path));
    let { problem } = entry;
    for (const weight of weights) problem ??= await hashProblem(files[weight.role] ?? '', weight);
    const file = files[weights[0]?.role ?? ''] ?? '';
    if (problem !== null) throw new AppError('model-load', `${id}: ${problem}`, { modelId: id, file });
    const digest = createHash('sha256')
      .update(weights.map(({ role, sha256 }) => `${role} ${sha256}`).join('\n'))
      .digest('hex');
    return { manifest: entry.manifest, folder: entry.folder, files, file, digest };
  }

  async function hashProblem(file: string, weight: WeightFile): Promise<string | null> {
    const found = await stat(file);
    const stamp = stampOf(found);
    const known = checked.get(file);
    if (known?.stamp === stamp) return known.problem;
    const hash = createHash('sha256');
    await pipeline(createReadStream(file), hash);
    const sha256 = hash.digest('hex');
    const problem = sha256 === weight.sha256 ? null : `${file}: its sha256 is ${sha256}; the manifest says ${weight.sha256}.`;
    checked.set(file, { stamp, problem });
    return problem;
  }

  return { list, use };
}

/** The labels that suggestions can have: a background is none of them. */
function answeredLabels(manifest: Manifest): readonly string[] {
  return 'background' in manifest ? manifest.labels.filter((label) => !manifest.background.includes(label)) : manifest.labels;
}

/** What the window shows of a model. */
export function modelInfo(entry: CatalogEntry): ModelInfo {
  const { manifest } = entry;
  const sources = manifest === null ? [] : weightFiles(manifest).flatMap((weight) => weight.sources);
  return {
    id: entry.id,
    name: manifest?.name ?? entry.id,
    version: manifest?.version ?? '',
    family: manifest?.family ?? '',
    variant: manifest?.variant ?? null,
    labels: manifest ? answeredLabels(manifest) : [],
    license: manifest?.license ?? '',
    bytes: manifest ? weightFiles(manifest).reduce((sum, { bytes }) => sum + bytes, 0) : 0,
    minScore: manifest?.thresholds.score ?? 0,
    problem: entry.problem,
    state: entry.problem === null ? 'ready' : entry.toFetch ? 'to-fetch' : 'broken',
    origin: sources.length > 0 ? 'catalog' : 'bundled',
    about: manifest?.source ?? '',
    permissive: manifest !== null && isPermissive(manifest.license),
    neverRun: manifest?.neverRun ?? false,
    sources: [...new Set(sources.map(sourceName))],
  };
}

function stampOf(found: { readonly size: number; readonly mtimeMs: number }): string {
  return `${found.size}:${found.mtimeMs}`;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    throw new AppError('io', `${path}: cannot be read.`, { path }, thrown);
  }
}

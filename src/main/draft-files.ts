import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../shared/errors.ts';
import type { ModelSource } from './inference/fetch-source.ts';
import type { Transfer } from './inference/fetch-url.ts';
import { downloadUrl } from './inference/fetch-url.ts';
import type { Inference } from './inference/inference.ts';
import type { Subject } from './inference/inspect.ts';
import type { InspectedFile } from './inference/inspect-families.ts';
import { readOnnxHeader } from './inference/inspect-onnx.ts';
import { parseNames } from './inference/inspect-names.ts';
import { readXAnyLabeling } from './inference/xanylabeling.ts';

/** What was found of a model that is to be added. */
export type Gathered = Omit<Subject, 'taken'>;

/** A configuration whose weights lie elsewhere. */
export interface Remote {
  readonly urls: readonly { readonly url: string }[];
  readonly hints: Gathered['hints'];
  readonly notes: readonly string[];
}

type Known = Pick<Gathered, 'hints' | 'notes'> & { readonly sources?: Gathered['sources'] };

const WEIGHTS = ['.onnx', '.ort'];
const CONFIGURATIONS = ['.yaml', '.yml'];

/**
 * Reads what the paths name: model files, a folder with them, an X-AnyLabeling configuration with its files
 * beside it, and a `.txt` of class names, one a line.
 * @throws AppError `not-found`, `io`, `invalid`, `unsupported`, `model-load`.
 */
export async function gather(
  paths: readonly string[],
  inference: Pick<Inference, 'signature'>,
  known: Known = { hints: {}, notes: [] },
): Promise<Gathered | Remote> {
  const files = (await Promise.all(paths.map((path) => filesOf(resolve(path))))).flat();
  const of = (endings: readonly string[]): readonly string[] => files.filter((file) => endings.includes(extname(file).toLowerCase()));
  let { hints, notes } = known;
  let weights = of(WEIGHTS);
  const [configuration, ...more] = of(CONFIGURATIONS);
  if (configuration !== undefined && (more.length === 0 || weights.length === 0)) {
    if (more.length > 0)
      throw new AppError('invalid', `There are ${more.length + 1} YAML files: add one model at a time.`, { path: configuration });
    const model = readXAnyLabeling(await readFile(configuration, 'utf8'), configuration);
    hints = { ...model.hints, name: model.name, from: model.from };
    notes = model.notes;
    const found = await Promise.all(model.files.map((file) => besides(configuration, file.place, weights)));
    if (found.every((path) => path !== null)) weights = found;
    else {
      const missing = model.files.filter((_, i) => found[i] === null);
      const local = missing.find((file) => !file.isUrl);
      if (local) throw new AppError('not-found', `${configuration}: ${local.place} is not there.`, { path: configuration });
      return { urls: model.files.map(({ place }) => ({ url: place })), hints, notes };
    }
  }
  if (weights.length === 0) {
    throw new AppError('invalid', `${paths.map((path) => basename(path)).join(', ')}: no .onnx or .ort file, and no X-AnyLabeling .yaml.`, {
      path: paths[0] ?? '',
    });
  }
  if (weights.length > 2)
    throw new AppError('invalid', `There are ${weights.length} model files. Add one model at a time: one file, or encoder and decoder.`);
  const [names] = of(['.txt']);
  if (names !== undefined && hints.labels === undefined) {
    const labels = parseLines(await readFile(names, 'utf8'));
    if (labels.length > 0) hints = { ...hints, labels };
  }
  const inspected: InspectedFile[] = [];
  for (const path of weights) inspected.push(await inspectFile(path, inference));
  return { files: inspected, hints, notes, sources: known.sources ?? {} };
}

/** Class names of a text file: one a line, or in one of the ways of `parseNames`. */
export function parseLines(text: string): readonly string[] {
  const rows = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return rows.length === 1 ? (parseNames(rows[0] ?? '') ?? rows) : rows;
}

async function filesOf(path: string): Promise<readonly string[]> {
  const found = await stat(path).catch(() => null);
  if (found === null) throw new AppError('not-found', `${path} is not there.`, { path });
  if (!found.isDirectory()) return [path];
  const entries = await readdir(path, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => join(path, entry.name))
    .sort();
}

/** A file that a configuration names: by its path, or by its name among those that came along or lie beside it. */
async function besides(configuration: string, place: string, weights: readonly string[]): Promise<string | null> {
  const name = basename(place.split(/[?#]/)[0] ?? place);
  const came = weights.find((path) => basename(path) === name);
  if (came !== undefined) return came;
  const candidates = [join(dirname(configuration), name), ...(/^https?:/i.test(place) ? [] : [resolve(dirname(configuration), place)])];
  for (const path of candidates) if ((await stat(path).catch(() => null))?.isFile()) return path;
  return null;
}

async function inspectFile(path: string, inference: Pick<Inference, 'signature'>): Promise<InspectedFile> {
  const { size } = await stat(path);
  // Another format, which only ONNX Runtime reads.
  const header = extname(path).toLowerCase() === '.ort' ? null : await readOnnxHeader(path);
  // A file that keeps its weights elsewhere is refused by what its header says, with what to do.
  const { inputs, outputs } = (header?.external.length ?? 0) > 0 && header ? header : await inference.signature({ path });
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return { path, name: basename(path), bytes: size, sha256: hash.digest('hex'), header, inputs, outputs };
}

/** Downloads what a configuration names, into `folder`. @throws AppError `io` naming the address. */
export async function downloadRemote(
  { urls }: Remote,
  folder: string,
  onProgress: (transfer: Transfer & { readonly from: string }) => void,
): Promise<{ readonly paths: readonly string[]; readonly sources: Readonly<Record<string, ModelSource>> }> {
  await mkdir(folder, { recursive: true });
  const paths: string[] = [];
  const sources: Record<string, ModelSource> = {};
  for (const { url } of urls) {
    const path = join(folder, basename(new URL(url).pathname));
    const signal = AbortSignal.timeout(6 * 3_600_000);
    const bytes = await sizeOf(url, signal);
    await downloadUrl({ url, part: path, bytes, signal, onProgress: (transfer) => onProgress({ ...transfer, from: url }) });
    paths.push(path);
    sources[path] = { kind: 'url', url };
  }
  return { paths, sources };
}

async function sizeOf(url: string, signal: AbortSignal): Promise<number> {
  let response: Response;
  try {
    response = await fetch(url, { method: 'HEAD', headers: { 'accept-encoding': 'identity' }, signal });
  } catch (thrown) {
    throw new AppError('io', `${url} cannot be reached. Download the file yourself and put it beside the YAML file.`, { url }, thrown);
  }
  if (!response.ok)
    throw new AppError('io', `${url} answered ${response.status}. Download the file yourself and put it beside the YAML file.`, { url });
  const bytes = Number(response.headers.get('content-length') ?? 0);
  if (bytes > 0) return bytes;
  throw new AppError('io', `${url} does not say how large it is. Download the file yourself and put it beside the YAML file.`, { url });
}

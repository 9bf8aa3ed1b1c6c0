import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { constants } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { AppError } from '../../shared/errors.ts';
import type { CatalogEntry } from '../inference/catalog.ts';
import type { Manifest } from '../inference/manifest.ts';
import { parseManifest, weightFiles } from '../inference/manifest.ts';

/** Written by `train_torchvision.py` beside the model: what it was trained on. */
const trainingSchema = z.object({
  train_images: z.array(z.string()).default([]),
  val_images: z.array(z.string()).default([]),
});

const TRAINING_FILE = 'training.json';

/** A model file with its manifest, as a training leaves them. */
export interface TrainedModel {
  readonly manifest: Manifest;
  /** The manifest as it stands in its file. */
  readonly text: string;
  readonly folder: string;
  /** Absolute path of the weights. */
  readonly file: string;
  readonly sha256: string;
  /** Paths of the images it saw in training, as in the project, and those its weights were chosen by; null where nothing says. */
  readonly saw: { readonly train: readonly string[]; readonly val: readonly string[] } | null;
}

/**
 * Reads a trained model: `path` is its ONNX file, its `manifest.json` or their folder.
 * Throws AppError `not-found`, `invalid` (no manifest, or what it says), `model-load` (the weights are not those of the
 * manifest), each naming the file.
 */
export async function readTrained(path: string): Promise<TrainedModel> {
  const at = resolve(path);
  const found = await stat(at).catch(() => null);
  if (found === null) throw new AppError('not-found', `${at} is not there.`, { path: at });
  const folder = found.isDirectory() ? at : dirname(at);
  const manifestPath = join(folder, 'manifest.json');
  const text = await readFile(manifestPath, 'utf8').catch(() => null);
  if (text === null) {
    throw new AppError(
      'invalid',
      `There is no manifest.json beside ${at}. train_torchvision.py writes one; a model from elsewhere is added with “Add a model”.`,
      { path: at },
    );
  }
  const manifest = parseManifest(text, manifestPath);
  const [weights, ...more] = weightFiles(manifest);
  if (weights === undefined || more.length > 0)
    throw new AppError('invalid', `${manifestPath}: a model of one file is expected.`, { path: manifestPath });
  const file = join(folder, weights.path);
  if (!found.isDirectory() && at !== file && at !== manifestPath) {
    throw new AppError('invalid', `${manifestPath} is the manifest of ${weights.path}, not of ${at}.`, { path: at });
  }
  const sha256 = await hashOf(file);
  if (sha256 !== weights.sha256) {
    throw new AppError('model-load', `${file} is not the file that ${manifestPath} describes (its SHA-256 differs). Copy both again.`, {
      file,
    });
  }
  return { manifest, text, folder, file, sha256, saw: await sawIn(folder) };
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(file), hash);
  } catch (thrown) {
    throw new AppError('not-found', `${file} is not there, or cannot be read.`, { path: file }, thrown);
  }
  return hash.digest('hex');
}

async function sawIn(folder: string): Promise<TrainedModel['saw']> {
  const path = join(folder, TRAINING_FILE);
  const text = await readFile(path, 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    const { train_images: train, val_images: val } = trainingSchema.parse(JSON.parse(text));
    return { train, val };
  } catch (thrown) {
    throw new AppError(
      'invalid',
      `${path} is not what a training writes: ${thrown instanceof Error ? thrown.message : ''}`,
      { path },
      thrown,
    );
  }
}

/**
 * Makes it one of the user's models, under its own id or, where that is taken, with a number behind it: the former model
 * stays beside it. Weights that are here already are not added again. Answers with the id.
 * Throws `io` naming the file.
 */
export async function addTrained(
  trained: TrainedModel,
  modelFolder: string,
  entries: readonly CatalogEntry[],
): Promise<{ readonly id: string; readonly known: boolean }> {
  const same = entries.find(({ manifest }) => manifest !== null && weightFiles(manifest)[0]?.sha256 === trained.sha256);
  if (same) return { id: same.id, known: true };
  const taken = new Set(entries.map((entry) => entry.id));
  const id = freeId(trained.manifest.id, taken);
  // Under a name that no catalog looks at until all of it is there.
  const made = join(modelFolder, `.adding-${randomBytes(8).toString('hex')}`);
  try {
    await mkdir(made, { recursive: true });
    const [weights] = weightFiles(trained.manifest);
    const to = join(made, weights?.path ?? 'model.onnx');
    await mkdir(dirname(to), { recursive: true });
    await copyFile(trained.file, to, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
    const said = z.record(z.string(), z.unknown()).parse(JSON.parse(trained.text));
    // Its goldens stay where they are: they test a training, not this copy.
    await writeFile(join(made, 'manifest.json'), `${JSON.stringify({ ...said, id, goldens: [] }, null, 2)}\n`);
    const training = await readFile(join(trained.folder, TRAINING_FILE)).catch(() => null);
    if (training !== null) await writeFile(join(made, TRAINING_FILE), training);
    await rename(made, join(modelFolder, id));
  } catch (thrown) {
    await rm(made, { recursive: true, force: true });
    const said = thrown instanceof Error ? thrown.message : String(thrown);
    throw new AppError('io', `${trained.file} could not be added to ${modelFolder}: ${said}`, { path: trained.file }, thrown);
  }
  return { id, known: false };
}

function freeId(wanted: string, taken: ReadonlySet<string>): string {
  for (let n = 1; ; n++) {
    const end = n === 1 ? '' : `-${n}`;
    const id = `${wanted.slice(0, 63 - end.length)}${end}`;
    if (!taken.has(id)) return id;
  }
}

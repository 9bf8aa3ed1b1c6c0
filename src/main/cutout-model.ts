import { readdir } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { AppError } from '../shared/errors.ts';
import { encodeRle, rleArea } from '../shared/mask/rle.ts';
import type { CutSubject } from './cutout-job.ts';
import type { CutObject } from './cutout.ts';
import { numbered } from './cutout.ts';
import type { Inference } from './inference/inference.ts';
import { decodeGreyPng, IMAGE_EXTENSIONS } from './inference/pixels.ts';
import { isMeant, pictureStems } from './render-files.ts';
import { naturalKey } from './store/natural-order.ts';

interface ModelQuestion {
  readonly modelId: string;
  /** Names of classes; empty for all. */
  readonly labels: readonly string[];
  /** Null: the model's own threshold. */
  readonly minScore: number | null;
  readonly signal: AbortSignal;
}

/**
 * What a model finds on images, as objects to be cut out; nothing of it is kept. Throws AppError `not-found` and
 * `model-load` for a model that cannot be used; its subjects throw as `Inference.predict`.
 */
export async function modelSubjects(
  inference: Inference,
  images: readonly Omit<CutSubject, 'objects'>[],
  { modelId, labels, minScore, signal }: ModelQuestion,
): Promise<CutSubject[]> {
  const models = await inference.models();
  const model = models.find(({ id }) => id === modelId);
  if (!model)
    throw new AppError('not-found', `There is no model "${modelId}". There are: ${models.map(({ id }) => id).join(', ')}.`, { modelId });
  if (model.problem !== null) throw new AppError('model-load', `Model ${modelId} cannot be used: ${model.problem}`, { modelId });
  const least = minScore ?? model.minScore;
  return images.map((image, i) => ({
    ...image,
    async objects() {
      if (model.family === 'salient') {
        const label = model.labels[0] ?? 'foreground';
        return labels.length > 0 && !labels.includes(label) ? [] : salientObjects(inference, { modelId, label, path: image.file, signal });
      }
      const next = images[i + 1]?.file ?? null;
      const { instances } = await inference.predict({ modelId, path: image.file, priority: 'batch', next }, signal);
      const found = instances.filter(({ label, score }) => score >= least && (labels.length === 0 || labels.includes(label)));
      return numbered(found.map(({ label, rle }) => ({ label, geometry: { kind: 'mask', rle }, id: null })));
    },
  }));
}

/** The one thing that a salient model sees, with its own soft border; none where it sees nothing. */
async function salientObjects(
  inference: Inference,
  { modelId, label, path, signal }: { modelId: string; label: string; path: string; signal: AbortSignal },
): Promise<CutObject[]> {
  const { alphaPng, width, height } = await inference.matte({ modelId, path, priority: 'batch' }, signal);
  const soft = await decodeGreyPng(Buffer.from(alphaPng, 'base64'));
  const rle = encodeRle({ width, height, data: Uint8Array.from(soft, (value) => (value >= 128 ? 1 : 0)) });
  return rleArea(rle) === 0 ? [] : [{ label, number: 1, geometry: { kind: 'mask', rle }, id: null, soft }];
}

/** The image files of a folder and the folders in it, in natural order, hidden ones left out. No project is made. Throws AppError `io`. */
export async function imageFiles(folder: string, pattern: string | null): Promise<Omit<CutSubject, 'objects'>[]> {
  const root = resolve(folder);
  const paths: string[] = [];
  try {
    for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name)
        .slice(root.length + 1)
        .replaceAll('\\', '/');
      if (entry.isDirectory() || path.split('/').some((part) => part.startsWith('.'))) continue;
      if (IMAGE_EXTENSIONS.includes(extname(path).toLowerCase()) && isMeant(path, pattern)) paths.push(path);
    }
  } catch (thrown) {
    throw new AppError('io', `${folder} cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`, { folder }, thrown);
  }
  const keys = new Map(paths.map((path) => [path, naturalKey(path)]));
  paths.sort((a, b) => ((keys.get(a) ?? '') < (keys.get(b) ?? '') ? -1 : 1));
  const stems = pictureStems(paths.map((path, id) => ({ id, path })));
  return paths.map((path, id) => ({ path, file: join(root, path), stem: stems.get(id) ?? path }));
}

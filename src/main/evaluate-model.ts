import { join, resolve } from 'node:path';
import { AppError } from '../shared/errors.ts';
import type { CocoEvaluation } from '../shared/evaluate/coco.ts';
import { evaluateCoco } from '../shared/evaluate/coco.ts';
import type { CocoDetection } from '../shared/evaluate/dataset.ts';
import type { CocoFile } from './formats/coco-reader.ts';
import { readCocoFile } from './formats/coco-reader.ts';
import type { Inference } from './inference/inference.ts';

export interface ModelEvaluation {
  readonly modelId: string;
  readonly modelVersion: string;
  readonly provider: string;
  readonly segm: CocoEvaluation;
  readonly bbox: CocoEvaluation;
  /** What the model found, as a COCO results file has it. */
  readonly results: readonly CocoDetection[];
  /** Images that could not be predicted; they count as images without a detection. */
  readonly failures: readonly { readonly path: string; readonly reason: string }[];
  /** Milliseconds of the bare `session.run` and of the whole prediction, mean over the images. */
  readonly meanRunMs: number;
  readonly meanTotalMs: number;
}

export interface ModelEvaluationOptions {
  /** COCO instances file. */
  readonly truthPath: string;
  /** Folder that the file's `file_name`s are relative to. */
  readonly imageFolder: string;
  readonly modelId: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Runs a model on every image of a COCO file and evaluates what it finds, by masks and by boxes.
 * The model's classes are matched to the file's categories by name; detections of classes that the
 * file does not have are left out, as COCO does.
 * Throws AppError: as `readCocoFile`; `not-found` and `model-load` for the model; `invalid` where no class
 * matches, a name is two categories', an image's size is not the file's, or a `file_name` leads out of
 * the folder; `cancelled`.
 */
export async function evaluateModel(inference: Inference, options: ModelEvaluationOptions): Promise<ModelEvaluation> {
  const { truthPath, modelId, signal } = options;
  const truth = await readCocoFile(truthPath);
  const model = (await inference.models()).find((info) => info.id === modelId);
  if (!model) throw new AppError('not-found', `There is no model "${modelId}".`, { modelId });
  if (model.problem !== null) throw new AppError('model-load', `Model ${modelId} cannot be used: ${model.problem}`, { modelId });
  const categoryIds = matchLabels(truth, model.labels, truthPath, modelId);

  const results: CocoDetection[] = [];
  const failures: { path: string; reason: string }[] = [];
  const paths = truth.images.map((image) => inside(options.imageFolder, image.file_name, truthPath));
  let version = model.version;
  let provider = '';
  let runMs = 0;
  let totalMs = 0;
  for (const [index, image] of truth.images.entries()) {
    if (signal?.aborted) throw new AppError('cancelled', 'The evaluation was cancelled.', { modelId });
    try {
      const prediction = await inference.predict(
        { modelId, path: paths[index] ?? '', priority: 'batch', next: paths[index + 1] ?? null },
        signal,
      );
      if (prediction.width !== image.width || prediction.height !== image.height) {
        throw new AppError(
          'invalid',
          `${image.file_name} is ${prediction.width}×${prediction.height} pixels, but ${truthPath} says ${image.width}×${image.height}.`,
          { path: image.file_name },
        );
      }
      version = prediction.modelVersion;
      provider = prediction.provider;
      runMs += prediction.runMs;
      totalMs += prediction.totalMs;
      for (const { label, score, box, rle } of prediction.instances) {
        const categoryId = categoryIds.get(label);
        if (categoryId !== undefined) results.push({ image_id: image.id, category_id: categoryId, score, bbox: box, segmentation: rle });
      }
    } catch (thrown) {
      // One bad image is a line in the report. Whatever else goes wrong ends the evaluation.
      if (!(thrown instanceof AppError) || (thrown.code !== 'unsupported' && thrown.code !== 'io')) throw thrown;
      failures.push({ path: image.file_name, reason: thrown.message });
    }
    options.onProgress?.(index + 1, truth.images.length);
  }
  const predicted = Math.max(1, truth.images.length - failures.length);
  return {
    modelId,
    modelVersion: version,
    provider,
    // By the mask's own area and box, as pycocotools' loadRes does for results that have masks only.
    segm: evaluateCoco(
      truth,
      results.map(({ bbox: _, ...rest }) => rest),
      'segm',
    ),
    bbox: evaluateCoco(truth, results, 'bbox'),
    results,
    failures,
    meanRunMs: runMs / predicted,
    meanTotalMs: totalMs / predicted,
  };
}

/** The file's category of each class name of the model that it has. */
function matchLabels(truth: CocoFile, labels: readonly string[], truthPath: string, modelId: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const { id, name } of truth.categories) {
    if (!labels.includes(name)) continue;
    const other = found.get(name);
    if (other !== undefined)
      throw new AppError('invalid', `${truthPath}: "${name}" is category ${other} and category ${id}.`, { path: truthPath, name });
    found.set(name, id);
  }
  if (found.size === 0) {
    throw new AppError('invalid', `No class of model ${modelId} (${labels.join(', ')}) is a category of ${truthPath}.`, {
      path: truthPath,
      modelId,
    });
  }
  return found;
}

function inside(folder: string, fileName: string, truthPath: string): string {
  const root = resolve(folder);
  const path = join(root, fileName);
  if (path === root || path.startsWith(join(root, '/'))) return path;
  throw new AppError('invalid', `${truthPath}: "${fileName}" leads out of the image folder.`, { path: truthPath, file_name: fileName });
}

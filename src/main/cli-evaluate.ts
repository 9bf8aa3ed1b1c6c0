import { AppError } from '../shared/errors.ts';
import type { Console } from './cli-console.ts';
import { count, EXIT } from './cli-console.ts';
import type { Outcome } from './cli-jobs.ts';
import { evaluateModel } from './evaluate-model.ts';
import { evaluateFiles, evaluationLines } from './evaluate.ts';
import { localInference } from './local-studio.ts';

export interface EvaluateOptions {
  readonly truth: string;
  readonly results?: string;
  readonly images?: string;
  readonly model?: string;
  readonly kind: 'segm' | 'bbox';
}

/** COCO figures, of a results file or of a model that is run on the truth's images. */
export async function evaluateJob(console: Console, signal: AbortSignal, options: EvaluateOptions): Promise<Outcome> {
  const { truth, results, images, model, kind } = options;
  if (results !== undefined && images === undefined && model === undefined) {
    const evaluation = await evaluateFiles(truth, results, kind);
    for (const line of evaluationLines(evaluation)) console.say(line);
    return { code: EXIT.ok, value: evaluation };
  }
  if (results !== undefined || images === undefined || model === undefined) {
    throw new AppError('invalid', 'Give either --results FILE, or --images DIR and --model ID.', {});
  }
  const inference = await localInference();
  try {
    const evaluated = await evaluateModel(inference, {
      truthPath: truth,
      imageFolder: images,
      modelId: model,
      signal,
      onProgress: (done, total) => console.progress(`Predicting: ${done} of ${count(total, 'image')}`),
    });
    console.say(
      `Model ${evaluated.modelId} ${evaluated.modelVersion} on ${evaluated.provider}: ${Math.round(evaluated.meanTotalMs)} ms an image, ${Math.round(evaluated.meanRunMs)} ms of it in the model`,
    );
    for (const line of evaluationLines(evaluated[kind])) console.say(line);
    for (const { path, reason } of evaluated.failures) console.say(`  ${path}: ${reason}`);
    return { code: evaluated.failures.length > 0 ? EXIT.partly : EXIT.ok, value: evaluated };
  } finally {
    await inference.close();
  }
}

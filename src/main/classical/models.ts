import { stat } from 'node:fs/promises';
import type { EngineStatus, ModelInfo } from '../../shared/answers.ts';
import type { HintlessMethod, ParsedQuestion } from '../../shared/classical/questions.ts';
import { HINTLESS_METHODS, METHOD_NAMES, questionSchema } from '../../shared/classical/questions.ts';
import { AppError } from '../../shared/errors.ts';
import type { Inference, PredictRequest, Prediction } from '../inference/inference.ts';
import type { ClassicalImage, ClassicalThread } from './thread.ts';
import { createClassicalThread } from './thread.ts';

/** Of all methods; it changes when the same question may be answered otherwise. */
export const METHOD_VERSION = '1';

/**
 * The port with the methods that need no hint beside the models: family `classical`, ids `kmeans` and
 * `mean-shift`, so that they run over folders, from the command line and as suggestions as models do. Options are their
 * parameters, and `label`: the class of everything they find, in place of their own names, which say no more
 * than the order in one image (`cluster 1` is the largest). They have a thread of their own in this process.
 */
export function withClassical(inference: Inference): Inference {
  const thread = createClassicalThread();
  const listeners = new Set<(status: EngineStatus) => void>();
  /** What is said instead of the engine's status since a method ran last; null once the engine says something again. */
  let own: EngineStatus | null = null;
  const stop = inference.onStatus((status) => {
    own = null;
    for (const listener of listeners) listener(status);
  });

  async function run(method: HintlessMethod, request: PredictRequest, signal: AbortSignal | undefined): Promise<Prediction> {
    const before: EngineStatus = own ?? { ...inference.status(), lastMs: null, lastRunMs: null };
    const tell = (change: Partial<EngineStatus>): void => {
      own = { ...before, provider: 'cpu', attempts: [], threads: 1, modelId: method, message: null, state: 'idle', ...change };
      for (const listener of listeners) listener(own);
    };
    tell({ state: 'running' });
    try {
      const prediction = await predict(thread, method, request, signal);
      tell({ lastMs: prediction.totalMs, lastRunMs: prediction.runMs });
      return prediction;
    } catch (thrown) {
      tell({});
      throw thrown;
    }
  }

  return {
    ...inference,
    status: () => own ?? inference.status(),
    onStatus(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async models() {
      const known = await inference.models();
      return [...known, ...HINTLESS_METHODS.filter((id) => !known.some((model) => model.id === id)).map(modelInfo)];
    },
    predict(request, signal) {
      const method = HINTLESS_METHODS.find((id) => id === request.modelId);
      return method ? run(method, request, signal) : inference.predict(request, signal);
    },
    async close() {
      stop();
      await thread.close();
      await inference.close();
    },
  };
}

function modelInfo(id: HintlessMethod): ModelInfo {
  return {
    id,
    name: METHOD_NAMES[id],
    version: METHOD_VERSION,
    family: 'classical',
    variant: null,
    labels: [],
    license: 'Apache-2.0',
    bytes: 0,
    minScore: 0,
    problem: null,
    state: 'ready',
    origin: 'built-in',
    about: 'A classical method: nothing is learnt and nothing is fetched.',
    permissive: true,
    neverRun: false,
    sources: [],
  };
}

async function predict(
  thread: ClassicalThread,
  method: HintlessMethod,
  request: PredictRequest,
  signal?: AbortSignal,
): Promise<Prediction> {
  const startedMs = performance.now();
  const { question, label } = parsed(method, request.options ?? {});
  const image = await imageAt(request.path);
  const opened = thread.open(image, signal);
  await opened;
  const openedMs = performance.now();
  const found = thread.segment(image, question, false, signal);
  if (request.next !== null) void ahead(thread, request.next);
  const { width, height, instances, methodMs, finishMs } = await found;
  return {
    modelId: method,
    modelVersion: METHOD_VERSION,
    width,
    height,
    instances: instances.map(({ label: own, score, box, rle }) => ({ label: label ?? own, score, box, rle })),
    provider: 'cpu',
    decodeMs: openedMs - startedMs,
    prepareMs: 0,
    runMs: methodMs,
    finishMs,
    totalMs: performance.now() - startedMs,
  };
}

/** Throws `model-load`, naming the option: the next image would meet it too, so a run ends. */
function parsed(
  method: HintlessMethod,
  options: Readonly<Record<string, number | string | boolean>>,
): { question: ParsedQuestion; label: string | null } {
  const { label, ...parameters } = options;
  if (label !== undefined && (typeof label !== 'string' || label.trim() === '')) {
    throw new AppError('model-load', `${METHOD_NAMES[method]}: label is the name of a class.`, { option: 'label' });
  }
  const result = questionSchema.safeParse({ method, parameters });
  if (!result.success) {
    const issue = result.error.issues[0];
    const name = issue?.path.slice(1).join('.') ?? '';
    throw new AppError('model-load', `${METHOD_NAMES[method]}: ${[name, issue?.message ?? 'wrong options'].filter(Boolean).join(': ')}.`, {
      option: name,
    });
  }
  return { question: result.data, label: typeof label === 'string' ? label.trim() : null };
}

/** A file that was written again is another image. Where there is none, the decoder says so. */
async function imageAt(path: string): Promise<ClassicalImage> {
  const file = await stat(path).catch(() => null);
  return { key: `${path} ${file?.size ?? 0} ${file?.mtimeMs ?? 0}`, path };
}

/** Decodes the image that comes next; what is wrong with it is said when its turn comes. */
async function ahead(thread: ClassicalThread, path: string): Promise<void> {
  await thread.open(await imageAt(path)).catch(() => undefined);
}

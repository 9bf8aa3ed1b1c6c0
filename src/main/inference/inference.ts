import type { EngineStatus, ModelInfo } from '../../shared/answers.ts';
import type { Box, Rle } from '../../shared/records.ts';

/**
 * The port to inference. Three things stand behind it: the engine in this process (command line), and
 * the engine in a child of plain Node (browser host) or in a utilityProcess (desktop), over messages.
 */
export interface Inference extends Asking {
  models(): Promise<readonly ModelInfo[]>;
  status(): EngineStatus;
  /** Called on every change of status; answers with the way to stop it. */
  onStatus(listener: (status: EngineStatus) => void): () => void;
  close(): Promise<void>;
}

/**
 * What the engine can be asked: a line here, its schema in `messages.ts`, its name in `remote.ts` and its
 * method in the engine make a question that travels between processes, with cancel and restart.
 */
export interface Questions {
  /**
   * Decodes the image file, runs the model, and answers with instances in image space.
   * Throws AppError: `not-found` (model or file), `invalid` (manifest), `unsupported` or `io` (the
   * image cannot be decoded; the message says why), `model-load`, `model-run`, `cancelled`.
   */
  readonly predict: { readonly request: PredictRequest; readonly answer: Prediction };
}
export type Method = keyof Questions;
export type Request<M extends Method> = Questions[M]['request'];
export type Answer<M extends Method> = Questions[M]['answer'];

/** Every question as a method; the signal gives it up. */
export type Asking = { readonly [M in Method]: (request: Request<M>, signal?: AbortSignal) => Promise<Answer<M>> };

/** What a model may be told beside the image, e.g. how regions are cut; a key that it does not know is an error of the model. */
export type ModelOptions = Readonly<Record<string, number | string | boolean>>;

export interface PredictRequest {
  readonly modelId: string;
  /** Absolute path. */
  readonly path: string;
  /** `user` goes before everything that is `batch`. */
  readonly priority: 'user' | 'batch';
  /** The image that will be asked next, decoded meanwhile; absolute path or null. */
  readonly next: string | null;
  /** Absent: as the manifest says. */
  readonly options?: ModelOptions | undefined;
}

export interface PredictedInstance {
  /** Name as the manifest's label list has it. */
  readonly label: string;
  readonly score: number;
  readonly box: Box;
  readonly rle: Rle;
}

export interface Prediction {
  readonly modelId: string;
  readonly modelVersion: string;
  readonly width: number;
  readonly height: number;
  readonly instances: readonly PredictedInstance[];
  readonly provider: string;
  /** Time that this prediction waited for its pixels; next to nothing when they were decoded ahead. */
  readonly decodeMs: number;
  readonly prepareMs: number;
  readonly runMs: number;
  readonly finishMs: number;
  /** The whole prediction, without the loading of its model. */
  readonly totalMs: number;
}

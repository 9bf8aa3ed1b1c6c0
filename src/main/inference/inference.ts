import type { EngineStatus, ModelInfo } from '../../shared/answers.ts';
import type { Measured, ProviderChoice } from '../../shared/answers/providers.ts';
import type { PromptAnswer, PromptPoint } from '../../shared/calls/prompts.ts';
import type { Box, Rle } from '../../shared/records.ts';
import type { Examination, ExamineRequest } from './examine.ts';
import type { Signature } from './session-graph.ts';

/**
 * The port to inference. Three things stand behind it: the engine in this process (command line), and
 * the engine in a child of plain Node (browser host) or in a utilityProcess (desktop), over messages.
 */
export interface Inference extends Asking {
  models(): Promise<readonly ModelInfo[]>;
  /** Follows another choice of providers and threads from the next model that is loaded; forgets what was refused. */
  configure(choice: ProviderChoice): Promise<void>;
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
  /** How much each pixel belongs to what the image is about. Throws as `predict`; `unsupported` for models that are not salient. */
  readonly matte: { readonly request: MatteRequest; readonly answer: Matte };
  /**
   * Makes the embedding of an image for prompts, or finds it among those kept. With priority `idle` it is
   * begun when nothing else waits. Throws AppError as `predict`; `unsupported` for models without prompts.
   */
  readonly embed: { readonly request: EmbedRequest; readonly answer: Embedded };
  /**
   * Masks for clicks or a box. A newer question about an image makes an older one that still waits fail with
   * `cancelled`: a click those before it and the pointer's, the pointer only its own. Throws as `embed`.
   */
  readonly prompt: { readonly request: PromptRequest; readonly answer: PromptAnswer };
  /** Loads a file without running it, and answers with its inputs and outputs. Throws AppError `model-load`. */
  readonly signature: { readonly request: { readonly path: string }; readonly answer: Signature };
  /** Runs a model of any folder on one image, and looks into its outputs. Throws as `predict`. */
  readonly examine: { readonly request: ExamineRequest; readonly answer: Examination };
  /**
   * Runs a model on an image several times with each provider that can, and compares their answers with the
   * CPU's. Throws AppError as `predict`; `unsupported` for models that answer prompts.
   */
  readonly measure: { readonly request: MeasureRequest; readonly answer: readonly Measured[] };
}
export type Method = keyof Questions;
export type Request<M extends Method> = Questions[M]['request'];
export type Answer<M extends Method> = Questions[M]['answer'];

/** Every question as a method; the signal gives it up. */
export type Asking = { readonly [M in Method]: (request: Request<M>, signal?: AbortSignal) => Promise<Answer<M>> };

/** What a model may be told beside the image, e.g. how regions are cut; a key that it does not know is an error of the model. */
export type ModelOptions = Readonly<Record<string, number | string | boolean>>;

/** An image as prompts know it. */
export interface EmbedRequest {
  readonly modelId: string;
  /** Absolute path. */
  readonly path: string;
  /** Of the file's content. */
  readonly imageSha: string;
  /** Of the oriented image, pixels. */
  readonly width: number;
  readonly height: number;
  /** Folder that embeddings are kept in, and the most bytes of it; null to keep none on the disk. */
  readonly cache: { readonly path: string; readonly bytes: number } | null;
  readonly priority: 'user' | 'idle';
}

export interface Embedded {
  /** Found, not made. */
  readonly cached: boolean;
  /** Of the encoder; null where it did not run. */
  readonly provider: string | null;
  readonly ms: number;
}

/** See `prompt.ask` of the contract. */
export interface PromptRequest extends EmbedRequest {
  readonly points: readonly PromptPoint[];
  readonly box: Box | null;
  readonly refine: { readonly promptId: number; readonly candidate: number } | null;
  readonly hover: boolean;
  readonly finer: boolean;
}

export interface MeasureRequest {
  readonly modelId: string;
  /** Absolute path. */
  readonly path: string;
  /** Counted runs of each provider. */
  readonly runs: number;
}

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

export interface MatteRequest {
  readonly modelId: string;
  /** Absolute path. */
  readonly path: string;
  readonly priority: 'user' | 'batch';
}

export interface Matte {
  readonly modelId: string;
  readonly modelVersion: string;
  /** Of the oriented image, and of the PNG. */
  readonly width: number;
  readonly height: number;
  /** One channel of 8 bits, 255 wholly in, as base64: processes exchange text. */
  readonly alphaPng: string;
  readonly provider: string;
  readonly totalMs: number;
}

/** Something that the image shows as a whole. */
export interface PredictedTag {
  /** Name as the manifest's label list has it. */
  readonly label: string;
  readonly score: number;
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
  /** Of a classifier, best first; absent of models that answer none. */
  readonly tags?: readonly PredictedTag[];
  readonly provider: string;
  /** Time that this prediction waited for its pixels; next to nothing when they were decoded ahead. */
  readonly decodeMs: number;
  readonly prepareMs: number;
  readonly runMs: number;
  readonly finishMs: number;
  /** The whole prediction, without the loading of its model. */
  readonly totalMs: number;
}

import * as ort from 'onnxruntime-node';
import type { TensorInfo } from '../../shared/answers/models.ts';
import { AppError } from '../../shared/errors.ts';
import type { InputTensor, OutputTensor, WholeTensor } from './families/family.ts';
import { shortReason } from './providers.ts';
import type { SessionFile } from './sessions.ts';

/** One graph, loaded. The only user of onnxruntime-node: its tensors and sessions stay in here. */
export interface Graph {
  /** @throws Error with ONNX Runtime's own words; `shortReason` shortens them. */
  run(feeds: Feeds): Promise<Outputs>;
  release(): Promise<void>;
}

export type Feeds = Readonly<Record<string, InputTensor | WholeTensor>>;
export type Outputs = Readonly<Record<string, OutputTensor>>;

/** Another way to run a file than with a provider as it is. */
export interface Way {
  readonly options: ort.InferenceSession.SessionOptions;
  /** Another file than the model's; absolute path. */
  readonly path?: string;
}

/** Of the library that runs here, e.g. `1.30.0`. */
export const ORT_VERSION = ort.env.versions.node ?? 'unknown';

/** Providers that this build of ONNX Runtime knows, whether or not this machine can use them. */
export function availableProviders(): readonly string[] {
  // It reports what it could not load to the terminal too; those reasons are in `attempts`.
  ort.env.logLevel = 'fatal';
  return ort.listSupportedBackends().map((backend) => backend.name);
}

/** A file that was optimised for one provider runs on that one only: ONNX Runtime writes `.ort` for the CPU. */
export function unfit(file: SessionFile, provider: string): string | null {
  if (provider === 'cpu' || !file.path.endsWith('.ort')) return null;
  return 'the file is in the .ort format, optimised for the CPU';
}

/**
 * Loads a file with one provider and nothing behind it but the CPU, which ONNX Runtime uses for what a provider lacks.
 * @throws AppError `model-load` where the file has not the names that the manifest promises; Error where it cannot be loaded.
 */
export async function loadGraph(file: SessionFile, provider: string, threads: number, way?: Way): Promise<Graph> {
  const session = await ort.InferenceSession.create(way?.path ?? file.path, {
    executionProviders: [way === undefined ? provider : 'cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Every image has another size: remembered allocation patterns would only hold memory.
    enableMemPattern: false,
    logSeverityLevel: 4,
    ...way?.options,
  });
  const missing = [
    ...file.inputs.filter((name) => !session.inputNames.includes(name)).map((name) => `input "${name}"`),
    ...file.outputs.filter((name) => !session.outputNames.includes(name)).map((name) => `output "${name}"`),
  ];
  if (missing.length === 0) {
    return { run: async (feeds) => plainOutputs(await session.run(ortFeeds(feeds))), release: () => session.release() };
  }
  await session.release();
  throw new AppError(
    'model-load',
    `the manifest of ${file.modelId} names ${missing.join(', ')}; the file has inputs ${session.inputNames.join(', ')} and outputs ${session.outputNames.join(', ')}`,
    { modelId: file.modelId },
  );
}

function ortFeeds(feeds: Feeds): Record<string, ort.Tensor> {
  const tensor = ({ data, dims }: Feeds[string]): ort.Tensor =>
    data instanceof Float32Array ? new ort.Tensor('float32', data, dims) : new ort.Tensor('int64', data, dims);
  return Object.fromEntries(Object.entries(feeds).map(([name, feed]) => [name, tensor(feed)]));
}

function plainOutputs(outputs: ort.InferenceSession.OnnxValueMapType): Outputs {
  const plain: Record<string, OutputTensor> = {};
  for (const [name, { data, dims, type }] of Object.entries(outputs)) {
    if (!(data instanceof Float32Array || data instanceof BigInt64Array || data instanceof Int32Array)) {
      throw new Error(`output "${name}" is ${type}; float32, int64 and int32 are understood`);
    }
    plain[name] = { dims, data };
  }
  return plain;
}

export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Inputs and outputs of a file, as ONNX Runtime understands them. */
export interface Signature {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
}

/** Loads a file on the CPU, without optimising it, only to ask what it takes. @throws AppError `model-load`. */
export async function readSignature(path: string): Promise<Signature> {
  const options = { executionProviders: ['cpu'], graphOptimizationLevel: 'disabled', logSeverityLevel: 4 } as const;
  let session: ort.InferenceSession;
  try {
    session = await ort.InferenceSession.create(path, options);
  } catch (thrown) {
    throw new AppError('model-load', `${path} cannot be loaded: ${shortReason(messageOf(thrown))}`, { file: path }, thrown);
  }
  const described = (value: ort.InferenceSession.ValueMetadata): TensorInfo =>
    value.isTensor ? { name: value.name, type: value.type, shape: value.shape } : { name: value.name, type: 'no tensor', shape: [] };
  const signature = { inputs: session.inputMetadata.map(described), outputs: session.outputMetadata.map(described) };
  await session.release();
  return signature;
}

import { AppError } from '../src/shared/errors.ts';
import { components } from '../src/shared/mask/components.ts';
import { encodeRle } from '../src/shared/mask/rle.ts';
import type { Inference, PredictRequest, Prediction } from '../src/main/inference/inference.ts';
import { decodeRgb, encodeJpeg } from '../src/main/inference/pixels.ts';
import { NO_INFERENCE } from './no-inference.ts';

/**
 * An inference of its own kind for tests of what stands above the port: it decodes the real file and
 * finds connected bright spots, class "light" or, where they are larger than 100 pixels, "lamp". Its
 * score is their share of white. `before` can hold it up or make it fail.
 */
export interface BrightInference extends Inference {
  readonly asked: PredictRequest[];
  before: (request: PredictRequest, signal?: AbortSignal) => Promise<void> | void;
  version: string;
}

export function createBrightInference(): BrightInference {
  const asked: PredictRequest[] = [];
  const inference: BrightInference = {
    ...NO_INFERENCE,
    asked,
    before: () => undefined,
    version: '1.0',
    models: () => Promise.resolve([model('bright', inference.version, null), model('lost', '1', 'models/lost/model.onnx is not there')]),
    async predict(request, signal): Promise<Prediction> {
      asked.push(request);
      await inference.before(request, signal);
      signal?.throwIfAborted();
      const { width, height, data } = await decodeRgb(request.path);
      const bright = Uint8Array.from({ length: width * height }, (_, i) => ((data[3 * i] ?? 0) > 127 ? 1 : 0));
      const { ids, list } = components({ width, height, data: bright });
      const instances = list.map((spot) => {
        const mask = ids.map((id) => (id === spot.id ? 1 : 0));
        const first = ids.indexOf(spot.id);
        return {
          label: spot.area > 100 ? 'lamp' : 'light',
          score: (data[3 * first] ?? 0) / 255,
          box: spot.box,
          rle: encodeRle({ width, height, data: Uint8Array.from(mask) }),
        };
      });
      return {
        modelId: 'bright',
        modelVersion: inference.version,
        width,
        height,
        instances,
        provider: 'cpu',
        decodeMs: 0,
        prepareMs: 0,
        runMs: 0,
        finishMs: 0,
        totalMs: 0,
      };
    },
  };
  return inference;
}

function model(id: string, version: string, problem: string | null): Awaited<ReturnType<Inference['models']>>[number] {
  return {
    id,
    name: id,
    version,
    family: 'bright',
    variant: null,
    labels: ['lamp', 'light'],
    license: 'Apache-2.0',
    bytes: 0,
    minScore: 0.5,
    problem,
    state: problem === null ? 'ready' : 'broken',
    origin: 'bundled',
    about: '',
    permissive: true,
    neverRun: false,
    sources: [],
  };
}

/** JPEG of a dark picture, 80 x 60, with a lamp of 12 x 12 at (8, 8) and a light of 4 x 4 at (40, 40), `shade` 0..255 bright. */
export async function brightPhoto(shade: number): Promise<Buffer> {
  const data = new Uint8Array(80 * 60 * 3).fill(20);
  const square = (x: number, y: number, side: number): void => {
    for (let row = y; row < y + side; row++) data.fill(shade, 3 * (row * 80 + x), 3 * (row * 80 + x + side));
  };
  square(8, 8, 12);
  square(40, 40, 4);
  return encodeJpeg({ width: 80, height: 60, data }, 100);
}

/** What a request meets whose inference process is killed. */
export function processKilled(): AppError {
  return new AppError('model-run', 'The inference process stopped (SIGKILL) while it worked on this image.');
}

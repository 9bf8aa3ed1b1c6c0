import type { EngineStatus } from '../src/shared/answers.ts';
import { AppError } from '../src/shared/errors.ts';
import type { Asking, Inference } from '../src/main/inference/inference.ts';

/**
 * A port with no model behind it, for tests of what stands above it: every question is refused. A test that
 * answers some questions spreads this and gives its own methods.
 */
function refuse(): Promise<never> {
  return Promise.reject(new AppError('not-found', 'There is no model in this test.'));
}

const REFUSALS: Asking = {
  predict: refuse,
  matte: refuse,
  embed: refuse,
  signature: refuse,
  examine: refuse,
  prompt: refuse,
  measure: refuse,
};

export const IDLE_ENGINE: EngineStatus = {
  state: 'idle',
  provider: 'cpu',
  attempts: [],
  threads: 1,
  modelId: null,
  lastMs: null,
  lastRunMs: null,
  message: null,
};

export const NO_INFERENCE: Inference = {
  ...REFUSALS,
  models: () => Promise.resolve([]),
  configure: () => Promise.resolve(),
  status: () => IDLE_ENGINE,
  onStatus: () => () => undefined,
  close: () => Promise.resolve(),
};

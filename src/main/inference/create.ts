import type { EngineOptions } from './engine.ts';
import { createEngine } from './engine.ts';
import type { Inference } from './inference.ts';

/**
 * Inference in this process, for the command line. `MASKLOOP_PROVIDERS`, e.g. `cpu`, restricts the
 * providers. Kept apart from `remote.ts`, so that a host with an inference process never loads ONNX
 * Runtime into its own.
 */
export function createLocalInference(options: EngineOptions): Inference {
  return createEngine({ providers: process.env['MASKLOOP_PROVIDERS'], ...options });
}

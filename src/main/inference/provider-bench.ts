import type { Measured } from '../../shared/answers/providers.ts';
import { AppError } from '../../shared/errors.ts';
import type { UsableModel } from './catalog.ts';
import { FAMILIES } from './families/families.ts';
import type { MeasureRequest } from './inference.ts';
import { beginDecoding } from './pixels.ts';
import { sessionFile } from './session-file.ts';
import type { Sessions } from './sessions.ts';

/**
 * Measures a model on an image with every provider that can run it: the same input for all, made once.
 * @throws AppError `unsupported` for models that answer prompts, and as decoding the image does.
 */
export async function measureModel(
  sessions: Sessions,
  model: UsableModel,
  request: MeasureRequest,
  signal: AbortSignal | undefined,
): Promise<readonly Measured[]> {
  const { manifest } = model;
  if (manifest.family === 'sam') {
    throw new AppError('unsupported', `${manifest.id} answers prompts: its times are taken from your own clicks.`, {
      modelId: manifest.id,
    });
  }
  const family = FAMILIES[manifest.family];
  const decoding = await beginDecoding(request.path, family.decodeLimit(manifest));
  const { feeds, transform } = family.prepare(manifest, await decoding.pixels, decoding.header);
  const reading = {
    decode: (outputs: Parameters<typeof family.decode>[1]) => family.decode(manifest, outputs, transform),
    threshold: manifest.thresholds.score,
    regions: manifest.family === 'semantic',
  };
  return sessions.measure(sessionFile(model, 'model'), feeds, reading, request.runs, signal);
}

import { performance } from 'node:perf_hooks';
import { AppError } from '../../shared/errors.ts';
import type { Catalog } from './catalog.ts';
import { FAMILIES } from './families/families.ts';
import type { Matte, MatteRequest } from './inference.ts';
import { beginDecoding, encodePng } from './pixels.ts';
import { cancelled } from './queue.ts';
import { sessionFile } from './session-file.ts';
import type { Sessions } from './sessions.ts';

/**
 * What a salient model says of each pixel of an image, softly.
 * @throws AppError as `Inference.predict`; `unsupported` for a model that has no such answer.
 */
export async function matteNow(catalog: Catalog, sessions: Sessions, request: MatteRequest, signal?: AbortSignal): Promise<Matte> {
  if (signal?.aborted) throw cancelled();
  const model = await catalog.use(request.modelId);
  const { manifest } = model;
  const family = manifest.family === 'sam' ? null : FAMILIES[manifest.family];
  if (manifest.family === 'sam' || !family?.alpha) {
    throw new AppError('unsupported', `${manifest.id} is a ${manifest.family} model; soft edges come from salient models, e.g. u2netp.`, {
      modelId: manifest.id,
    });
  }
  const session = await sessions.open(sessionFile(model, 'model'));
  const startedAt = performance.now();
  const decoding = await beginDecoding(request.path, family.decodeLimit(manifest));
  const { width, height } = decoding.header;
  const { feeds, transform } = family.prepare(manifest, await decoding.pixels, decoding.header);
  if (signal?.aborted) throw cancelled();
  const answer = await sessions.run(session, feeds);
  if (signal?.aborted) throw cancelled();
  const alpha = family.alpha(manifest, answer.outputs, transform);
  return {
    modelId: manifest.id,
    modelVersion: manifest.version,
    width,
    height,
    alphaPng: (await encodePng(alpha, width, height, 1)).toString('base64'),
    provider: answer.session.provider,
    totalMs: performance.now() - startedAt,
  };
}

import { performance } from 'node:perf_hooks';
import type { TensorSummary } from '../../shared/answers/models.ts';
import type { UsableModel } from './catalog.ts';
import { createCatalog } from './catalog.ts';
import { FAMILIES } from './families/families.ts';
import type { OutputTensor } from './families/family.ts';
import { gridMask } from './families/sam-grid.ts';
import { decodedMasks, decoderFeeds, embeddingOf, encoderFeeds } from './families/sam.ts';
import type { PredictedInstance, PredictedTag } from './inference.ts';
import type { SamManifest } from './manifest.ts';
import type { ImageHeader, RgbImage } from './pixels.ts';
import { beginDecoding } from './pixels.ts';
import { sessionFile } from './session-file.ts';
import type { Feeds } from './session-graph.ts';
import type { Sessions } from './sessions.ts';

/** What a model that is not yet in any catalog does with one image, and what lies in its outputs. */
export interface Examination {
  readonly modelId: string;
  readonly width: number;
  readonly height: number;
  readonly instances: readonly PredictedInstance[];
  /** Of a classifier, best first. */
  readonly tags: readonly PredictedTag[];
  readonly outputs: readonly TensorSummary[];
  readonly provider: string;
  readonly loadMs: number;
  readonly runMs: number;
  readonly totalMs: number;
}

export interface ExamineRequest {
  readonly modelId: string;
  /** Folders of model folders, as a catalog looks through them. */
  readonly folders: readonly string[];
  /** Absolute path of the image. */
  readonly path: string;
}

/** A run that took longer than this is not made a second time only to measure it; ms. */
const PATIENCE_MS = 5000;

/** @throws AppError as `predict`. */
export async function examine(sessions: Sessions, { modelId, folders, path }: ExamineRequest): Promise<Examination> {
  const model = await createCatalog(folders).use(modelId);
  const { manifest } = model;
  const loadAt = performance.now();
  const first = await sessions.open(sessionFile(model, manifest.family === 'sam' ? 'encoder' : 'model'));
  if (manifest.family === 'sam') await sessions.open(sessionFile(model, 'decoder'));
  const startedAt = performance.now();
  const limit = manifest.family === 'sam' ? undefined : FAMILIES[manifest.family].decodeLimit(manifest);
  const decoding = await beginDecoding(path, limit);
  const image = await decoding.pixels;
  const full = decoding.header;
  const found =
    manifest.family === 'sam' ? await centre(sessions, model, manifest, image, full) : await whole(sessions, model, image, full);
  return {
    modelId: manifest.id,
    width: full.width,
    height: full.height,
    ...found,
    provider: found.provider ?? first.provider,
    loadMs: startedAt - loadAt,
    totalMs: performance.now() - startedAt,
  };
}

type Found = Pick<Examination, 'instances' | 'tags' | 'outputs' | 'runMs'> & { readonly provider: string | null };

async function whole(sessions: Sessions, model: UsableModel, image: RgbImage, full: ImageHeader): Promise<Found> {
  const { manifest } = model;
  if (manifest.family === 'sam') return { instances: [], tags: [], outputs: [], runMs: 0, provider: null };
  const family = FAMILIES[manifest.family];
  const prepared = family.prepare(manifest, image, full);
  const { outputs, runMs, provider } = await timed(sessions, model, 'model', prepared.feeds);
  const tags = family.tags?.(manifest, outputs) ?? [];
  return { instances: family.decode(manifest, outputs, prepared.transform), tags, outputs: summaries(outputs), runMs, provider };
}

/** SAM answers prompts: one at the middle of the image shows whether encoder and decoder understand each other. */
async function centre(sessions: Sessions, model: UsableModel, manifest: SamManifest, image: RgbImage, full: ImageHeader): Promise<Found> {
  const view = { x: 0, y: 0, width: full.width, height: full.height };
  const encoded = await timed(sessions, model, 'encoder', encoderFeeds(manifest, view, image));
  const mark = { x: full.width / 2, y: full.height / 2, label: 1 } as const;
  const feeds = decoderFeeds(manifest, embeddingOf(manifest, view, encoded.outputs), [[mark]], null);
  const decoded = await timed(sessions, model, 'decoder', feeds);
  const masks = decodedMasks(manifest, view, decoded.outputs, true)[0] ?? [];
  const best = [...masks].sort((a, b) => b.score - a.score)[0];
  const mask = best === undefined ? null : gridMask(best.grid, full.width, full.height);
  const label = manifest.labels[0] ?? '';
  return {
    tags: [],
    instances: best && mask ? [{ label, score: best.score, box: mask.box, rle: mask.rle }] : [],
    outputs: summaries({ ...encoded.outputs, ...decoded.outputs }),
    runMs: encoded.runMs + decoded.runMs,
    provider: encoded.provider,
  };
}

async function timed(
  sessions: Sessions,
  model: UsableModel,
  role: string,
  feeds: Feeds,
): Promise<{ readonly outputs: Readonly<Record<string, OutputTensor>>; readonly runMs: number; readonly provider: string }> {
  const file = sessionFile(model, role);
  for (let turn = 0; ; turn++) {
    const session = await sessions.open(file);
    const at = performance.now();
    const ran = await sessions.run(session, feeds);
    const runMs = performance.now() - at;
    // The first run of a session also plans its memory: the second one is the measure.
    if (turn === 1 || runMs > PATIENCE_MS) return { outputs: ran.outputs, runMs, provider: ran.session.provider };
  }
}

function summaries(outputs: Readonly<Record<string, OutputTensor>>): readonly TensorSummary[] {
  return Object.entries(outputs).map(([name, { dims, data }]) => {
    let min = Infinity;
    let max = -Infinity;
    let notFinite = 0;
    for (let i = 0; i < data.length; i++) {
      const value = Number(data[i]);
      if (!Number.isFinite(value)) notFinite++;
      else {
        if (value < min) min = value;
        if (value > max) max = value;
      }
    }
    const type = data instanceof Float32Array ? 'float32' : data instanceof Int32Array ? 'int32' : 'int64';
    return { name, type, dims, notFinite, ...(min <= max ? { min, max } : { min: null, max: null }) };
  });
}

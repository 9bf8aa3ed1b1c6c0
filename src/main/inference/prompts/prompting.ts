import { performance } from 'node:perf_hooks';
import type { PromptAnswer, PromptCandidate } from '../../../shared/calls/prompts.ts';
import { AppError } from '../../../shared/errors.ts';
import type { UsableModel } from '../catalog.ts';
import type { Embeddings } from '../embeddings.ts';
import type { Embedding, PromptMark, SamMask, View } from '../families/sam.ts';
import { decodedMasks, decoderFeeds, embeddingOf, encoderFeeds, gridOf } from '../families/sam.ts';
import type { MaskGrid } from '../families/sam-grid.ts';
import { gridMask, regrid, stability } from '../families/sam-grid.ts';
import type { Embedded, EmbedRequest, PromptRequest } from '../inference.ts';
import type { SamManifest } from '../manifest.ts';
import type { RgbImage } from '../pixels.ts';
import { decodeRgb } from '../pixels.ts';
import { cancelled } from '../queue.ts';
import { sessionFile } from '../session-file.ts';
import type { OpenSession, Sessions } from '../sessions.ts';
import { ranked } from './choice.ts';
import type { Claim } from './claims.ts';
import { claimOf, honoured, restrained, steadied } from './claims.ts';
import type { Extent } from './views.ts';
import { closeView, shows, suitableView, wholeView } from './views.ts';

/**
 * Prompts to a SAM: embeddings made once and kept, masks remembered to be fed back, a closer look where the
 * object is small. Called by the engine, one question at a time.
 */
export interface Prompting {
  /** Makes the embedding of a whole image, or finds it. */
  embed(model: UsableModel, request: EmbedRequest, signal?: AbortSignal): Promise<Embedded>;
  /** Whether it is there already, in memory or on the disk. */
  isKept(model: UsableModel, request: EmbedRequest): Promise<boolean>;
  prompt(model: UsableModel, request: PromptRequest, signal?: AbortSignal): Promise<PromptAnswer>;
  /** The embedding of a view, for whoever asks the decoder itself. */
  look(model: UsableModel, request: EmbedRequest, view: View, signal?: AbortSignal): Promise<Looked>;
  /** Runs the decoder on lists of marks; see `decodedMasks`. */
  decode(model: UsableModel, embedding: Embedding, marks: readonly (readonly PromptMark[])[], before: MaskGrid | null): Promise<Decoded>;
  /** Waits for embeddings that are being written. */
  close(): Promise<void>;
}

export interface Looked {
  readonly embedding: Embedding;
  readonly image: { readonly width: number; readonly height: number };
  /** Whether it was kept. */
  readonly cached: boolean;
  readonly provider: string;
  readonly ms: number;
}

export interface Decoded {
  readonly masks: readonly (readonly SamMask[])[];
  readonly provider: string;
  readonly attempts: OpenSession['attempts'];
  readonly ms: number;
}

/** An answer that can be refined. */
interface Remembered {
  readonly imageSha: string;
  readonly digest: string;
  readonly grids: readonly MaskGrid[];
  /** Of its clicks, and how many clicks it had. */
  readonly claims: readonly Claim[];
  readonly clicks: number;
}

/** Answers that can be refined, of 0.8 MB each. */
const REMEMBERED = 48;
/** Larger images are scaled down before anything else; parts of them are as sharp as 40 megapixels. */
const PIXELS = 40_000_000;

export function createPrompting(sessions: Sessions, embeddings: Embeddings): Prompting {
  const answers = new Map<number, Remembered>();
  const writing = new Set<Promise<void>>();
  /** Decoding a large photograph takes longer than a prompt: the last one stays for its parts. */
  let decoded: { readonly imageSha: string; readonly picture: Promise<RgbImage> } | null = null;
  let lastId = 0;

  function picture({ imageSha, path, priority }: EmbedRequest): Promise<RgbImage> {
    if (decoded?.imageSha === imageSha) return decoded.picture;
    if (priority === 'idle') return decodeRgb(path, PIXELS);
    const begun = { imageSha, picture: decodeRgb(path, PIXELS) };
    decoded = begun;
    begun.picture.catch(() => {
      if (decoded === begun) decoded = null;
    });
    return begun.picture;
  }

  /** The embedding of a view: kept in memory or on the disk, else made. */
  async function look(model: UsableModel, request: EmbedRequest, view: View, signal?: AbortSignal): Promise<Looked> {
    const manifest = samOf(model);
    const startedAt = performance.now();
    const key = { imageSha: request.imageSha, digest: model.digest, view };
    const image = { width: request.width, height: request.height };
    const kept = await embeddings.get(key, request.cache);
    if (kept) return { embedding: kept, image, cached: true, provider: '', ms: performance.now() - startedAt };
    const session = await sessions.open(sessionFile(model, 'encoder'));
    const source = await picture(request);
    if (signal?.aborted) throw cancelled();
    const ran = await sessions.run(session, encoderFeeds(manifest, view, part(source, view, request)));
    const embedding = embeddingOf(manifest, view, ran.outputs);
    const put = embeddings.put(key, request.cache, embedding, request.priority === 'user');
    writing.add(put);
    void put.finally(() => writing.delete(put));
    // Nobody waits for what is made ahead, so it is told when it is safe.
    if (request.priority === 'idle') await put;
    return { embedding, image, cached: false, provider: ran.session.provider, ms: performance.now() - startedAt };
  }

  async function decode(
    model: UsableModel,
    embedding: Embedding,
    marks: readonly (readonly PromptMark[])[],
    before: MaskGrid | null,
  ): Promise<Decoded> {
    const manifest = samOf(model);
    const session = await sessions.open(sessionFile(model, 'decoder'));
    const startedAt = performance.now();
    const { outputs, session: used } = await sessions.run(session, decoderFeeds(manifest, embedding, marks, before));
    const ms = performance.now() - startedAt;
    const several = marks.some((list) => list.length > 1) || before !== null;
    return { masks: decodedMasks(manifest, embedding.view, outputs, several), provider: used.provider, attempts: used.attempts, ms };
  }

  function remember(id: number, answer: Remembered): void {
    answers.set(id, answer);
    for (const oldest of answers.keys()) {
      if (answers.size <= REMEMBERED) break;
      answers.delete(oldest);
    }
  }

  /** The answer that the question refines, if it is still remembered, and the mask that was shown of it. */
  function refined(model: UsableModel, { refine, imageSha }: PromptRequest): (Remembered & { readonly shown: MaskGrid }) | null {
    const answer = refine ? answers.get(refine.promptId) : undefined;
    const shown = refine ? answer?.grids[refine.candidate] : undefined;
    return answer?.imageSha === imageSha && answer.digest === model.digest && shown ? { ...answer, shown } : null;
  }

  async function prompt(model: UsableModel, request: PromptRequest, signal?: AbortSignal): Promise<PromptAnswer> {
    const startedAt = performance.now();
    const image = { width: request.width, height: request.height };
    const whole = wholeView(image);
    let embedMs = 0;
    let runMs = 0;
    let provider = '';

    const isWhole = (view: View): boolean => view.width === image.width && view.height === image.height;

    async function answerFrom(view: View, before: MaskGrid | null): Promise<readonly SamMask[]> {
      const { embedding, cached, ms } = await look(model, request, view, signal);
      if (!cached) embedMs += ms;
      if (signal?.aborted) throw cancelled();
      const marks = marksOf(request);
      const fed = before && onto(samOf(model), before, view);
      const found = await decode(model, embedding, [marks], fed);
      runMs += found.ms;
      ({ provider } = found);
      const masks = ranked(found.masks[0] ?? [], { marks, before: fed, closer: request.finer && !isWhole(view) });
      const [claim] = latest;
      return masks.map(({ score, grid }, i) => {
        // The others stay as they are, to be chosen where the first one is not what was meant.
        const own = i === 0 && fed && claim && fresh.length === 1 ? steadied(fed, restrained(fed, grid, claim)) : grid;
        return { score, grid: honoured(own, claims) };
      });
    }

    if (request.hover && !(await embeddings.has({ imageSha: request.imageSha, digest: model.digest, view: whole }, request.cache))) {
      throw new AppError('cancelled', 'The image is not ready for prompts yet.', { modelId: model.manifest.id });
    }
    const previous = refined(model, request);
    const fresh = request.points.slice(previous?.clicks ?? request.points.length);
    const latest = previous ? fresh.flatMap((click) => claimOf(previous.shown, click) ?? []) : [];
    const claims = [...(previous?.claims ?? []), ...latest];
    let before = previous?.shown ?? null;
    let extent = extentOf(request, before, image);
    const kept = request.hover ? [] : await embeddings.views(request.imageSha, model.digest, request.cache);
    let view = extent && suitableView(kept, extent, image);
    let masks: readonly SamMask[] = [];
    if (!view && !(request.finer && extent)) {
      masks = await answerFrom(whole, before);
      before = masks[0]?.grid ?? null;
      extent = extentOf(request, before, image) ?? extent;
    }
    if (request.finer && !view && extent) view = suitableView(kept, extent, image) ?? closeView(extent, image);
    if (view) masks = await answerFrom(view, before);
    else if (masks.length === 0) masks = await answerFrom(whole, before);

    const found = masks.flatMap(({ grid, score }): { readonly grid: MaskGrid; readonly candidate: PromptCandidate }[] => {
      const mask = gridMask(grid, image.width, image.height);
      if (!mask) return [];
      const iou = Math.max(0, Math.min(1, score));
      return [{ grid, candidate: { rle: mask.rle, box: mask.box, iou, stability: stability(grid) } }];
    });
    const promptId = ++lastId;
    const grids = found.map(({ grid }) => grid);
    remember(promptId, { imageSha: request.imageSha, digest: model.digest, grids, claims, clicks: request.points.length });
    const box = found[0]?.candidate.box;
    const now = box && { box, points: request.points };
    const finer = !now || request.hover ? 'none' : view && shows(view, now, image) ? 'done' : closeView(now, image) ? 'possible' : 'none';
    return {
      promptId,
      candidates: found.map(({ candidate }) => candidate),
      finer,
      provider,
      embedMs,
      runMs,
      totalMs: performance.now() - startedAt,
    };
  }

  function isKept(model: UsableModel, request: EmbedRequest): Promise<boolean> {
    return embeddings.has({ imageSha: request.imageSha, digest: model.digest, view: wholeView(request) }, request.cache);
  }

  return {
    look,
    prompt,
    decode,
    isKept,
    async embed(model, request, signal) {
      if (request.priority === 'idle' && (await isKept(model, request))) return { cached: true, provider: null, ms: 0 };
      const { cached, provider, ms } = await look(model, request, wholeView(request), signal);
      return { cached, provider: cached ? null : provider, ms };
    },
    async close() {
      await Promise.all(writing);
    },
  };
}

/** @throws AppError `unsupported` for a model of another family. */
export function samOf(model: UsableModel): SamManifest {
  const { manifest } = model;
  if (manifest.family === 'sam') return manifest;
  throw new AppError('unsupported', `${manifest.id} is a ${manifest.family} model: it takes no prompts.`, { modelId: manifest.id });
}

function marksOf({ points, box }: PromptRequest): PromptMark[] {
  const clicks = points.map(({ x, y, positive }): PromptMark => ({ x, y, label: positive ? 1 : 0 }));
  if (!box) return clicks;
  const [x, y, width, height] = box;
  return [{ x, y, label: 2 }, { x: x + width, y: y + height, label: 3 }, ...clicks];
}

/** Where the object is, as far as is known before the decoder ran: in the mask to be refined, or in the user's box. */
function extentOf(
  request: PromptRequest,
  mask: MaskGrid | null,
  image: { readonly width: number; readonly height: number },
): Extent | null {
  const box = (mask && gridMask(mask, image.width, image.height)?.box) ?? request.box;
  return box && { box, points: request.points };
}

/** A mask on the grid of another view, to be fed back there. */
function onto(manifest: SamManifest, mask: MaskGrid, view: View): MaskGrid {
  const own = mask.view;
  const same = own.x === view.x && own.y === view.y && own.width === view.width && own.height === view.height;
  return same ? mask : regrid(mask, gridOf(manifest, view));
}

/** A view's pixels, out of a picture of the image that may be smaller than it. */
function part(picture: RgbImage, view: View, image: { readonly width: number; readonly height: number }): RgbImage {
  if (view.width === image.width && view.height === image.height) return picture;
  const scale = picture.width / image.width;
  const x = Math.min(picture.width - 1, Math.round(view.x * scale));
  const y = Math.min(picture.height - 1, Math.round(view.y * scale));
  const width = Math.max(1, Math.min(picture.width - x, Math.round(view.width * scale)));
  const height = Math.max(1, Math.min(picture.height - y, Math.round(view.height * scale)));
  const data = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const from = ((y + row) * picture.width + x) * 3;
    data.set(picture.data.subarray(from, from + width * 3), row * width * 3);
  }
  return { width, height, data };
}

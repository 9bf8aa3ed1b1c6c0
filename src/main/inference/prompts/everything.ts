import { AppError } from '../../../shared/errors.ts';
import { withoutSmallPieces } from '../../../shared/mask/components.ts';
import { decodeRleWithin, encodePatch, maskIou, rleBox } from '../../../shared/mask/rle.ts';
import { floodFillHoles } from '../../../shared/mask/stamp.ts';
import type { Box, Rle } from '../../../shared/records.ts';
import type { UsableModel } from '../catalog.ts';
import type { PromptMark, SamMask, View } from '../families/sam.ts';
import type { MaskGrid } from '../families/sam-grid.ts';
import { gridMask, stability } from '../families/sam-grid.ts';
import type { EmbedRequest, ModelOptions, PredictedInstance } from '../inference.ts';
import { cancelled } from '../queue.ts';
import type { Prompting } from './prompting.ts';
import { samOf } from './prompting.ts';
import { wholeView } from './views.ts';

/**
 * 'Segment everything': a grid of clicks, all masks that the model itself believes in, each object once. The
 * filters, their order and their figures are those of SAM's automatic mask generator (Kirillov et al. 2023,
 * appendix B; `automatic_mask_generator.py`).
 */
export interface EverythingOptions {
  /** Clicks a side; SAM's generator takes 32, four times as long. */
  readonly grid: number;
  /** Least IoU that the model predicts for its mask. */
  readonly iou: number;
  /** Least stability score. */
  readonly stability: number;
  /** Of two boxes, and of two masks, that overlap by more than this IoU, the better one is left. */
  readonly overlap: number;
  /** 1: also looks at four overlapping quarters, with half as many clicks a side each. */
  readonly layers: number;
  /** Pieces and holes of fewer image pixels are removed; -1: one 4000th of the image. */
  readonly least: number;
}

export const EVERYTHING: EverythingOptions = { grid: 16, iou: 0.88, stability: 0.95, overlap: 0.7, layers: 0, least: -1 };

/** Bounds of each option. */
const BOUNDS: Readonly<Record<keyof EverythingOptions, readonly [least: number, most: number]>> = {
  grid: [1, 128],
  iou: [0, 1],
  stability: [0, 1],
  overlap: [0, 1],
  layers: [0, 1],
  least: [-1, 1e9],
};

/** Logits: a click this far within a mask belongs to it. */
const WELL_INSIDE = 2;
/** Clicks that are decoded together: three grids of 256 KB each. */
const BATCH = 16;
/** Neighbouring quarters overlap by this share of the image (SAM: 512 / 1500). */
const QUARTERS_OVERLAP = 512 / 1500;
/** A box this near to an inner border of a quarter is a piece of something, image pixels at SAM's 1024. */
const NEAR_EDGE = 20;

interface Found {
  readonly rle: Rle;
  readonly box: Box;
  readonly score: number;
  /** Of the view that it was seen in: the closest look wins. */
  readonly viewArea: number;
}

/** @throws AppError `invalid` for an option that does not exist or is out of bounds. */
export function everythingOptions(options: ModelOptions | undefined, iou: number): EverythingOptions {
  const known: Record<string, number> = { ...EVERYTHING, iou };
  for (const [key, value] of Object.entries(options ?? {})) {
    const bounds = isOption(key) ? BOUNDS[key] : undefined;
    if (!bounds)
      throw new AppError('invalid', `Segment everything has no option “${key}”; it has ${Object.keys(BOUNDS).join(', ')}.`, { key });
    if (typeof value !== 'number' || !(value >= bounds[0] && value <= bounds[1])) {
      throw new AppError('invalid', `The option “${key}” is ${String(value)}; it must be a number from ${bounds[0]} to ${bounds[1]}.`, {
        key,
      });
    }
    known[key] = value;
  }
  return { ...EVERYTHING, ...known };
}

function isOption(key: string): key is keyof EverythingOptions {
  return Object.hasOwn(BOUNDS, key);
}

/**
 * Every object of an image, the surest first, called by the manifest's one label.
 * `step` is awaited between two batches, with how much is done, 0..1: time for what is more urgent.
 * @throws AppError as `prompt`; `cancelled` between two batches.
 */
export async function everything(
  prompting: Prompting,
  model: UsableModel,
  request: EmbedRequest,
  options: EverythingOptions,
  step: (share: number) => Promise<void>,
  signal?: AbortSignal,
): Promise<{
  readonly instances: readonly PredictedInstance[];
  readonly provider: string;
  readonly runMs: number;
  readonly embedMs: number;
}> {
  const image = { width: request.width, height: request.height };
  const views = [wholeView(image), ...(options.layers >= 1 ? quarters(image) : [])];
  const grids = views.map((view, i) => clicks(view, i === 0 ? options.grid : Math.ceil(options.grid / 2)));
  const total = grids.reduce((sum, list) => sum + list.length, 0);
  const size = batchSize(model);
  const [label = 'object'] = samOf(model).labels;
  let [done, runMs, embedMs, provider] = [0, 0, 0, ''];
  let found: Found[] = [];
  for (const [i, view] of views.entries()) {
    const { embedding, ms } = await prompting.look(model, request, view, signal);
    embedMs += ms;
    let own: Found[] = [];
    const covered = createCovered();
    let waiting = grids[i] ?? [];
    while (waiting.length > 0) {
      if (signal?.aborted) throw cancelled();
      const before = waiting.length;
      const open = waiting.filter(([mark]) => mark && !covered.holds(mark));
      const batch = open.slice(0, size);
      waiting = open.slice(size);
      done += before - waiting.length;
      if (batch.length === 0) break;
      const decoded = await prompting.decode(model, embedding, batch, null);
      runMs += decoded.ms;
      ({ provider } = decoded);
      const sure = ({ grid, score }: SamMask): boolean => score >= options.iou && stability(grid) >= options.stability;
      for (const masks of decoded.masks) covered.add(masks, sure);
      for (const found of decoded.masks.flat()) {
        if (!sure(found)) continue;
        const { grid, score } = found;
        const mask = gridMask(grid, image.width, image.height);
        if (!mask || nearEdge(mask.box, view, image)) continue;
        own.push({ rle: mask.rle, box: mask.box, score: Math.min(1, score), viewArea: view.width * view.height });
      }
      // Now and then, so that a picture full of things does not pile up thousands of masks.
      if (own.length > 400) own = distinct(own, options.overlap, byScore);
      await step(done / total);
    }
    found.push(...distinct(own, options.overlap, byScore));
  }
  if (views.length > 1) found = distinct(found, options.overlap, (a, b) => a.viewArea - b.viewArea || byScore(a, b));
  const least = options.least < 0 ? (image.width * image.height) / 4000 : options.least;
  const clean = found.flatMap((mask) => cleaned(mask, least) ?? []);
  const left = distinct(clean, options.overlap, byScore);
  return { instances: left.map(({ rle, box, score }) => ({ label, score, box, rle })), provider, runMs, embedMs };
}

const byScore = (a: Found, b: Found): number => b.score - a.score;

/** SAM 1's exported decoder answers one list of clicks at a time; EfficientSAM's was never run with more. */
function batchSize(model: UsableModel): number {
  return samOf(model).variant === 'sam2' ? BATCH : 1;
}

/**
 * Where another click would find nothing finer: within the smallest proposal of an earlier one, where that is
 * itself a sure one. SAM's generator decodes these clicks too, and its suppression drops what they find.
 */
function createCovered(): {
  holds(mark: PromptMark): boolean;
  add(masks: readonly SamMask[], sure: (mask: SamMask) => boolean): void;
} {
  let place: MaskGrid | null = null;
  let cells = new Uint8Array(0);
  return {
    holds({ x, y }) {
      if (!place) return false;
      const column = Math.floor((x - place.x) / place.cellX);
      const row = Math.floor((y - place.y) / place.cellY);
      return cells[row * place.width + column] === 1;
    },
    add(masks, sure) {
      const areas = masks.map((mask) => mask.grid.logits.reduce((sum, logit) => (logit >= 0 ? sum + 1 : sum), 0));
      const finest = masks[areas.indexOf(Math.min(...areas))];
      if (!finest || !sure(finest)) return;
      place = { ...finest.grid, logits: new Float32Array(0) };
      if (cells.length === 0) cells = new Uint8Array(finest.grid.logits.length);
      for (const [i, logit] of finest.grid.logits.entries()) if (logit >= WELL_INSIDE) cells[i] = 1;
    },
  };
}

/** Centres of the cells of a grid over a view, spread first, then ever closer. */
function clicks(view: View, side: number): PromptMark[][] {
  const order = (i: number): number => Math.min(lowestBit((i % side) + 1), lowestBit(Math.floor(i / side) + 1));
  return inRows(view, side)
    .map((mark, i) => ({ mark, order: order(i) }))
    .sort((a, b) => b.order - a.order)
    .map(({ mark }) => mark);
}

function lowestBit(value: number): number {
  return value & -value;
}

function inRows(view: View, side: number): PromptMark[][] {
  return Array.from({ length: side * side }, (_, i) => {
    const [column, row] = [i % side, Math.floor(i / side)];
    return [{ x: view.x + ((column + 0.5) / side) * view.width, y: view.y + ((row + 0.5) / side) * view.height, label: 1 as const }];
  });
}

/** Four views that overlap (SAM's `generate_crop_boxes`, first layer). */
function quarters({ width, height }: { readonly width: number; readonly height: number }): View[] {
  const overlap = Math.floor(QUARTERS_OVERLAP * Math.min(width, height));
  const [w, h] = [Math.ceil((overlap + width) / 2), Math.ceil((overlap + height) / 2)];
  return [0, 1, 2, 3].map((i) => {
    const [x, y] = [i % 2 ? w - overlap : 0, i > 1 ? h - overlap : 0];
    return { x, y, width: Math.min(w, width - x), height: Math.min(h, height - y) };
  });
}

/** Whether a box ends where the view ends and the image goes on. */
function nearEdge([x, y, width, height]: Box, view: View, image: { readonly width: number; readonly height: number }): boolean {
  const near = (NEAR_EDGE * Math.max(view.width, view.height)) / 1024;
  return (
    (view.x > 0 && x - view.x < near) ||
    (view.y > 0 && y - view.y < near) ||
    (view.x + view.width < image.width && view.x + view.width - x - width < near) ||
    (view.y + view.height < image.height && view.y + view.height - y - height < near)
  );
}

/** Greedy suppression in an order: by boxes as SAM does, then, among those left, by the masks themselves. */
function distinct(found: readonly Found[], overlap: number, order: (a: Found, b: Found) => number): Found[] {
  const kept: Found[] = [];
  for (const one of [...found].sort(order)) {
    const doubled = kept.some((other) => {
      const boxes = boxIou(one.box, other.box);
      // A mask and the same with a speck far away have boxes that hardly overlap.
      return boxes > overlap || (boxes > overlap / 4 && maskIou(one.rle, other.rle) > overlap);
    });
    if (!doubled) kept.push(one);
  }
  return kept;
}

function boxIou(a: Box, b: Box): number {
  const width = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (a[2] * a[3] + b[2] * b[3] - shared);
}

/** Without specks and holes; null where nothing is left (SAM's `postprocess_small_regions`). */
function cleaned(mask: Found, least: number): Found | null {
  if (least <= 0) return mask;
  const [x, y] = mask.box;
  const [height, width] = mask.rle.size;
  const whole = decodeRleWithin(mask.rle, mask.box);
  floodFillHoles(whole, least);
  const { bitmap } = withoutSmallPieces(whole, least, 8);
  const rle = encodePatch(bitmap, x, y, width, height);
  const box = rleBox(rle);
  return box[2] === 0 ? null : { ...mask, rle, box };
}

import type { PromptMark, SamMask } from '../families/sam.ts';
import type { MaskGrid } from '../families/sam-grid.ts';
import { logitAt, stability } from '../families/sam-grid.ts';
import { squaredDistance } from './distance.ts';

/** What is known beside the masks when one of them is to be shown first. */
export interface Choice {
  readonly marks: readonly PromptMark[];
  /** The mask that was shown before, on the same grid, or null for the first click. */
  readonly before: MaskGrid | null;
  /** A closer look at the same object: the one most like `before` is meant. */
  readonly closer: boolean;
}

/** Exponents of a mask's worth, chosen on coco-tiny's objects by their first click. */
const SIZE = 0.5;
const MIDDLE = 2;
/** What a click on the wrong side costs at most. */
const DISAGREEMENT = 0.8;
/** Cells that are taken together where only a depth is wanted. */
const COARSE = 2;

/**
 * The decoder's masks, the one to show first: what the model expects of each, times how little its border
 * depends on the threshold, down where it leaves clicks on the wrong side; for the first click also
 * - down where it does not lie in the middle of the mask: people click there;
 * - up with the mask's size: what people annotate is more often the whole than a part of it.
 */
export function ranked(masks: readonly SamMask[], choice: Choice): readonly SamMask[] {
  const value = new Map(masks.map((mask) => [mask, worth(mask, choice)]));
  return [...masks].sort((a, b) => (value.get(b) ?? 0) - (value.get(a) ?? 0));
}

function worth({ grid, score }: SamMask, { marks, before, closer }: Choice): number {
  const sure = Math.max(0, score) * stability(grid) * agreement(grid, marks);
  if (closer && before) return sure * overlap(grid, before) ** 2;
  const last = marks.findLast(({ label }) => label < 2);
  if (!last || before) return sure;
  return sure * middleness(grid, last) ** MIDDLE * Math.max(1, area(grid)) ** SIZE;
}

function area(grid: MaskGrid): number {
  return grid.logits.reduce((sum, logit) => (logit >= 0 ? sum + 1 : sum), 0);
}

/** IoU of two masks on one grid. */
function overlap(a: MaskGrid, b: MaskGrid): number {
  let [both, either] = [0, 0];
  for (const [i, logit] of a.logits.entries()) {
    const [inA, inB] = [logit >= 0, (b.logits[i] ?? 0) >= 0];
    if (inA && inB) both++;
    if (inA || inB) either++;
  }
  return either === 0 ? 0 : both / either;
}

/** 1 where every click is on its side of the border; corners of a box say nothing about single pixels. */
function agreement(grid: MaskGrid, marks: readonly PromptMark[]): number {
  const clicks = marks.filter(({ label }) => label < 2);
  if (clicks.length === 0) return 1;
  const right = clicks.filter(({ x, y, label }) => logitAt(grid, x, y) >= 0 === (label === 1)).length;
  return 1 - DISAGREEMENT + (DISAGREEMENT * right) / clicks.length;
}

/** How deep a click lies in a mask, of how deep that is at most; 0.05 and more. */
function middleness(grid: MaskGrid, click: PromptMark): number {
  const [width, height] = [Math.floor(grid.width / COARSE), Math.floor(grid.height / COARSE)];
  const inside = new Uint8Array(width * height);
  for (let y = 0, o = 0; y < height; y++) {
    for (let x = 0; x < width; x++, o++) inside[o] = (grid.logits[y * COARSE * grid.width + x * COARSE] ?? 0) >= 0 ? 1 : 0;
  }
  const squared = squaredDistance(inside, width, height, 0);
  let most = 0;
  for (const value of squared) if (value > most) most = value;
  const column = Math.max(0, Math.min(width - 1, Math.floor((click.x - grid.x) / grid.cellX / COARSE)));
  const row = Math.max(0, Math.min(height - 1, Math.floor((click.y - grid.y) / grid.cellY / COARSE)));
  return most === 0 ? 0.05 : Math.max(0.05, Math.sqrt((squared[row * width + column] ?? 0) / most));
}

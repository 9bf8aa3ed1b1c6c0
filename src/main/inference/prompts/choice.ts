import type { PromptMark, SamMask } from '../families/sam.ts';
import { logitAt, stability } from '../families/sam-grid.ts';

/**
 * The decoder's masks, the one to show first: what the model expects of each, times how little its border
 * depends on the threshold, and down where it leaves clicks on the wrong side.
 */
export function ranked(masks: readonly SamMask[], marks: readonly PromptMark[]): readonly SamMask[] {
  const value = new Map(masks.map((mask) => [mask, mask.score * stability(mask.grid) * agreement(mask, marks)]));
  return [...masks].sort((a, b) => (value.get(b) ?? 0) - (value.get(a) ?? 0));
}

/** What a click on the wrong side costs at most. */
const DISAGREEMENT = 0.8;

/** 1 where every click is on its side of the border; corners of a box say nothing about single pixels. */
function agreement({ grid }: SamMask, marks: readonly PromptMark[]): number {
  const clicks = marks.filter(({ label }) => label < 2);
  if (clicks.length === 0) return 1;
  const right = clicks.filter(({ x, y, label }) => logitAt(grid, x, y) >= 0 === (label === 1)).length;
  return 1 - DISAGREEMENT + (DISAGREEMENT * right) / clicks.length;
}

import type { UsableModel } from '../src/main/inference/catalog.ts';
import type { PromptMark, View } from '../src/main/inference/families/sam.ts';
import { gridOf } from '../src/main/inference/families/sam.ts';
import type { MaskGrid } from '../src/main/inference/families/sam-grid.ts';
import { gridMask, regrid } from '../src/main/inference/families/sam-grid.ts';
import type { EmbedRequest } from '../src/main/inference/inference.ts';
import type { Prompting } from '../src/main/inference/prompts/prompting.ts';
import type { Claim } from '../src/main/inference/prompts/claims.ts';
import { claimOf, honoured } from '../src/main/inference/prompts/claims.ts';
import { samOf } from '../src/main/inference/prompts/prompting.ts';
import { closeView, wholeView } from '../src/main/inference/prompts/views.ts';
import { maskIou } from '../src/shared/mask/rle.ts';
import type { Box, Rle } from '../src/shared/records.ts';
import type { Click } from './annotator-clicks.ts';

interface Found {
  readonly grid: MaskGrid;
  readonly rle: Rle;
  readonly box: Box;
  /** With the object, which only an oracle knows. */
  readonly iou: number;
}

/**
 * How far choosing alone could go: after each click the mask most like the object, of all twelve that the decoder gives for
 * the whole image and for a closer look, each with and without the mask before, and each taking the clicks at their word
 * as the studio does. It is fed back. Best after every click, that is: not always best in the end.
 */
export function oracle(
  prompting: Prompting,
  model: UsableModel,
): (about: EmbedRequest, truth: Rle, clicks: readonly Click[]) => Promise<Rle | null> {
  let shown: MaskGrid | null = null;
  const claims: Claim[] = [];

  async function all(about: EmbedRequest, truth: Rle, marks: readonly PromptMark[], view: View): Promise<Found[]> {
    const { embedding } = await prompting.look(model, about, view);
    const feeds = shown ? [regrid(shown, gridOf(samOf(model), view)), null] : [null];
    const found: Found[] = [];
    for (const feed of feeds) {
      const { masks } = await prompting.decode(model, embedding, [marks], feed);
      for (const answered of masks[0] ?? []) {
        const grid = honoured(answered.grid, claims);
        const mask = gridMask(grid, about.width, about.height);
        if (mask) found.push({ grid, rle: mask.rle, box: mask.box, iou: maskIou(mask.rle, truth) });
      }
    }
    return found;
  }

  return async (about, truth, clicks) => {
    const marks = clicks.map(({ x, y, positive }) => ({ x, y, label: positive ? (1 as const) : (0 as const) }));
    const last = clicks.at(-1);
    const claim = shown && last ? claimOf(shown, last) : null;
    if (claim) claims.push(claim);
    const whole = await all(about, truth, marks, wholeView(about));
    const seen = best(whole);
    const view = seen && closeView({ box: seen.box, points: clicks }, about);
    const chosen = best([...whole, ...(view ? await all(about, truth, marks, view) : [])]);
    shown = chosen?.grid ?? null;
    return chosen?.rle ?? null;
  };
}

function best(found: readonly Found[]): Found | null {
  return found.reduce<Found | null>((most, each) => (most && most.iou >= each.iou ? most : each), null);
}

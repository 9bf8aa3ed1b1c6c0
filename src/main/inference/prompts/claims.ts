import { components } from '../../../shared/mask/components.ts';
import type { MaskGrid } from '../families/sam-grid.ts';
import { logitAt } from '../families/sam-grid.ts';
import { signedDistance, squaredDistance } from './distance.ts';

/**
 * What a correcting click says beyond its own pixel. People click into the middle of what is wrong, and what is
 * wrong lies between the mask's border and the object's: so the object's border is about as far beyond the
 * click as the mask's is before it, and the click's surroundings up to there are its own. A decoder often
 * follows such a click by a pixel or two only; here it is taken at its word. Nothing changes where the
 * decoder went as far itself.
 */
export interface Claim {
  readonly x: number;
  readonly y: number;
  readonly positive: boolean;
  /** How far the border must lie beyond the click, image pixels. */
  readonly radius: number;
}

/** A click farther from the border, in shares of the root of the mask's area, is about another part: no claim. */
const FARTHEST = 0.25;
/** How far a claim reaches along the border, in its radii (standard deviation of a Gaussian). */
const REACH = 2;
/** How much thicker than what was wrong at the click a change elsewhere may be. */
const THICKER = 1.25;
/** Logits beyond this say no more than this when two masks are averaged. */
const SURE = 10;
/** Cells over which the corrected field goes over into the decoder's own. */
const BLEND = 0.5;

/** The claim of a click on the mask that was shown when it was made; null where it has none. */
export function claimOf(shown: MaskGrid, click: { readonly x: number; readonly y: number; readonly positive: boolean }): Claim | null {
  const { logits, width, height, cellX, cellY } = shown;
  // A click on its own side asks for nothing that is not there.
  if (logitAt(shown, click.x, click.y) >= 0 === click.positive) return null;
  let area = 0;
  for (const logit of logits) if (logit >= 0) area++;
  const most = FARTHEST * Math.sqrt(area * cellX * cellY);
  const [column, row] = [(click.x - shown.x) / cellX - 0.5, (click.y - shown.y) / cellY - 0.5];
  let nearest = Infinity;
  const [reachX, reachY] = [Math.ceil(most / cellX) + 1, Math.ceil(most / cellY) + 1];
  for (let y = Math.max(0, Math.floor(row - reachY)); y <= Math.min(height - 1, Math.ceil(row + reachY)); y++) {
    for (let x = Math.max(0, Math.floor(column - reachX)); x <= Math.min(width - 1, Math.ceil(column + reachX)); x++) {
      if ((logits[y * width + x] ?? 0) >= 0 !== click.positive) continue;
      // The border lies half a cell before the first cell beyond it.
      nearest = Math.min(nearest, Math.hypot((x - column) * cellX, (y - row) * cellY) - Math.min(cellX, cellY) / 2);
    }
  }
  return nearest <= most ? { ...click, radius: Math.max(nearest, Math.min(cellX, cellY) / 2) } : null;
}

/**
 * A mask that honours claims, the later over the earlier. The border moves where the signed distance to it, plus a
 * bump around each click that is just high enough, is zero.
 */
export function honoured(grid: MaskGrid, claims: readonly Claim[]): MaskGrid {
  if (claims.length === 0) return grid;
  let logits: Float32Array | null = null;
  for (const claim of claims) {
    const own: MaskGrid = logits ? { ...grid, logits } : grid;
    const changed = honour(own, claim);
    if (changed) logits = changed;
  }
  return logits ? { ...grid, logits } : grid;
}

/**
 * The decoder's mask without what a click cannot have meant. People click where the mask is wrong by most, so
 * no piece of a change can be thicker than what was wrong at the click, but the one that the click is in;
 * thicker ones are the decoder having taken something else for the object. Both masks on one grid.
 */
export function restrained(before: MaskGrid, after: MaskGrid, claim: Claim): MaskGrid {
  const { width, height } = after;
  const changed = Uint8Array.from(after.logits, (logit, i) => (logit >= 0 !== (before.logits[i] ?? 0) >= 0 ? 1 : 0));
  const { ids, list } = components({ width, height, data: changed }, 8);
  if (list.length === 0) return after;
  const depth = squaredDistance(changed, width, height, 0);
  const deepest = new Float64Array(list.length + 1);
  for (const [i, id] of ids.entries()) if ((depth[i] ?? 0) > (deepest[id] ?? 0)) deepest[id] = depth[i] ?? 0;
  const cell = Math.sqrt(after.cellX * after.cellY);
  const most = (THICKER * claim.radius) / cell + 1;
  const refused = new Set(list.filter(({ id }) => Math.sqrt(deepest[id] ?? 0) > most).map(({ id }) => id));
  const [column, row] = [(claim.x - after.x) / after.cellX - 0.5, (claim.y - after.y) / after.cellY - 0.5];
  const near = Math.max(1, claim.radius / cell);
  for (const [i, id] of ids.entries()) {
    if (refused.has(id) && Math.hypot((i % width) - column, Math.floor(i / width) - row) <= near) refused.delete(id);
  }
  if (refused.size === 0) return after;
  return { ...after, logits: after.logits.map((logit, i) => (refused.has(ids[i] ?? 0) ? (before.logits[i] ?? 0) : logit)) };
}

/**
 * The mean of the logits before a small correction and after it. From click to click the decoder's border moves a
 * little everywhere; the mean of two is nearer to the object than either (an ensemble of two), and the click itself
 * is honoured afterwards.
 */
export function steadied(before: MaskGrid, after: MaskGrid): MaskGrid {
  const bounded = (logit: number): number => Math.max(-SURE, Math.min(SURE, logit));
  return { ...after, logits: after.logits.map((logit, i) => (logit + bounded(before.logits[i] ?? 0)) / 2) };
}

/** Null where the mask goes as far as claimed. Distances are in cells. */
function honour(grid: MaskGrid, { x, y, positive, radius }: Claim): Float32Array | null {
  const { width, height } = grid;
  const cell = Math.sqrt(grid.cellX * grid.cellY);
  const wanted = radius / cell;
  const spread = REACH * Math.max(1, wanted);
  const [column, row] = [(x - grid.x) / grid.cellX - 0.5, (y - grid.y) / grid.cellY - 0.5];
  const reach = Math.ceil(3 * spread + wanted) + 1;
  const left = Math.max(0, Math.floor(column) - reach);
  const top = Math.max(0, Math.floor(row) - reach);
  const right = Math.min(width, Math.ceil(column) + reach + 1);
  const bottom = Math.min(height, Math.ceil(row) + reach + 1);
  const [w, h] = [right - left, bottom - top];
  if (w < 2 || h < 2) return null;
  const inside = new Uint8Array(w * h);
  for (let j = 0, o = 0; j < h; j++) {
    for (let i = 0; i < w; i++, o++) inside[o] = (grid.logits[(top + j) * width + left + i] ?? 0) >= 0 ? 1 : 0;
  }
  const distance = signedDistance(inside, w, h);
  const [ci, cj] = [Math.max(0, Math.min(w - 1, Math.round(column) - left)), Math.max(0, Math.min(h - 1, Math.round(row) - top))];
  const lift = (positive ? wanted : -wanted) - (distance[cj * w + ci] ?? 0);
  if (positive ? lift <= 0 : lift >= 0) return null;
  const logits = grid.logits.slice();
  for (let j = 0, o = 0; j < h; j++) {
    for (let i = 0; i < w; i++, o++) {
      const squared = (left + i - column) ** 2 + (top + j - row) ** 2;
      const bump = lift * Math.exp(-squared / (2 * spread * spread));
      const share = Math.min(1, Math.abs(bump) / BLEND);
      if (share < 0.02) continue;
      const at = (top + j) * width + left + i;
      logits[at] = (logits[at] ?? 0) * (1 - share) + ((distance[o] ?? 0) + bump) * share;
    }
  }
  return logits;
}

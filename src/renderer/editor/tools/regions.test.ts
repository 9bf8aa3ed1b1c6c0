import { describe, expect, it } from 'vitest';
import { rleOfBox } from './masks.test-support.ts';
import type { Player } from './play.test-support.ts';
import { play } from './play.test-support.ts';
import type { RegionsState } from './regions.ts';
import { kmeans } from './regions.ts';
import type { AskingInput } from './tool.ts';

type Dividing = Player<RegionsState, AskingInput>;
const REGIONS = [
  { mark: 1, rle: rleOfBox(0, 0, 50, 80) },
  { mark: 2, rle: rleOfBox(50, 0, 50, 80) },
];

describe('methods that divide the image', () => {
  it('ask when they are told to, show each region in a colour of its own, and keep them with Enter', () => {
    const player: Dividing = play(kmeans, { instances: [] });
    expect(kmeans.drafting(player.state)).toBe(false);
    player.feed({ kind: 'again' });
    expect(player.asked).toEqual([{ kind: 'regions', id: 1, question: { method: 'kmeans' } }]);
    player.feed({ kind: 'answer', of: 'regions', id: 1, value: { regions: REGIONS } });
    const draft = player.draft;
    if (draft?.kind !== 'scribbles') throw new Error('no regions are shown');
    expect(draft.masks.map(({ rle }) => rle)).toEqual(REGIONS.map(({ rle }) => rle));
    expect(new Set(draft.masks.map(({ color }) => color)).size).toBe(2);
    player.feed({ kind: 'finish' });
    expect(player.asked.at(-1)).toEqual({ kind: 'keep', id: 2, question: { method: 'kmeans' } });
    player.feed({ kind: 'answer', of: 'keep', id: 2, value: { suggestions: 2 } });
    expect(player.draft).toBeNull();
    expect(kmeans.drafting(player.state)).toBe(false);
    expect(player.commits).toEqual([]);
  });

  it('show the answers on the way while a parameter is dragged', () => {
    const player: Dividing = play(kmeans, { instances: [] });
    player.feed({ kind: 'again' });
    player.feed({ kind: 'again' });
    player.feed({ kind: 'answer', of: 'regions', id: 1, value: { regions: REGIONS } });
    expect(player.draft).toMatchObject({ pending: true });
    player.feed({ kind: 'answer', of: 'regions', id: 2, value: { regions: REGIONS.slice(0, 1) } });
    expect(player.draft).toMatchObject({ masks: [{ rle: REGIONS[0]!.rle }], pending: false });
  });

  it('keep Enter for the answer that is awaited, and show nothing after Escape', () => {
    const player: Dividing = play(kmeans, { instances: [] });
    player.feed({ kind: 'again' });
    player.feed({ kind: 'finish' });
    player.feed({ kind: 'answer', of: 'regions', id: 1, value: { regions: REGIONS } });
    expect(player.asked.at(-1)).toMatchObject({ kind: 'keep' });
    const other: Dividing = play(kmeans, { instances: [] });
    other.feed({ kind: 'again' });
    expect(other.feed({ kind: 'cancel' }).used).toBe(true);
    other.feed({ kind: 'answer', of: 'regions', id: 1, value: { regions: REGIONS } });
    expect(other.draft).toBeNull();
  });
});

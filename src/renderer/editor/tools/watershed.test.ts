import { describe, expect, it } from 'vitest';
import { rleOfBox } from './masks.test-support.ts';
import type { Player } from './play.test-support.ts';
import { play } from './play.test-support.ts';
import type { AskingInput } from './tool.ts';
import type { WatershedState } from './watershed.ts';
import { watershed } from './watershed.ts';

const EMPTY = { instances: [], brushPx: 6 };
const ONE = rleOfBox(10, 10, 20, 20);
const TWO = rleOfBox(50, 10, 20, 20);
const AROUND = rleOfBox(0, 40, 100, 40);

type Flooding = Player<WatershedState, AskingInput>;

describe('watershed', () => {
  it('asks from the second colour on', () => {
    const player: Flooding = play(watershed, EMPTY);
    player.click(20, 20);
    expect(player.asked).toEqual([]);
    player.feed({ kind: 'finish' });
    expect(player.notices).toHaveLength(1);
    player.click(50, 60, { shift: true });
    expect(player.asked).toMatchObject([
      {
        question: {
          strokes: [
            { points: [20, 20], radius: 3, mark: 1 },
            { points: [50, 60], mark: 0 },
          ],
        },
      },
    ]);
  });

  it('makes an instance of each object in one edit, and none of what lies around', () => {
    const player: Flooding = play(watershed, EMPTY);
    player.click(20, 20);
    player.feed({ kind: 'next', step: 1 });
    player.click(60, 20);
    player.click(50, 60, { shift: true });
    expect(player.asked.map(({ id }) => id)).toEqual([1, 2]);
    const regions = [
      { mark: 0, rle: AROUND },
      { mark: 1, rle: ONE },
      { mark: 2, rle: TWO },
    ];
    player.feed({ kind: 'answer', of: 'watershed', id: 1, value: { regions: regions.slice(1, 2) } });
    expect(player.draft).toMatchObject({ masks: [], pending: true });
    player.feed({ kind: 'answer', of: 'watershed', id: 2, value: { regions } });
    expect(player.draft).toMatchObject({ kind: 'scribbles', masks: [{ rle: ONE }, { rle: TWO }], pending: false });
    player.feed({ kind: 'finish' });
    expect(player.commits).toEqual([
      {
        kind: 'add-all',
        geometries: [
          { kind: 'mask', rle: ONE },
          { kind: 'mask', rle: TWO },
        ],
      },
    ]);
    expect(watershed.drafting(player.state)).toBe(false);
  });

  it('walks round the objects that have a stroke and one that has none', () => {
    const player: Flooding = play(watershed, EMPTY);
    const next = (step: 1 | -1): number => {
      player.feed({ kind: 'next', step });
      return player.state.object;
    };
    expect(player.feed({ kind: 'next', step: 1 }).used).toBe(false);
    expect(next(1)).toBe(1);
    player.click(20, 20);
    expect(next(1)).toBe(2);
    player.click(60, 20);
    expect([next(1), next(1), next(-1), next(-1)]).toEqual([3, 1, 3, 2]);
  });

  it('takes back a stroke, and forgets what it found when one colour is left', () => {
    const player: Flooding = play(watershed, EMPTY);
    player.click(20, 20);
    player.click(50, 60, { shift: true });
    player.feed({ kind: 'answer', of: 'watershed', id: 1, value: { regions: [{ mark: 1, rle: ONE }] } });
    player.feed({ kind: 'remove-last' });
    expect(player.draft).toMatchObject({ masks: [], pending: false });
    player.feed({ kind: 'cancel' });
    expect(player.draft).toBeNull();
    player.move(30, 30);
    expect(player.draft).toMatchObject({ strokes: [], masks: [] });
    expect(player.feed({ kind: 'remove-last' }).used).toBeFalsy();
  });
});

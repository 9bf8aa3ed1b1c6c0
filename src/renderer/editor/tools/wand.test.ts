import { describe, expect, it } from 'vitest';
import type { Player } from './play.test-support.ts';
import { play } from './play.test-support.ts';
import type { AskingInput } from './tool.ts';
import type { WandState } from './wand.ts';
import { wand } from './wand.ts';
import { rleOfBox } from './masks.test-support.ts';

const EMPTY = { instances: [] };
const FIRST = rleOfBox(10, 10, 20, 20);
const SECOND = rleOfBox(10, 10, 40, 20);

type Wanding = Player<WandState, AskingInput>;

function answer(player: Wanding, id: number, rle: typeof FIRST | null, tolerance = 12): void {
  player.feed({ kind: 'answer', of: 'wand', id, value: { rle, tolerance } });
}

const asks = (player: Wanding): unknown[] => player.asked.map(({ question }) => question);

describe('magic wand', () => {
  it('asks with a click, shows what is found and makes it an instance with Enter', () => {
    const player: Wanding = play(wand, EMPTY);
    player.click(15, 15);
    expect(asks(player)).toEqual([{ clicks: [{ at: { x: 15, y: 15 }, adds: true, wider: 0 }], rough: false }]);
    expect(player.draft).toMatchObject({ kind: 'masks', candidates: [], pending: true });
    answer(player, 1, FIRST);
    expect(player.draft).toMatchObject({ candidates: [FIRST], pending: false, pill: 'tolerance 12' });
    player.feed({ kind: 'finish' });
    expect(player.commits).toEqual([{ kind: 'add', geometry: { kind: 'mask', rle: FIRST } }]);
    expect(player.draft).toBeNull();
    player.feed({ kind: 'finish' });
    expect(player.commits).toHaveLength(1);
  });

  it('adds with Shift and takes away with Alt or the secondary button, in their order', () => {
    const player: Wanding = play(wand, EMPTY);
    player.click(15, 15);
    player.click(40, 15, { shift: true });
    player.click(12, 12, { alt: true });
    player.feed({
      kind: 'press',
      at: { x: 13, y: 13 },
      modifiers: { shift: false, alt: false, ctrl: false },
      clicks: 1,
      button: 'secondary',
    });
    expect(asks(player).at(-1)).toEqual({
      clicks: [
        { at: { x: 15, y: 15 }, adds: true, wider: 0 },
        { at: { x: 40, y: 15 }, adds: true, wider: 0 },
        { at: { x: 12, y: 12 }, adds: false, wider: 0 },
        { at: { x: 13, y: 13 }, adds: false, wider: 0 },
      ],
      rough: false,
    });
  });

  it('begins anew with a plain click, and takes nothing away from nothing', () => {
    const player: Wanding = play(wand, EMPTY);
    player.click(15, 15, { alt: true });
    expect(player.asked).toEqual([]);
    player.click(15, 15);
    answer(player, 1, FIRST);
    player.click(50, 50);
    expect(asks(player).at(-1)).toEqual({ clicks: [{ at: { x: 50, y: 50 }, adds: true, wider: 0 }], rough: false });
    // What the first click found is gone, and a late answer does not bring it back.
    expect(player.draft).toMatchObject({ candidates: [] });
    answer(player, 1, FIRST);
    expect(player.draft).toMatchObject({ candidates: [] });
  });

  it('widens by dragging, by the way on screen, and shows the answers on the way', () => {
    const player: Wanding = play(wand, { ...EMPTY, scale: 2 });
    player.press(15, 15);
    player.move(16, 15);
    expect(player.asked).toHaveLength(1);
    player.move(25, 15);
    player.move(35, 15);
    expect(asks(player).map((question) => (question as { clicks: { wider: number }[] }).clicks[0]!.wider)).toEqual([0, 5, 10]);
    answer(player, 2, FIRST, 17);
    expect(player.draft).toMatchObject({ candidates: [FIRST], pill: 'tolerance 17' });
    player.feed({ kind: 'finish' });
    expect(player.commits).toEqual([]);
    // Enter came before the last answer: it is kept for it.
    answer(player, 3, SECOND, 22);
    expect(player.commits).toEqual([{ kind: 'add', geometry: { kind: 'mask', rle: SECOND } }]);
  });

  it('takes rough answers on a large image while the button is down, and a fine one in the end', () => {
    const player: Wanding = play(wand, { ...EMPTY, image: { width: 6000, height: 4000 } });
    player.press(15, 15);
    player.move(60, 15);
    player.release(60, 15);
    expect(asks(player).map((question) => (question as { rough: boolean }).rough)).toEqual([true, true, false]);
    expect(asks(player)[2]).toMatchObject({ clicks: [{ wider: 11 }] });
  });

  it('asks again for fewer clicks with Backspace, and drops all with Escape', () => {
    const player: Wanding = play(wand, EMPTY);
    player.click(15, 15);
    player.click(40, 15, { shift: true });
    expect(player.feed({ kind: 'remove-last' }).used).toBe(true);
    expect(asks(player).at(-1)).toEqual(asks(player)[0]);
    player.feed({ kind: 'cancel' });
    expect(player.draft).toBeNull();
    answer(player, 3, FIRST);
    expect(player.draft).toBeNull();
    expect(player.feed({ kind: 'cancel' }).used).toBeFalsy();
    expect(player.feed({ kind: 'remove-last' }).used).toBeFalsy();
  });

  it('does nothing without a class', () => {
    const player: Wanding = play(wand, { ...EMPTY, canAdd: false });
    player.click(15, 15);
    expect(player.asked).toEqual([]);
    expect(player.draft).toBeNull();
  });
});

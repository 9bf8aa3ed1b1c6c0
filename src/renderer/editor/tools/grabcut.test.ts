import { describe, expect, it } from 'vitest';
import type { GrabCutState } from './grabcut.ts';
import { grabcut } from './grabcut.ts';
import { rleOfBox } from './masks.test-support.ts';
import type { Player } from './play.test-support.ts';
import { play } from './play.test-support.ts';
import type { AskingInput } from './tool.ts';
import { NO_MODIFIERS } from './tool.ts';

const EMPTY = { instances: [], brushPx: 8 };
const MASK = rleOfBox(20, 20, 30, 30);

type Cutting = Player<GrabCutState, AskingInput>;

function boxed(): Cutting {
  const player: Cutting = play(grabcut, EMPTY);
  player.drag([
    [10, 12],
    [40, 50],
    [60, 62],
  ]);
  return player;
}

function answer(player: Cutting, rle: typeof MASK | null): void {
  player.feed({ kind: 'answer', of: 'grabcut', id: player.asked.at(-1)!.id, value: { rle } });
}

describe('GrabCut', () => {
  it('asks for the box that was dragged, whatever its direction, and makes the instance', () => {
    const player: Cutting = play(grabcut, EMPTY);
    player.press(60, 62);
    player.move(10, 12);
    expect(player.draft).toEqual({ kind: 'marquee', box: [10, 12, 50, 50] });
    player.release(10, 12);
    expect(player.asked).toEqual([{ kind: 'grabcut', id: 1, question: { box: [10, 12, 50, 50], strokes: [] } }]);
    answer(player, MASK);
    expect(player.draft).toMatchObject({ kind: 'scribbles', masks: [{ rle: MASK, color: null }], box: [10, 12, 50, 50], pending: false });
    player.feed({ kind: 'finish' });
    expect(player.commits).toEqual([{ kind: 'add', geometry: { kind: 'mask', rle: MASK } }]);
    expect(grabcut.drafting(player.state)).toBe(false);
  });

  it('takes a click for none, and clips the box to the image', () => {
    const player: Cutting = play(grabcut, EMPTY);
    player.click(30, 30);
    expect(player.asked).toEqual([]);
    expect(grabcut.drafting(player.state)).toBe(false);
    player.drag([
      [-20, -10],
      [300, 300],
    ]);
    expect(player.asked).toMatchObject([{ question: { box: [0, 0, 100, 80] } }]);
  });

  it('corrects with strokes: the object, and with Shift or the secondary button what it is not', () => {
    const player = boxed();
    answer(player, MASK);
    player.drag([
      [30, 30],
      [40, 30],
    ]);
    player.drag(
      [
        [12, 14],
        [20, 14],
      ],
      { shift: true },
    );
    player.feed({ kind: 'press', at: { x: 55, y: 55 }, modifiers: NO_MODIFIERS, clicks: 1, button: 'secondary' });
    player.release(55, 55);
    expect(player.asked).toHaveLength(4);
    expect(player.asked.at(-1)).toMatchObject({
      question: {
        strokes: [
          { points: [30, 30, 40, 30], radius: 4, mark: 1 },
          { points: [12, 14, 20, 14], radius: 4, mark: 0 },
          { points: [55, 55], radius: 4, mark: 0 },
        ],
      },
    });
    // The last mask is shown until the next one is there.
    expect(player.draft).toMatchObject({ masks: [{ rle: MASK }], pending: true });
  });

  it('makes strokes as wide on the screen at each zoom', () => {
    const player: Cutting = play(grabcut, { ...EMPTY, scale: 0.25 });
    player.drag([
      [10, 10],
      [80, 70],
    ]);
    player.click(30, 30);
    expect(player.asked.at(-1)).toMatchObject({ question: { strokes: [{ radius: 16 }] } });
  });

  it('takes back strokes, then the box', () => {
    const player = boxed();
    player.click(30, 30);
    player.feed({ kind: 'remove-last' });
    expect(player.asked.at(-1)).toMatchObject({ question: { strokes: [] } });
    player.feed({ kind: 'remove-last' });
    expect(grabcut.drafting(player.state)).toBe(false);
  });

  it('keeps Enter for the answer that is awaited, and says so where nothing is found', () => {
    const player = boxed();
    player.feed({ kind: 'finish' });
    expect(player.commits).toEqual([]);
    answer(player, MASK);
    expect(player.commits).toHaveLength(1);
    const other = boxed();
    answer(other, null);
    expect(other.notices).toHaveLength(1);
    other.feed({ kind: 'finish' });
    expect(other.commits).toEqual([]);
    const little = boxed();
    answer(little, rleOfBox(30, 30, 4, 4));
    expect(little.notices).toHaveLength(1);
  });

  it('goes on after a failure', () => {
    const player = boxed();
    player.feed({ kind: 'answer-failed', of: 'grabcut', id: 1, message: 'the thread ended' });
    expect(player.draft).toMatchObject({ kind: 'scribbles', pending: false });
    player.click(30, 30);
    answer(player, MASK);
    player.feed({ kind: 'finish' });
    expect(player.commits).toHaveLength(1);
  });
});

import { describe, expect, it } from 'vitest';
import { box } from './box.ts';
import { play } from './play.test-support.ts';
import { boxHandles, handleAt, resizedBox } from './resize.ts';

const IMAGE = { width: 100, height: 80 };

describe('box tool', () => {
  it('drags a box in any direction, clipped to the image', () => {
    const player = play(box, { instances: [] });
    player.drag([
      [40, 30],
      [20, 50],
      [-10, 200],
    ]);
    expect(player.commits).toEqual([{ kind: 'add', geometry: { kind: 'box', box: [0, 30, 40, 50] } }]);
  });

  it('makes a square with Shift that stays in the image', () => {
    const player = play(box, { instances: [] });
    player.drag(
      [
        [90, 10],
        [99, 40],
      ],
      { shift: true },
    );
    expect(player.commits).toEqual([{ kind: 'add', geometry: { kind: 'box', box: [90, 10, 10, 10] } }]);
  });

  it('commits nothing for a click or after Esc', () => {
    const player = play(box, { instances: [] });
    player.click(40, 30);
    player.press(10, 10);
    player.move(50, 50);
    expect(player.draft).toEqual({ kind: 'box', box: [10, 10, 40, 40] });
    expect(player.feed({ kind: 'cancel' }).used).toBe(true);
    player.release(50, 50);
    expect(player.commits).toEqual([]);
    expect(player.draft).toBeNull();
  });
});

describe('box handles', () => {
  it('finds corners before edges and nothing out of reach', () => {
    expect(handleAt([10, 10, 20, 20], { x: 29, y: 29 }, 5)).toEqual({ h: 1, v: 1 });
    expect(handleAt([10, 10, 20, 20], { x: 20, y: 11 }, 5)).toEqual({ h: 0, v: -1 });
    expect(handleAt([10, 10, 20, 20], { x: 20, y: 20 }, 5)).toBeNull();
    expect(boxHandles([10, 10, 20, 20])).toHaveLength(8);
  });

  it('moves only its edges, turns over, and stays in the image', () => {
    expect(resizedBox([10, 10, 20, 20], { h: 1, v: 0 }, { x: 50, y: 70 }, IMAGE)).toEqual([10, 10, 40, 20]);
    expect(resizedBox([10, 10, 20, 20], { h: -1, v: -1 }, { x: 60, y: -5 }, IMAGE)).toEqual([30, 0, 30, 30]);
  });
});

import { describe, expect, it } from 'vitest';
import { play } from './play.test-support.ts';
import { polygon } from './polygon.ts';

const EMPTY = { instances: [] };
const TRIANGLE = { kind: 'add', geometry: { kind: 'polygon', parts: [{ outer: [10, 10, 50, 10, 50, 40], holes: [] }] } };

describe('polygon tool', () => {
  it('closes with Enter and commits once', () => {
    const player = play(polygon, EMPTY);
    for (const [x, y] of [
      [10, 10],
      [50, 10],
      [50, 40],
    ] as const)
      player.click(x, y);
    expect(player.commits).toEqual([]);
    player.feed({ kind: 'finish' });
    expect(player.commits).toEqual([TRIANGLE]);
    expect(player.draft).toBeNull();
    player.feed({ kind: 'finish' });
    expect(player.commits).toHaveLength(1);
  });

  it('closes on a click on the first point, within reach on screen and not on the image', () => {
    const near = play(polygon, { ...EMPTY, scale: 1 });
    for (const [x, y] of [
      [10, 10],
      [50, 10],
      [50, 40],
      [15, 13],
    ] as const)
      near.click(x, y);
    expect(near.commits).toEqual([TRIANGLE]);
    const far = play(polygon, { ...EMPTY, scale: 4 });
    for (const [x, y] of [
      [10, 10],
      [50, 10],
      [50, 40],
      [15, 13],
    ] as const)
      far.click(x, y);
    expect(far.commits).toEqual([]);
  });

  it('closes on a double click without a doubled point', () => {
    const player = play(polygon, EMPTY);
    player.click(10, 10);
    player.click(50, 10);
    player.click(50, 40);
    player.click(50, 40, {}, 2);
    expect(player.commits).toEqual([TRIANGLE]);
  });

  it('takes points back, ends with the last one, and drops with Esc', () => {
    const player = play(polygon, EMPTY);
    player.click(10, 10);
    player.click(50, 10);
    expect(player.feed({ kind: 'remove-last' }).used).toBe(true);
    expect(player.draft).toMatchObject({ kind: 'polygon', points: [{ x: 10, y: 10 }] });
    player.feed({ kind: 'remove-last' });
    expect(polygon.drafting(player.state)).toBe(false);
    player.click(10, 10);
    player.click(50, 10);
    player.click(50, 50);
    player.feed({ kind: 'cancel' });
    expect(polygon.drafting(player.state)).toBe(false);
    expect(player.commits).toEqual([]);
  });

  it('refuses two points and a line, and keeps drawing', () => {
    const player = play(polygon, EMPTY);
    player.click(10, 10);
    player.click(50, 50);
    player.feed({ kind: 'finish' });
    player.click(30, 30);
    player.feed({ kind: 'finish' });
    expect(player.commits).toEqual([]);
    expect(polygon.drafting(player.state)).toBe(true);
  });

  it('clips points to the image and shows the live edge', () => {
    const player = play(polygon, EMPTY);
    player.click(-20, 10);
    player.move(300, 200);
    expect(player.draft).toEqual({ kind: 'polygon', points: [{ x: 0, y: 10 }], cursor: { x: 100, y: 80 }, closing: false });
  });

  it('does not begin without a class', () => {
    const player = play(polygon, { ...EMPTY, canAdd: false });
    player.click(10, 10);
    expect(polygon.drafting(player.state)).toBe(false);
  });
});

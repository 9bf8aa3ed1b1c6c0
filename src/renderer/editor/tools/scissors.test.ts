import { describe, expect, it } from 'vitest';
import type { Player } from './play.test-support.ts';
import { play } from './play.test-support.ts';
import type { ScissorsState } from './scissors.ts';
import { scissors } from './scissors.ts';
import type { AskingInput } from './tool.ts';

type Cutting = Player<ScissorsState, AskingInput>;

/** Answers the last question with a way that goes across first, then down: as edges of a square would be. */
function answer(player: Cutting): void {
  const ask = player.asked.at(-1);
  if (ask?.kind !== 'scissors') throw new Error('nothing was asked');
  const { from, to } = ask.question;
  const points = [from.x, from.y, to.x, from.y, to.x, to.y];
  player.feed({ kind: 'answer', of: 'scissors', id: ask.id, value: { points, stepPx: 1 } });
}

function square(player: Cutting): void {
  player.click(10, 10);
  for (const [x, y] of [
    [50, 12],
    [52, 50],
    [12, 48],
  ] as const) {
    player.move(x, y);
    answer(player);
    player.click(x, y);
  }
}

describe('intelligent scissors', () => {
  it('asks for the way to the cursor, one question at a time, and then for where the cursor is by then', () => {
    const player: Cutting = play(scissors, { instances: [] });
    player.click(10, 10);
    expect(player.asked).toEqual([]);
    player.move(20, 20);
    player.move(30, 25);
    player.move(40, 30);
    expect(player.asked).toEqual([{ kind: 'scissors', id: 1, question: { from: { x: 10, y: 10 }, to: { x: 20, y: 20 } } }]);
    answer(player);
    expect(player.draft).toMatchObject({ kind: 'path', fixed: [], live: [10, 10, 20, 10, 20, 20] });
    expect(player.asked.at(-1)).toMatchObject({ id: 2, question: { to: { x: 40, y: 30 } } });
  });

  it('fixes the line that is shown, and closes to a polygon along all lines with Enter', () => {
    const player: Cutting = play(scissors, { instances: [] });
    square(player);
    expect(player.draft).toMatchObject({ fixed: [10, 10, 50, 10, 50, 12, 52, 12, 52, 50, 12, 50, 12, 48] });
    player.feed({ kind: 'finish' });
    expect(player.commits).toEqual([]);
    expect(player.asked.at(-1)).toMatchObject({ question: { from: { x: 12, y: 48 }, to: { x: 10, y: 10 } } });
    answer(player);
    expect(player.commits).toHaveLength(1);
    const [commit] = player.commits;
    if (commit?.kind !== 'add' || commit.geometry.kind !== 'polygon') throw new Error('no polygon was committed');
    const { outer, holes } = commit.geometry.parts[0]!;
    expect(holes).toEqual([]);
    for (const [x, y] of [
      [10, 10],
      [52, 12],
      [52, 50],
      [12, 50],
    ] as const)
      expect(outer.some((_, i) => i % 2 === 0 && outer[i] === x && outer[i + 1] === y)).toBe(true);
    expect(outer.slice(0, 2)).not.toEqual(outer.slice(-2));
  });

  it('closes on a click on the first point, and on a double click', () => {
    const first: Cutting = play(scissors, { instances: [], scale: 2 });
    square(first);
    first.click(12, 12);
    answer(first);
    expect(first.commits).toHaveLength(1);
    const second: Cutting = play(scissors, { instances: [] });
    square(second);
    second.click(12, 48, {}, 2);
    answer(second);
    expect(second.commits).toHaveLength(1);
  });

  it('does not lose clicks that come before their line is known', () => {
    const player: Cutting = play(scissors, { instances: [] });
    player.click(10, 10);
    player.click(50, 12);
    player.click(52, 50);
    expect(player.asked).toHaveLength(1);
    answer(player);
    expect(player.asked).toHaveLength(2);
    expect(player.asked.at(-1)).toMatchObject({ question: { from: { x: 50, y: 12 }, to: { x: 52, y: 50 } } });
    answer(player);
    expect(player.draft).toMatchObject({ fixed: [10, 10, 50, 10, 50, 12, 52, 12, 52, 50] });
  });

  it('goes straight with Shift, without a question', () => {
    const player: Cutting = play(scissors, { instances: [] });
    player.click(10, 10);
    player.click(50, 40, { shift: true });
    expect(player.asked).toEqual([]);
    expect(player.draft).toMatchObject({ fixed: [10, 10, 50, 40] });
  });

  it('takes back pieces with Backspace, the first point last', () => {
    const player: Cutting = play(scissors, { instances: [] });
    square(player);
    player.feed({ kind: 'remove-last' });
    expect(player.draft).toMatchObject({ fixed: [10, 10, 50, 10, 50, 12, 52, 12, 52, 50] });
    player.feed({ kind: 'remove-last' });
    player.feed({ kind: 'remove-last' });
    expect(player.draft).toMatchObject({ fixed: [] });
    expect(player.feed({ kind: 'remove-last' }).used).toBe(true);
    expect(player.draft).toBeNull();
  });

  it('shows the points where the line put them', () => {
    const player: Cutting = play(scissors, { instances: [] });
    player.click(10, 10);
    player.move(40, 40);
    player.feed({ kind: 'answer', of: 'scissors', id: 1, value: { points: [12, 11, 30, 30, 41, 42], stepPx: 2 } });
    player.click(40, 40);
    expect(player.draft).toMatchObject({
      seeds: [
        { x: 12, y: 11 },
        { x: 41, y: 42 },
      ],
    });
  });

  it('leaves out what goes out and comes back the same way', () => {
    const player: Cutting = play(scissors, { instances: [] });
    const way = (points: readonly number[]): void => {
      const { id } = player.asked.at(-1)!;
      player.feed({ kind: 'answer', of: 'scissors', id, value: { points, stepPx: 0.1 } });
    };
    player.click(5, 5);
    player.click(70, 20);
    way([5, 5, 10, 10, 20, 10, 60, 10, 60, 20, 65, 20, 70, 20]);
    player.click(60, 60);
    way([70, 20, 65, 20, 60, 20, 60, 60]);
    player.feed({ kind: 'finish' });
    way([60, 60, 10, 60, 10, 10, 5, 5]);
    expect(player.commits).toMatchObject([{ geometry: { parts: [{ outer: [10, 10, 60, 10, 60, 60, 10, 60] }] } }]);
  });

  it('commits nothing where the line comes back the way it went', () => {
    const player: Cutting = play(scissors, { instances: [] });
    player.click(10, 10);
    player.click(30, 10, { shift: true });
    player.click(50, 10, { shift: true });
    player.feed({ kind: 'finish' });
    const ask = player.asked.at(-1)!;
    player.feed({ kind: 'answer', of: 'scissors', id: ask.id, value: { points: [50, 10, 10, 10], stepPx: 1 } });
    expect(player.commits).toEqual([]);
    expect(player.notices).toHaveLength(1);
    expect(player.draft).toMatchObject({ kind: 'path' });
  });
});

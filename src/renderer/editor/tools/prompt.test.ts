import { describe, expect, it } from 'vitest';
import type { PromptAnswer } from '../../../shared/calls/prompts.ts';
import { geometryToRle } from '../../../shared/mask/raster.ts';
import type { Player, Scene } from './play.test-support.ts';
import { play } from './play.test-support.ts';
import type { PromptToolState } from './prompt.ts';
import { prompt, promptBox } from './prompt.ts';
import type { AskingInput, Input } from './tool.ts';

type More = Exclude<AskingInput, Input>;
type Prompter = Player<PromptToolState, More>;

const EMPTY: Scene = { instances: [] };
const click = (scene = EMPTY): Prompter => play<PromptToolState, More>(prompt, scene);
const boxed = (scene = EMPTY): Prompter => play<PromptToolState, More>(promptBox, scene);

/** An answer whose candidates are squares of these sizes at (10, 10). */
function found(promptId: number, sizes: readonly number[], finer: PromptAnswer['finer'] = 'none'): PromptAnswer {
  const candidates = sizes.map((size) => ({
    rle: geometryToRle({ kind: 'box', box: [10, 10, size, size] }, 100, 80),
    box: [10, 10, size, size] as const,
    iou: 0.9,
    stability: 0.95,
  }));
  return { promptId, candidates, finer, provider: 'cpu', embedMs: 0, runMs: 40, totalMs: 41 };
}

function reply(
  player: Prompter,
  value: PromptAnswer,
  id = player.asked.at(-1)?.id ?? 0,
  of: 'prompt' | 'finer' | 'hover' = 'prompt',
): void {
  player.feed({ kind: 'answer', of, id, value });
}

describe('click prompts', () => {
  it('asks for the mask of a click, shows it, and commits exactly its pixels on Enter', () => {
    const player = click();
    player.click(20, 30);
    expect(player.asked).toEqual([
      { kind: 'prompt', id: 1, question: { points: [{ x: 20, y: 30, positive: true }], box: null, refine: null } },
    ]);
    expect(player.draft).toMatchObject({ kind: 'masks', candidates: [], pending: true });
    const answer = found(7, [20]);
    reply(player, answer);
    expect(player.draft).toMatchObject({ kind: 'masks', candidates: [answer.candidates[0]?.rle], pending: false, pill: 'IoU 0.90' });
    expect(player.feed({ kind: 'finish' }).used).toBe(true);
    expect(player.commits).toEqual([{ kind: 'add', geometry: { kind: 'mask', rle: answer.candidates[0]?.rle } }]);
    expect(prompt.drafting(player.state)).toBe(false);
    expect(player.draft).toBeNull();
  });

  it('feeds the mask on show back with the next click, which a right click or Shift makes negative', () => {
    const player = click();
    player.click(20, 30);
    reply(player, found(7, [20, 30]));
    player.feed({ kind: 'next', step: 1 });
    player.feed({
      kind: 'press',
      at: { x: 40, y: 40 },
      modifiers: { shift: false, alt: false, ctrl: false },
      clicks: 1,
      button: 'secondary',
    });
    expect(player.asked.at(-1)?.question).toEqual({
      points: [
        { x: 20, y: 30, positive: true },
        { x: 40, y: 40, positive: false },
      ],
      box: null,
      refine: { promptId: 7, candidate: 1 },
    });
    reply(player, found(8, [10]));
    player.click(50, 50, { shift: true });
    expect(player.asked.at(-1)?.question).toMatchObject({ refine: { promptId: 8, candidate: 0 } });
    expect(player.state.points.at(-1)).toEqual({ x: 50, y: 50, positive: false });
  });

  it('shows the old mask until the answer to a new click is there, and drops an answer that came too late', () => {
    const player = click();
    player.click(20, 30);
    player.click(22, 32);
    reply(player, found(1, [10]), 1);
    expect(player.state.answer).toBeNull();
    reply(player, found(2, [20]), 2);
    expect(player.state.answer?.promptId).toBe(2);
    player.click(24, 34);
    expect(player.draft).toMatchObject({ candidates: [found(2, [20]).candidates[0]?.rle], pending: true });
  });

  it('cycles through the candidates in both directions', () => {
    const player = click();
    player.click(20, 30);
    reply(player, found(1, [10, 20, 30]));
    expect(player.draft).toMatchObject({ chosen: 0, pill: 'IoU 0.90 · 1 of 3' });
    expect(player.feed({ kind: 'next', step: 1 }).used).toBe(true);
    expect(player.draft).toMatchObject({ chosen: 1 });
    player.feed({ kind: 'next', step: -1 });
    player.feed({ kind: 'next', step: -1 });
    expect(player.draft).toMatchObject({ chosen: 2, pill: 'IoU 0.90 · 3 of 3' });
    player.feed({ kind: 'finish' });
    expect(player.commits).toMatchObject([{ geometry: { rle: found(1, [30]).candidates[0]?.rle } }]);
  });

  it('leaves Tab to others while nothing is prompted', () => {
    expect(click().feed({ kind: 'next', step: 1 }).used ?? false).toBe(false);
  });

  it('takes prompts back one by one, without asking for what was answered before', () => {
    const player = click();
    player.click(20, 30);
    reply(player, found(1, [10]));
    player.click(22, 32);
    reply(player, found(2, [20]));
    expect(player.feed({ kind: 'remove-last' }).used).toBe(true);
    expect(player.asked).toHaveLength(2);
    expect(player.state.points).toHaveLength(1);
    expect(player.draft).toMatchObject({ candidates: [found(1, [10]).candidates[0]?.rle], pending: false });
    player.feed({ kind: 'remove-last' });
    expect(player.draft).toBeNull();
    expect(prompt.drafting(player.state)).toBe(false);
  });

  it('asks again for prompts that were never answered when it comes back to them', () => {
    const player = click();
    player.click(20, 30);
    player.click(22, 32);
    player.feed({ kind: 'remove-last' });
    expect(player.asked.at(-1)).toMatchObject({ id: 3, question: { points: [{ x: 20, y: 30 }] } });
    reply(player, found(2, [20]), 2);
    expect(player.state.answer).toBeNull();
  });

  it('accepts as soon as the answer is there when Enter came first', () => {
    const player = click();
    player.click(20, 30);
    player.feed({ kind: 'finish' });
    expect(player.commits).toEqual([]);
    reply(player, found(1, [10]));
    expect(player.commits).toHaveLength(1);
  });

  it('says what to do without a class, and keeps the mask', () => {
    const player = click({ instances: [], canAdd: false });
    player.click(20, 30);
    reply(player, found(1, [10]));
    player.feed({ kind: 'finish' });
    expect(player.commits).toEqual([]);
    expect(player.notices).toEqual([expect.stringContaining('Add a class')]);
    expect(prompt.drafting(player.state)).toBe(true);
  });

  it('says what to do when no mask was found, and commits none', () => {
    const player = click();
    player.click(20, 30);
    reply(player, found(1, []));
    player.feed({ kind: 'finish' });
    expect(player.commits).toEqual([]);
    expect(player.notices).toHaveLength(2);
  });

  it('does not begin with what is not the object, nor outside the image', () => {
    const player = click();
    player.click(20, 30, { shift: true });
    player.click(200, 30);
    expect(player.asked).toEqual([]);
    expect(player.notices).toEqual([expect.stringContaining('object first')]);
  });

  it('drops everything on Esc; an answer that comes then is nobody’s', () => {
    const player = click();
    player.click(20, 30);
    expect(player.feed({ kind: 'cancel' })).toMatchObject({ used: true, forget: true });
    reply(player, found(1, [10]), 1);
    expect(player.draft).toBeNull();
    player.click(25, 35);
    reply(player, found(1, [10]), 1);
    expect(player.state.answer).toBeNull();
    expect(player.asked.at(-1)?.id).toBe(2);
  });

  it('goes back to the prompts before when an answer fails', () => {
    const player = click();
    player.click(20, 30);
    reply(player, found(1, [10]));
    player.click(22, 32);
    player.feed({ kind: 'answer-failed', of: 'prompt', id: 2, message: 'no' });
    expect(player.state.points).toHaveLength(1);
    expect(player.draft).toMatchObject({ candidates: [found(1, [10]).candidates[0]?.rle], pending: false });
    player.feed({ kind: 'remove-last' });
    player.click(20, 30);
    player.feed({ kind: 'answer-failed', of: 'prompt', id: 3, message: 'no' });
    expect(prompt.drafting(player.state)).toBe(false);
  });

  it('takes a finer mask of the same prompts, and none of prompts that are gone', () => {
    const player = click();
    player.click(20, 30);
    reply(player, found(1, [10], 'possible'));
    const closer = player.asked.at(-1);
    expect(closer).toMatchObject({ kind: 'finer', question: { points: [{ x: 20, y: 30 }], refine: { promptId: 1, candidate: 0 } } });
    expect(player.draft).toMatchObject({ pill: expect.stringContaining('looking closer') as string });
    reply(player, found(2, [12], 'done'), closer?.id, 'finer');
    expect(player.draft).toMatchObject({ candidates: [found(2, [12]).candidates[0]?.rle], pill: 'IoU 0.90' });
    expect(player.asked).toHaveLength(2);
    player.click(22, 32);
    reply(player, found(3, [14], 'possible'));
    const late = player.asked.at(-1);
    player.click(23, 33);
    reply(player, found(4, [16], 'done'), late?.id, 'finer');
    expect(player.state.answer?.promptId).toBe(3);
  });

  it('previews under the pointer until the first click, faintly, and never after it', () => {
    const player = click();
    player.move(20, 30);
    expect(player.asked.at(-1)).toEqual({ kind: 'hover', id: 1, question: { at: { x: 20, y: 30 } } });
    reply(player, found(1, [10]), 1, 'hover');
    expect(player.draft).toMatchObject({ kind: 'masks', faint: true, candidates: [found(1, [10]).candidates[0]?.rle] });
    expect(prompt.drafting(player.state)).toBe(false);
    player.move(21, 30);
    player.press(21, 30);
    // What was previewed stands in for the answer until that is there.
    expect(player.draft).toMatchObject({ pending: true, candidates: [found(1, [10]).candidates[0]?.rle] });
    reply(player, found(2, [12]), 2, 'hover');
    expect(player.draft).toMatchObject({ pending: true, candidates: [found(1, [10]).candidates[0]?.rle] });
    const asked = player.asked.length;
    player.move(30, 30);
    expect(player.asked).toHaveLength(asked);
  });

  it('shows no preview of where the pointer no longer is', () => {
    const player = click();
    player.move(20, 30);
    player.feed({ kind: 'leave' });
    reply(player, found(1, [10]), 1, 'hover');
    expect(player.draft).toBeNull();
    player.move(20, 30);
    reply(player, found(1, [10]), 1, 'hover');
    expect(player.draft).toBeNull();
    player.feed({ kind: 'answer', of: 'hover', id: 2, value: null });
    expect(player.draft).toBeNull();
  });

  it('asks the same prompts of another model without feeding it the first one’s mask', () => {
    const player = click();
    player.click(20, 30);
    reply(player, found(1, [10]));
    player.feed({ kind: 'again' });
    expect(player.asked.at(-1)).toMatchObject({ id: 2, question: { points: [{ x: 20, y: 30 }], refine: null } });
  });
});

describe('box prompts', () => {
  it('asks with the box that was dragged, and corrects with clicks in the same session', () => {
    const player = boxed();
    player.drag([
      [30, 40],
      [20, 20],
      [10, 15],
    ]);
    expect(player.asked).toEqual([{ kind: 'prompt', id: 1, question: { points: [], box: [10, 15, 20, 25], refine: null } }]);
    reply(player, found(5, [20]));
    player.click(15, 20, { shift: true });
    expect(player.asked.at(-1)?.question).toEqual({
      points: [{ x: 15, y: 20, positive: false }],
      box: [10, 15, 20, 25],
      refine: { promptId: 5, candidate: 0 },
    });
    player.feed({ kind: 'remove-last' });
    expect(player.state).toMatchObject({ points: [], box: [10, 15, 20, 25], answer: { promptId: 5 } });
  });

  it('shows the box while it is dragged, clipped to the image; Esc drops the drag alone', () => {
    const player = boxed();
    player.press(10, 10);
    player.move(500, 40);
    expect(player.draft).toEqual({ kind: 'box', box: [10, 10, 90, 30] });
    expect(player.feed({ kind: 'cancel' }).used).toBe(true);
    player.release(500, 40);
    expect(player.asked).toEqual([]);
    expect(player.draft).toBeNull();
  });

  it('takes a slip of the hand for no box, and another box for another object', () => {
    const player = boxed({ instances: [], scale: 2 });
    player.drag([
      [10, 10],
      [11, 11],
    ]);
    expect(player.asked).toEqual([]);
    player.drag([
      [10, 10],
      [30, 30],
    ]);
    reply(player, found(1, [20]));
    player.click(15, 15);
    player.drag([
      [40, 10],
      [60, 30],
    ]);
    expect(player.asked.at(-1)?.question).toEqual({ points: [], box: [40, 10, 20, 20], refine: null });
  });
});

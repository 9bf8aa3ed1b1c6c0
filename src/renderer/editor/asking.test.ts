import { describe, expect, it } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { Resolver } from './asking.ts';
import { imagePoint } from './viewport.ts';
import { createAsking } from './asking.ts';
import type { Answer, Answered, Ask } from './tools/ask.ts';

/** Questions that are answered when the test says so. */
function desk(order: 'replace' | 'newest', quiet = false) {
  const open: {
    ask: Ask<'hover'>;
    signal: AbortSignal;
    imageId: number;
    done: (value: Answer<'hover'>) => void;
    fail: (e: Error) => void;
  }[] = [];
  const delivered: Answered[] = [];
  const failures: unknown[] = [];
  let imageId: number | null = 4;
  const asking = createAsking({
    get imageId() {
      return imageId;
    },
    deliver: (answered) => delivered.push(answered),
    failed: (thrown) => failures.push(thrown),
  });
  const resolver: Resolver<'hover'> = {
    order,
    quiet,
    answer: (ask, { signal, imageId: about }) => new Promise((done, fail) => open.push({ ask, signal, imageId: about, done, fail })),
  };
  asking.answers('hover', resolver);
  return {
    asking,
    open,
    delivered,
    failures,
    put: (id: number) => asking.ask({ kind: 'hover', id, question: { at: imagePoint(id, 0) } }),
    async settle(at: number, failure?: Error) {
      const one = open[at];
      if (!one) throw new Error(`question ${at} was not asked`);
      if (failure) one.fail(failure);
      else one.done({ kind: 'answer', of: 'hover', id: one.ask.id, value: null });
      await new Promise((resolve) => setImmediate(resolve));
    },
    close: () => (imageId = null),
  };
}

describe('asking', () => {
  it('answers with the id of the question, about the open image', async () => {
    const { put, settle, open, delivered } = desk('replace');
    put(1);
    expect(open[0]?.imageId).toBe(4);
    await settle(0);
    expect(delivered).toEqual([{ kind: 'answer', of: 'hover', id: 1, value: null }]);
  });

  it('gives up a question that a newer one replaces', async () => {
    const { put, settle, open, delivered } = desk('replace');
    put(1);
    put(2);
    expect(open[0]?.signal.aborted).toBe(true);
    await settle(0);
    expect(delivered).toEqual([]);
    await settle(1);
    expect(delivered.map((d) => d.id)).toEqual([2]);
  });

  it('keeps one preview under way, and of those that come meanwhile asks the newest', async () => {
    const { put, settle, open, delivered } = desk('newest');
    for (const id of [1, 2, 3, 4]) put(id);
    expect(open).toHaveLength(1);
    await settle(0);
    expect(open.map(({ ask }) => ask.id)).toEqual([1, 4]);
    await settle(1);
    expect(delivered.map((d) => d.id)).toEqual([1, 4]);
    put(5);
    expect(open).toHaveLength(3);
  });

  it('drops what was asked, and what was waiting', async () => {
    const { asking, put, settle, open, delivered } = desk('newest');
    put(1);
    put(2);
    asking.drop();
    await settle(0);
    expect(open).toHaveLength(1);
    expect(delivered).toEqual([]);
    put(3);
    await settle(1);
    expect(delivered.map((d) => d.id)).toEqual([3]);
  });

  it('tells the tool and the user of a failure, the user not of one that nobody caused by hand or that was cancelled', async () => {
    const loud = desk('replace');
    loud.put(1);
    await loud.settle(0, new AppError('model-run', 'it broke', { imageId: 4 }));
    expect(loud.delivered).toEqual([{ kind: 'answer-failed', of: 'hover', id: 1, message: 'it broke' }]);
    expect(loud.failures).toHaveLength(1);
    loud.put(2);
    await loud.settle(1, new AppError('cancelled', 'a newer one'));
    expect(loud.delivered).toHaveLength(2);
    expect(loud.failures).toHaveLength(1);
    const quiet = desk('newest', true);
    quiet.put(1);
    quiet.put(2);
    await quiet.settle(0, new AppError('model-run', 'it broke', { imageId: 4 }));
    expect(quiet.failures).toEqual([]);
    expect(quiet.open).toHaveLength(2);
  });

  it('asks nothing while no image is open', () => {
    const { put, close, open } = desk('replace');
    close();
    put(1);
    expect(open).toEqual([]);
  });
});

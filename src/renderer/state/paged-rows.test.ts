import { describe, expect, it } from 'vitest';
import { PagedRows } from './paged-rows.ts';

function list(length: number) {
  const rows = Array.from({ length }, (_, i) => ({ id: i, text: `row ${i}` }));
  const asked: number[] = [];
  let changes = 0;
  const errors: unknown[] = [];
  const paged = new PagedRows<{ id: number; text: string }>({
    pageSize: 10,
    maxPages: 3,
    fetch: (offset, limit) => {
      asked.push(offset);
      return Promise.resolve({ total: rows.length, offset, rows: rows.slice(offset, offset + limit) });
    },
    onChange: () => (changes += 1),
    onError: (thrown) => errors.push(thrown),
  });
  return { rows, asked, errors, paged, changes: () => changes };
}

describe('PagedRows', () => {
  it('fetches a page once, however many of its rows are looked at', async () => {
    const { paged, asked, changes } = list(35);
    await paged.reset();
    expect(paged.total).toBe(35);
    for (let i = 10; i < 20; i++) expect(paged.peek(i)).toBeNull();
    expect((await paged.require(19))?.id).toBe(19);
    expect(paged.peek(12)?.id).toBe(12);
    expect(asked).toEqual([0, 10]);
    expect(changes()).toBe(2);
  });

  it('answers null outside the list', async () => {
    const { paged } = list(5);
    expect(await paged.require(-1)).toBeNull();
    expect(await paged.require(5)).toBeNull();
    expect((await paged.require(4))?.id).toBe(4);
  });

  it('keeps the pages used last and forgets the oldest', async () => {
    const { paged, asked } = list(100);
    for (const index of [0, 10, 20]) await paged.require(index);
    paged.peek(0);
    await paged.require(30);
    expect(paged.peek(0)?.id).toBe(0);
    expect(asked).toEqual([0, 10, 20, 30]);
    await paged.require(10);
    expect(asked).toEqual([0, 10, 20, 30, 10]);
  });

  it('shows the old row until the new one is here', async () => {
    const { paged, rows, asked } = list(30);
    await paged.require(3);
    await paged.require(13);
    rows[3] = { id: 3, text: 'changed' };
    paged.invalidate((row) => row.id === 3);
    expect(paged.peek(3)?.text).toBe('row 3');
    expect((await paged.require(3))?.text).toBe('changed');
    expect(paged.peek(13)?.text).toBe('row 13');
    expect(asked).toEqual([0, 10, 0]);
  });

  it('does not let a late answer from before a reset win', async () => {
    const answers: ((rows: readonly string[]) => void)[] = [];
    const paged = new PagedRows<string>({
      pageSize: 2,
      fetch: (offset) => new Promise((resolve) => answers.push((rows) => resolve({ total: rows.length, offset, rows }))),
      onChange: () => undefined,
      onError: (thrown) => {
        throw thrown;
      },
    });
    const first = paged.reset();
    const second = paged.reset();
    answers[1]?.(['new']);
    await second;
    answers[0]?.(['old', 'older']);
    await first;
    expect(paged.peek(0)).toBe('new');
    expect(paged.total).toBe(1);
  });

  it('reports a failed page and tries again when it is wanted', async () => {
    let fail = true;
    const errors: unknown[] = [];
    const paged = new PagedRows<string>({
      fetch: (offset) => (fail ? Promise.reject(new Error('no answer')) : Promise.resolve({ total: 1, offset, rows: ['here'] })),
      onChange: () => undefined,
      onError: (thrown) => errors.push(thrown),
    });
    expect(await paged.require(0)).toBeNull();
    expect(errors).toHaveLength(1);
    fail = false;
    expect(await paged.require(0)).toBe('here');
  });
});

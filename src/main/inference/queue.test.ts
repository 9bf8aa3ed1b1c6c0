import { describe, expect, it } from 'vitest';
import type { Company, Priority } from './queue.ts';
import { createQueue } from './queue.ts';

/** A queue whose work ends when the test says so; `log` has what began and ended, in that order. */
function desk() {
  const queue = createQueue();
  const log: string[] = [];
  const ends = new Map<string, () => void>();
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    queue,
    log,
    settle,
    add(name: string, priority: Priority, company?: Company, signal?: AbortSignal): Promise<void> {
      const work = async (): Promise<void> => {
        log.push(`+${name}`);
        await new Promise<void>((resolve) => ends.set(name, resolve));
        log.push(`-${name}`);
      };
      return queue.add(priority, work, signal, company);
    },
    async end(name: string): Promise<void> {
      const end = ends.get(name);
      if (!end) throw new Error(`${name} has not begun`);
      end();
      await settle();
    },
  };
}

describe('the queue of the engine', () => {
  it('runs one thing at a time, what the user waits for first, what is made ahead last', async () => {
    const { add, end, log } = desk();
    for (const [name, priority] of [
      ['first', 'batch'],
      ['ahead', 'idle'],
      ['batch', 'batch'],
      ['user', 'user'],
    ] as const)
      void add(name, priority);
    for (const name of ['first', 'user', 'batch', 'ahead']) await end(name);
    expect(log).toEqual(['+first', '-first', '+user', '-user', '+batch', '-batch', '+ahead', '-ahead']);
  });

  it('answers one short question after the other beside long work, and nothing else', async () => {
    const { add, end, log, settle } = desk();
    void add('encode', 'idle', 'host');
    void add('other', 'user');
    void add('click', 'user', 'guest');
    void add('next click', 'user', 'guest');
    await settle();
    expect(log).toEqual(['+encode', '+click']);
    await end('click');
    expect(log.slice(2)).toEqual(['-click', '+next click']);
    // The long work ends before its guest: whoever wants to be alone waits for both.
    await end('encode');
    expect(log.slice(4)).toEqual(['-encode']);
    await end('next click');
    expect(log.slice(5)).toEqual(['-next click', '+other']);
    await end('other');
  });

  it('does not disturb what must be alone', async () => {
    const { add, end, log, settle } = desk();
    void add('configure', 'user');
    void add('click', 'user', 'guest');
    void add('encode', 'idle', 'host');
    await settle();
    expect(log).toEqual(['+configure']);
    await end('configure');
    // A guest without a host is like any other; the host does not begin beside it.
    expect(log).toEqual(['+configure', '-configure', '+click']);
    await end('click');
    expect(log.at(-1)).toBe('+encode');
    await end('encode');
  });

  it('never begins what was given up, and waits for guest and host when it closes', async () => {
    const { add, end, log, queue, settle } = desk();
    void add('encode', 'idle', 'host');
    void add('click', 'user', 'guest');
    const abort = new AbortController();
    const given = add('given up', 'user', 'guest', abort.signal);
    abort.abort();
    await expect(given).rejects.toMatchObject({ code: 'cancelled' });
    let closed = false;
    const closing = queue.close().then(() => (closed = true));
    await end('encode');
    await settle();
    expect(closed).toBe(false);
    await end('click');
    await closing;
    expect(log).toEqual(['+encode', '+click', '-encode', '-click']);
    await expect(add('late', 'user')).rejects.toMatchObject({ code: 'cancelled' });
  });
});

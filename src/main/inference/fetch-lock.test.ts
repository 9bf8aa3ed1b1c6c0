import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/store-fixtures.ts';
import { lockFetch } from './fetch-lock.ts';

const root = temporaryFolder();
let count = 0;
function folder(): string {
  const path = join(root, `models-${++count}`);
  mkdirSync(path);
  return path;
}

describe('the lock of a fetch', () => {
  it('lets one in after the other', async () => {
    const at = folder();
    const events: string[] = [];
    const first = await lockFetch(at, 'net');
    const second = lockFetch(at, 'net', { pollMs: 5, onWait: (owner) => events.push(owner) }).then(async (release) => {
      events.push('second');
      await release();
    });
    await expect.poll(() => events).toEqual([`process ${process.pid}`]);
    await first();
    await second;
    expect(events).toEqual([`process ${process.pid}`, 'second']);
    expect(existsSync(join(at, '.net.lock'))).toBe(false);
  });

  it('is broken when its process has ended, or has not renewed it for long', async () => {
    const at = folder();
    const path = join(at, '.net.lock');
    // No process has this number: Linux stops at 2 ** 22, others earlier.
    writeFileSync(path, JSON.stringify({ pid: 2 ** 30, host: hostname() }));
    await (
      await lockFetch(at, 'net')
    )();
    writeFileSync(path, JSON.stringify({ pid: process.pid, host: 'another machine' }));
    utimesSync(path, new Date(0), new Date(0));
    await (
      await lockFetch(at, 'net')
    )();
    expect(existsSync(path)).toBe(false);
  });

  it('stays with another machine that renews it, until one is tired of waiting', async () => {
    const at = folder();
    writeFileSync(join(at, '.net.lock'), JSON.stringify({ pid: 1, host: 'another machine' }));
    const abort = new AbortController();
    const waiting = lockFetch(at, 'net', { pollMs: 5, signal: abort.signal, onWait: () => abort.abort() });
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled', detail: { modelId: 'net' } });
  });
});

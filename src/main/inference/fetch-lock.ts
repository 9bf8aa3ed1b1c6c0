import { mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../../shared/errors.ts';

/**
 * One fetch of a model at a time, also among several processes of this user: a window and a command line
 * that write the same `….part` would make a wrong file of it.
 */
export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told once, when another process has the lock. */
  readonly onWait?: ((owner: string) => void) | undefined;
  /** How often a lock that is held is looked at again; ms. */
  readonly pollMs?: number;
}

/** The holder renews its lock this often; one that was not renewed for `STALE_MS` is nobody's. */
const RENEW_MS = 20_000;
const STALE_MS = 120_000;

/**
 * Takes the lock of a model, waiting for whoever has it. A lock whose process has ended is broken.
 * @returns what gives it back.
 * @throws AppError `cancelled`; `io` where `folder` cannot be written.
 */
export async function lockFetch(folder: string, id: string, options: LockOptions = {}): Promise<() => Promise<void>> {
  const path = join(folder, `.${id}.lock`);
  try {
    await mkdir(folder, { recursive: true });
    await waitFor(path, options);
  } catch (thrown) {
    if (options.signal?.aborted === true) throw new AppError('cancelled', `Fetching ${id} was cancelled.`, { modelId: id }, thrown);
    const said = thrown instanceof Error ? thrown.message : String(thrown);
    throw new AppError(
      'io',
      `${folder} cannot be written (${said}): fetched models are kept there.`,
      { path: folder, modelId: id },
      thrown,
    );
  }
  const renewing = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, RENEW_MS).unref();
  return async () => {
    clearInterval(renewing);
    await rm(path, { force: true });
  };
}

async function waitFor(path: string, { signal, onWait, pollMs }: LockOptions): Promise<void> {
  let waiting = false;
  for (;;) {
    signal?.throwIfAborted();
    if (await take(path)) return;
    const owner = await ownerOf(path);
    if (owner === null) continue;
    if (!waiting) onWait?.(owner);
    waiting = true;
    await delay(pollMs ?? 400, undefined, signal === undefined ? {} : { signal });
  }
}

async function take(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    try {
      await file.writeFile(JSON.stringify({ pid: process.pid, host: hostname() }));
    } finally {
      await file.close();
    }
    return true;
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST') return false;
    throw thrown;
  }
}

/** Who has the lock, for people; null when nobody does any more (a stale one is taken away). */
async function ownerOf(path: string): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  if (found === null) return null;
  const said = await readFile(path, 'utf8').catch(() => '');
  const pid = Number(/"pid":(\d+)/.exec(said)?.[1] ?? NaN);
  const here = said.includes(`"host":${JSON.stringify(hostname())}`);
  // Just made, and not written yet.
  const unread = Number.isNaN(pid) && Date.now() - found.mtimeMs < 5000;
  const alive = Date.now() - found.mtimeMs < STALE_MS && (!here || runs(pid));
  if (unread || alive) return Number.isNaN(pid) ? 'another process' : `process ${pid}`;
  // Renamed first: of two that break it, only one succeeds, and neither takes away a new one.
  const aside = `${path}.${process.pid}`;
  await rename(path, aside).then(
    () => rm(aside, { force: true }),
    () => undefined,
  );
  return null;
}

function runs(pid: number): boolean {
  if (Number.isNaN(pid)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM';
  }
}

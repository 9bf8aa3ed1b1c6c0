import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import * as http from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../../shared/errors.ts';

/** What a transfer tells while it runs. */
export interface Transfer {
  readonly received: number;
  /** Null where nobody knows it. */
  readonly total: number | null;
}

export interface UrlDownload {
  readonly url: string;
  /** Takes the bytes; one that is there already is gone on with. */
  readonly part: string;
  /** Size of the whole file. */
  readonly bytes: number;
  readonly signal: AbortSignal;
  readonly onProgress: (transfer: Transfer) => void;
  /** A connection that is silent for longer is given up; ms. */
  readonly silenceMs?: number;
  /** Before the first new attempt; doubles each time; ms. */
  readonly waitMs?: number;
}

/** Attempts in a row that brought nothing. */
const FRUITLESS = 3;

/**
 * Downloads over HTTP(S) into `part` until it has `bytes` bytes. A connection that breaks off is taken up
 * again where it stopped (a `Range` request), as long as something comes; where a server does not know
 * ranges, from the start. What came stays in `part` when this fails for the network's sake.
 * @throws AppError `io` naming the address; the signal's reason when cancelled.
 */
export async function downloadUrl(download: UrlDownload): Promise<void> {
  const { part, bytes, signal } = download;
  const restoreProxy = useProxyOfEnvironment();
  try {
    let fruitless = 0;
    for (;;) {
      const before = await sizeOf(part);
      if (before === bytes) return;
      try {
        await attempt(download, before);
      } catch (thrown) {
        signal.throwIfAborted();
        if (thrown instanceof AppError) throw thrown;
        const now = await sizeOf(part);
        fruitless = now > before ? 0 : fruitless + 1;
        if (fruitless >= FRUITLESS) throw unreachable(download.url, now, bytes, thrown);
        await delay((download.waitMs ?? 1000) * 2 ** fruitless, undefined, { signal });
      }
    }
  } finally {
    restoreProxy();
  }
}

/** One request. Returns when the server ended its answer orderly; the caller looks at what came. */
async function attempt({ url, part, bytes, signal, onProgress, silenceMs }: UrlDownload, have: number): Promise<void> {
  if (have > bytes) await rm(part);
  const from = have > bytes ? 0 : have;
  const silence = new AbortController();
  const limitMs = silenceMs ?? 60_000;
  const timer = setTimeout(() => silence.abort(new Error(`nothing came for ${Math.round(limitMs / 1000)} s`)), limitMs);
  try {
    const response = await fetch(url, {
      // A compressed answer could not be continued, nor its length be checked.
      headers: { 'accept-encoding': 'identity', ...(from > 0 ? { range: `bytes=${from}-` } : {}) },
      signal: AbortSignal.any([signal, silence.signal]),
    });
    const goesOn = response.status === 206 && rangeStart(response.headers.get('content-range')) === from;
    if (!goesOn && response.status !== 200) {
      await response.body?.cancel();
      if (from > 0 && (response.status === 416 || response.status === 206)) {
        await rm(part, { force: true });
        throw new Error(`answered ${response.status} to a range`);
      }
      const said = `answered ${response.status} ${response.statusText}`.trim();
      // A server in trouble may be well in a moment; one that refuses will not.
      if (response.status >= 500 || response.status === 429) throw new Error(said);
      throw new AppError('io', `${url} ${said}.`, { url, status: response.status });
    }
    const start = goesOn ? from : 0;
    const announced = Number(response.headers.get('content-length') ?? bytes - start);
    if (start + announced !== bytes) {
      await response.body?.cancel();
      throw new AppError('io', `${url} offers ${start + announced} bytes; the manifest says ${bytes}. It is another file.`, { url });
    }
    if (response.body === null) throw new Error('answered without a body');
    let received = start;
    onProgress({ received, total: bytes });
    const file = createWriteStream(part, { flags: goesOn ? 'a' : 'w' });
    const written = new Promise<void>((resolve, reject) => {
      file.once('close', resolve);
      file.once('error', reject);
    });
    // Looked at below; without this a failing disk would end the process before that.
    written.catch(() => undefined);
    try {
      for await (const chunk of response.body) {
        timer.refresh();
        received += chunk.byteLength;
        if (received > bytes) throw new AppError('io', `${url} sends more than the ${bytes} bytes that the manifest says.`, { url });
        if (!file.write(chunk)) await Promise.race([once(file, 'drain', { signal }), written]);
        onProgress({ received, total: bytes });
      }
    } finally {
      file.end();
      await written.catch((thrown: unknown) => {
        throw new AppError('io', `${part}: cannot be written (${messageOf(thrown)}).`, { path: part }, thrown);
      });
    }
  } finally {
    clearTimeout(timer);
  }
  if ((await sizeOf(part)) < bytes) throw new Error('the connection was closed too early');
}

function rangeStart(header: string | null): number | null {
  const start = /^bytes (\d+)-/.exec(header ?? '')?.[1];
  return start === undefined ? null : Number(start);
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0;
}

function unreachable(url: string, have: number, bytes: number, thrown: unknown): AppError {
  const kept = have > 0 ? ` ${have} of ${bytes} bytes came and are kept: the next attempt goes on from there.` : '';
  return new AppError('io', `${url} cannot be reached (${messageOf(thrown)}).${kept}`, { url }, thrown);
}

/** The innermost cause: `fetch` itself only says "fetch failed". */
export function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  if (thrown.cause instanceof Error) return messageOf(thrown.cause);
  return thrown.message || ('code' in thrown ? String(thrown.code) : thrown.name);
}

/** `fetch` asks no proxy by itself. Answers with the way back; an older Node has no such call. */
export function useProxyOfEnvironment(): () => void {
  return 'setGlobalProxyFromEnv' in http ? http.setGlobalProxyFromEnv() : () => undefined;
}

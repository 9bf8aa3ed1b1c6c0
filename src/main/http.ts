import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { AppError, toWireError } from '../shared/errors.ts';
import type { ErrorCode, Reply } from '../shared/errors.ts';
import { dispatch } from './dispatch.ts';
import { parsePixelPath } from './pixel-path.ts';
import { COMMON_HEADERS, contentSecurityPolicy } from './security.ts';
import { readStatic } from './static-files.ts';
import type { Studio } from './studio.ts';

/** Largest body of a call. A document with thousands of polygons is a few MB. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;
/** A listener that leaves this much unread is cut off; it reconnects and fetches afresh. */
const MAX_UNREAD_EVENT_BYTES = 8 * 1024 * 1024;
const KEEP_ALIVE_MS = 15_000;

export interface HttpHostOptions {
  readonly studio: Studio;
  /** The built window (`dist/renderer`). */
  readonly rendererFolder: string;
  /** 0 lets the system choose. Always on 127.0.0.1. */
  readonly port: number;
}

export interface HttpHost {
  readonly port: number;
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  /** A fresh address that signs one browser in, once. Earlier unused addresses stop working. */
  signInUrl(): string;
  close(): Promise<void>;
}

/**
 * The contract over HTTP for a browser on this machine. Whoever opens the one-time address gets an
 * HttpOnly, SameSite=Strict cookie; every other request must carry it, name this host and come from
 * this page. So another page in the same browser, a rebound name and another user of the machine
 * get nothing. Throws `io` when the port is taken.
 */
export async function startHttpHost(options: HttpHostOptions): Promise<HttpHost> {
  const { studio, rendererFolder } = options;
  const session = randomBytes(32).toString('base64url');
  const listeners = new Set<ServerResponse>();
  let token: string | null = null;
  let port = options.port;

  const server = createServer((request, response) => {
    answer(request, response).catch((thrown: unknown) => {
      if (response.headersSent) response.destroy();
      else sendError(response, thrown);
    });
  });
  server.requestTimeout = 120_000;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(COMMON_HEADERS)) response.setHeader(name, value);
    response.setHeader('cross-origin-resource-policy', 'same-origin');
    response.setHeader('content-security-policy', contentSecurityPolicy(null));
    response.setHeader('cache-control', 'no-store');

    const host = request.headers.host ?? '';
    if (host !== `127.0.0.1:${port}` && host !== `localhost:${port}`) return refuse(response, 421, 'Wrong host.');
    const fromHere = `http://${host}`;
    const { origin } = request.headers;
    if (origin !== undefined && origin !== fromHere) return refuse(response, 403, 'Wrong origin.');

    // The raw path: URL parsing would quietly resolve `..` before it could be refused.
    const target = request.url ?? '/';
    const mark = target.indexOf('?');
    const path = mark < 0 ? target : target.slice(0, mark);
    const query = new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1));

    if (request.method === 'GET' && path === '/' && query.has('token')) return signIn(query.get('token') ?? '', request, response);
    if (!signedIn(request)) return refuse(response, 401, 'Open the address that maskloop printed.');

    // Pages of other origins may link here, but what they start is not ours: SameSite=Strict keeps
    // the cookie back, and browsers that say where a request comes from are believed.
    const site = request.headers['sec-fetch-site'];
    if (site !== undefined && site !== 'same-origin' && site !== 'none') return refuse(response, 403, 'Wrong site.');

    if (path.startsWith('/call/')) {
      if (request.method !== 'POST') return refuse(response, 405, 'Calls are POST.');
      if (origin !== fromHere) return refuse(response, 403, 'Calls must name their origin.');
      return answerCall(path.slice('/call/'.length), request, response);
    }
    if (path.startsWith('/upload/')) {
      if (request.method !== 'POST') return refuse(response, 405, 'Uploads are POST.');
      if (origin !== fromHere) return refuse(response, 403, 'Uploads must name their origin.');
      const name = decodeURIComponent(path.slice('/upload/'.length));
      const bytes = Number(request.headers['content-length']);
      return sendReply(response, { ok: true, value: await studio.upload(name, request, bytes, query.get('batch')) });
    }
    if (request.method !== 'GET') return refuse(response, 405, 'Only GET here.');
    if (path === '/events') return listen(request, response);
    if (path.startsWith('/pixels/')) return sendPixels(path.slice('/pixels/'.length), response);
    const file = await readStatic(rendererFolder, path);
    if (file === null) return refuse(response, 404, 'Not found.');
    if (file.immutable) response.setHeader('cache-control', 'private, max-age=31536000, immutable');
    response.writeHead(200, { 'content-type': file.type, 'content-length': file.body.length });
    response.end(file.body);
  }

  function signIn(given: string, request: IncomingMessage, response: ServerResponse): void {
    const good = token !== null && sameSecret(given, token);
    if (!good && !signedIn(request))
      return refuse(response, 401, 'This address was used already or is not the newest: ask maskloop for a new one.');
    if (good) token = null;
    response.setHeader('set-cookie', `${cookieName()}=${session}; HttpOnly; SameSite=Strict; Path=/`);
    // A page that moves on by itself, not a redirect: a Strict cookie set in a redirect that began
    // on another site (a terminal in a browser) would not be sent with it.
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
    response.end(
      '<!doctype html><link rel="icon" href="data:,"><meta http-equiv="refresh" content="0;url=/"><title>Maskloop</title><p><a href="/">Maskloop</a></p>',
    );
  }

  /** Cookies are shared by all ports of a host, so the name carries the port. */
  function cookieName(): string {
    return `maskloop-${port}`;
  }

  function signedIn(request: IncomingMessage): boolean {
    for (const pair of (request.headers.cookie ?? '').split(';')) {
      const equals = pair.indexOf('=');
      if (pair.slice(0, equals).trim() === cookieName() && sameSecret(pair.slice(equals + 1).trim(), session)) return true;
    }
    return false;
  }

  async function answerCall(name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const type = request.headers['content-type'] ?? '';
    if (!/^application\/json\b/.test(type)) throw new AppError('invalid', `Calls carry application/json, not "${type}".`, { call: name });
    let input: unknown;
    const body = await readBody(request);
    try {
      input = body.length === 0 ? undefined : JSON.parse(body.toString('utf8'));
    } catch {
      throw new AppError('invalid', `The body of ${name} is not JSON.`, { call: name });
    }
    const reply = await dispatch(studio, name, input);
    sendReply(response, reply);
  }

  async function sendPixels(path: string, response: ServerResponse): Promise<void> {
    const wanted = parsePixelPath(path);
    if (wanted === null) return refuse(response, 404, 'Not found.');
    const pixels = await studio.pixels.read(wanted.imageId, wanted.size);
    response.setHeader('content-type', pixels.type);
    // The address carries the content's hash, but an image is only its project's: kept, and asked again.
    response.setHeader('cache-control', 'private, max-age=3600');
    if (Buffer.isBuffer(pixels.body)) {
      response.writeHead(200, { 'content-length': pixels.body.length });
      response.end(pixels.body);
      return;
    }
    // Opened before the status is sent, so that a file that is gone is said and not cut off.
    const file = await open(pixels.body.path);
    response.writeHead(200, { 'content-length': (await file.stat()).size });
    await pipeline(file.createReadStream(), response);
  }

  function listen(request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(': maskloop\n\n');
    listeners.add(response);
    request.on('close', () => listeners.delete(response));
  }

  function tell(text: string): void {
    for (const listener of listeners) {
      if (listener.writableLength > MAX_UNREAD_EVENT_BYTES) {
        listeners.delete(listener);
        listener.destroy();
      } else listener.write(text);
    }
  }

  const stopEvents = studio.onEvent((name, payload) => {
    tell(`event: ${name}\ndata: ${JSON.stringify(payload)}\n\n`);
  });
  const keepAlive = setInterval(() => tell(': still here\n\n'), KEEP_ALIVE_MS);
  keepAlive.unref();

  try {
    port = await listenOn(server, options.port);
  } catch (thrown) {
    stopEvents();
    clearInterval(keepAlive);
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new AppError('io', `Cannot serve on 127.0.0.1:${options.port}: ${why}`, { port: options.port }, thrown);
  }
  const origin = `http://127.0.0.1:${port}`;
  return {
    port,
    origin,
    signInUrl() {
      token = randomBytes(24).toString('base64url');
      return `${origin}/?token=${token}`;
    },
    async close() {
      stopEvents();
      clearInterval(keepAlive);
      for (const listener of listeners) listener.destroy();
      listeners.clear();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        // A call in progress is given a moment to answer; a browser's idle connections are not.
        setTimeout(() => server.closeAllConnections(), 2_000).unref();
      });
    },
  };
}

function listenOn(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('no port was given'));
      else resolve(address.port);
    });
  });
}

/** Compared by hash, so that neither length nor content shows in the time it takes. */
function sameSecret(given: string, wanted: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? 0);
  const chunks: Buffer[] = [];
  let bytes = 0;
  if (announced <= MAX_BODY_BYTES) {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) break;
      chunks.push(chunk);
    }
  }
  if (announced > MAX_BODY_BYTES || bytes > MAX_BODY_BYTES) {
    throw new AppError('invalid', `The body is larger than ${MAX_BODY_BYTES} bytes.`, { limit: MAX_BODY_BYTES });
  }
  return Buffer.concat(chunks);
}

/** Envelopes travel with 200: `ok` says it. Only what never reached a call has a status of its own. */
function sendReply(response: ServerResponse, reply: Reply<unknown>): void {
  const body = Buffer.from(JSON.stringify(reply));
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': body.length });
  response.end(body);
}

const STATUS: Readonly<Record<ErrorCode, number>> = {
  invalid: 400,
  'not-found': 404,
  conflict: 409,
  unsupported: 415,
  'model-load': 500,
  'model-run': 500,
  cancelled: 499,
  storage: 500,
  io: 500,
  internal: 500,
};

function sendError(response: ServerResponse, thrown: unknown): void {
  const error = toWireError(thrown);
  const body = Buffer.from(JSON.stringify({ ok: false, error } satisfies Reply<unknown>));
  response.writeHead(STATUS[error.code], {
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.length,
    connection: 'close',
  });
  response.end(body);
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}

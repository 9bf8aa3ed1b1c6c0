import { mkdtempSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HttpHost } from './http.ts';
import { startHttpHost } from './http.ts';
import type { Studio } from './studio.ts';
import { makeStudio } from '../../test/make-studio.ts';
import { NO_INFERENCE } from '../../test/no-inference.ts';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let folder: string;
let studio: Studio;
let host: HttpHost;
let cookie: string;

/** A request with exactly these headers and this raw path, as fetch would not send it. */
function ask(path: string, options: { method?: string; headers?: Record<string, string>; body?: string | Buffer } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port: host.port,
        path,
        method: options.method ?? 'GET',
        headers: { host: `127.0.0.1:${host.port}`, ...options.headers },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() }),
        );
        response.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end(options.body);
  });
}

/** A call as the page makes it, with headers replaced or added. */
function call(name: string, body: string, headers: Record<string, string> = {}): Promise<Answer> {
  return ask(`/call/${name}`, {
    method: 'POST',
    headers: { cookie, origin: host.origin, 'content-type': 'application/json', ...headers },
    body,
  });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'maskloop-http-'));
  const renderer = join(folder, 'renderer');
  mkdirSync(join(renderer, 'assets'), { recursive: true });
  writeFileSync(join(renderer, 'index.html'), '<!doctype html><title>Window</title>');
  writeFileSync(join(renderer, 'assets', 'main-abc.js'), 'export {};');
  writeFileSync(join(renderer, '.hidden.js'), 'hidden');
  writeFileSync(join(folder, 'secret.json'), '{"secret":true}');
  symlinkSync(join(folder, 'secret.json'), join(renderer, 'link.json'));
  studio = makeStudio(NO_INFERENCE, join(folder, 'app'));
  host = await startHttpHost({ studio, rendererFolder: renderer, port: 0 });
  const url = new URL(host.signInUrl());
  const signed = await ask(url.pathname + url.search);
  cookie = String(signed.headers['set-cookie']?.[0]).split(';')[0] ?? '';
});

afterAll(async () => {
  await host.close();
  await studio.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('signing in', () => {
  it('takes the newest address once, and gives a strict cookie that scripts cannot read', async () => {
    const url = new URL(host.signInUrl());
    const first = await ask(url.pathname + url.search);
    expect(first.status).toBe(200);
    expect(first.headers['set-cookie']?.[0]).toMatch(/^maskloop-\d+=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/$/);
    const second = await ask(url.pathname + url.search);
    expect(second.status).toBe(401);
    expect(second.headers['set-cookie']).toBeUndefined();
  });

  it('refuses an address that a newer one has replaced, and a made-up one', async () => {
    const old = new URL(host.signInUrl());
    host.signInUrl();
    expect((await ask(old.pathname + old.search)).status).toBe(401);
    expect((await ask('/?token=')).status).toBe(401);
    expect((await ask('/?token=AAAA')).status).toBe(401);
  });

  it('lets a browser that is signed in open a used address again', async () => {
    const url = new URL(host.signInUrl());
    await ask(url.pathname + url.search);
    expect((await ask(url.pathname + url.search, { headers: { cookie } })).status).toBe(200);
  });

  it.each(['/', '/index.html', '/assets/main-abc.js', '/events', '/pixels/image/1/full'])(
    'answers 401 to %s without the cookie',
    async (path) => {
      expect((await ask(path)).status).toBe(401);
      expect((await ask(path, { headers: { cookie: `maskloop-${host.port}=wrong` } })).status).toBe(401);
    },
  );

  it('answers 401 to a call without the cookie', async () => {
    expect((await call('app.info', '{}', { cookie: '' })).status).toBe(401);
  });
});

describe('who may ask', () => {
  it.each(['evil.example', 'evil.example:80', '127.0.0.1', '127.0.0.1:1', '[::1]:80'])('refuses Host "%s"', async (name) => {
    expect((await ask('/', { headers: { cookie, host: name } })).status).toBe(421);
  });

  it.each(['http://evil.example', 'null', 'https://127.0.0.1', 'http://127.0.0.1:1'])('refuses Origin "%s"', async (origin) => {
    expect((await call('app.info', '{}', { origin })).status).toBe(403);
    expect((await ask('/', { headers: { cookie, origin } })).status).toBe(403);
  });

  it('refuses a call that names no origin, and one that a browser says comes from elsewhere', async () => {
    const bare = await ask('/call/app.info', { method: 'POST', headers: { cookie, 'content-type': 'application/json' }, body: '{}' });
    expect(bare.status).toBe(403);
    expect((await call('app.info', '{}', { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  });

  it('never allows another origin to read, whatever is asked', async () => {
    for (const answer of [
      await ask('/', { headers: { cookie } }),
      await call('app.info', '{}'),
      await ask('/call/app.info', { method: 'OPTIONS', headers: { cookie } }),
    ]) {
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
    }
  });
});

describe('calls', () => {
  it('answers with the envelope', async () => {
    const answer = await call('app.info', '{}');
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ ok: true, value: { host: 'browser', version: '1.2.3' } });
  });

  it.each(['nothing.here', '__proto__', 'constructor', 'toString', '', 'app.info/../project.open'])(
    'refuses the unknown call "%s"',
    async (name) => {
      const answer = await call(name, '{}');
      expect(JSON.parse(answer.body)).toMatchObject({ ok: false, error: { code: 'invalid' } });
    },
  );

  it.each(['{', '[1,', 'undefined', '"'])('refuses the malformed body %s', async (body) => {
    const answer = await call('app.info', body);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toMatchObject({ ok: false, error: { code: 'invalid', detail: { call: 'app.info' } } });
  });

  it('refuses input that the contract does not know, naming the key', async () => {
    const answer = await call('project.open', '{"folder":7}');
    expect(JSON.parse(answer.body)).toMatchObject({ ok: false, error: { code: 'invalid', detail: { key: 'folder' } } });
  });

  it('refuses forms, which other pages can send unasked', async () => {
    expect((await call('app.info', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(400);
    expect((await call('app.info', '{}', { 'content-type': 'text/plain' })).status).toBe(400);
  });

  it('refuses a body over the limit by what it announces, before reading it', async () => {
    const answer = await new Promise<Answer>((resolve, reject) => {
      const sent = request(
        {
          host: '127.0.0.1',
          port: host.port,
          path: '/call/document.apply',
          method: 'POST',
          headers: {
            host: `127.0.0.1:${host.port}`,
            cookie,
            origin: host.origin,
            'content-type': 'application/json',
            'content-length': '999999999',
          },
        },
        (response) => {
          response.resume();
          response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: '' }));
        },
      );
      sent.on('error', reject);
      sent.flushHeaders();
    });
    expect(answer.status).toBe(400);
  });

  it('takes POST only', async () => {
    expect((await ask('/call/app.info', { headers: { cookie } })).status).toBe(405);
    expect((await ask('/', { method: 'DELETE', headers: { cookie } })).status).toBe(405);
  });
});

describe('files', () => {
  it('serves the window with a strict policy', async () => {
    const page = await ask('/', { headers: { cookie } });
    expect(page.status).toBe(200);
    expect(page.body).toContain('<title>Window</title>');
    expect(page.headers['content-security-policy']).toContain("default-src 'none'; script-src 'self';");
    expect(page.headers['content-security-policy']).not.toContain('unsafe-eval');
    expect(page.headers['x-content-type-options']).toBe('nosniff');
    expect((await ask('/assets/main-abc.js', { headers: { cookie } })).headers['cache-control']).toContain('immutable');
  });

  it.each([
    '/../secret.json',
    '/..%2fsecret.json',
    '/%2e%2e/secret.json',
    '/assets/../../secret.json',
    '/assets/..%5c..%5csecret.json',
    '/link.json',
    '/.hidden.js',
    '//secret.json',
    '/%00/index.html',
    '/%ff',
    '/index.html/',
    '/C:/secret.json',
  ])('has nothing at %s', async (path) => {
    const answer = await ask(path, { headers: { cookie } });
    expect(answer.status).toBe(404);
    expect(answer.body).not.toContain('secret":');
  });

  it.each(['/pixels/image/0/full', '/pixels/image/1/huge', '/pixels/image/-1/full', '/pixels/../secret.json', '/pixels/image/1/full/x'])(
    'has no pixels at %s',
    async (path) => {
      expect((await ask(path, { headers: { cookie } })).status).toBe(404);
    },
  );

  it('gives no pixels while no project is open', async () => {
    const answer = await ask('/pixels/image/1/full', { headers: { cookie } });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(JSON.parse(answer.body)).toMatchObject({ ok: false });
  });
});

describe('events', () => {
  it('tells a listener what the studio says', async () => {
    const heard = await new Promise<string>((resolve, reject) => {
      const sent = request(
        { host: '127.0.0.1', port: host.port, path: '/events', headers: { host: `127.0.0.1:${host.port}`, cookie } },
        (response) => {
          expect(response.headers['content-type']).toBe('text/event-stream');
          let text = '';
          response.on('data', (chunk: Buffer) => {
            text += chunk.toString();
            if (text.includes('event: project.changed')) {
              response.destroy();
              resolve(text);
            }
          });
          mkdirSync(join(folder, 'photos'), { recursive: true });
          call('project.open', JSON.stringify({ folder: join(folder, 'photos') })).catch(reject);
        },
      );
      sent.on('error', reject);
      sent.end();
    });
    expect(heard).toMatch(/event: project\.changed\ndata: \{.*"images":0/);
    await call('project.close', '{}');
  });
});

it('says which port is taken', async () => {
  await expect(startHttpHost({ studio, rendererFolder: folder, port: host.port })).rejects.toMatchObject({
    code: 'io',
    detail: { port: host.port },
  });
});

describe('a model file that the page sends', () => {
  const send = (name: string, body: Buffer, headers: Record<string, string> = {}): Promise<Answer> =>
    ask(`/upload/${encodeURIComponent(name)}`, {
      method: 'POST',
      headers: { cookie, origin: host.origin, 'content-length': String(body.length), ...headers },
      body,
    });

  it('is taken, and its place answered', async () => {
    const { status, body } = await send('net 1.onnx', Buffer.from('bytes'));
    expect(status).toBe(200);
    const reply = JSON.parse(body) as { ok: boolean; value: string };
    expect(reply).toMatchObject({ ok: true, value: expect.stringContaining('net 1.onnx') as string });
    expect(reply.value.startsWith(join(folder, 'app', 'drafts'))).toBe(true);
    expect(readFileSync(reply.value, 'utf8')).toBe('bytes');
  });

  it('is refused by its name, without the cookie, and from elsewhere', async () => {
    expect((await send('net.exe', Buffer.from('x'))).status).toBe(400);
    expect((await send('../net.onnx', Buffer.from('x'))).status).toBe(400);
    expect((await send('net.onnx', Buffer.from('x'), { cookie: '' })).status).toBe(401);
    expect((await send('net.onnx', Buffer.from('x'), { origin: 'http://evil.example' })).status).toBe(403);
    expect((await ask('/upload/net.onnx', { headers: { cookie } })).status).toBe(405);
  });
});

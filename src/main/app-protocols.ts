import { readFile } from 'node:fs/promises';
import type { Protocol, Session } from 'electron';
import { toWireError } from '../shared/errors.ts';
import { APP_ORIGIN } from './ipc.ts';
import { parsePixelPath } from './pixel-path.ts';
import { COMMON_HEADERS, contentSecurityPolicy } from './security.ts';
import { readStatic } from './static-files.ts';
import type { Studio } from './studio.ts';

/** Must run before Electron is ready. */
export function registerSchemes(protocol: Protocol): void {
  const privileges = { standard: true, secure: true, supportFetchAPI: true, stream: true };
  protocol.registerSchemesAsPrivileged([
    { scheme: 'maskloop', privileges },
    { scheme: 'maskloop-pixels', privileges: { ...privileges, corsEnabled: true } },
  ]);
}

/**
 * `maskloop://app/` serves the built window and nothing else; `maskloop-pixels://project/` serves
 * images of the open project by their id, so that no path ever comes from the page.
 */
export function serveProtocols(session: Session, studio: Studio, rendererFolder: string): void {
  session.protocol.handle('maskloop', async (request) => {
    const url = new URL(request.url);
    if (url.host !== 'app' || request.method !== 'GET') return refused(404);
    const file = await readStatic(rendererFolder, url.pathname);
    if (file === null) return refused(404);
    return new Response(new Uint8Array(file.body), {
      headers: { ...COMMON_HEADERS, 'content-type': file.type, 'content-security-policy': contentSecurityPolicy('maskloop-pixels:') },
    });
  });
  session.protocol.handle('maskloop-pixels', async (request) => {
    const url = new URL(request.url);
    const wanted = parsePixelPath(url.pathname.slice(1));
    if (url.host !== 'project' || request.method !== 'GET' || wanted === null) return refused(404);
    try {
      const pixels = await studio.pixels.read(wanted.imageId, wanted.size);
      const body = Buffer.isBuffer(pixels.body) ? pixels.body : await readFile(pixels.body.path);
      return new Response(new Uint8Array(body), {
        headers: {
          ...COMMON_HEADERS,
          'content-type': pixels.type,
          'cache-control': 'private, max-age=3600',
          'access-control-allow-origin': APP_ORIGIN,
        },
      });
    } catch (thrown) {
      const error = toWireError(thrown);
      return new Response(error.message, {
        status: error.code === 'not-found' ? 404 : 500,
        headers: { ...COMMON_HEADERS, 'content-type': 'text/plain; charset=utf-8' },
      });
    }
  });
}

function refused(status: number): Response {
  return new Response('Not found.\n', { status, headers: { ...COMMON_HEADERS, 'content-type': 'text/plain; charset=utf-8' } });
}

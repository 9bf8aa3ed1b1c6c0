import { readFile, realpath } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';

/** The kinds of file a built window consists of; anything else is not served. */
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
};

export interface StaticFile {
  readonly body: Buffer;
  readonly type: string;
  /** Its name carries a hash of its content, so it may be cached for good. */
  readonly immutable: boolean;
}

/**
 * A file of the built window by its URL path (still percent-encoded), or null when there is none,
 * when its kind is not served, or when the path leads out of `folder` (also through a link).
 */
export async function readStatic(folder: string, urlPath: string): Promise<StaticFile | null> {
  let path: string;
  try {
    path = decodeURIComponent(urlPath);
  } catch {
    return null;
  }
  if (path === '/' || path === '') path = '/index.html';
  if (!path.startsWith('/') || /[\\\0:]/.test(path)) return null;
  const parts = path.slice(1).split('/');
  if (parts.some((part) => part === '' || part.startsWith('.'))) return null;
  const type = TYPES[extname(path).toLowerCase()];
  if (type === undefined) return null;
  try {
    const root = await realpath(folder);
    const file = await realpath(join(root, ...parts));
    if (!file.startsWith(root + sep)) return null;
    return { body: await readFile(file), type, immutable: parts[0] === 'assets' };
  } catch {
    return null;
  }
}

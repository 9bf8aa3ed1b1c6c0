import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes `folder` with all its parents; answers with the uppermost one that had to be made, or null.
 * Not Node's `recursive`: under a parent that refuses new entries as if it were not there (`/proc`) that
 * tries for ever. Throws Node's error of the file system, ENOTDIR where a file is in the way.
 */
export function makeFolder(folder: string): string | null {
  const missing: string[] = [];
  for (let at = resolve(folder); !isFolder(at); at = dirname(at)) missing.push(at);
  for (const path of [...missing].reverse()) {
    try {
      mkdirSync(path);
    } catch (thrown) {
      // Somebody else made it meanwhile.
      if (!isFolder(path)) throw thrown;
    }
  }
  return missing.at(-1) ?? null;
}

function isFolder(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) {
    if (dirname(path) === path) throw Object.assign(new Error(`ENOENT: there is no ${path}`), { code: 'ENOENT' });
    return false;
  }
  if (found.isDirectory()) return true;
  throw Object.assign(new Error(`ENOTDIR: ${path} is a file, not a folder`), { code: 'ENOTDIR' });
}

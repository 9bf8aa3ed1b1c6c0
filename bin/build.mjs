// Builds the window, the hosts' code and the preload script into dist/, when a source is newer.
// Usage: node bin/build.mjs [--if-stale]
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findNode, root } from './runtime.mjs';

const STAMP = join(root, 'dist', '.built');
const SOURCES = ['src', 'package.json', 'package-lock.json', 'vite.config.ts', 'vite.main.config.ts', 'vite.preload.config.ts'];
const CONFIGS = ['vite.config.ts', 'vite.main.config.ts', 'vite.preload.config.ts'];

/** Newest modification below `path`, in ms; tests are left out, they are not built. */
function newestMs(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return path.endsWith('.test.ts') ? 0 : stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}

function isStale() {
  if (!existsSync(STAMP)) return true;
  const builtMs = statSync(STAMP).mtimeMs;
  return SOURCES.some((source) => newestMs(join(root, source)) > builtMs);
}

/** Throws, with vite's own message above, when a part does not build. */
export function build(node) {
  rmSync(STAMP, { force: true });
  const startedMs = Date.now();
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  if (!existsSync(vite)) throw new Error('Nothing is built here and the build tools are not installed: run `npm ci`.');
  for (const config of CONFIGS) {
    const { status } = spawnSync(node, [vite, 'build', '--config', config, '--logLevel', 'warn'], { cwd: root, stdio: 'inherit' });
    if (status !== 0) throw new Error(`vite build --config ${config} failed.`);
  }
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(STAMP, `${new Date(startedMs).toISOString()}\n`);
  console.error(`Built in ${((Date.now() - startedMs) / 1000).toFixed(1)} s.`);
}

export async function buildIfStale(node, { always = false } = {}) {
  // An installed package has no sources to be newer than its dist.
  if (!existsSync(join(root, 'src', 'renderer', 'index.html')) && existsSync(join(root, 'dist', 'renderer', 'index.html'))) return;
  if (always || isStale()) build(node);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    if (process.argv.includes('--if-stale')) await buildIfStale(findNode());
    else build(findNode());
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}

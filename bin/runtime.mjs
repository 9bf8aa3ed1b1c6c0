// What both entry points need to know of the machine. Plain JavaScript: it must run on Node 20.19,
// before a Node that runs our TypeScript (22.18 or later) has been found.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Node runs erasable TypeScript unasked from 22.18 on; better-sqlite3 13 needs 22 as well. */
function isRecent(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 18);
}

/**
 * The Node to run Maskloop with: this one where it is recent enough, else the one of the `node`
 * package that `npm ci` installed. Throws, saying what to do, where there is neither.
 */
export function findNode() {
  if (isRecent(process.versions.node)) return process.execPath;
  try {
    const folder = dirname(createRequire(import.meta.url).resolve('node/package.json'));
    const binary = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    if (existsSync(binary)) return binary;
  } catch {
    // Not installed: said below.
  }
  throw new Error(
    `Maskloop needs Node 22.18 or later (this is ${process.versions.node}). Install it, or run \`npm ci\` here, which brings its own.`,
  );
}

/** `src/main/NAME.ts` in a checkout, `dist/main/NAME.js` where only the built code is there. */
export function entry(name) {
  const source = join(root, 'src', 'main', `${name}.ts`);
  const built = join(root, 'dist', 'main', `${name}.js`);
  // Node does not strip types below node_modules, so an installed package runs its built code.
  if (existsSync(source) && !root.split(sep).includes('node_modules')) return source;
  if (existsSync(built)) return built;
  throw new Error(`Neither ${source} nor ${built} is there: run \`npm run build\`.`);
}

/** Whether a window can be shown. */
export function hasDisplay() {
  if (process.platform === 'win32' || process.platform === 'darwin') return true;
  return Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
}

/**
 * The Electron binary that is on this machine, or null and why. Never downloads: `npx
 * install-electron` does, when asked.
 */
export function findElectron() {
  const name = { win32: 'electron.exe', darwin: 'Electron.app/Contents/MacOS/Electron' }[process.platform] ?? 'electron';
  const override = process.env.ELECTRON_OVERRIDE_DIST_PATH;
  if (override) {
    const path = join(override, name);
    return existsSync(path) ? { path, why: null } : { path: null, why: `ELECTRON_OVERRIDE_DIST_PATH has no ${name}` };
  }
  let folder;
  try {
    folder = dirname(createRequire(import.meta.url).resolve('electron/package.json'));
  } catch {
    return { path: null, why: 'the electron package is not installed' };
  }
  const listed = join(folder, 'path.txt');
  const path = join(folder, 'dist', existsSync(listed) ? readFileSync(listed, 'utf8').trim() : name);
  if (existsSync(path)) return { path, why: null };
  return { path: null, why: "Electron's binary is not on this machine (`npx install-electron` fetches it)" };
}

/** On Linux, Chromium refuses to run as root with its sandbox. */
export function electronFlags() {
  return process.platform === 'linux' && process.getuid?.() === 0 ? ['--no-sandbox'] : [];
}

// `npm start`: builds what is stale, then the best host that this machine has, saying which and why.
//   a display and Electron            the desktop window, on the sample project or the folder given
//   a display or a terminal, but not  the browser host (after `maskloop demo` where there is no display)
//   neither (a script, a container)   `maskloop demo`, then ends, saying how to serve
// Usage: npm start -- [FOLDER] [--dev] [--host desktop|browser|demo]
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildIfStale } from './build.mjs';
import { electronFlags, findElectron, findNode, hasDisplay, root } from './runtime.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    dev: { type: 'boolean', default: false },
    host: { type: 'string' },
  },
});
const folder = positionals[0];
const maskloop = join(root, 'bin', 'maskloop.mjs');

/** Runs to its end; answers with the exit code. */
function run(command, args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'inherit', cwd: process.cwd(), env: { ...process.env, ...env } });
    const forward = (signal) => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    };
    process.on('SIGINT', forward);
    process.on('SIGTERM', forward);
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(1);
    });
    child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)));
  });
}

async function main() {
  const node = findNode();
  const cli = (...args) => run(node, ['--disable-warning=ExperimentalWarning', maskloop, ...args]);
  await buildIfStale(node, { always: values.dev });

  const display = hasDisplay();
  const electron = findElectron();
  let host = values.host;
  let why = 'as asked';
  if (host === undefined) {
    if (display && electron.path !== null) [host, why] = ['desktop', 'there is a display and Electron'];
    else if (display) [host, why] = ['browser', electron.why];
    else if (process.stdin.isTTY) [host, why] = ['browser', 'there is no display'];
    else [host, why] = ['demo', 'there is neither a display nor a terminal'];
  }

  if (host === 'desktop') {
    if (electron.path === null) {
      console.error(`Cannot open a desktop window: ${electron.why}.`);
      return 1;
    }
    const flags = electronFlags();
    if (flags.length > 0) console.log(`Running as root: Electron is started with ${flags.join(' ')}.`);
    console.log(`Maskloop opens as a desktop window (${why}).`);
    return run(electron.path, [...flags, root, ...(folder === undefined ? ['--sample'] : [folder])]);
  }
  if (host === 'browser') {
    if (!display && folder === undefined) {
      console.log(`Maskloop first does its whole job on the sample project (${why}).\n`);
      const code = await cli('demo');
      if (code !== 0) return code;
      console.log('');
    }
    console.log(`Maskloop runs in the browser (${why}).`);
    return cli('serve', ...(folder === undefined ? ['--sample'] : [folder]));
  }
  if (host === 'demo') {
    console.log(`Maskloop does its whole job on the sample project (${why}).\n`);
    const code = await cli('demo');
    if (code === 0) console.log('\nTo work in the browser: npx maskloop serve FOLDER   (or: npx maskloop serve --sample)');
    return code;
  }
  console.error(`--host is desktop, browser or demo, not "${host}".`);
  return 2;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

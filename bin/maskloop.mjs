#!/usr/bin/env node
// The `maskloop` command: finds a Node that runs it, and becomes it.
import { spawn } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { buildIfStale } from './build.mjs';
import { entry, findNode } from './runtime.mjs';

let node;
let script;
try {
  node = findNode();
  script = entry('cli');
} catch (error) {
  console.error(error.message);
  process.exit(1);
}

if (node === process.execPath) {
  // The browser host serves the built window; everything else runs without a build.
  if (process.argv[2] === 'serve') await buildIfStale(node);
  const { main } = await import(pathToFileURL(script).href);
  process.exitCode = await main(process.argv.slice(2));
} else {
  // The same command again under the other Node, so that there is one way in.
  const child = spawn(node, ['--disable-warning=ExperimentalWarning', ...process.execArgv, ...process.argv.slice(1)], {
    stdio: 'inherit',
  });
  // A terminal sends Ctrl-C to both of us; the child decides what it means.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('error', (error) => {
    console.error(`${node}: ${error.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
  });
}

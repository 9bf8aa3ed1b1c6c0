import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Console } from './cli-console.ts';
import { createSession, openProject } from './cli-session.ts';
import { startHttpHost } from './http.ts';
import { createServingStudio } from './local-studio.ts';
import { packageFolder } from './version.ts';

export interface ServeOptions {
  /** Folder to open, or null for the welcome screen. */
  readonly folder: string | null;
  readonly sample: boolean;
  readonly port: number;
  readonly console: Console;
  /** Ends the serving. */
  readonly signal: AbortSignal;
}

/**
 * The browser host: the studio behind HTTP on 127.0.0.1, with inference in a child process, until
 * `signal`. The address is printed as one line `Open http://…` (with `--json` as `{"url": …}`), and
 * again, fresh, whenever Enter is pressed: each address signs one browser in once.
 */
export async function serve(options: ServeOptions): Promise<void> {
  const { console, signal } = options;
  const studio = createServingStudio();
  try {
    const session = createSession(studio, console, signal);
    if (options.sample) await session.call('project.openSample', {});
    else if (options.folder !== null) await openProject(session, options.folder);
    const host = await startHttpHost({
      studio,
      rendererFolder: fileURLToPath(new URL('dist/renderer', packageFolder)),
      port: options.port,
    });
    try {
      announce(console, host.signInUrl());
      console.say('Ctrl-C ends it; Enter prints a fresh address for another browser.');
      const lines = process.stdin.isTTY ? createInterface({ input: process.stdin }) : null;
      lines?.on('line', () => announce(console, host.signInUrl()));
      await aborted(signal);
      lines?.close();
      console.say('Closing.');
    } finally {
      await host.close();
    }
  } finally {
    await studio.close();
  }
}

function announce(console: Console, url: string): void {
  if (console.json) process.stdout.write(`${JSON.stringify({ url })}\n`);
  else console.say(`Open ${url}`);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ToChild } from './messages.ts';

/**
 * A running inference process, as its host sees it. Made anew for each start. Two kinds exist: a child
 * of plain Node (below), and Electron's utilityProcess (the desktop host makes that one).
 */
export interface ChildChannel {
  send(message: ToChild): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Called once, when the process has ended, for whatever reason. */
  onExit(listener: (exit: ChildExit) => void): void;
  /** Ends it at once. */
  kill(): void;
}

export interface ChildExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** Its last words on stderr, where they were caught. */
  readonly said?: string;
}

/** The child's code beside this file, for a checkout; a build gives its own path. */
function sourceChild(): string {
  return fileURLToPath(new URL('./child.ts', import.meta.url));
}

/** How much of the child's stderr is kept for the message about its end, in characters. */
const LAST_WORDS = 2000;

/** Starts the inference process as a child of plain Node, with the environment `env`. `entry` is `child.ts` or its build. */
export function forkChannel(entry: string = sourceChild(), env: NodeJS.ProcessEnv = process.env): ChildChannel {
  // Flags for a debugger or a test runner are this process's, not the child's.
  const child = fork(entry, [], { env, execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-LAST_WORDS);
  });
  return {
    send(message) {
      // Fails only when the child has just ended, and then the exit tells.
      if (child.connected) child.send(message, () => undefined);
    },
    onMessage(listener) {
      child.on('message', listener);
    },
    onExit(listener) {
      let told = false;
      const once = (exit: ChildExit): void => {
        if (told) return;
        told = true;
        listener(exit);
      };
      child.once('error', (error) => once({ code: null, signal: null, said: error.message }));
      child.once('exit', (code, signal) => once({ code, signal, said }));
    },
    kill() {
      child.kill('SIGKILL');
    },
  };
}

import type { utilityProcess } from 'electron';
import type { ChildChannel } from './inference/channel.ts';

/** How much of the process's stderr is kept for the message about its end, in characters. */
const LAST_WORDS = 2000;

/**
 * Starts the inference process as an Electron utilityProcess. `entry` is the built `child.js`. It ends
 * with the app, and its crash is an event here, not the end of the app.
 */
export function utilityChannel(utility: typeof utilityProcess, entry: string, env: NodeJS.ProcessEnv): ChildChannel {
  const child = utility.fork(entry, [], { serviceName: 'Maskloop inference', stdio: ['ignore', 'ignore', 'pipe'], env });
  let said = '';
  child.stderr?.on('data', (bytes: Buffer) => {
    said = (said + bytes.toString('utf8')).slice(-LAST_WORDS);
  });
  return {
    send(message) {
      child.postMessage(message);
    },
    onMessage(listener) {
      child.on('message', listener);
    },
    onExit(listener) {
      child.once('exit', (code) => listener({ code, signal: null, said }));
    },
    kill() {
      child.kill();
    },
  };
}

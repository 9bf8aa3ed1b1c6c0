import { appendFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { PoolOptions, PoolWorker, WorkerRequest } from 'vitest/node';
import { ForksPoolWorker } from 'vitest/node';

/**
 * Vitest's pool of processes, which says in addition what a process ended with that nobody had stopped: of a crash in
 * native code Vitest tells neither the file nor the signal.
 */
export const forks = {
  name: 'telling-forks',
  createPoolWorker: (options: PoolOptions): PoolWorker => new TellingWorker(options),
};

/** Where Node keeps TypeScript files without their types. */
const STRIPPED = fileURLToPath(new URL('../node_modules/.cache/node-compile', import.meta.url));

class TellingWorker extends ForksPoolWorker {
  private files: readonly string[] = [];
  private stopping = false;

  constructor(options: PoolOptions) {
    // Without it every thread that is started from TypeScript compiles Node's parser, which is WebAssembly, anew; and V8 13.6 now and
    // then loses track of the pages of such code when threads end, and ends the process (`Check failed: jit_page.has_value()`, as in
    // nodejs/node#64500).
    super({ ...options, env: { NODE_COMPILE_CACHE: STRIPPED, ...options.env } });
  }

  override async start(): Promise<void> {
    await super.start();
    this.on('exit', this.tell);
  }

  override send(message: WorkerRequest): void {
    if (message.type === 'run') this.files = message.context.files.map(({ filepath }) => filepath);
    if (message.type === 'stop') this.stopping = true;
    super.send(message);
  }

  override async stop(): Promise<void> {
    this.stopping = true;
    await super.stop();
  }

  private readonly tell = (code: number | null, signal?: NodeJS.Signals | null): void => {
    if (this.stopping) return;
    const how = signal ? `signal ${signal}` : `code ${code}`;
    const said = `The process that ran ${this.files.join(', ')} ended by itself: ${how}.\n`;
    process.stderr.write(`\n${said}`);
    const list = process.env['MASKLOOP_TEST_ENDED'];
    if (list !== undefined) appendFileSync(list, said);
  };
}

import { appendFileSync } from 'node:fs';
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

class TellingWorker extends ForksPoolWorker {
  private files: readonly string[] = [];
  private stopping = false;

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

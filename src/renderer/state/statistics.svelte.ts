import type { SplitReport } from '../../shared/answers/splits.ts';
import type { StatisticsProgress, StatisticsReport } from '../../shared/answers/statistics.ts';
import type { SplitOptions } from '../../shared/calls/splits.ts';
import type { StatisticsInput } from '../../shared/calls/statistics.ts';
import type { Client } from '../client.ts';

/** What the page of statistics and splits shows. The studio answers one question at a time, so they are asked one after the other. */
export class StatisticsState {
  #report = $state.raw<StatisticsReport | null>(null);
  #split = $state.raw<SplitReport | null | undefined>(undefined);
  #proposal = $state.raw<SplitReport | null>(null);
  #progress = $state.raw<StatisticsProgress | null>(null);
  #waiting = $state(0);
  #closed = false;
  readonly #client: Client;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(client: Client) {
    this.#client = client;
  }

  get report(): StatisticsReport | null {
    return this.#report;
  }
  /** The frozen split; null where there is none, undefined before it is known. */
  get split(): SplitReport | null | undefined {
    return this.#split;
  }
  get proposal(): SplitReport | null {
    return this.#proposal;
  }
  get progress(): StatisticsProgress | null {
    return this.#progress;
  }
  get busy(): boolean {
    return this.#waiting > 0;
  }

  /** Answers with the way to stop listening, and whatever is being counted. */
  listen(): () => void {
    const stop = this.#client.on('statistics.progress', (progress) => (this.#progress = progress));
    return () => {
      stop();
      this.#closed = true;
      if (this.#waiting > 0) void this.cancel();
    };
  }

  async #ask(work: () => Promise<void>): Promise<void> {
    this.#waiting += 1;
    const mine = this.#turn.then(() => (this.#closed ? undefined : work()));
    this.#turn = mine.catch(() => undefined);
    try {
      await mine;
    } finally {
      this.#waiting -= 1;
      this.#progress = null;
    }
  }

  load(input: StatisticsInput): Promise<void> {
    return this.#ask(async () => {
      this.#report = await this.#client.call('statistics.get', input);
    });
  }

  loadSplit(): Promise<void> {
    return this.#ask(async () => {
      this.#split = await this.#client.call('splits.get', {});
    });
  }

  preview(options: SplitOptions): Promise<void> {
    return this.#ask(async () => {
      this.#proposal = await this.#client.call('splits.preview', options);
    });
  }

  forgetProposal(): void {
    this.#proposal = null;
  }

  make(options: SplitOptions): Promise<void> {
    return this.#ask(async () => {
      this.#split = await this.#client.call('splits.make', options);
      this.#proposal = null;
    });
  }

  addNew(to: string | null): Promise<void> {
    return this.#ask(async () => {
      this.#split = await this.#client.call('splits.addNew', { to });
    });
  }

  clearSplit(): Promise<void> {
    return this.#ask(async () => {
      await this.#client.call('splits.clear', {});
      this.#split = null;
    });
  }

  async cancel(): Promise<void> {
    await this.#client.call('statistics.cancel', {});
  }
}

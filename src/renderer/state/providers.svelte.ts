import type { GpuProgress, Measured, ProvidersReport } from '../../shared/answers/providers.ts';
import type { Client } from '../client.ts';

/** Counted runs of a measurement. */
const RUNS = 10;

/** What the providers page shows: the report, a measurement, and the installation of the GPU libraries. */
export class ProvidersState {
  #report = $state.raw<ProvidersReport | null>(null);
  #measuring = $state(false);
  #measured = $state.raw<{ readonly modelId: string; readonly rows: readonly Measured[] } | null>(null);
  #progress = $state.raw<GpuProgress | null>(null);
  #choosing = $state(false);
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Null until it came. */
  get report(): ProvidersReport | null {
    return this.#report;
  }
  get measuring(): boolean {
    return this.#measuring;
  }
  /** Of the last measurement of this page. */
  get measured(): { readonly modelId: string; readonly rows: readonly Measured[] } | null {
    return this.#measured;
  }
  /** Of an installation that runs, or how the last one failed; null where neither is so. */
  get progress(): GpuProgress | null {
    return this.#progress;
  }
  get installing(): boolean {
    return this.#progress !== null && this.#progress.stage !== 'failed';
  }
  /** A choice is being taken over. */
  get choosing(): boolean {
    return this.#choosing;
  }

  /** Answers with the way to stop listening. */
  listen(): () => void {
    return this.#client.on('gpu.progress', (progress) => this.#take(progress));
  }

  #take(progress: GpuProgress): void {
    const ended = progress.stage === 'done' || progress.failure?.code === 'cancelled';
    this.#progress = ended ? null : progress;
  }

  async load(): Promise<void> {
    this.#report = await this.#client.call('providers.report', {});
  }

  /** Whether a provider may be tried. Its place among the others stays. */
  async allow(provider: string, allowed: boolean): Promise<void> {
    const order = (this.#report?.providers ?? []).filter((row) => (row.provider === provider ? allowed : row.allowed));
    await this.#choose(order.map((row) => row.provider));
  }

  /** Tries a provider before the one above it. */
  async raise(provider: string): Promise<void> {
    const order = (this.#report?.providers ?? []).filter((row) => row.allowed).map((row) => row.provider);
    const at = order.indexOf(provider);
    if (at < 1) return;
    order.splice(at - 1, 2, provider, order[at - 1] ?? '');
    await this.#choose(order);
  }

  automatic(): Promise<void> {
    return this.#choose(null);
  }

  async setThreads(threads: number | null): Promise<void> {
    await this.#change(() => this.#client.call('providers.choose', { providers: mutable(this.#report?.chosen ?? null), threads }));
  }

  async #choose(providers: readonly string[] | null): Promise<void> {
    const threads = this.#report?.threads.chosen ?? null;
    await this.#change(() => this.#client.call('providers.choose', { providers: mutable(providers), threads }));
  }

  async retry(): Promise<void> {
    await this.#change(() => this.#client.call('providers.retry', {}));
  }

  async #change(work: () => Promise<ProvidersReport>): Promise<void> {
    this.#choosing = true;
    try {
      this.#report = await work();
    } finally {
      this.#choosing = false;
    }
  }

  async measure(modelId: string, imageId: number): Promise<void> {
    this.#measuring = true;
    this.#measured = null;
    try {
      this.#measured = { modelId, rows: await this.#client.call('providers.measure', { modelId, imageId, runs: RUNS }) };
    } catch (thrown) {
      if (!isCancelled(thrown)) throw thrown;
    } finally {
      this.#measuring = false;
      await this.load();
    }
  }

  async cancelMeasure(): Promise<void> {
    await this.#client.call('providers.cancelMeasure', {});
  }

  /** A failure stays on the page, where its next step is. */
  async install(): Promise<void> {
    this.#progress = { stage: 'asking', done: 0, total: null };
    try {
      await this.#client.call('gpu.install', {});
    } catch (thrown) {
      if (isCancelled(thrown)) this.#progress = null;
      else {
        const message = thrown instanceof Error ? thrown.message : String(thrown);
        this.#progress = { stage: 'failed', done: 0, total: null, failure: { code: 'io', message, detail: {} } };
      }
    }
    await this.load();
  }

  async cancelInstall(): Promise<void> {
    await this.#client.call('gpu.cancel', {});
  }

  async remove(): Promise<void> {
    await this.#client.call('gpu.remove', {});
    this.#progress = null;
    await this.load();
  }
}

function mutable(providers: readonly string[] | null): string[] | null {
  return providers === null ? null : [...providers];
}

function isCancelled(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'cancelled';
}

import type { EngineStatus, ModelInfo, RunInfo, RunOptions } from '../../shared/answers.ts';
import type { PredictScope } from '../../shared/contract.ts';
import type { Client } from '../client.ts';

/** How the map of a semantic or salient model is cut: as its manifest says, in connected pieces, or one region for each class. */
export type Regions = 'manifest' | 'components' | 'class';

/** Models, the inference engine and the runs of the open project. */
export class RunsState {
  #models = $state.raw<readonly ModelInfo[] | null>(null);
  #engine = $state.raw<EngineStatus | null>(null);
  #runs = $state.raw<readonly RunInfo[]>([]);
  #dismissed = $state.raw<ReadonlySet<number>>(new Set());
  /** The user's choice for runs that begin from now on. */
  regions = $state<Regions>('manifest');
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Null until they were listed. */
  get models(): readonly ModelInfo[] | null {
    return this.#models;
  }

  get engine(): EngineStatus | null {
    return this.#engine;
  }

  get active(): readonly RunInfo[] {
    return this.#runs.filter((run) => run.state === 'running');
  }

  /** The newest run that was cut short and that the user has not put away, if nothing newer runs. */
  get unfinished(): RunInfo | null {
    const newest = this.#runs.at(-1);
    if (!newest || this.#dismissed.has(newest.id)) return null;
    const cutShort = newest.state === 'interrupted' || (newest.state === 'cancelled' && newest.total > 1);
    return cutShort && newest.finished < newest.total ? newest : null;
  }

  get(runId: number): RunInfo | null {
    return this.#runs.find((run) => run.id === runId) ?? null;
  }

  model(id: string | null): ModelInfo | null {
    return this.#models?.find((model) => model.id === id) ?? null;
  }

  takeModels(models: readonly ModelInfo[]): void {
    this.#models = models;
  }

  async loadModels(): Promise<void> {
    this.#models = await this.#client.call('models.list', {});
    this.#engine = await this.#client.call('engine.status', {});
  }

  async load(): Promise<void> {
    this.#dismissed = new Set();
    this.#runs = [...(await this.#client.call('runs.list', {}))].sort((a, b) => a.id - b.id);
  }

  clear(): void {
    this.#runs = [];
  }

  takeEngine(status: EngineStatus): void {
    this.#engine = status;
  }

  take(run: RunInfo): void {
    this.#runs = [...this.#runs.filter((other) => other.id !== run.id), run].sort((a, b) => a.id - b.id);
  }

  /** Whether the model answers a map, whose regions can be cut in two ways. */
  hasRegions(modelId: string | null): boolean {
    const family = this.model(modelId)?.family;
    return family === 'semantic' || family === 'salient';
  }

  async start(modelId: string, scope: PredictScope): Promise<RunInfo> {
    const options: RunOptions = this.regions !== 'manifest' && this.hasRegions(modelId) ? { regions: this.regions } : {};
    const run = await this.#client.call('predict.start', { modelId, scope, options });
    // An event may have told a later state already.
    if (!this.get(run.id)) this.take(run);
    return run;
  }

  async cancel(runId: number): Promise<void> {
    this.take(await this.#client.call('predict.cancel', { runId }));
  }

  async resume(runId: number): Promise<void> {
    this.take(await this.#client.call('predict.resume', { runId }));
  }

  dismiss(runId: number): void {
    this.#dismissed = new Set([...this.#dismissed, runId]);
  }
}

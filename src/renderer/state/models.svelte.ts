import type { ModelInfo } from '../../shared/answers.ts';
import type { DoctorReport, ModelDraft, ModelFetch } from '../../shared/answers/models.ts';
import type { Client } from '../client.ts';
import { tellGood, tellProblem } from '../problems.ts';
import type { RunsState } from './runs.svelte.ts';

/** Getting models: what is being fetched, how the last attempt ended, and the page's calls. */
export class ModelsState {
  /** The newest of each model that runs, has failed, or has just come. */
  #fetches = $state.raw<ReadonlyMap<string, ModelFetch>>(new Map());
  readonly #client: Client;
  readonly #runs: RunsState;

  /** `watched`: the models page is open, so that nothing else needs to say what it shows. */
  constructor(client: Client, runs: RunsState, watched: () => boolean) {
    this.#client = client;
    this.#runs = runs;
    client.on('models.changed', (models) => {
      runs.takeModels(models);
      this.#fetches = new Map([...this.#fetches].filter(([, fetch]) => fetch.state !== 'done'));
    });
    client.on('models.progress', (fetch) => {
      this.#take(fetch);
      if (watched()) return;
      if (fetch.state === 'done') tellGood(`${this.#name(fetch.modelId)} is here`, 'Its size and hash are right. It can be chosen now.');
      else if (fetch.state === 'failed') tellProblem(new Error(fetch.message ?? `${fetch.modelId} could not be fetched.`));
    });
  }

  get list(): readonly ModelInfo[] {
    return this.#runs.models ?? [];
  }

  get fetching(): readonly ModelFetch[] {
    return [...this.#fetches.values()].filter((fetch) => fetch.state === 'fetching');
  }

  /** How the fetching of a model stands; null where nobody began it, or it came. */
  fetch(modelId: string): ModelFetch | null {
    return this.#fetches.get(modelId) ?? null;
  }

  #name(modelId: string): string {
    return this.#runs.model(modelId)?.name ?? modelId;
  }

  #take(fetch: ModelFetch): void {
    const next = new Map(this.#fetches);
    // One that is done stays until the list says so too.
    if (fetch.state === 'cancelled') next.delete(fetch.modelId);
    else next.set(fetch.modelId, fetch);
    this.#fetches = next;
  }

  /** What another window, or this one before it was loaded again, began. */
  async load(): Promise<void> {
    await this.#runs.loadModels();
    for (const fetch of await this.#client.call('models.fetches', {})) this.#take(fetch);
  }

  /** Where dropped files lie for the studio; a browser sends them there first. */
  async place(files: readonly File[]): Promise<readonly string[]> {
    const paths: string[] = [];
    for (const file of files) paths.push(await this.#client.pathOf(file));
    return paths;
  }

  inspect(paths: readonly string[]): Promise<ModelDraft> {
    return this.#client.call('models.inspect', { paths: [...paths] });
  }

  propose(draftId: string, answers: Readonly<Record<string, string>>): Promise<ModelDraft> {
    return this.#client.call('models.propose', { draftId, answers });
  }

  tryOut(draftId: string, answers: Readonly<Record<string, string>>, imageId: number | null): Promise<DoctorReport> {
    return this.#client.call('models.try', { draftId, answers, imageId });
  }

  keep(draftId: string, answers: Readonly<Record<string, string>>): Promise<ModelInfo> {
    return this.#client.call('models.keep', { draftId, answers });
  }

  async discard(draftId: string): Promise<void> {
    await this.#client.call('models.discard', { draftId });
  }

  async get(modelId: string, acceptLicense: boolean): Promise<void> {
    const asked: ModelFetch = { modelId, state: 'fetching', received: 0, total: null, from: null, msLeft: null, message: null };
    this.#take(asked);
    try {
      // What it answers is older than what the events told meanwhile.
      await this.#client.call('models.get', { modelId, acceptLicense });
    } catch (thrown) {
      this.#take({ ...asked, state: 'failed', message: thrown instanceof Error ? thrown.message : String(thrown) });
    }
  }

  async cancel(modelId: string): Promise<void> {
    await this.#client.call('models.cancelGet', { modelId });
  }

  async remove(modelId: string): Promise<void> {
    await this.#client.call('models.remove', { modelId });
  }
}

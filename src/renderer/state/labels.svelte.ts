import type { LabelCount } from '../../shared/answers.ts';
import type { Label } from '../../shared/records.ts';
import type { Client } from '../client.ts';

/** The project's classes and how many instances each has. */
export class LabelsState {
  #list = $state.raw<readonly Label[]>([]);
  #counts = $state.raw<ReadonlyMap<number, LabelCount>>(new Map());
  #timer: ReturnType<typeof setTimeout> | null = null;
  readonly #byId = $derived(new Map(this.#list.map((label) => [label.id, label])));
  readonly #client: Client;
  readonly #onError: (thrown: unknown) => void;

  constructor(client: Client, onError: (thrown: unknown) => void) {
    this.#client = client;
    this.#onError = onError;
  }

  get list(): readonly Label[] {
    return this.#list;
  }

  get(id: number): Label | null {
    return this.#byId.get(id) ?? null;
  }

  withHotkey(hotkey: string): Label | null {
    return this.#list.find((label) => label.hotkey === hotkey) ?? null;
  }

  count(id: number): LabelCount {
    return this.#counts.get(id) ?? { labelId: id, annotations: 0, pending: 0, images: 0 };
  }

  take(labels: readonly Label[]): void {
    this.#list = [...labels].sort((a, b) => a.position - b.position || a.id - b.id);
  }

  clear(): void {
    this.#list = [];
    this.#counts = new Map();
  }

  async load(): Promise<void> {
    this.take(await this.#client.call('labels.list', {}));
    await this.#count();
  }

  /** Counts again soon; many edits in a row are one question. */
  countSoon(): void {
    if (this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#count().catch(this.#onError);
    }, 250);
  }

  async #count(): Promise<void> {
    const counts = await this.#client.call('labels.counts', {});
    this.#counts = new Map(counts.map((count) => [count.labelId, count]));
  }

  async create(name: string): Promise<Label> {
    const label = await this.#client.call('labels.create', { name });
    this.#put(label);
    return label;
  }

  async update(id: number, change: { name?: string; color?: string; hotkey?: string | null }): Promise<void> {
    this.#put(await this.#client.call('labels.update', { id, ...change }));
  }

  async remove(id: number): Promise<void> {
    await this.#client.call('labels.remove', { id });
    this.take(this.#list.filter((label) => label.id !== id));
  }

  #put(label: Label): void {
    this.take([...this.#list.filter((other) => other.id !== label.id), label]);
  }
}

import type { Behind, ImageQuery } from '../../shared/image-query.ts';
import type { ImageRecord, ImageState } from '../../shared/records.ts';
import type { Client } from '../client.ts';
import { PagedRows } from './paged-rows.ts';

export const EVERYTHING: ImageQuery = { search: '', states: [], behind: undefined };
const SCORE_PAUSE_MS = 300;

/** The filtered image list, the open image in it, and the images picked for a batch. */
export class ImagesState {
  #version = $state(0);
  #minScore = 0;
  #scoreTimer: ReturnType<typeof setTimeout> | null = null;
  #query = $state.raw<ImageQuery>(EVERYTHING);
  #current = $state.raw<ImageRecord | null>(null);
  #index = $state.raw<number | null>(null);
  #picked = $state.raw<ReadonlySet<number>>(new Set());
  /** Where the last pick began, for Shift+click. */
  #anchor: number | null = null;
  readonly #rows: PagedRows<ImageRecord>;
  readonly #client: Client;
  readonly #onError: (thrown: unknown) => void;

  constructor(client: Client, onError: (thrown: unknown) => void) {
    this.#client = client;
    this.#onError = onError;
    this.#rows = new PagedRows<ImageRecord>({
      fetch: (offset, limit) => client.call('images.list', { offset, limit, ...this.#filter() }),
      onChange: () => {
        // Rows are asked for while a template is being drawn, where state must not change.
        queueMicrotask(() => (this.#version += 1));
      },
      onError,
    });
  }

  #filter(): { search: string; states: ImageState[]; minScore: number; behind?: Behind } {
    const { search, states, behind } = this.#query;
    return { search, states: [...states], minScore: this.#minScore, ...(behind ? { behind } : {}) };
  }

  /** What counts as waiting for review; the rows follow when the slider rests. */
  countFrom(minScore: number): void {
    if (minScore === this.#minScore) return;
    this.#minScore = minScore;
    if (this.#scoreTimer) clearTimeout(this.#scoreTimer);
    this.#scoreTimer = setTimeout(() => this.#rows.total !== null && this.#rows.invalidate(), SCORE_PAUSE_MS);
  }

  /** Images that pass the filter; null before the first answer. */
  get total(): number | null {
    void this.#version;
    return this.#rows.total;
  }

  get query(): ImageQuery {
    return this.#query;
  }

  get filtered(): boolean {
    return this.#query.search !== '' || this.#query.states.length > 0 || this.#query.behind !== undefined;
  }

  get current(): ImageRecord | null {
    return this.#current;
  }

  /** Place of the open image in the filtered list; null where the filter hides it. */
  get index(): number | null {
    return this.#index;
  }

  get picked(): ReadonlySet<number> {
    return this.#picked;
  }

  row(index: number): ImageRecord | null {
    void this.#version;
    return this.#rows.peek(index);
  }

  require(index: number): Promise<ImageRecord | null> {
    return this.#rows.require(index);
  }

  async load(): Promise<void> {
    this.#query = EVERYTHING;
    this.#picked = new Set();
    this.#anchor = null;
    await this.#rows.reset();
  }

  clear(): void {
    this.#current = null;
    this.#index = null;
    this.#picked = new Set();
  }

  async filter(change: Partial<ImageQuery>): Promise<void> {
    this.#query = { ...this.#query, ...change };
    this.#anchor = null;
    await this.#rows.reset();
    await this.#place();
  }

  /** Makes an image the current one. Without its place, the studio is asked for it. */
  async show(row: ImageRecord, index: number | null): Promise<void> {
    this.#current = row;
    this.#index = index;
    if (index === null) await this.#place();
  }

  async #place(): Promise<void> {
    const imageId = this.#current?.id;
    if (imageId === undefined) return;
    const index = await this.#client.call('images.place', { imageId, ...this.#filter() });
    if (this.#current?.id === imageId) this.#index = index;
  }

  /** The nearest image after or before the open one with suggestions to decide on. */
  nextPending(step: 1 | -1): Promise<{ readonly index: number; readonly row: ImageRecord } | null> {
    const from = this.#index ?? (step === 1 ? -1 : (this.total ?? 0));
    return this.#client.call('images.nextPending', { from, step, ...this.#filter() });
  }

  /** Rows that changed on the other side; an empty list means all of them. */
  changed(imageIds: readonly number[]): void {
    const all = imageIds.length === 0;
    const ids = new Set(imageIds);
    // A filter by state or by instances may let a changed image in or out, so every page may be another.
    this.#rows.invalidate(all || this.#query.states.length || this.#query.behind ? undefined : (row) => ids.has(row.id));
    const current = this.#current;
    if (current && (all || ids.has(current.id))) void this.#refresh(current.id);
  }

  async #refresh(imageId: number): Promise<void> {
    try {
      const row = await this.#client.call('images.get', { imageId });
      if (this.#current?.id === imageId) this.#current = row;
      await this.#place();
    } catch (thrown) {
      this.#onError(thrown);
    }
  }

  pick(row: ImageRecord, index: number): void {
    const next = new Set(this.#picked);
    if (!next.delete(row.id)) next.add(row.id);
    this.#anchor = index;
    this.#picked = next;
  }

  /** Adds everything between the last pick (or the open image) and this one. */
  async pickTo(index: number): Promise<void> {
    const from = this.#anchor ?? this.#index ?? index;
    const next = new Set(this.#picked);
    for (let i = Math.min(from, index); i <= Math.max(from, index); i++) {
      const row = await this.#rows.require(i);
      if (row) next.add(row.id);
    }
    this.#picked = next;
  }

  unpickAll(): void {
    this.#picked = new Set();
    this.#anchor = null;
  }
}

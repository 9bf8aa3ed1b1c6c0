/**
 * Rows of a long list, fetched a page at a time and kept for the pages looked at last, so that
 * 100,000 images cost the memory of a few thousand. Nothing here is reactive: `onChange` says when
 * to read again.
 */
export interface Page<R> {
  readonly total: number;
  readonly offset: number;
  readonly rows: readonly R[];
}

export interface PagedRowsOptions<R> {
  readonly fetch: (offset: number, limit: number) => Promise<Page<R>>;
  readonly onChange: () => void;
  readonly onError: (thrown: unknown) => void;
  readonly pageSize?: number;
  /** Pages kept; older ones are forgotten and fetched again when needed. */
  readonly maxPages?: number;
}

interface Kept<R> {
  rows: readonly R[];
  stale: boolean;
}

export class PagedRows<R> {
  readonly #options: PagedRowsOptions<R>;
  readonly #pageSize: number;
  readonly #maxPages: number;
  /** In the order of their last use. */
  readonly #pages = new Map<number, Kept<R>>();
  readonly #loading = new Map<number, Promise<void>>();
  #generation = 0;
  #total: number | null = null;

  constructor(options: PagedRowsOptions<R>) {
    this.#options = options;
    this.#pageSize = options.pageSize ?? 200;
    this.#maxPages = options.maxPages ?? 40;
  }

  /** Number of rows, null before the first page came. */
  get total(): number | null {
    return this.#total;
  }

  /** The row if it is here; asks for its page if it is not, or is stale. */
  peek(index: number): R | null {
    const number = Math.floor(index / this.#pageSize);
    const page = this.#pages.get(number);
    if (!page || page.stale) void this.#load(number);
    if (!page) return null;
    this.#pages.delete(number);
    this.#pages.set(number, page);
    return page.rows[index - number * this.#pageSize] ?? null;
  }

  /** The row, waiting for its page; null outside the list. */
  async require(index: number): Promise<R | null> {
    if (index < 0) return null;
    const number = Math.floor(index / this.#pageSize);
    const page = this.#pages.get(number);
    if (!page || page.stale) await this.#load(number);
    return this.#pages.get(number)?.rows[index - number * this.#pageSize] ?? null;
  }

  /** Forgets everything: another project or another filter. Answers when the first page is here. */
  reset(): Promise<void> {
    this.#generation += 1;
    this.#pages.clear();
    this.#loading.clear();
    this.#total = null;
    return this.#load(0);
  }

  /** Rows that `matches` (all by default) changed: their pages stay on show until the new ones come. */
  invalidate(matches: (row: R) => boolean = () => true): void {
    for (const page of this.#pages.values()) if (!page.stale && page.rows.some(matches)) page.stale = true;
    // An answer under way may be older than the change.
    this.#generation += 1;
    const underWay = [...this.#loading.keys()];
    this.#loading.clear();
    for (const number of underWay) void this.#load(number);
    if (!this.#pages.size) void this.#load(0);
    this.#options.onChange();
  }

  #load(number: number): Promise<void> {
    const underWay = this.#loading.get(number);
    if (underWay) return underWay;
    const generation = this.#generation;
    const work = this.#fetch(number, generation).finally(() => {
      if (this.#loading.get(number) === work) this.#loading.delete(number);
    });
    this.#loading.set(number, work);
    return work;
  }

  async #fetch(number: number, generation: number): Promise<void> {
    try {
      const page = await this.#options.fetch(number * this.#pageSize, this.#pageSize);
      if (generation !== this.#generation) {
        // Overtaken by a reset: whoever waits, waits for the newer answer.
        await this.#loading.get(number);
        return;
      }
      this.#total = page.total;
      this.#pages.delete(number);
      this.#pages.set(number, { rows: page.rows, stale: false });
      while (this.#pages.size > this.#maxPages) {
        const oldest = this.#pages.keys().next();
        if (oldest.done) break;
        this.#pages.delete(oldest.value);
      }
      this.#options.onChange();
    } catch (thrown) {
      if (generation === this.#generation) this.#options.onError(thrown);
    }
  }
}

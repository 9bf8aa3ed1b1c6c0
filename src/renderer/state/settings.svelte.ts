import type { Settings } from '../../shared/answers.ts';
import { DEFAULT_SETTINGS } from '../../shared/schemas.ts';
import type { Client } from '../client.ts';

/** The user's choices, kept by the studio across restarts. */
export class SettingsState {
  #current = $state.raw<Settings>(DEFAULT_SETTINGS);
  #pending: Partial<Settings> = {};
  #timer: ReturnType<typeof setTimeout> | null = null;
  readonly #client: Client;
  readonly #onError: (thrown: unknown) => void;

  constructor(client: Client, onError: (thrown: unknown) => void) {
    this.#client = client;
    this.#onError = onError;
  }

  get current(): Settings {
    return this.#current;
  }

  async load(): Promise<void> {
    this.#current = await this.#client.call('settings.get', {});
  }

  /** Takes effect at once and is written a moment later: a dragged slider is one write. */
  set(change: Partial<Settings>): void {
    const differs = (Object.keys(change) as (keyof Settings)[]).some((key) => change[key] !== this.#current[key]);
    if (!differs) return;
    this.#current = { ...this.#current, ...change };
    this.#pending = { ...this.#pending, ...change };
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.flush(), 250);
  }

  async flush(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const change = this.#pending;
    this.#pending = {};
    if (!Object.keys(change).length) return;
    try {
      await this.#client.call('settings.set', change);
    } catch (thrown) {
      this.#onError(thrown);
    }
  }
}

import type {
  ImportCommitOptions,
  ImportInspection,
  ImportPlan,
  ImportProgress,
  ImportReadOptions,
  ImportReport,
} from '../../../shared/calls/imports.ts';
import type { FormatId } from '../../../shared/formats.ts';
import { AppError } from '../../../shared/errors.ts';
import type { ImportBeginning } from '../../state/dialogs.ts';
import type { Client } from '../../client.ts';
import type { FindingQuestion, FindingRows } from '../findings/question.ts';

export type Conflict = ImportCommitOptions['onConflict'];
export type Regions = ImportReadOptions['regions'];
export type PixelSpace = ImportReadOptions['pixels'];

/** Images of the dataset that are in the project's folder. */
export const matchedImages = ({ images }: Pick<ImportPlan, 'images'>): number => images.byPath + images.byName + images.byContent;

/** What is told of an import, until it is taken back. */
export const importToast = (importId: number): string => `import-${importId}`;

/** One import from its place to its report. Everything that fails is said where the user is (`problem`), not in a toast. */
export class Importing {
  readonly #client: Client;
  #place = $state('');
  #looking = $state(false);
  #found = $state.raw<ImportInspection | null>(null);
  #plan = $state.raw<ImportPlan | null>(null);
  #report = $state.raw<ImportReport | null>(null);
  #busy = $state<'reading' | 'importing' | null>(null);
  #progress = $state.raw<ImportProgress | null>(null);
  #problem = $state<string | null>(null);
  /** Null: what was found. */
  format = $state<FormatId | null>(null);
  /** Folder of the dataset's own images, where it is not the project's; '' for the project's. */
  images = $state('');
  pixels = $state<PixelSpace>('auto');
  /** Of maps that do not tell instances apart. */
  regions = $state<Regions>('class');
  onConflict = $state<Conflict>('skip');
  asDone = $state(false);
  /** Only the newest place is asked about. */
  #asked = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #stop: () => void;

  constructor(client: Client) {
    this.#client = client;
    this.#stop = client.on('import.progress', (told) => (this.#progress = told));
  }

  get place(): string {
    return this.#place;
  }
  /** What the place may be; null until asked. */
  get found(): ImportInspection | null {
    return this.#found;
  }
  get looking(): boolean {
    return this.#looking;
  }
  get plan(): ImportPlan | null {
    return this.#plan;
  }
  get report(): ImportReport | null {
    return this.#report;
  }
  get busy(): 'reading' | 'importing' | null {
    return this.#busy;
  }
  get progress(): ImportProgress | null {
    return this.#progress;
  }
  get problem(): string | null {
    return this.#problem;
  }
  /** What will be read: chosen, or found. */
  get reads(): FormatId | null {
    return this.format ?? this.#found?.formats[0]?.id ?? null;
  }

  setPlace(place: string, soon: boolean): void {
    this.#place = place;
    this.#found = null;
    this.#problem = null;
    clearTimeout(this.#timer);
    const mine = ++this.#asked;
    if (place.trim() === '') {
      this.#looking = false;
      return;
    }
    this.#looking = true;
    this.#timer = setTimeout(() => void this.#look(place.trim(), mine), soon ? 0 : 350);
  }

  async #look(place: string, mine: number): Promise<void> {
    try {
      const found = await this.#client.call('import.inspect', { place });
      if (mine === this.#asked) this.#found = found;
    } catch (thrown) {
      if (mine === this.#asked) this.#problem = messageOf(thrown);
    }
    if (mine === this.#asked) this.#looking = false;
  }

  /** Reads at once, as it was chosen elsewhere. */
  async begin({ format, pixels, regions }: ImportBeginning): Promise<void> {
    this.format = format;
    this.pixels = pixels;
    this.regions = regions;
    await this.read();
  }

  async read(): Promise<void> {
    if (this.#busy) return;
    await this.#attempt('reading', async () => {
      const format = this.reads;
      const images = this.images.trim() || null;
      const { pixels, regions } = this;
      this.#plan = await this.#client.call('import.read', { place: this.#place.trim(), format, images, pixels, regions });
    });
  }

  async commit(): Promise<void> {
    const plan = this.#plan;
    if (this.#busy || !plan) return;
    await this.#attempt('importing', async () => {
      this.#report = await this.#client.call('import.commit', { id: plan.id, onConflict: this.onConflict, asDone: this.asDone });
    });
  }

  async findings({ kind, reason, ...rest }: FindingQuestion, id: number): Promise<FindingRows> {
    const page = await this.#client.call('import.findings', { id, ...(kind ? { kind } : {}), ...(reason ? { reason } : {}), ...rest });
    return { ...page, offset: rest.offset };
  }

  /** Back to the place, with what was read forgotten. */
  async back(): Promise<void> {
    const plan = this.#plan;
    this.#plan = null;
    this.#problem = null;
    if (plan) await this.#client.call('import.discard', { id: plan.id }).catch(() => undefined);
  }

  /** Stops what goes on; the dialog says that nothing came in. */
  async cancel(): Promise<void> {
    await this.#client.call('import.cancel', {}).catch(() => undefined);
  }

  /** What was read and not imported is not kept. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#stop();
    if (this.#busy) await this.cancel();
    if (!this.#report) await this.back();
  }

  async #attempt(busy: 'reading' | 'importing', work: () => Promise<void>): Promise<void> {
    this.#busy = busy;
    this.#progress = null;
    this.#problem = null;
    try {
      await work();
    } catch (thrown) {
      const cancelled = thrown instanceof AppError && thrown.code === 'cancelled';
      this.#problem = cancelled ? 'Cancelled. Nothing was imported.' : messageOf(thrown);
    }
    this.#busy = null;
  }
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

import type { AppInfo, ProjectInfo, RecentProject, RunInfo, ScanProgress } from '../../shared/answers.ts';
import type { ImportReport } from '../../shared/calls/imports.ts';
import type { PredictScope } from '../../shared/contract.ts';
import { fromWireError } from '../../shared/errors.ts';
import type { ImageRecord, ImageState } from '../../shared/records.ts';
import type { Client } from '../client.ts';
import type { EditorView } from '../editor/types.ts';
import type { NextStep } from '../problems.ts';
import { forgetProblems, tellGood, tellNote, tellProblem } from '../problems.ts';
import { ClassicalState } from './classical.svelte.ts';
import type { DialogState } from './dialogs.ts';
import { ImagesState } from './images.svelte.ts';
import { LabelsState } from './labels.svelte.ts';
import { ModelsState } from './models.svelte.ts';
import { PromptsState } from './prompts.svelte.ts';
import { RunsState } from './runs.svelte.ts';
import { SettingsState } from './settings.svelte.ts';

const FIRST_MODEL = 'mask-rcnn-scenes'; // until the user chooses: the sample project's

/** Everything the window knows. Components read it; commands change it. */
export class Workspace {
  readonly client: Client;
  readonly editor: EditorView;
  readonly settings: SettingsState;
  readonly images: ImagesState;
  readonly labels: LabelsState;
  readonly runs: RunsState;
  readonly prompts: PromptsState;
  readonly classical: ClassicalState;
  readonly models: ModelsState;
  #project = $state.raw<ProjectInfo | null>(null);
  #info = $state.raw<AppInfo | null>(null);
  #recent = $state.raw<readonly RecentProject[] | null>(null);
  #scan = $state.raw<ScanProgress | null>(null);
  #opening = $state.raw<string | null>(null);
  #ready = $state(false);
  dialog = $state.raw<DialogState | null>(null);
  /** What came in last, and into which project's file. */
  lastImport = $state.raw<{ readonly project: string; readonly report: ImportReport } | null>(null);
  /** The thumbnail grid lies over the canvas. */
  browsing = $state(false);
  /** The class panel shows the field for a new class. */
  addingLabel = $state(false);
  /** The newest wish wins while an image is being opened. */
  #wanted: { readonly row: ImageRecord } | null = null;
  #switching = false;

  constructor(client: Client, editor: EditorView) {
    this.client = client;
    this.editor = editor;
    const tell = (thrown: unknown): void => tellProblem(thrown);
    this.settings = new SettingsState(client, tell);
    this.images = new ImagesState(client, tell);
    this.labels = new LabelsState(client, tell);
    this.runs = new RunsState(client);
    const { images, runs, settings } = this;
    this.prompts = new PromptsState({ client, editor, images, runs, settings, getModels: () => (this.dialog = { kind: 'models' }) });
    this.classical = new ClassicalState(client, editor);
    this.models = new ModelsState(client, this.runs, () => this.dialog?.kind === 'models');
  }

  get project(): ProjectInfo | null {
    return this.#project;
  }
  get info(): AppInfo | null {
    return this.#info;
  }
  /** Null until listed. */
  get recent(): readonly RecentProject[] | null {
    return this.#recent;
  }
  /** A folder being read, null when none is. */
  get scan(): ScanProgress | null {
    return this.#scan;
  }
  /** The folder (or the sample) that is being opened. */
  get opening(): string | null {
    return this.#opening;
  }
  get ready(): boolean {
    return this.#ready;
  }
  get modelId(): string | null {
    const usable = (this.runs.models ?? []).filter((model) => !model.problem);
    const chosen = usable.find((model) => model.id === this.settings.current.modelId);
    return (chosen ?? usable.find((model) => model.id === FIRST_MODEL) ?? usable[0])?.id ?? null;
  }

  /** Loads what the window needs first and listens. Call once. */
  async start(): Promise<void> {
    this.#listen();
    await this.attempt(async () => {
      const [info, , project] = await Promise.all([
        this.client.call('app.info', {}),
        this.settings.load(),
        this.client.call('project.current', {}),
      ]);
      this.#info = info;
      this.editor.minScore = this.settings.current.minScore;
      this.editor.brushPx = this.settings.current.brushPx;
      this.editor.view = this.settings.current.view;
      void this.attempt(() => this.models.load());
      if (project) await this.#enter(project);
      else await this.#loadRecent();
    });
    this.#ready = true;
  }

  /** Runs something that may fail; a failure becomes a toast. Answers whether it worked. */
  async attempt(work: () => Promise<unknown>, step?: NextStep): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (thrown) {
      tellProblem(thrown, step);
      return false;
    }
  }

  #listen(): void {
    const { client } = this;
    client.on('project.changed', (project) => {
      if (project && this.#project?.file === project.file) this.#project = project;
    });
    client.on('scan.progress', (scan) => {
      this.#scan = scan.done ? null : scan;
      // New rows are on no page that is here, and shift the others.
      if (scan.done && this.#project) this.images.changed([]);
      if (scan.done) void this.#openFirst();
      if (scan.failure) tellProblem(fromWireError(scan.failure));
    });
    client.on('images.changed', ({ imageIds }) => {
      if (!this.#project) return;
      this.images.changed(this.#scan ? [] : imageIds);
      if (!this.images.current) void this.#openFirst();
    });
    client.on('labels.changed', (labels) => {
      if (!this.#project) return;
      this.labels.take(labels);
      this.editor.setLabels(this.labels.list);
      this.labels.countSoon();
    });
    client.on('suggestions.changed', ({ imageId }) => {
      this.labels.countSoon();
      if (this.images.current?.id === imageId) void this.attempt(() => this.editor.refresh());
    });
    client.on('run.progress', (run) => this.#takeRun(run));
    client.on('engine.status', (status) => this.runs.takeEngine(status));
  }

  async openFolder(folder: string, file: string | null = null): Promise<boolean> {
    return this.#openWith(folder, () => this.client.call('project.open', { folder, file }));
  }

  openSample(): Promise<boolean> {
    return this.#openWith('the sample project', () => this.client.call('project.openSample', {}));
  }

  /** Asks with the system's own folder dialog; does nothing when the user changes their mind. */
  async pickFolder(): Promise<string | null> {
    let picked: string | null = null;
    await this.attempt(async () => {
      picked = await this.client.call('project.pickFolder', {});
    });
    return picked;
  }

  async #openWith(what: string, open: () => Promise<ProjectInfo>): Promise<boolean> {
    if (this.#opening) return false;
    this.#opening = what;
    const worked = await this.attempt(async () => {
      await this.editor.close();
      this.#leave();
      const project = await open();
      forgetProblems();
      await this.#enter(project);
    });
    this.#opening = null;
    return worked;
  }

  async #enter(project: ProjectInfo): Promise<void> {
    await Promise.all([this.images.load(), this.labels.load(), this.runs.load()]);
    this.editor.setLabels(this.labels.list);
    this.#project = project;
    if (project.note && !project.file.startsWith(project.folder)) tellNote('The project file lies elsewhere', project.note);
    if (project.lastImageId !== null) {
      const row = await this.client.call('images.get', { imageId: project.lastImageId });
      await this.show(row, null);
    } else {
      await this.#openFirst();
    }
  }

  #leave(): void {
    this.#project = null;
    this.#scan = null;
    this.#wanted = null;
    this.browsing = false;
    this.dialog = null;
    this.images.clear();
    this.labels.clear();
    this.runs.clear();
    this.prompts.clear();
  }

  async closeProject(): Promise<void> {
    await this.attempt(async () => {
      await this.editor.close();
      await this.settings.flush();
      await this.client.call('project.close', {});
      this.#leave();
      await this.#loadRecent();
    });
  }

  async #loadRecent(): Promise<void> {
    this.#recent = await this.client.call('project.recent', {});
  }

  async #openFirst(): Promise<void> {
    if (!this.#project || this.images.current) return;
    await this.attempt(async () => {
      const row = await this.images.require(0);
      if (row && !this.images.current) await this.show(row, 0);
    });
  }

  /** Opens an image. Its place in the list is looked up where it is not known. */
  async show(row: ImageRecord, index: number | null): Promise<void> {
    this.#wanted = { row };
    await this.attempt(() => this.images.show(row, index));
    if (!this.#switching) await this.#switch();
  }

  /** One switch at a time: the editor saves before it leaves, and skipped wishes are never loaded. */
  async #switch(): Promise<void> {
    this.#switching = true;
    while (this.#wanted) {
      const { row } = this.#wanted;
      this.#wanted = null;
      await this.attempt(
        () => (row.error === null ? this.editor.open(row.id, this.client.pixelUrl(row.id, 'full', row.sha256)) : this.editor.close()),
        { label: 'Try again', run: () => void this.show(row, this.images.index) },
      );
    }
    this.#switching = false;
    void this.#lookAhead();
  }

  async #lookAhead(): Promise<void> {
    const index = this.images.index;
    if (index === null) return;
    const rows = await Promise.all([index + 1, index + 2, index - 1].map((i) => this.images.require(i)));
    if (this.images.index !== index) return;
    this.editor.prefetch(rows.flatMap((row) => (row && row.error === null ? [this.client.pixelUrl(row.id, 'full', row.sha256)] : [])));
  }

  async step(step: 1 | -1): Promise<void> {
    const index = this.images.index;
    const next = index === null ? 0 : index + step;
    await this.attempt(async () => {
      const row = await this.images.require(next);
      if (row) await this.show(row, next);
    });
  }

  async stepToPending(step: 1 | -1): Promise<void> {
    await this.attempt(async () => {
      const found = await this.images.nextPending(step);
      if (found) await this.show(found.row, found.index);
      else tellNote('No suggestions left to review', step === 1 ? 'None after this image.' : 'None before this image.');
    });
  }

  /** The picked images, or else the open one. */
  async setState(state: ImageState): Promise<void> {
    const current = this.images.current;
    const imageIds = this.images.picked.size ? [...this.images.picked] : current ? [current.id] : [];
    if (imageIds.length) await this.attempt(() => this.client.call('images.setState', { imageIds, state }));
  }

  async finishAndNext(state: 'done' | 'skipped'): Promise<void> {
    const current = this.images.current;
    if (!current) return;
    // With a filter by state the image may leave the list: the next one then takes its place.
    const index = this.images.index;
    const next = index === null ? null : await this.images.require(index + 1);
    const worked = await this.attempt(() => this.client.call('images.setState', { imageIds: [current.id], state }));
    if (!worked) return;
    if (next) await this.show(next, this.images.query.states.length || index === null ? null : index + 1);
    else tellGood('That was the last image', 'Export a dataset, or go back with A.');
  }

  async predict(scope: PredictScope | 'current'): Promise<void> {
    const modelId = this.modelId;
    const current = this.images.current;
    if (!modelId) {
      tellNote('No model to run', 'No usable model was found.', {
        label: 'Get models…',
        run: () => void (this.dialog = { kind: 'models' }),
      });
      return;
    }
    const asked: PredictScope | null = scope !== 'current' ? scope : current ? { kind: 'images', imageIds: [current.id] } : null;
    if (asked) await this.attempt(() => this.runs.start(modelId, asked), { label: 'Try again', run: () => void this.predict(scope) });
  }

  #takeRun(run: RunInfo): void {
    const before = this.runs.get(run.id);
    this.runs.take(run);
    if (before && before.state !== 'running') return;
    const name = this.runs.model(run.modelId)?.name ?? run.modelId;
    const details = { label: 'Show', run: (): void => void (this.dialog = { kind: 'failures', runId: run.id }) };
    if (run.state === 'failed') {
      tellNote(
        'The run failed',
        run.message ?? `${name} stopped after ${run.finished} of ${run.total} images.`,
        run.failed ? details : undefined,
      );
    } else if (run.state === 'done' && run.failed > 0) {
      tellNote(`${run.failed} of ${run.total} images could not be predicted`, 'The rest are done.', details);
    } else if (run.state === 'done' && run.total > 1) {
      tellGood(`${run.suggestions} suggestions on ${run.total} images`, `${name}. Shift+D goes to the next image to review.`);
    } else if (run.state === 'done' && run.suggestions === 0) {
      tellNote('Nothing found on this image', `${name} has no suggestion above its threshold. Draw by hand, or try another model.`);
    }
  }
}

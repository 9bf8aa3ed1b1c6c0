import { AppError, toWireError } from '../../shared/errors.ts';
import type { ImageDocument } from '../../shared/records.ts';
import type { Client } from '../client.ts';
import type { ActionContext } from './actions.ts';
import { createActions, newId } from './actions.ts';
import { createCamera } from './camera.svelte.ts';
import { changeOf } from './edits.ts';
import { hintsFor } from './hints.ts';
import { createImageCache } from './image-cache.ts';
import { editableOutline } from './outlines.ts';
import type { DocumentCalls, Saving } from './saving.ts';
import { createSaving } from './saving.ts';
import { sameSelection, selectionKey } from './selection.ts';
import { createShown } from './shown.svelte.ts';
import type { Handles, StageView } from './stage-view.ts';
import type { RunningTool } from './tools/index.ts';
import { RESTING_CURSOR, startTool } from './tools/index.ts';
import type { Cursor, Draft, Input, Target, ToolView } from './tools/tool.ts';
import type { EditorView, Pointer, SaveState, Selection, ToolName } from './types.ts';
import { isInside, toImage } from './viewport.ts';
import type { VertexRef } from '../../shared/geometry/edit-vertex.ts';

const LEAST_BRUSH_PX = 1;
const MOST_BRUSH_PX = 500;

/** The open image: its document with unsaved edits, the tool in hand and what is in view. */
export function createEditor(client: Client): EditorView {
  let document = $state.raw<ImageDocument | null>(null);
  let image = $state.raw<HTMLImageElement | null>(null);
  let imageError = $state<string | null>(null);
  let loading = $state(false);
  let save = $state.raw<SaveState>({ kind: 'clean' });
  let tool = $state<ToolName>('select');
  let drafting = $state(false);
  let vertices = $state.raw<readonly VertexRef[]>([]);
  let draft = $state.raw<Draft | null>(null);
  let cursor = $state<Cursor>('default');
  let activeLabelId = $state<number | null>(null);
  let selection = $state.raw<Selection | null>(null);
  let hover = $state.raw<Selection | null>(null);
  let pointer = $state.raw<Pointer | null>(null);
  let brushPx = $state(24);

  const camera = createCamera();
  const shown = createShown(() => document);
  const images = createImageCache();
  let running: RunningTool = startTool('select');
  let saving: Saving | null = null;
  /** Counts openings, so that a slow one does not overwrite a later one. */
  let opening = 0;

  const selected = $derived(selection ? shown.find(selection) : null);
  const hovered = $derived(hover && !sameSelection(hover, selection) ? shown.find(hover) : null);
  const handles = $derived.by((): Handles | null => {
    if (tool !== 'select' || !selected || !shown.isVisible(selected) || shown.locked.has(selected.key) || draft?.kind === 'shift') return null;
    const geometry = draft?.kind === 'change' ? draft.geometry : selected.geometry;
    if (geometry.kind === 'box') return { outline: [], vertices: [], box: geometry.box };
    return { outline: editableOutline(geometry) ?? [], vertices, box: null };
  });
  const draftTarget = $derived(draft && 'target' in draft ? draft.target : null);
  const hints = $derived(
    hintsFor({
      tool,
      drafting,
      selection,
      selectedIsBox: selected?.geometry.kind === 'box',
      selectedIsLocked: selected !== null && shown.locked.has(selected.key),
      verticesTaken: vertices.length,
      suggestions: shown.suggestionsVisible ? shown.candidates.length : 0,
      canAdd: activeLabelId !== null,
      save: save.kind,
    }),
  );

  const calls: DocumentCalls = {
    load: (imageId) => client.call('document.load', { imageId }),
    apply: (imageId, base, diff) => client.call('document.apply', { imageId, base, diff }),
    undo: (imageId, base) => client.call('document.undo', { imageId, base }),
    redo: (imageId, base) => client.call('document.redo', { imageId, base }),
  };

  function toolView(): ToolView {
    const find = (which: Selection): Target | null => {
      const instance = shown.find(which);
      return instance && { selection: which, geometry: instance.geometry, locked: shown.locked.has(instance.key), outline: () => editableOutline(instance.geometry) };
    };
    const current = selected && shown.isVisible(selected) ? find(selected.selection) : null;
    return { image: camera.image, scale: camera.viewport.scale, target: current, canAdd: activeLabelId !== null, brushPx, hits: shown.hits, find };
  }

  function feed(input: Input): boolean {
    if (!document) return false;
    const step = running.feed(input, toolView());
    if (step.select !== undefined) selection = step.select;
    if (step.hover !== undefined && !sameSelection(step.hover, hover)) hover = step.hover;
    if (step.cursor !== undefined) cursor = step.cursor;
    if (step.commit) perform(changeOf(document, step.commit, activeLabelId, newId));
    draft = step.draft ?? null;
    drafting = running.drafting;
    vertices = running.vertices;
    return step.used ?? false;
  }

  function resetTool(): void {
    running.reset();
    draft = null;
    drafting = false;
    vertices = [];
    cursor = RESTING_CURSOR[tool];
  }

  function perform(change: ReturnType<typeof changeOf>): boolean {
    if (!change || !saving) return false;
    saving.commit(change.diff);
    selection = change.select;
    return true;
  }

  function show(next: Selection | null): void {
    if (!sameSelection(next, selection) && (drafting || vertices.length)) resetTool();
    selection = next;
    const instance = next && shown.find(next);
    if (instance) camera.reveal(instance);
  }

  /** Every change of the document passes here, from an edit, an undo or a reload. */
  function setDocument(next: ImageDocument): void {
    document = next;
    if (selection && !shown.find(selection)) selection = null;
    if (hover && !shown.find(hover)) hover = null;
  }

  function clear(): void {
    saving?.close();
    saving = null;
    document = null;
    image = null;
    imageError = null;
    selection = null;
    hover = null;
    pointer = null;
    save = { kind: 'clean' };
    resetTool();
  }

  async function settle(): Promise<void> {
    if (!saving || (await saving.settle())) return;
    const why = save.kind === 'failed' ? save.message : 'The studio did not answer.';
    throw new AppError('storage', `Your last edits are not saved yet, so this image stays open. ${why}`, { imageId: document?.imageId ?? 0 });
  }

  async function travel(direction: 'undo' | 'redo'): Promise<void> {
    if (drafting) {
      if (direction === 'undo' && !feed({ kind: 'remove-last' })) feed({ kind: 'cancel' });
      return;
    }
    resetTool();
    await saving?.[direction]();
  }

  const context: ActionContext = {
    get document() {
      return document;
    },
    get selection() {
      return selection;
    },
    get tool() {
      return running;
    },
    get activeLabelId() {
      return activeLabelId;
    },
    shown,
    camera,
    perform,
    show,
    feed,
  };
  const { relabelSelected, ...actions } = createActions(context);

  const stage: StageView = {
    get viewport() {
      return camera.viewport;
    },
    get size() {
      return camera.size;
    },
    get image() {
      return image;
    },
    get annotations() {
      return shown.annotations;
    },
    get suggestions() {
      return shown.suggestions;
    },
    get selected() {
      return selected;
    },
    get hovered() {
      return hovered;
    },
    get handles() {
      return handles;
    },
    get draft() {
      return draft;
    },
    get draftKey() {
      return draftTarget && selectionKey(draftTarget);
    },
    get cursor() {
      return cursor;
    },
    get draftColor() {
      return shown.labelOf(activeLabelId ?? 0)?.color ?? '#FFFFFF';
    },
    colorOf: shown.colorOf,
    isVisible: shown.isVisible,
    nameOf: (labelId) => shown.labelOf(labelId)?.name ?? `class ${labelId}`,
    setSize: camera.setSize,
    input: feed,
    point(at) {
      const place = at && document ? toImage(camera.viewport, at) : null;
      pointer = place && isInside(place, camera.image) ? { x: place.x, y: place.y } : null;
    },
    panBy: camera.panBy,
    zoomAt: (factor, anchor) => camera.zoomTo(camera.viewport.scale * factor, anchor),
  };

  if (typeof window !== 'undefined') {
    window.addEventListener('beforeunload', (event) => {
      if (saving?.unsaved) event.preventDefault();
    });
  }

  return {
    get document() {
      return document;
    },
    get loading() {
      return loading;
    },
    get imageError() {
      return imageError;
    },
    get labels() {
      return shown.labels;
    },
    get shownSuggestions() {
      return shown.candidates;
    },
    get pendingSuggestions() {
      return shown.pending;
    },
    get minScore() {
      return shown.minScore;
    },
    set minScore(value) {
      shown.minScore = value;
    },
    get tool() {
      return tool;
    },
    get activeLabelId() {
      return activeLabelId;
    },
    get selection() {
      return selection;
    },
    get hover() {
      return hover;
    },
    get hidden() {
      return shown.hidden;
    },
    get locked() {
      return shown.locked;
    },
    get suggestionsVisible() {
      return shown.suggestionsVisible;
    },
    get annotationsVisible() {
      return shown.annotationsVisible;
    },
    get colouring() {
      return shown.colouring;
    },
    set colouring(value) {
      shown.colouring = value;
    },
    get brushPx() {
      return brushPx;
    },
    set brushPx(value) {
      brushPx = Math.min(MOST_BRUSH_PX, Math.max(LEAST_BRUSH_PX, value));
    },
    get zoom() {
      return camera.viewport.scale;
    },
    get pointer() {
      return pointer;
    },
    get save() {
      return save;
    },
    get canUndo() {
      return (document?.undoable ?? 0) > 0;
    },
    get canRedo() {
      return (document?.redoable ?? 0) > 0;
    },
    get hints() {
      return hints;
    },
    get drafting() {
      return drafting;
    },
    stage,
    ...actions,

    async open(imageId, imageUrl) {
      const ticket = ++opening;
      loading = true;
      try {
        await settle();
        if (ticket !== opening) return;
        const decoded = images.load(imageUrl).catch((error: unknown) => toWireError(error).message);
        const opened = await calls.load(imageId);
        const pixels = await decoded;
        if (ticket !== opening) return;
        clear();
        saving = createSaving(calls, opened, { onDocument: setDocument, onState: (state) => (save = state) });
        camera.setImage(opened);
        document = opened;
        if (typeof pixels === 'string') imageError = `This image cannot be shown: ${pixels}`;
        else image = pixels;
      } finally {
        if (ticket === opening) loading = false;
      }
    },
    async refresh() {
      const vertexCount = vertices.length;
      await saving?.refresh();
      // Taken vertices of an instance that has another outline now would be the wrong ones.
      if (vertexCount && !drafting) resetTool();
    },
    async close() {
      opening++;
      loading = false;
      await settle();
      clear();
    },
    setLabels(labels) {
      shown.setLabels(labels);
      if (!labels.some((label) => label.id === activeLabelId)) activeLabelId = labels[0]?.id ?? null;
    },
    setTool(name) {
      if (name === tool) return;
      if (drafting) feed({ kind: 'cancel' });
      running = startTool(name);
      tool = name;
      resetTool();
    },
    setLabel(labelId) {
      activeLabelId = labelId;
      if (!drafting) relabelSelected(labelId);
    },
    select(next) {
      // With vertices taken, the first "select nothing" only lets them go.
      if (next === null && vertices.length) resetTool();
      else show(next);
    },
    setHover(next) {
      hover = next;
    },
    toggleHidden: shown.toggleHidden,
    toggleLocked: shown.toggleLocked,
    toggleSuggestions: shown.toggleSuggestions,
    toggleAnnotations: shown.toggleAnnotations,
    finishDraft: () => void feed({ kind: 'finish' }),
    cancelDraft: () => void feed({ kind: 'cancel' }),
    undo: () => travel('undo'),
    redo: () => travel('redo'),
    fit: camera.fit,
    zoomTo: (scale) => camera.zoomTo(scale),
    zoomBy: (factor) => camera.zoomTo(camera.viewport.scale * factor),
    prefetch: (urls) => images.prefetch(urls),
    retrySave: async () => saving?.retry(),
    discardUnsaved: async () => {
      resetTool();
      await saving?.discard();
    },
  };
}

import { AppError, toWireError } from '../../shared/errors.ts';
import type { ImageDocument } from '../../shared/records.ts';
import type { Client } from '../client.ts';
import { createActions, newId } from './actions.ts';
import { createCamera } from './camera.svelte.ts';
import type { Change } from './edits.ts';
import { changeOf } from './edits.ts';
import { createHand } from './hand.svelte.ts';
import { hintsFor } from './hints.ts';
import { createImageCache } from './image-cache.ts';
import type { DocumentCalls, Saving } from './saving.ts';
import { createSaving } from './saving.ts';
import { sameSelection } from './selection.ts';
import { createShown } from './shown.svelte.ts';
import { createStageView } from './stage.ts';
import type { EditorView, Pointer, SaveState, Selection } from './types.ts';

const LEAST_BRUSH_PX = 1;
const MOST_BRUSH_PX = 500;

/** The open image: its document with unsaved edits, the tool in hand and what is in view. */
export function createEditor(client: Client): EditorView {
  let document = $state.raw<ImageDocument | null>(null);
  let image = $state.raw<HTMLImageElement | null>(null);
  let imageError = $state<string | null>(null);
  let loading = $state(false);
  let save = $state.raw<SaveState>({ kind: 'clean' });
  let activeLabelId = $state<number | null>(null);
  let pointer = $state.raw<Pointer | null>(null);
  let brushPx = $state(24);
  let saving: Saving | null = null;
  /** Counts openings, so that a slow one does not overwrite a later one. */
  let opening = 0;

  const images = createImageCache();
  const camera = createCamera();
  const shown = createShown(() => document);
  const hand = createHand({
    shown,
    camera,
    get isOpen() {
      return document !== null;
    },
    get activeLabelId() {
      return activeLabelId;
    },
    get brushPx() {
      return brushPx;
    },
    commit: (edit) => void (document && perform(changeOf(document, edit, activeLabelId, newId))),
  });
  const stage = createStageView({
    camera,
    shown,
    hand,
    get document() {
      return document;
    },
    get image() {
      return image;
    },
    get activeLabelId() {
      return activeLabelId;
    },
    setPointer: (next) => (pointer = next),
  });
  const { relabelSelected, ...actions } = createActions({
    shown,
    camera,
    get document() {
      return document;
    },
    get selection() {
      return hand.selection;
    },
    get tool() {
      return hand.running;
    },
    get activeLabelId() {
      return activeLabelId;
    },
    perform,
    show,
    feed: hand.feed,
  });
  const hints = $derived(
    hintsFor({
      tool: hand.tool,
      drafting: hand.drafting,
      selection: hand.selection,
      selectedIsBox: hand.selected?.geometry.kind === 'box',
      selectedIsLocked: hand.selected !== null && shown.locked.has(hand.selected.key),
      verticesTaken: hand.vertices.length,
      suggestions: shown.suggestionsVisible ? shown.candidates.length : 0,
      instances: document?.annotations.length ?? 0,
      canAdd: activeLabelId !== null,
    }),
  );

  const calls: DocumentCalls = {
    load: (imageId) => client.call('document.load', { imageId }),
    apply: (imageId, base, diff) => client.call('document.apply', { imageId, base, diff }),
    undo: (imageId, base) => client.call('document.undo', { imageId, base }),
    redo: (imageId, base) => client.call('document.redo', { imageId, base }),
  };

  function perform(change: Change | null): boolean {
    if (!change || !saving) return false;
    saving.commit(change.diff);
    hand.selection = change.select;
    return true;
  }

  function show(next: Selection | null): void {
    if (!sameSelection(next, hand.selection) && (hand.drafting || hand.vertices.length)) hand.reset();
    hand.selection = next;
    if (hand.selected) camera.reveal(hand.selected);
  }

  /** Every change of the document passes here, from an edit, an undo or a reload. */
  function setDocument(next: ImageDocument): void {
    document = next;
    if (hand.selection && !hand.selected) hand.selection = null;
    if (hand.hover && !shown.find(hand.hover)) hand.hover = null;
  }

  function clear(): void {
    saving?.close();
    saving = null;
    document = null;
    image = null;
    imageError = null;
    hand.selection = null;
    hand.hover = null;
    pointer = null;
    save = { kind: 'clean' };
    hand.reset();
  }

  async function settle(): Promise<void> {
    hand.endNudge();
    if (!saving || (await saving.settle())) return;
    const why = save.kind === 'failed' ? save.message : 'The studio did not answer.';
    const message = `Your last edits are not saved yet, so this image stays open. ${why}`;
    throw new AppError('storage', message, { imageId: document?.imageId ?? 0 });
  }

  async function travel(direction: 'undo' | 'redo'): Promise<void> {
    if (hand.drafting) {
      if (direction === 'undo' && !hand.feed({ kind: 'remove-last' })) hand.feed({ kind: 'cancel' });
      return;
    }
    hand.reset();
    await saving?.[direction]();
  }

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
      return hand.tool;
    },
    get activeLabelId() {
      return activeLabelId;
    },
    get selection() {
      return hand.selection;
    },
    get hover() {
      return hand.hover;
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
      return hand.drafting;
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
        else if (pixels.naturalWidth !== opened.width || pixels.naturalHeight !== opened.height)
          imageError = `The image is ${pixels.naturalWidth}×${pixels.naturalHeight} pixels now, but ${opened.width}×${opened.height} in the project: read the folder again.`;
        else image = pixels;
      } finally {
        if (ticket === opening) loading = false;
      }
    },
    async refresh() {
      const taken = hand.vertices.length > 0;
      await saving?.refresh();
      // Taken vertices of an instance that has another outline now would be the wrong ones.
      if (taken && !hand.drafting) hand.reset();
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
    setTool: hand.take,
    setLabel(labelId) {
      activeLabelId = labelId;
      if (!hand.drafting) relabelSelected(labelId);
    },
    select(next) {
      // With vertices taken, the first "select nothing" only lets them go.
      if (next === null && hand.vertices.length) hand.reset();
      else show(next);
    },
    setHover(next) {
      hand.hover = next;
    },
    nudge: hand.nudge,
    endNudge: hand.endNudge,
    toggleHidden: shown.toggleHidden,
    toggleLocked: shown.toggleLocked,
    toggleSuggestions: shown.toggleSuggestions,
    toggleAnnotations: shown.toggleAnnotations,
    finishDraft: () => void hand.feed({ kind: 'finish' }),
    cancelDraft: () => void hand.feed({ kind: 'cancel' }),
    undo: () => travel('undo'),
    redo: () => travel('redo'),
    fit: camera.fit,
    zoomTo: (scale) => camera.zoomTo(scale),
    zoomBy: (factor) => camera.zoomTo(camera.viewport.scale * factor),
    prefetch: (urls) => images.prefetch(urls),
    retrySave: async () => saving?.retry(),
    discardUnsaved: async () => {
      hand.reset();
      await saving?.discard();
    },
  };
}

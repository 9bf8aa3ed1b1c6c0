import type { Client } from '../client.ts';
import { tellNote, tellProblem } from '../problems.ts';
import { createActions, newId } from './actions.ts';
import { createAsking } from './asking.ts';
import { createCamera } from './camera.svelte.ts';
import type { Change } from './edits.ts';
import { changeOf } from './edits.ts';
import { createHand } from './hand.svelte.ts';
import { hintsFor } from './hints.ts';
import { createOpenDocument } from './open-document.svelte.ts';
import { sameSelection } from './selection.ts';
import { createShown } from './shown.svelte.ts';
import { createStageView } from './stage.ts';
import type { EditorView, Pointer, Selection } from './types.ts';

const LEAST_BRUSH_PX = 1;
const MOST_BRUSH_PX = 500;

/** The open image: its document with unsaved edits, the tool in hand and what is in view. */
export function createEditor(client: Client): EditorView {
  let activeLabelId = $state<number | null>(null);
  let pointer = $state.raw<Pointer | null>(null);
  let brushPx = $state(24);

  const camera = createCamera();
  const open = createOpenDocument({
    client,
    camera,
    onSettle: () => hand.endNudge(),
    onDocument() {
      if (hand.selection && !hand.selected) hand.selection = null;
      if (hand.hover && !shown.find(hand.hover)) hand.hover = null;
    },
    onClear() {
      hand.selection = null;
      hand.hover = null;
      pointer = null;
      hand.reset();
    },
  });
  const shown = createShown(() => open.document);
  const asking = createAsking({
    get imageId() {
      return open.document?.imageId ?? null;
    },
    deliver: (answered) => void hand.feed(answered),
    failed: (thrown) => tellProblem(thrown),
  });
  const hand = createHand({
    shown,
    camera,
    asking,
    get isOpen() {
      return open.document !== null;
    },
    get activeLabelId() {
      return activeLabelId;
    },
    get brushPx() {
      return brushPx;
    },
    commit: (edit) => void (open.document && perform(changeOf(open.document, edit, activeLabelId, newId))),
    notice: (text) => tellNote(text),
  });
  const stage = createStageView({
    camera,
    shown,
    hand,
    get document() {
      return open.document;
    },
    get image() {
      return open.image;
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
      return open.document;
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
      instances: open.document?.annotations.length ?? 0,
      canAdd: activeLabelId !== null,
      candidates: hand.draft?.kind === 'masks' && !hand.draft.faint ? hand.draft.candidates.length : 0,
    }),
  );

  function perform(change: Change | null): boolean {
    if (!change || !open.commit(change.diff)) return false;
    hand.selection = change.select;
    return true;
  }

  function show(next: Selection | null): void {
    if (!sameSelection(next, hand.selection) && (hand.drafting || hand.vertices.length)) hand.reset();
    hand.selection = next;
    if (hand.selected) camera.reveal(hand.selected);
  }

  async function travel(direction: 'undo' | 'redo'): Promise<void> {
    if (hand.drafting) {
      if (direction === 'undo' && !hand.feed({ kind: 'remove-last' })) hand.feed({ kind: 'cancel' });
      return;
    }
    hand.reset();
    await open.travel(direction);
  }

  return {
    get document() {
      return open.document;
    },
    get loading() {
      return open.loading;
    },
    get imageError() {
      return open.imageError;
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
    get view() {
      return shown.view;
    },
    set view(value) {
      shown.view = value;
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
      return open.save;
    },
    get canUndo() {
      return (open.document?.undoable ?? 0) > 0;
    },
    get canRedo() {
      return (open.document?.redoable ?? 0) > 0;
    },
    get hints() {
      return hints;
    },
    get drafting() {
      return hand.drafting;
    },
    stage,
    ...actions,

    open: open.open,
    async refresh() {
      const taken = hand.vertices.length > 0;
      await open.refresh();
      // Taken vertices of an instance that has another outline now would be the wrong ones.
      if (taken && !hand.drafting) hand.reset();
    },
    close: open.close,
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
    answers: asking.answers,
    askAgain: () => void hand.feed({ kind: 'again' }),
    prefetch: open.prefetch,
    retrySave: open.retry,
    async discardUnsaved() {
      hand.reset();
      await open.discard();
    },
  };
}

import type { Annotation, ImageDocument, Suggestion } from '../../shared/records.ts';
import type { Camera } from './camera.svelte.ts';
import type { Copied } from './clipboard.ts';
import { placedOn } from './clipboard.ts';
import type { Change } from './edits.ts';
import * as edits from './edits.ts';
import { sameSelection, selectionKey } from './selection.ts';
import type { Shown } from './shown.svelte.ts';
import type { RunningTool } from './tools/index.ts';
import type { AskingInput } from './tools/tool.ts';
import type { EditorView, Selection } from './types.ts';

/** What the actions need of the editor. */
export interface ActionContext {
  readonly document: ImageDocument | null;
  readonly selection: Selection | null;
  readonly tool: RunningTool;
  readonly shown: Shown;
  readonly camera: Camera;
  readonly activeLabelId: number | null;
  /** Commits a change; false where there was none. */
  perform(change: Change | null): boolean;
  /** Selects and brings into view. */
  show(selection: Selection | null): void;
  /** Gives the tool an input; whether it used it. */
  feed(input: AskingInput): boolean;
}

export type Actions = Pick<
  EditorView,
  | 'selectNext'
  | 'acceptSelected'
  | 'rejectSelected'
  | 'acceptAllShown'
  | 'deleteSelected'
  | 'duplicateSelected'
  | 'copySelected'
  | 'paste'
  | 'toggleCrowd'
  | 'raise'
  | 'removeLastPoint'
> & { relabelSelected(labelId: number): void };

/** How far a duplicate lies beside its original, CSS pixels. */
const COPY_OFFSET = 14;

export const newId = (): string => crypto.randomUUID();

/** What a user can do to the selection and the suggestions, besides drawing. */
export function createActions(context: ActionContext): Actions {
  let clipboard: { readonly copied: Copied; readonly imageId: number } | null = null;

  function selectedAnnotation(): Annotation | null {
    const { selection, document } = context;
    return selection?.kind === 'annotation' ? (document?.annotations.find((a) => a.id === selection.id) ?? null) : null;
  }

  function selectedSuggestion(): Suggestion | null {
    const { selection, document } = context;
    return selection?.kind === 'suggestion' ? (document?.suggestions.find((s) => s.id === selection.id) ?? null) : null;
  }

  function isLocked(): boolean {
    return context.selection !== null && context.shown.locked.has(selectionKey(context.selection));
  }

  /** Performs and goes on to the suggestion that was next in the list. */
  function decide(change: (document: ImageDocument, suggestion: Suggestion) => Change | null): void {
    const { document, shown } = context;
    const suggestion = selectedSuggestion();
    if (!document || !suggestion) return;
    const at = shown.candidates.indexOf(suggestion);
    const next = shown.candidates[at + 1] ?? shown.candidates[at - 1] ?? null;
    if (context.perform(change(document, suggestion))) context.show(next && { kind: 'suggestion', id: next.id });
  }

  function copied(): Copied | null {
    const { selection, shown } = context;
    const instance = selection && shown.find(selection);
    return instance ? { labelId: instance.labelId, geometry: instance.geometry, crowd: selectedAnnotation()?.crowd ?? false } : null;
  }

  function place(copy: Copied, beside: boolean): void {
    const { document, shown, camera, activeLabelId } = context;
    if (!document) return;
    const offset = beside ? Math.max(1, Math.round(COPY_OFFSET / camera.viewport.scale)) : 0;
    const geometry = placedOn(copy.geometry, offset, offset, document);
    const labelId = shown.labelOf(copy.labelId) ? copy.labelId : activeLabelId;
    if (geometry && labelId !== null) context.perform(edits.addCopy(document, { ...copy, labelId, geometry }, newId));
  }

  return {
    selectNext(step) {
      // A tool with several candidates steps through these first.
      if (context.feed({ kind: 'next', step })) return;
      const { shown, selection } = context;
      const suggestions = shown.suggestionsVisible ? shown.candidates : [];
      const order: Selection[] = [
        ...suggestions.filter((s) => !shown.hidden.has(`suggestion:${s.id}`)).map((s): Selection => ({ kind: 'suggestion', id: s.id })),
        ...(shown.annotationsVisible ? shown.annotations.all : []).filter(shown.isVisible).map((i) => i.selection),
      ];
      if (!order.length) return;
      const at = order.findIndex((other) => sameSelection(other, selection));
      const next = at === -1 ? (step === 1 ? 0 : order.length - 1) : (at + step + order.length) % order.length;
      context.show(order[next] ?? null);
    },
    acceptSelected: () => decide((document, suggestion) => edits.accept(document, [suggestion], newId)),
    rejectSelected: () => decide((document, suggestion) => edits.reject(document, suggestion.id)),
    acceptAllShown() {
      const { document, shown } = context;
      if (!document || !shown.suggestionsVisible) return;
      // Lowest score first: the surest lies on top.
      const open = shown.candidates.filter((s) => !shown.hidden.has(`suggestion:${s.id}`)).reverse();
      context.perform(edits.accept(document, open, newId));
    },
    deleteSelected() {
      if (context.feed({ kind: 'delete' })) return;
      const { document } = context;
      const annotation = selectedAnnotation();
      if (!document || !annotation || isLocked()) return;
      context.perform(edits.remove(document, { kind: 'annotation', id: annotation.id }));
    },
    removeLastPoint() {
      if (context.feed({ kind: 'remove-last' })) return;
      if (context.tool.vertices.length) context.feed({ kind: 'delete' });
    },
    duplicateSelected() {
      const copy = copied();
      if (copy) place(copy, true);
    },
    copySelected() {
      const copy = copied();
      if (copy && context.document) clipboard = { copied: copy, imageId: context.document.imageId };
    },
    paste() {
      if (clipboard && context.document) place(clipboard.copied, clipboard.imageId === context.document.imageId);
    },
    toggleCrowd() {
      const { document } = context;
      const annotation = selectedAnnotation();
      if (document && annotation && !isLocked()) context.perform(edits.setCrowd(document, annotation.id, !annotation.crowd));
    },
    raise(step) {
      const { document } = context;
      const annotation = selectedAnnotation();
      if (document && annotation && !isLocked()) context.perform(edits.raise(document, annotation.id, step));
    },
    relabelSelected(labelId) {
      const { document, selection, shown } = context;
      const instance = selection && shown.find(selection);
      if (!document || !selection || !instance || instance.labelId === labelId || isLocked()) return;
      context.perform(edits.reshape(document, selection, { labelId }, newId));
    },
  };
}

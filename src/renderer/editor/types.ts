import type { ImageDocument, Label, Suggestion } from '../../shared/records.ts';
import type { Asking } from './asking.ts';
import type { View } from '../../shared/views/view.ts';
import type { StageView } from './stage-view.ts';

/**
 * What the panels around the canvas may see and do of the open image. `editor.svelte.ts` implements
 * it with runes: every property below is reactive when read in a component. Documents are immutable
 * and held in `$state.raw` (proxies cannot be cloned: svelte #13562).
 */
export const CLASSICAL_TOOLS = ['kmeans', 'mean-shift', 'grabcut', 'watershed', 'wand', 'scissors'] as const;
export type ClassicalTool = (typeof CLASSICAL_TOOLS)[number];
export type ToolName = 'select' | 'polygon' | 'box' | 'brush' | 'eraser' | 'prompt' | 'prompt-box' | ClassicalTool;

export type SaveState =
  | { readonly kind: 'clean' }
  | { readonly kind: 'saving' }
  | { readonly kind: 'saved'; readonly revision: number; readonly atMs: number }
  | { readonly kind: 'failed'; readonly message: string };

export type Selection = { readonly kind: 'annotation'; readonly id: string } | { readonly kind: 'suggestion'; readonly id: number };

export interface Pointer {
  readonly x: number;
  readonly y: number;
}

export interface EditorView {
  readonly document: ImageDocument | null;
  readonly loading: boolean;
  readonly imageError: string | null;
  readonly labels: readonly Label[];
  /** Suggestions that are undecided and at or above `minScore`, highest score first. */
  readonly shownSuggestions: readonly Suggestion[];
  /** All undecided, whatever their score. */
  readonly pendingSuggestions: readonly Suggestion[];
  minScore: number;
  readonly tool: ToolName;
  readonly activeLabelId: number | null;
  readonly selection: Selection | null;
  readonly hover: Selection | null;
  readonly hidden: ReadonlySet<string>;
  readonly locked: ReadonlySet<string>;
  readonly suggestionsVisible: boolean;
  readonly annotationsVisible: boolean;
  view: View;
  /** Brush diameter in image pixels. */
  brushPx: number;
  readonly zoom: number;
  /** Image-space position under the pointer, null outside the image. */
  readonly pointer: Pointer | null;
  readonly save: SaveState;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  /** What the user can do now, for the bar under the image: [key, what]. */
  readonly hints: readonly (readonly [key: string, what: string])[];
  /** A gesture in progress (a half-drawn polygon, a stroke). */
  readonly drafting: boolean;

  /** Waits for unsaved edits, then shows another image. Never drops an edit. */
  open(imageId: number, imageUrl: string): Promise<void>;
  /** Fetches the document again (new suggestions), keeping selection and drafts. */
  refresh(): Promise<void>;
  close(): Promise<void>;
  setLabels(labels: readonly Label[]): void;
  setTool(tool: ToolName): void;
  /** Class for new instances; also changes the class of the selection, as one edit. */
  setLabel(labelId: number): void;
  select(selection: Selection | null): void;
  setHover(selection: Selection | null): void;
  selectNext(step: 1 | -1): void;
  acceptSelected(): void;
  rejectSelected(): void;
  acceptAllShown(): void;
  deleteSelected(): void;
  duplicateSelected(): void;
  copySelected(): void;
  paste(): void;
  toggleHidden(id: string): void;
  toggleLocked(id: string): void;
  toggleSuggestions(): void;
  toggleAnnotations(): void;
  toggleCrowd(): void;
  raise(step: 1 | -1): void;
  /** Ends the draft (`Enter`, double click) or drops it (`Esc`). */
  finishDraft(): void;
  cancelDraft(): void;
  removeLastPoint(): void;
  undo(): Promise<void>;
  redo(): Promise<void>;
  fit(): void;
  zoomTo(scale: number): void;
  zoomBy(factor: number): void;
  /** Moves the selected instance, or its taken vertices; one edit for all moves until `endNudge`. */
  nudge(dx: number, dy: number): void;
  endNudge(): void;
  /** Gives the tools an answerer for one kind of question. */
  readonly answers: Asking['answers'];
  /** What the tool's answers depend on besides its question has changed. */
  askAgain(): void;
  /** Decodes images that are likely to be opened next; at most three are kept besides the open one. */
  prefetch(imageUrls: readonly string[]): void;
  /** After `save.kind === 'failed'`: tries again; edits that no longer fit what is saved then win over it. */
  retrySave(): Promise<void>;
  /** After `save.kind === 'failed'`: gives up the edits that were not saved. */
  discardUnsaved(): Promise<void>;
  /** What only the canvas needs. */
  readonly stage: StageView;
}

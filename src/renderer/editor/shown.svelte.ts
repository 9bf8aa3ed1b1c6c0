import type { ImageDocument, Label, Suggestion } from '../../shared/records.ts';
import type { View } from '../../shared/views/view.ts';
import { instanceColor, isByClass, UNKNOWN_COLOR } from '../../shared/views/view.ts';
import type { Instance, InstanceIndex } from './instances.ts';
import { annotationInstance, byPickOrder, indexInstances, suggestionInstance } from './instances.ts';
import type { Selection } from './types.ts';
import type { ImagePoint } from './viewport.ts';

/** What of the open document is on the canvas, and how it is coloured. Reactive. */
export interface Shown {
  minScore: number;
  view: View;
  readonly hidden: ReadonlySet<string>;
  readonly locked: ReadonlySet<string>;
  readonly suggestionsVisible: boolean;
  readonly annotationsVisible: boolean;
  readonly annotations: InstanceIndex;
  readonly suggestions: InstanceIndex;
  /** Undecided, highest score first. */
  readonly pending: readonly Suggestion[];
  /** Those of `pending` at or above `minScore`. */
  readonly candidates: readonly Suggestion[];
  readonly labels: readonly Label[];
  setLabels(labels: readonly Label[]): void;
  find(selection: Selection): Instance | null;
  isVisible(instance: Instance): boolean;
  hits(at: ImagePoint): readonly Selection[];
  colorOf(instance: Pick<Instance, 'labelId' | 'colourKey'>): string;
  labelOf(labelId: number): Label | null;
  toggleHidden(key: string): void;
  toggleLocked(key: string): void;
  toggleSuggestions(): void;
  toggleAnnotations(): void;
}

export function createShown(document: () => ImageDocument | null): Shown {
  let minScore = $state(0.5);
  let view = $state<View>('instance');
  let hidden = $state.raw<ReadonlySet<string>>(new Set());
  let locked = $state.raw<ReadonlySet<string>>(new Set());
  let suggestionsVisible = $state(true);
  let annotationsVisible = $state(true);
  let labels = $state.raw<readonly Label[]>([]);

  // Each step is its own derived value, so that an edit of one kind leaves the others alone.
  const annotationRecords = $derived(document()?.annotations ?? NO_ANNOTATIONS);
  const suggestionRecords = $derived(document()?.suggestions ?? NO_SUGGESTIONS);
  const decisions = $derived(document()?.decisions ?? NO_DECISIONS);
  const annotations = $derived(indexInstances(annotationRecords.map(annotationInstance)));
  const pending = $derived(suggestionRecords.filter((s) => !decisions[s.id]).sort((a, b) => b.score - a.score || a.id - b.id));
  const suggestions = $derived(indexInstances([...pending].reverse().map(suggestionInstance)));
  const candidates = $derived(pending.slice(0, countAtLeast(pending, minScore)));
  const labelById = $derived(new Map(labels.map((label) => [label.id, label])));

  function isVisible(instance: Instance): boolean {
    if (hidden.has(instance.key)) return false;
    return instance.selection.kind === 'annotation' ? annotationsVisible : suggestionsVisible && (instance.score ?? 1) >= minScore;
  }

  return {
    get minScore() {
      return minScore;
    },
    set minScore(value) {
      minScore = Math.min(1, Math.max(0, value));
    },
    get view() {
      return view;
    },
    set view(value) {
      view = value;
    },
    get hidden() {
      return hidden;
    },
    get locked() {
      return locked;
    },
    get suggestionsVisible() {
      return suggestionsVisible;
    },
    get annotationsVisible() {
      return annotationsVisible;
    },
    get annotations() {
      return annotations;
    },
    get suggestions() {
      return suggestions;
    },
    get pending() {
      return pending;
    },
    get candidates() {
      return candidates;
    },
    get labels() {
      return labels;
    },
    setLabels(next) {
      labels = next;
    },
    find: (selection) => (selection.kind === 'annotation' ? annotations : suggestions).find(selection),
    isVisible,
    hits: (at) =>
      // Where only tags are told, nothing lies on the canvas.
      (view === 'tags' ? [] : [...annotations.at(at), ...suggestions.at(at)])
        .filter(isVisible)
        .sort(byPickOrder)
        .map((instance) => instance.selection),
    colorOf: (instance) =>
      isByClass(view) ? (labelById.get(instance.labelId)?.color ?? UNKNOWN_COLOR) : instanceColor(instance.colourKey),
    labelOf: (labelId) => labelById.get(labelId) ?? null,
    toggleHidden(key) {
      hidden = toggled(hidden, key);
    },
    toggleLocked(key) {
      locked = toggled(locked, key);
    },
    toggleSuggestions() {
      suggestionsVisible = !suggestionsVisible;
    },
    toggleAnnotations() {
      annotationsVisible = !annotationsVisible;
    },
  };
}

// The same objects each time, so that what is derived from them is not computed again.
const NO_ANNOTATIONS: ImageDocument['annotations'] = [];
const NO_SUGGESTIONS: ImageDocument['suggestions'] = [];
const NO_DECISIONS: ImageDocument['decisions'] = {};

/** How many of a list sorted by falling score reach `least`. */
function countAtLeast(sorted: readonly Suggestion[], least: number): number {
  const end = sorted.findIndex((s) => s.score < least);
  return end === -1 ? sorted.length : end;
}

function toggled(set: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(key)) next.add(key);
  return next;
}

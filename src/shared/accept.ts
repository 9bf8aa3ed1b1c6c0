import type { Diff } from './diff.ts';
import type { Annotation, ImageDocument } from './records.ts';

/**
 * The change that accepts every undecided suggestion at or above `minScore` (0..1) untouched: its mask
 * is kept as it is, the surest on top of what was there. `newId` makes an annotation's id.
 */
export function acceptAbove(document: ImageDocument, minScore: number, newId: () => string): Diff {
  const top = document.annotations.reduce((z, annotation) => Math.max(z, annotation.z), 0);
  const chosen = document.suggestions
    .filter((suggestion) => document.decisions[suggestion.id] === undefined && suggestion.score >= minScore)
    .sort((a, b) => a.score - b.score || b.id - a.id);
  const added = chosen.map((suggestion, index): Annotation => ({
    id: newId(),
    labelId: suggestion.labelId,
    geometry: { kind: 'mask', rle: suggestion.rle },
    z: top + 1 + index,
    crowd: false,
    origin: 'accepted',
    suggestionId: suggestion.id,
  }));
  const decided = chosen.map((suggestion) => ({ suggestionId: suggestion.id, from: null, to: 'accepted' as const }));
  return { added, removed: [], updated: [], decided };
}

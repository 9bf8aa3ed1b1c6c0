import { geometryBox } from '../geometry/measure.ts';
import { contourOfRle } from '../mask/contour.ts';
import type { Annotation, Box, Geometry, ImageDocument, Label, PolygonPart, Suggestion } from '../records.ts';

/** One instance as a view tells it; below the others comes first. */
export interface ShownInstance {
  readonly labelId: number;
  /** Null for human truth. */
  readonly score: number | null;
  readonly geometry: Geometry;
  /** Image space; a suggestion's is the model's own. */
  readonly box: Box;
  /** What its own colour is taken from; see `instanceColor`. */
  readonly colourKey: string;
}

/** How many instances of a class are on an image. */
export interface LabelTally {
  readonly label: Label;
  readonly annotations: number;
  readonly suggestions: number;
}

/** The undecided suggestions of a document at or above a score, the least sure first. */
export function openSuggestions({ suggestions, decisions }: ImageDocument, minScore: number): Suggestion[] {
  return suggestions.filter((s) => decisions[s.id] === undefined && s.score >= minScore).sort((a, b) => a.score - b.score || b.id - a.id);
}

/** What is shown of a document, in paint order: annotations by their z, over them suggestions; null leaves those out. */
export function shownInstances(document: ImageDocument, minScore: number | null): ShownInstance[] {
  const truth = [...document.annotations].sort((a, b) => a.z - b.z || (a.id < b.id ? -1 : 1)).map(fromAnnotation);
  return minScore === null ? truth : [...truth, ...openSuggestions(document, minScore).map(fromSuggestion)];
}

function fromAnnotation({ id, labelId, geometry, suggestionId }: Annotation): ShownInstance {
  return {
    labelId,
    score: null,
    geometry,
    box: geometryBox(geometry),
    colourKey: suggestionId === null ? id : `suggestion:${suggestionId}`,
  };
}

function fromSuggestion({ id, labelId, score, box, rle }: Suggestion): ShownInstance {
  return { labelId, score, geometry: { kind: 'mask', rle }, box, colourKey: `suggestion:${id}` };
}

/** Counts by class, in the order of `labels`; classes without any are left out. */
export function tally(instances: readonly Pick<ShownInstance, 'labelId' | 'score'>[], labels: readonly Label[]): LabelTally[] {
  const counts = new Map<number, { annotations: number; suggestions: number }>();
  for (const { labelId, score } of instances) {
    const count = counts.get(labelId) ?? { annotations: 0, suggestions: 0 };
    if (score === null) count.annotations += 1;
    else count.suggestions += 1;
    counts.set(labelId, count);
  }
  return labels.flatMap((label) => {
    const count = counts.get(label.id);
    return count ? [{ label, ...count }] : [];
  });
}

/** Exact rings of an instance; of a mask along its pixels' edges. */
export function partsOf(geometry: Geometry): readonly PolygonPart[] {
  switch (geometry.kind) {
    case 'polygon':
      return geometry.parts;
    case 'mask':
      return contourOfRle(geometry.rle);
    case 'box':
      return [{ outer: boxRing(geometry.box), holes: [] }];
  }
}

export function boxRing([x, y, w, h]: Box): number[] {
  return [x, y, x + w, y, x + w, y + h, x, y + h];
}

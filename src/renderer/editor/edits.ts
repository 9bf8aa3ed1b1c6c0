import type { DecisionChange, Diff } from '../../shared/diff.ts';
import { EMPTY_DIFF } from '../../shared/diff.ts';
import type { Annotation, Decision, Geometry, ImageDocument, Suggestion } from '../../shared/records.ts';
import { suggestionGeometry } from './outlines.ts';
import type { Edit } from './tools/tool.ts';
import type { Selection } from './types.ts';

/**
 * What the user does, as one Diff each. Nothing here changes a document; the result is null where there
 * is nothing to do. A suggestion that is touched becomes a human annotation and is decided in the same
 * diff, so that undo takes back both.
 */
export interface Change {
  readonly diff: Diff;
  /** What is selected afterwards. */
  readonly select: Selection | null;
}

type Content = Pick<ImageDocument, 'annotations' | 'suggestions' | 'decisions'>;

/** Makes ids of new annotations. */
export type NewId = () => string;

export function changeOf(content: Content, edit: Edit, labelId: number | null, newId: NewId): Change | null {
  switch (edit.kind) {
    case 'add': {
      if (labelId === null) return null;
      const added = fresh(content, newId(), labelId, edit.geometry);
      return { diff: { ...EMPTY_DIFF, added: [added] }, select: { kind: 'annotation', id: added.id } };
    }
    case 'add-all': {
      if (labelId === null || !edit.geometries.length) return null;
      const top = topZ(content);
      const added = edit.geometries.map((geometry, i) => ({ ...fresh(content, newId(), labelId, geometry), z: top + i }));
      const [only] = added.length === 1 ? added : [];
      return { diff: { ...EMPTY_DIFF, added }, select: only ? { kind: 'annotation', id: only.id } : null };
    }
    case 'replace':
      return reshape(content, edit.target, { geometry: edit.geometry }, newId);
    case 'remove':
      return remove(content, edit.target);
  }
}

/** The target with another geometry or class: an annotation is updated, a suggestion is corrected. */
export function reshape(content: Content, target: Selection, to: { geometry?: Geometry; labelId?: number }, newId: NewId): Change | null {
  if (target.kind === 'annotation') {
    const annotation = content.annotations.find((a) => a.id === target.id);
    if (!annotation) return null;
    return { diff: updated(content, annotation, { ...annotation, ...to, origin: touched(annotation) }), select: target };
  }
  const suggestion = undecided(content, target.id);
  if (!suggestion) return null;
  const added: Annotation = {
    ...fresh(content, newId(), to.labelId ?? suggestion.labelId, to.geometry ?? suggestionGeometry(suggestion)),
    origin: 'corrected',
    suggestionId: suggestion.id,
  };
  return {
    diff: { ...EMPTY_DIFF, added: [added], decided: [decide(content, suggestion.id, 'corrected')] },
    select: { kind: 'annotation', id: added.id },
  };
}

/** Suggestions taken as they are, their masks untouched, in one diff. */
export function accept(content: Content, suggestions: readonly Suggestion[], newId: NewId): Change | null {
  const known = new Set(content.suggestions.map((s) => s.id));
  const open = suggestions.filter((s) => known.has(s.id) && !content.decisions[s.id]);
  if (!open.length) return null;
  const first = topZ(content);
  const added = open.map((suggestion, i): Annotation => ({
    ...fresh(content, newId(), suggestion.labelId, suggestionGeometry(suggestion)),
    z: first + i,
    origin: 'accepted',
    suggestionId: suggestion.id,
  }));
  const last = added.at(-1);
  return {
    diff: { ...EMPTY_DIFF, added, decided: open.map((s) => decide(content, s.id, 'accepted')) },
    select: last && added.length === 1 ? { kind: 'annotation', id: last.id } : null,
  };
}

export function reject(content: Content, suggestionId: number): Change | null {
  if (!undecided(content, suggestionId)) return null;
  return { diff: { ...EMPTY_DIFF, decided: [decide(content, suggestionId, 'rejected')] }, select: null };
}

/** Removes an annotation; one that came from a suggestion turns that into a rejected one. A suggestion is rejected. */
export function remove(content: Content, target: Selection): Change | null {
  if (target.kind === 'suggestion') return reject(content, target.id);
  const annotation = content.annotations.find((a) => a.id === target.id);
  if (!annotation) return null;
  return { diff: { ...EMPTY_DIFF, removed: [annotation], decided: decideAgain(content, annotation, 'rejected') }, select: null };
}

export function setCrowd(content: Content, id: string, crowd: boolean): Change | null {
  const annotation = content.annotations.find((a) => a.id === id);
  if (!annotation || annotation.crowd === crowd) return null;
  return { diff: updated(content, annotation, { ...annotation, crowd, origin: touched(annotation) }), select: { kind: 'annotation', id } };
}

/** One place up (1) or down (-1) in paint order: it changes places with its neighbour. */
export function raise(content: Content, id: string, step: 1 | -1): Change | null {
  const at = content.annotations.findIndex((a) => a.id === id);
  const annotation = content.annotations[at];
  const neighbour = content.annotations[at + step];
  if (!annotation || !neighbour) return null;
  const select: Selection = { kind: 'annotation', id };
  if (annotation.z !== neighbour.z) {
    const pair = [
      [annotation, { ...annotation, z: neighbour.z }],
      [neighbour, { ...neighbour, z: annotation.z }],
    ] as const;
    return { diff: { ...EMPTY_DIFF, updated: pair }, select };
  }
  // Equal places are ordered by id; stepping over the neighbour must not step over the one behind it.
  const beyond = content.annotations[at + 2 * step]?.z ?? neighbour.z + 2 * step;
  const z = beyond === neighbour.z ? neighbour.z + step : (neighbour.z + beyond) / 2;
  return { diff: { ...EMPTY_DIFF, updated: [[annotation, { ...annotation, z }]] }, select };
}

/** A copy drawn by hand, on top. */
export function addCopy(content: Content, copy: Pick<Annotation, 'labelId' | 'geometry' | 'crowd'>, newId: NewId): Change {
  const added: Annotation = { ...fresh(content, newId(), copy.labelId, copy.geometry), crowd: copy.crowd };
  return { diff: { ...EMPTY_DIFF, added: [added] }, select: { kind: 'annotation', id: added.id } };
}

function fresh(content: Content, id: string, labelId: number, geometry: Geometry): Annotation {
  return { id, labelId, geometry, z: topZ(content), crowd: false, origin: 'drawn', suggestionId: null };
}

function topZ(content: Content): number {
  return content.annotations.reduce((top, a) => Math.max(top, Math.floor(a.z) + 1), 1);
}

function undecided(content: Content, suggestionId: number): Suggestion | null {
  if (content.decisions[suggestionId]) return null;
  return content.suggestions.find((s) => s.id === suggestionId) ?? null;
}

function decide(content: Content, suggestionId: number, to: Decision): DecisionChange {
  return { suggestionId, from: content.decisions[suggestionId] ?? null, to };
}

function touched(annotation: Annotation): Annotation['origin'] {
  return annotation.origin === 'accepted' ? 'corrected' : annotation.origin;
}

function updated(content: Content, from: Annotation, to: Annotation): Diff {
  const decided = to.origin === from.origin ? [] : decideAgain(content, from, 'corrected');
  return { ...EMPTY_DIFF, updated: [[from, to]], decided };
}

/** The decision on the suggestion that an annotation came from, changed; nothing where there is none. */
function decideAgain(content: Content, annotation: Annotation, to: Decision): DecisionChange[] {
  if (annotation.suggestionId === null) return [];
  const now = content.decisions[annotation.suggestionId];
  return now && now !== to ? [decide(content, annotation.suggestionId, to)] : [];
}

import RBush from 'rbush';
import type { Annotation, Geometry, Suggestion } from '../../shared/records.ts';
import { areaOf, boxOf, contains, suggestionGeometry } from './outlines.ts';
import { selectionKey } from './selection.ts';
import type { Selection } from './types.ts';
import type { Bounds, ImagePoint } from './viewport.ts';

/** One thing on the canvas: an annotation or a suggestion, with what painting and hit tests need. */
export interface Instance extends Bounds {
  readonly selection: Selection;
  /** As `selectionKey`. */
  readonly key: string;
  readonly geometry: Geometry;
  readonly labelId: number;
  /** Of a suggestion, else null. */
  readonly score: number | null;
  /** Paint order among its kind. */
  readonly z: number;
  /** The same for an annotation and the suggestion it came from, so that both have one colour. */
  readonly colourKey: string;
}

/** Where instances are, so that a view or a click looks only at those that can matter. */
export interface InstanceIndex {
  readonly all: readonly Instance[];
  find(selection: Selection): Instance | null;
  /** Those whose box touches the bounds, in paint order. */
  within(bounds: Bounds): Instance[];
  /** Those that contain the point, in paint order. */
  at(point: ImagePoint): Instance[];
}

const made = new WeakMap<Annotation | Suggestion, Instance>();

/** The same object for the same annotation or suggestion, which never change. */
function kept<K extends Annotation | Suggestion>(record: K, make: (record: K) => Instance): Instance {
  const known = made.get(record);
  if (known) return known;
  const instance = make(record);
  made.set(record, instance);
  return instance;
}

export const annotationInstance = (annotation: Annotation): Instance => kept(annotation, fromAnnotation);
export const suggestionInstance = (suggestion: Suggestion): Instance => kept(suggestion, fromSuggestion);

function fromAnnotation(annotation: Annotation): Instance {
  return {
    ...bounds(annotation.geometry),
    selection: { kind: 'annotation', id: annotation.id },
    key: annotation.id,
    geometry: annotation.geometry,
    labelId: annotation.labelId,
    score: null,
    z: annotation.z,
    colourKey: annotation.suggestionId === null ? annotation.id : `suggestion:${annotation.suggestionId}`,
  };
}

function fromSuggestion(suggestion: Suggestion): Instance {
  const selection: Selection = { kind: 'suggestion', id: suggestion.id };
  const geometry = suggestionGeometry(suggestion);
  return {
    ...bounds(geometry),
    selection,
    key: selectionKey(selection),
    geometry,
    labelId: suggestion.labelId,
    score: suggestion.score,
    z: suggestion.score,
    colourKey: selectionKey(selection),
  };
}

export function indexInstances(all: readonly Instance[]): InstanceIndex {
  const tree = new RBush<Instance>();
  tree.load([...all]);
  const byKey = new Map(all.map((instance, order) => [instance.key, { instance, order }]));
  const order = (instance: Instance): number => byKey.get(instance.key)?.order ?? 0;
  const within = (area: Bounds): Instance[] => tree.search(area).sort((a, b) => order(a) - order(b));
  return {
    all,
    find: (selection) => byKey.get(selectionKey(selection))?.instance ?? null,
    within,
    at: (point) =>
      within({ minX: point.x, minY: point.y, maxX: point.x, maxY: point.y }).filter((instance) => contains(instance.geometry, point)),
  };
}

/**
 * Which to pick first when several lie under the pointer: the smaller, so that what lies inside another
 * can be reached; of equal ones the annotation before the suggestion, and the one on top.
 */
export function byPickOrder(a: Instance, b: Instance): number {
  const smaller = areaOf(a.geometry) - areaOf(b.geometry);
  if (smaller !== 0) return smaller;
  if (a.selection.kind !== b.selection.kind) return a.selection.kind === 'annotation' ? -1 : 1;
  return b.z - a.z;
}

function bounds(geometry: Geometry): Bounds {
  const [x, y, width, height] = boxOf(geometry);
  return { minX: x, minY: y, maxX: x + width, maxY: y + height };
}

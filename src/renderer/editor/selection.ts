import type { Selection } from './types.ts';

export function sameSelection(a: Selection | null, b: Selection | null): boolean {
  if (a === b) return true;
  return a !== null && b !== null && a.kind === b.kind && a.id === b.id;
}

/** One string for an annotation or a suggestion, as used in `hidden` and `locked`: annotations keep their id. */
export function selectionKey(selection: Selection): string {
  return selection.kind === 'annotation' ? selection.id : `suggestion:${selection.id}`;
}

import type { Diff } from '../../shared/diff.ts';
import { EMPTY_DIFF, apply } from '../../shared/diff.ts';
import type { Annotation, ImageDocument } from '../../shared/records.ts';
import { AppError } from '../../shared/errors.ts';

type Content = Pick<ImageDocument, 'annotations' | 'decisions'>;

/** The document after `diff`. What the diff leaves alone stays the same object. Throws `conflict`. */
export function withDiff(document: ImageDocument, diff: Diff): ImageDocument {
  const { annotations, decisions } = apply(document, diff);
  const sameAnnotations = !diff.added.length && !diff.removed.length && !diff.updated.length;
  return {
    ...document,
    annotations: sameAnnotations ? document.annotations : annotations,
    decisions: diff.decided.length ? decisions : document.decisions,
  };
}

/** The document after all diffs, or the conflict that stopped it. Other errors are thrown. */
export function withDiffs(document: ImageDocument, diffs: readonly Diff[]): ImageDocument | AppError {
  try {
    return diffs.reduce(withDiff, document);
  } catch (error) {
    if (error instanceof AppError && error.code === 'conflict') return error;
    throw error;
  }
}

/**
 * Whether `diff` is in the content already: a save whose answer was lost on the way had been committed.
 */
export function isDone(content: Content, diff: Diff): boolean {
  const byId = new Map(content.annotations.map((a) => [a.id, a]));
  const is = (annotation: Annotation): boolean => sameValue(byId.get(annotation.id), annotation);
  return (
    diff.added.every(is) &&
    diff.removed.every((a) => !byId.has(a.id)) &&
    diff.updated.every(([, to]) => is(to)) &&
    diff.decided.every((d) => (content.decisions[d.suggestionId] ?? null) === d.to)
  );
}

/** `diff` bent until it fits: what it makes of each instance wins over what is there now. */
export function fitted(content: Content, diff: Diff): Diff {
  const byId = new Map(content.annotations.map((a) => [a.id, a]));
  const added: Annotation[] = [];
  const updated: [Annotation, Annotation][] = [];
  for (const to of [...diff.added, ...diff.updated.map(([, after]) => after)]) {
    const now = byId.get(to.id);
    if (now) updated.push([now, to]);
    else added.push(to);
  }
  return {
    ...EMPTY_DIFF,
    added,
    updated,
    removed: diff.removed.flatMap((a) => byId.get(a.id) ?? []),
    decided: diff.decided.map((d) => ({ ...d, from: content.decisions[d.suggestionId] ?? null })).filter((d) => d.from !== d.to),
  };
}

/**
 * A freshly loaded document with the objects of the one before wherever nothing changed, so that what
 * was computed from them (outlines, places in lists) is kept.
 */
export function reconciled(before: ImageDocument, fresh: ImageDocument): ImageDocument {
  const annotations = new Map(before.annotations.map((a) => [a.id, a]));
  const suggestions = new Map(before.suggestions.map((s) => [s.id, s]));
  return {
    ...fresh,
    annotations: fresh.annotations.map((a) => {
      const was = annotations.get(a.id);
      return was && sameValue(was, a) ? was : a;
    }),
    // A suggestion is never changed after it was written.
    suggestions: fresh.suggestions.map((s) => suggestions.get(s.id) ?? s),
  };
}

function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const entries = Object.entries(a);
  const others = new Map<string, unknown>(Object.entries(b));
  return entries.length === others.size && entries.every(([key, value]) => others.has(key) && sameValue(value, others.get(key)));
}

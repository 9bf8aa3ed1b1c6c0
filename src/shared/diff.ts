import { AppError } from './errors.ts';
import type { Annotation, Decision, ImageDocument } from './records.ts';

/**
 * A change to one document. The same object is the history entry, the message to the store and the
 * journal row; its reverse is computed, never written by hand (after tldraw's RecordsDiff).
 */
export interface Diff {
  readonly added: readonly Annotation[];
  readonly removed: readonly Annotation[];
  readonly updated: readonly (readonly [from: Annotation, to: Annotation])[];
  readonly decided: readonly DecisionChange[];
}

export interface DecisionChange {
  readonly suggestionId: number;
  readonly from: Decision | null;
  readonly to: Decision | null;
}

export const EMPTY_DIFF: Diff = { added: [], removed: [], updated: [], decided: [] };

export function isEmpty(diff: Diff): boolean {
  return !diff.added.length && !diff.removed.length && !diff.updated.length && !diff.decided.length;
}

/** The change that takes the result of `diff` back to where it began. */
export function reverse(diff: Diff): Diff {
  return {
    added: diff.removed,
    removed: diff.added,
    updated: diff.updated.map(([from, to]) => [to, from] as const),
    decided: diff.decided.map((d) => ({ suggestionId: d.suggestionId, from: d.to, to: d.from })),
  };
}

type Content = Pick<ImageDocument, 'annotations' | 'decisions'>;

/**
 * The document's content after `diff`. Throws `conflict`, naming the id, when the diff does not fit:
 * adding an id that is there, removing or updating one that is not, or a decision that is not `from`.
 * Annotations stay sorted by (z, id) so that equal content is equal arrays.
 */
export function apply(content: Content, diff: Diff): Content {
  const byId = new Map(content.annotations.map((a) => [a.id, a]));
  for (const gone of diff.removed) {
    if (!byId.delete(gone.id)) throw misfit('remove', gone.id);
  }
  for (const [from, to] of diff.updated) {
    if (from.id !== to.id) throw new AppError('invalid', `An update must keep its id: ${from.id} became ${to.id}.`, { id: from.id });
    if (!byId.has(from.id)) throw misfit('update', from.id);
    byId.set(to.id, to);
  }
  for (const fresh of diff.added) {
    if (byId.has(fresh.id)) throw misfit('add', fresh.id);
    byId.set(fresh.id, fresh);
  }
  const decisions = new Map(Object.entries(content.decisions).map(([id, decision]) => [Number(id), decision]));
  for (const change of diff.decided) {
    const now = decisions.get(change.suggestionId) ?? null;
    if (now !== change.from) {
      throw new AppError(
        'conflict',
        `Suggestion ${change.suggestionId} is ${now ?? 'undecided'}, expected ${change.from ?? 'undecided'}.`,
        {
          suggestionId: change.suggestionId,
        },
      );
    }
    if (change.to === null) decisions.delete(change.suggestionId);
    else decisions.set(change.suggestionId, change.to);
  }
  const annotations = [...byId.values()].sort((a, b) => a.z - b.z || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  return { annotations, decisions: Object.fromEntries(decisions) };
}

function misfit(verb: string, id: string): AppError {
  const why = verb === 'add' ? 'it is already there' : 'it is not there';
  return new AppError('conflict', `Cannot ${verb} annotation ${id}: ${why}.`, { id });
}

/** The change from one content to another, by identity of the immutable annotations. */
export function between(from: Content, to: Content): Diff {
  const before = new Map(from.annotations.map((a) => [a.id, a]));
  const added: Annotation[] = [];
  const updated: [Annotation, Annotation][] = [];
  for (const now of to.annotations) {
    const was = before.get(now.id);
    if (!was) added.push(now);
    else if (was !== now) updated.push([was, now]);
    before.delete(now.id);
  }
  const decided: DecisionChange[] = [];
  for (const key of new Set([...Object.keys(from.decisions), ...Object.keys(to.decisions)])) {
    const suggestionId = Number(key);
    const was = from.decisions[suggestionId] ?? null;
    const now = to.decisions[suggestionId] ?? null;
    if (was !== now) decided.push({ suggestionId, from: was, to: now });
  }
  return { added, removed: [...before.values()], updated, decided };
}

/** One change that does what `first` then `second` do. */
export function squash(first: Diff, second: Diff): Diff {
  const start = new Map<string, Annotation | null>();
  const end = new Map<string, Annotation | null>();
  for (const diff of [first, second]) {
    const steps: (readonly [string, Annotation | null, Annotation | null])[] = [
      ...diff.removed.map((a) => [a.id, a, null] as const),
      ...diff.updated.map(([a, b]) => [a.id, a, b] as const),
      ...diff.added.map((a) => [a.id, null, a] as const),
    ];
    for (const [id, was, now] of steps) {
      if (!start.has(id)) start.set(id, was);
      end.set(id, now);
    }
  }
  const added: Annotation[] = [];
  const removed: Annotation[] = [];
  const updated: [Annotation, Annotation][] = [];
  for (const [id, now] of end) {
    const was = start.get(id) ?? null;
    if (was && now && was !== now) updated.push([was, now]);
    else if (was && !now) removed.push(was);
    else if (!was && now) added.push(now);
  }
  const decisions = new Map<number, DecisionChange>();
  for (const change of [...first.decided, ...second.decided]) {
    const earlier = decisions.get(change.suggestionId);
    decisions.set(change.suggestionId, { ...change, from: earlier ? earlier.from : change.from });
  }
  return { added, removed, updated, decided: [...decisions.values()].filter((d) => d.from !== d.to) };
}

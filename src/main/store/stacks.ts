import type { Db } from './database.ts';

export type Kind = 'edit' | 'undo' | 'redo';

/** Entries of the journal that can be undone and redone, by sequence number, the next one last. */
export interface Stacks {
  readonly undo: readonly number[];
  readonly redo: readonly number[];
}

/**
 * The undo and redo stacks of images, as the journal gives them. Those of the images in work are kept
 * in memory, so that a save does not cost more the longer an image's history is.
 */
export interface StackKeeper {
  /** As of `revision`, which must be the image's. */
  of(imageId: number, revision: number): Stacks;
  /** The journal's new entry `seq` made `revision`; its `target` is what was undone or redone. Answers with the stacks after it. */
  push(imageId: number, revision: number, kind: Kind, seq: number, target: number | null): Stacks;
}

/** Images whose stacks are kept; one is worked on at a time. */
const KEPT = 32;

interface Entry {
  revision: number;
  readonly undo: number[];
  readonly redo: number[];
}

export function createStacks(db: Db): StackKeeper {
  const rows = db.prepare<[number], { seq: number; kind: Kind; target: number | null }>(
    'SELECT seq, kind, target FROM change INDEXED BY change_stack WHERE image_id = ? ORDER BY seq',
  );
  /** Oldest use first. */
  const kept = new Map<number, Entry>();

  function entry(imageId: number, revision: number): Entry {
    const known = kept.get(imageId);
    kept.delete(imageId);
    // A transaction that was rolled back leaves stacks of a revision that never was: they are read anew.
    const now = known?.revision === revision ? known : { revision, undo: [], redo: [] };
    if (now !== known) for (const { seq, kind, target } of rows.iterate(imageId)) advance(now, kind, seq, target);
    kept.set(imageId, now);
    for (const oldest of kept.keys()) {
      if (kept.size <= KEPT) break;
      kept.delete(oldest);
    }
    return now;
  }

  return {
    of: entry,
    push(imageId, revision, kind, seq, target) {
      const known = kept.get(imageId);
      if (known?.revision !== revision - 1) return entry(imageId, revision);
      advance(known, kind, seq, target);
      known.revision = revision;
      return known;
    },
  };
}

function advance({ undo, redo }: Entry, kind: Kind, seq: number, target: number | null): void {
  if (kind === 'edit') {
    undo.push(seq);
    redo.length = 0;
  } else if (kind === 'undo') {
    undo.pop();
    redo.push(target ?? 0);
  } else {
    redo.pop();
    undo.push(target ?? 0);
  }
}

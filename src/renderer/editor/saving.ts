import type { Saved } from '../../shared/answers.ts';
import type { Diff } from '../../shared/diff.ts';
import { isEmpty } from '../../shared/diff.ts';
import { AppError, toWireError } from '../../shared/errors.ts';
import type { ImageDocument } from '../../shared/records.ts';
import { fitted, isDone, reconciled, withDiff, withDiffs } from './rebase.ts';
import type { SaveState } from './types.ts';

/** The studio's side of one document. `base` is the revision that the change starts from. */
export interface DocumentCalls {
  load(imageId: number): Promise<ImageDocument>;
  apply(imageId: number, base: number, diff: Diff): Promise<Saved>;
  undo(imageId: number, base: number): Promise<Saved>;
  redo(imageId: number, base: number): Promise<Saved>;
}

export interface SavingListener {
  /** The document as the user sees it: what is saved plus what is on its way. */
  onDocument(document: ImageDocument): void;
  onState(state: SaveState): void;
}

/** One open document: edits show at once and are saved one after the other, in order. */
export interface Saving {
  readonly document: ImageDocument;
  /** Edits that are not yet known to be saved. */
  readonly unsaved: number;
  commit(diff: Diff): void;
  undo(): Promise<void>;
  redo(): Promise<void>;
  /** Loads the document again, with the unsaved edits on top. */
  refresh(): Promise<void>;
  /** Waits for what is on its way; after a failure tries once more. Answers whether everything is saved. */
  settle(): Promise<boolean>;
  /** Tries again; edits that no longer fit are saved so that they win. */
  retry(): Promise<void>;
  /** Gives up the unsaved edits and shows what is saved. */
  discard(): Promise<void>;
  /** No more retries. */
  close(): void;
}

const RETRY_MS = [500, 1000, 2000, 5000, 10_000] as const;
const CHANGED_ELSEWHERE =
  'The image was changed elsewhere and your last edit no longer fits. It is still shown, but not saved: save it over, or undo it.';

export function createSaving(calls: DocumentCalls, opened: ImageDocument, listener: SavingListener): Saving {
  const imageId = opened.imageId;
  /** What the studio has committed, as far as known. */
  let confirmed = opened;
  let local = opened;
  let pending: readonly Diff[] = [];
  /** Edits made while an undo is under way: they come after it. */
  let during: Diff[] | null = null;
  let failed: AppError | null = null;
  let misfit = false;
  let attempts = 0;
  let timer: ReturnType<typeof setTimeout> | null = null;
  let tail: Promise<void> = Promise.resolve();
  let closed = false;

  /** Runs after everything asked before. Only one task runs at a time. */
  function enqueue(task: () => Promise<void>): Promise<void> {
    const done = tail.then(task);
    tail = done.catch(() => undefined);
    return done;
  }

  function show(document: ImageDocument): void {
    local = document;
    listener.onDocument(document);
  }

  function fail(error: AppError, message = error.message): void {
    failed = error;
    listener.onState({ kind: 'failed', message });
    if (closed || misfit || !['io', 'storage', 'internal'].includes(error.code)) return;
    const wait = RETRY_MS[Math.min(attempts++, RETRY_MS.length - 1)];
    timer ??= setTimeout(() => {
      timer = null;
      failed = null;
      void enqueue(drain);
    }, wait);
  }

  function settled(saved: Pick<Saved, 'revision' | 'savedAtMs'>): void {
    failed = null;
    attempts = 0;
    listener.onState(pending.length ? { kind: 'saving' } : { kind: 'saved', revision: saved.revision, atMs: saved.savedAtMs });
  }

  async function drain(): Promise<void> {
    let [next] = pending;
    while (next && !failed) {
      listener.onState({ kind: 'saving' });
      try {
        const saved = await calls.apply(imageId, confirmed.revision, next);
        confirmed = committed(withDiff(confirmed, next), saved);
        pending = pending.slice(1);
        // Only the counters of the shown document can differ: its content has the edit already.
        show(pending.length ? { ...local, revision: saved.revision } : committed(local, saved));
        settled(saved);
      } catch (thrown) {
        const error = asAppError(thrown);
        if (error.code !== 'conflict') return fail(error);
        if (!(await rebase())) return;
      }
      [next] = pending;
    }
  }

  /** After a conflict: what is saved now, with the pending edits on top. False when it stays failed. */
  async function rebase(): Promise<boolean> {
    let fresh: ImageDocument;
    try {
      fresh = reconciled(local, await calls.load(imageId));
    } catch (thrown) {
      fail(asAppError(thrown));
      return false;
    }
    const [first] = pending;
    const moved = fresh.revision !== confirmed.revision;
    if (moved && first && isDone(fresh, first)) pending = pending.slice(1);
    confirmed = fresh;
    const next = withDiffs(fresh, pending);
    if (next instanceof AppError || !moved) {
      misfit = true;
      fail(next instanceof AppError ? next : new AppError('conflict', CHANGED_ELSEWHERE, { imageId }), CHANGED_ELSEWHERE);
      return false;
    }
    misfit = false;
    show(counted(next, fresh, pending.length));
    if (!pending.length) settled({ revision: fresh.revision, savedAtMs: Date.now() });
    return true;
  }

  async function travel(direction: 'undo' | 'redo'): Promise<void> {
    await drain();
    if (pending.length) {
      // It was never saved, so taking it back is only a matter of showing what is.
      if (direction === 'redo') return;
      pending = pending.slice(0, -1);
      const next = withDiffs(confirmed, pending);
      misfit = next instanceof AppError;
      if (!(next instanceof AppError)) {
        failed = null;
        show(counted(next, confirmed, pending.length));
        if (pending.length) void enqueue(drain);
        else listener.onState({ kind: 'clean' });
      }
      return;
    }
    if (direction === 'undo' ? !confirmed.undoable : !confirmed.redoable) return;
    during = [];
    try {
      listener.onState({ kind: 'saving' });
      const saved = await calls[direction](imageId, confirmed.revision);
      confirmed = committed(withDiff(confirmed, saved.diff), saved);
      show(confirmed);
      settled(saved);
    } catch (thrown) {
      const error = asAppError(thrown);
      if (error.code === 'conflict') await rebase();
      listener.onState({
        kind: 'failed',
        message: error.code === 'conflict' ? 'The image was changed elsewhere and has been loaded again.' : error.message,
      });
    } finally {
      const late = during;
      during = null;
      for (const diff of late) commit(withDiffs(local, [diff]) instanceof AppError ? fitted(local, diff) : diff);
    }
  }

  function commit(diff: Diff): void {
    if (isEmpty(diff)) return;
    if (during) {
      during.push(diff);
      return;
    }
    const next = withDiff(local, diff);
    pending = [...pending, diff];
    show({ ...next, undoable: local.undoable + 1, redoable: 0 });
    if (!failed) listener.onState({ kind: 'saving' });
    void enqueue(drain);
  }

  function wake(): void {
    if (timer) clearTimeout(timer);
    timer = null;
    failed = null;
  }

  return {
    get document() {
      return local;
    },
    get unsaved() {
      return pending.length + (during?.length ?? 0);
    },
    commit,
    undo: () => enqueue(() => travel('undo')),
    redo: () => enqueue(() => travel('redo')),
    refresh: () =>
      enqueue(async () => {
        const fresh = reconciled(local, await calls.load(imageId));
        const next = withDiffs(fresh, pending);
        if (next instanceof AppError) return;
        confirmed = fresh;
        show(counted(next, fresh, pending.length));
      }),
    async settle() {
      await tail;
      if (pending.length && !misfit) {
        wake();
        await enqueue(drain);
      }
      return pending.length === 0;
    },
    retry: () =>
      enqueue(async () => {
        wake();
        if (misfit) {
          confirmed = reconciled(local, await calls.load(imageId));
          let at = confirmed;
          pending = pending
            .map((diff) => {
              const bent = fitted(at, diff);
              at = withDiff(at, bent);
              return bent;
            })
            .filter((diff) => !isEmpty(diff));
          misfit = false;
          show(counted(at, confirmed, pending.length));
          if (!pending.length) settled({ revision: confirmed.revision, savedAtMs: Date.now() });
        }
        await drain();
      }),
    discard: () =>
      enqueue(async () => {
        confirmed = reconciled(local, await calls.load(imageId));
        wake();
        pending = [];
        misfit = false;
        show(confirmed);
        listener.onState({ kind: 'clean' });
      }),
    close() {
      closed = true;
      if (timer) clearTimeout(timer);
      timer = null;
    },
  };
}

function committed(document: ImageDocument, saved: Saved): ImageDocument {
  return { ...document, revision: saved.revision, undoable: saved.undoable, redoable: saved.redoable };
}

/** Undo steps as they will be when `unsaved` edits have been saved on top of `base`. */
function counted(document: ImageDocument, base: ImageDocument, unsaved: number): ImageDocument {
  return { ...document, undoable: base.undoable + unsaved, redoable: unsaved ? 0 : base.redoable };
}

function asAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const wire = toWireError(thrown);
  return new AppError(wire.code, wire.message, wire.detail, thrown);
}

import type { Saved } from '../../shared/answers.ts';
import type { Diff } from '../../shared/diff.ts';
import { reverse } from '../../shared/diff.ts';
import { AppError } from '../../shared/errors.ts';
import type { Annotation, Decision, ImageDocument, Suggestion } from '../../shared/records.ts';
import { COVERED } from './covering.ts';
import type { Db } from './database.ts';
import { checkGeometry } from './geometry-check.ts';
import type { OrderedRow } from './imported.ts';
import { GEOMETRY, geometryWriter, storedGeometry, WITH_IMPORTED } from './imported.ts';
import { diffReader, importOf } from './journal-entries.ts';
import type { Labels } from './labels.ts';
import type { Kind } from './stacks.ts';
import { createStacks } from './stacks.ts';
import type { SuggestionRow } from './suggestion-rows.ts';
import { SUGGESTION, suggestionOf } from './suggestion-rows.ts';

/** What became of an edit; `revived` tells that a removed class came back with it. */
export interface Committed {
  readonly saved: Saved;
  readonly revived: boolean;
}

/**
 * The annotations of each image, their journal, and undo. Every method that changes something is one
 * transaction: what it returns is on disk. `base` is the revision the caller saw; another one now is
 * a `conflict` that carries both.
 */
export interface Documents {
  /** Throws `not-found`. */
  load(imageId: number): ImageDocument;
  /** Throws `conflict`, `not-found` (image, class, suggestion) and `invalid` (geometry), naming the id. */
  apply(imageId: number, base: number, diff: Diff): Committed;
  /** Throws `conflict` also where there is nothing to undo. */
  undo(imageId: number, base: number): Committed;
  redo(imageId: number, base: number): Committed;
  /** The stable number of an annotation in exports: from 1, kept through delete and undo. */
  number(annotationId: string): number;
}

interface ImageRow {
  readonly width: number;
  readonly height: number;
  readonly revision: number;
  readonly newest: number | null;
}

interface ProposedRow extends SuggestionRow {
  readonly id: number;
  readonly runId: number;
}

const ANNOTATION = `a.id, a.label_id AS labelId, ${GEOMETRY}, a.z, a.crowd, a.origin, a.suggestion_id AS suggestionId FROM ${WITH_IMPORTED}`;

export function createDocuments(db: Db, write: <T>(work: () => T) => T, labels: Labels, clock: () => number): Documents {
  const imageRow = db.prepare<[number], ImageRow>('SELECT width, height, revision, newest_run_id AS newest FROM image WHERE id = ?');
  const content = contentReader(db);
  const oneOf = db.prepare<[string, number], OrderedRow>(`SELECT ${ANNOTATION} WHERE a.id = ? AND a.image_id = ?`);
  const geometryText = geometryWriter(db);
  const anywhere = db.prepare<[string], number>('SELECT image_id FROM annotation WHERE id = ?').pluck();
  const suggestionsOf = db.prepare<[number, number | null], ProposedRow>(`
    SELECT s.id, s.run_id AS runId, ${SUGGESTION} FROM suggestion s LEFT JOIN decision d ON d.suggestion_id = s.id
    WHERE s.image_id = ? AND ((s.run_id IS ? AND NOT ${COVERED}) OR d.decision IS NOT NULL) ORDER BY s.score DESC, s.id`);
  const suggestionImage = db.prepare<[number], number>('SELECT image_id FROM suggestion WHERE id = ?').pluck();
  const decisionNow = db.prepare<[number], Decision>('SELECT decision FROM decision WHERE suggestion_id = ?').pluck();
  const decide = db.prepare<[number, number, Decision]>(
    'INSERT INTO decision (suggestion_id, image_id, decision) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET decision = excluded.decision',
  );
  const undecide = db.prepare<[number]>('DELETE FROM decision WHERE suggestion_id = ?');
  const insert = db.prepare(`INSERT INTO annotation (id, image_id, label_id, z, crowd, origin, suggestion_id, geometry)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
  const update = db.prepare(`UPDATE annotation SET label_id = ?, z = ?, crowd = ?, origin = ?, suggestion_id = ?, geometry = ?
    WHERE id = ?`);
  const erase = db.prepare<[string]>('DELETE FROM annotation WHERE id = ?');
  const register = db.prepare<[string]>('INSERT INTO annotation_number (uid) VALUES (?) ON CONFLICT (uid) DO NOTHING');
  const numberOf = db.prepare<[string], number>('SELECT number FROM annotation_number WHERE uid = ?').pluck();
  const journal = db.prepare<[number, number, Kind, number | null, number, string]>(
    'INSERT INTO change (image_id, revision, kind, target, at, diff) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const stacks = createStacks(db);
  const diffOf = db.prepare<[number], string>('SELECT diff FROM change WHERE seq = ?').pluck();
  const readDiff = diffReader(db);
  const returned = db.prepare<[number, number]>('UPDATE import_image SET undone = 0 WHERE import_id = ? AND image_id = ? AND undone = 1');
  const advance = db.prepare<[number, number]>(`UPDATE image SET revision = ?,
    state = CASE WHEN state IN ('new', 'predicted') THEN 'in-progress' ELSE state END WHERE id = ?`);

  function requireImage(imageId: number): ImageRow {
    const row = imageRow.get(imageId);
    if (!row) throw new AppError('not-found', `There is no image ${imageId} in this project.`, { imageId });
    return row;
  }

  function requireBase(imageId: number, base: number): ImageRow {
    const row = requireImage(imageId);
    if (row.revision !== base) {
      throw new AppError(
        'conflict',
        `Image ${imageId} is at revision ${row.revision}, the change was made on ${base}. Nothing was changed.`,
        {
          imageId,
          base,
          revision: row.revision,
        },
      );
    }
    return row;
  }

  /** The stored annotation, so that the journal reverses to what really was there. */
  function stored(imageId: number, id: string, verb: string): Annotation {
    const row = oneOf.get(id, imageId);
    if (!row)
      throw new AppError('conflict', `Cannot ${verb} annotation ${id}: it is not on image ${imageId}.`, { imageId, annotationId: id });
    return toAnnotation(row);
  }

  function grounded(imageId: number, diff: Diff): Diff {
    const seen = new Set<string>();
    for (const id of [...diff.removed, ...diff.added, ...diff.updated.map(([from]) => from)].map((a) => a.id)) {
      if (seen.has(id)) throw new AppError('invalid', `Annotation ${id} occurs twice in one change.`, { imageId, annotationId: id });
      seen.add(id);
    }
    // Two decisions on one suggestion could not be taken back: a diff is reversed in any order.
    if (new Set(diff.decided.map((d) => d.suggestionId)).size < diff.decided.length)
      throw new AppError('invalid', 'A suggestion is decided on twice in one change.', { imageId });
    return {
      added: diff.added,
      removed: diff.removed.map((a) => stored(imageId, a.id, 'remove')),
      updated: diff.updated.map(([from, to]) => {
        if (from.id !== to.id)
          throw new AppError('invalid', `An update must keep its id: ${from.id} became ${to.id}.`, { imageId, annotationId: from.id });
        return [stored(imageId, from.id, 'update'), to] as const;
      }),
      decided: diff.decided,
    };
  }

  function checkNew(imageId: number, image: ImageRow, annotation: Annotation): void {
    checkGeometry(annotation.id, annotation.geometry, image.width, image.height);
    labels.get(annotation.labelId);
    if (annotation.suggestionId !== null) requireSuggestion(imageId, annotation.suggestionId);
  }

  function requireSuggestion(imageId: number, suggestionId: number): void {
    if (suggestionImage.get(suggestionId) !== imageId) {
      throw new AppError('not-found', `Image ${imageId} has no suggestion ${suggestionId}.`, { imageId, suggestionId });
    }
  }

  function writeRows(imageId: number, diff: Diff): void {
    for (const a of diff.removed) erase.run(a.id);
    for (const [, a] of diff.updated) {
      update.run(a.labelId, a.z, a.crowd ? 1 : 0, a.origin, a.suggestionId, geometryText(a), a.id);
    }
    for (const a of diff.added) {
      const place = anywhere.get(a.id);
      if (place !== undefined)
        throw new AppError('conflict', `Cannot add annotation ${a.id}: it is already on image ${place}.`, { imageId, annotationId: a.id });
      insert.run(a.id, imageId, a.labelId, a.z, a.crowd ? 1 : 0, a.origin, a.suggestionId, geometryText(a));
      register.run(a.id);
    }
    for (const { suggestionId, from, to } of diff.decided) {
      requireSuggestion(imageId, suggestionId);
      const now = decisionNow.get(suggestionId) ?? null;
      if (now !== from) {
        throw new AppError('conflict', `Suggestion ${suggestionId} is ${now ?? 'undecided'}, expected ${from ?? 'undecided'}.`, {
          imageId,
          suggestionId,
        });
      }
      if (to === null) undecide.run(suggestionId);
      else decide.run(suggestionId, imageId, to);
    }
  }

  function record(
    imageId: number,
    revision: number,
    kind: Kind,
    target: number | null,
    diff: Diff,
  ): { atMs: number; undoable: number; redoable: number } {
    const atMs = Math.round(clock());
    const { lastInsertRowid } = journal.run(imageId, revision, kind, target, atMs, JSON.stringify(diff));
    advance.run(revision, imageId);
    const { undo, redo } = stacks.push(imageId, revision, kind, Number(lastInsertRowid), target);
    return { atMs, undoable: undo.length, redoable: redo.length };
  }

  /** What was taken back with its whole import counts again once it is done again here. */
  function importReturns(imageId: number, text: string): void {
    const importId = importOf(text);
    if (importId === null || returned.run(importId, imageId).changes === 0) return;
    db.prepare('UPDATE import SET undone_at = NULL WHERE id = ?').run(importId);
  }

  function step(imageId: number, base: number, kind: 'undo' | 'redo'): Committed {
    return write(() => {
      requireBase(imageId, base);
      const target = stacks.of(imageId, base)[kind].at(-1);
      if (target === undefined) throw new AppError('conflict', `There is nothing to ${kind} on image ${imageId}.`, { imageId });
      const text = diffOf.get(target);
      const edit = readDiff(text, imageId);
      if (kind === 'redo') importReturns(imageId, text ?? '');
      const diff = kind === 'undo' ? reverse(edit) : edit;
      let revived = false;
      for (const a of [...diff.added, ...diff.updated.map(([, to]) => to)]) revived = labels.revive(a.labelId) || revived;
      writeRows(imageId, diff);
      const { atMs, undoable, redoable } = record(imageId, base + 1, kind, target, diff);
      return { saved: { imageId, revision: base + 1, savedAtMs: atMs, diff, undoable, redoable }, revived };
    });
  }

  return {
    load(imageId) {
      const image = requireImage(imageId);
      const { undo, redo } = stacks.of(imageId, image.revision);
      return {
        imageId,
        revision: image.revision,
        width: image.width,
        height: image.height,
        ...content(imageId),
        suggestions: suggestionsOf.all(imageId, image.newest ?? -1).map(toSuggestion),
        undoable: undo.length,
        redoable: redo.length,
      };
    },
    apply(imageId, base, sent) {
      return write(() => {
        const image = requireBase(imageId, base);
        const diff = grounded(imageId, sent);
        for (const a of [...diff.added, ...diff.updated.map(([, to]) => to)]) checkNew(imageId, image, a);
        writeRows(imageId, diff);
        const { atMs, undoable, redoable } = record(imageId, base + 1, 'edit', null, diff);
        return { saved: { imageId, revision: base + 1, savedAtMs: atMs, diff: sent, undoable, redoable }, revived: false };
      });
    },
    undo: (imageId, base) => step(imageId, base, 'undo'),
    redo: (imageId, base) => step(imageId, base, 'redo'),
    number(annotationId) {
      const number = numberOf.get(annotationId);
      if (number === undefined) throw new AppError('not-found', `Annotation ${annotationId} has no number.`, { annotationId });
      return number;
    },
  };
}

type Content = Pick<ImageDocument, 'annotations' | 'decisions'>;

/** Reads the content of images of one connection: annotations sorted by (z, id), and decisions. */
export function contentReader(db: Db): (imageId: number) => Content {
  const annotations = db.prepare<[number], OrderedRow>(`SELECT ${ANNOTATION} WHERE a.image_id = ? ORDER BY a.z, a.id`);
  const decided = db.prepare<[number], { id: number; decision: Decision }>(
    'SELECT suggestion_id AS id, decision FROM decision WHERE image_id = ?',
  );
  return (imageId) => {
    const decisions: Record<number, Decision> = {};
    for (const { id, decision } of decided.all(imageId)) decisions[id] = decision;
    return { annotations: annotations.all(imageId).map(toAnnotation), decisions };
  };
}

/** The annotations, sorted by (z, id), and decisions of an image as its rows say. */
export function readContent(db: Db, imageId: number): Content {
  return contentReader(db)(imageId);
}

export function toAnnotation(row: OrderedRow): Annotation {
  return {
    id: row.id,
    labelId: row.labelId,
    geometry: storedGeometry(row),
    z: row.z,
    crowd: row.crowd === 1,
    origin: row.origin,
    suggestionId: row.suggestionId,
  };
}

function toSuggestion(row: ProposedRow): Suggestion {
  return { id: row.id, runId: row.runId, ...suggestionOf(row) };
}

import { rleIou } from '../../shared/mask/rle.ts';
import { geometryToRle } from '../../shared/mask/raster.ts';
import type { Rle } from '../../shared/records.ts';
import type { Db } from './database.ts';
import type { GeometryRow } from './imported.ts';
import { GEOMETRY, storedGeometry, WITH_IMPORTED } from './imported.ts';

/** An instance of the same class that a suggestion overlaps by so much is the one it proposes. */
export const COVERED_IOU = 0.7;
/** A suggestion that a person has decided on is proposed again when the masks agree by so much. */
export const REPEATED_IOU = 0.9;

/**
 * Condition on the suggestion `s`: there is no need to ask about it, because what it proposes is there
 * already or was decided on. It holds while that instance or decision is there, so that undo brings
 * the question back.
 */
export const COVERED = `EXISTS (SELECT 1 FROM cover c WHERE c.suggestion_id = s.id AND (
  EXISTS (SELECT 1 FROM annotation o WHERE o.id = c.annotation_id AND o.image_id = s.image_id)
  OR EXISTS (SELECT 1 FROM decision e WHERE e.suggestion_id = c.decided_id)))`;

export interface StoredSuggestion {
  readonly id: number;
  readonly labelId: number;
  readonly rle: Rle;
}

interface Known<T> {
  readonly id: T;
  readonly rle: Rle;
}

/**
 * Compares what a run proposes for an image with what is there: instances of the same class, and
 * suggestions of the same class and the same version of the model that a person has decided on. Runs
 * again then ask only about what is new. Must be called inside the transaction that wrote them.
 */
export function createCovering(db: Db): (runId: number, imageId: number, suggestions: readonly StoredSuggestion[]) => void {
  const annotations = db.prepare<[number, number], GeometryRow & { id: string }>(
    `SELECT a.id, ${GEOMETRY} FROM ${WITH_IMPORTED} WHERE a.image_id = ? AND a.label_id = ?`,
  );
  const decided = db.prepare<[number, number, number, number, number], { id: number; counts: string }>(`
    SELECT s.id, s.counts FROM suggestion s JOIN decision d ON d.suggestion_id = s.id JOIN run r ON r.id = s.run_id
    JOIN run now ON now.id = ? AND now.model_id = r.model_id AND now.model_version = r.model_version
    WHERE s.image_id = ? AND s.label_id = ? AND s.rle_height = ? AND s.rle_width = ?`);
  const insert = db.prepare<[number, string | null, number | null]>(
    'INSERT INTO cover (suggestion_id, annotation_id, decided_id) VALUES (?, ?, ?)',
  );

  return (runId, imageId, suggestions) => {
    for (const [labelId, proposed] of byLabel(suggestions)) {
      const [height, width] = proposed[0]?.rle.size ?? [0, 0];
      const instances = annotations.all(imageId, labelId).map((row): Known<string> => {
        return { id: row.id, rle: geometryToRle(storedGeometry(row), width, height) };
      });
      const before = decided.all(runId, imageId, labelId, height, width).map(({ id, counts }): Known<number> => {
        return { id, rle: { size: [height, width], counts } };
      });
      const rles = proposed.map((s) => s.rle);
      const there = overlapping(rles, instances, COVERED_IOU);
      const repeated = overlapping(rles, before, REPEATED_IOU);
      proposed.forEach(({ id }, i) => {
        const [annotationId, decidedId] = [there[i] ?? null, repeated[i] ?? null];
        if (annotationId !== null || decidedId !== null) insert.run(id, annotationId, decidedId);
      });
    }
  };
}

function byLabel(suggestions: readonly StoredSuggestion[]): Map<number, StoredSuggestion[]> {
  const groups = new Map<number, StoredSuggestion[]>();
  for (const suggestion of suggestions) {
    const group = groups.get(suggestion.labelId);
    if (group) group.push(suggestion);
    else groups.set(suggestion.labelId, [suggestion]);
  }
  return groups;
}

/** For every mask the known one it overlaps most, if by `least` or more. */
function overlapping<T>(rles: readonly Rle[], known: readonly Known<T>[], least: number): (T | null)[] {
  const ious = rleIou(
    rles,
    known.map((k) => k.rle),
    known.map(() => false),
  );
  return rles.map((_, i) => {
    let best: T | null = null;
    let most = least;
    known.forEach(({ id }, k) => {
      const iou = ious[i * known.length + k] ?? 0;
      if (iou >= most) [best, most] = [id, iou];
    });
    return best;
  });
}

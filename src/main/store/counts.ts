import { COVERED } from './covering.ts';
import type { Db } from './database.ts';

/** How many instances of a class an image has. */
export interface ImageCount {
  readonly imageId: number;
  readonly labelId: number;
  readonly annotations: number;
  /** Undecided suggestions of the newest run that reach the score. */
  readonly suggestions: number;
}

/** Counts by image and class, of images that have any, by image. One statement, whatever the number of images. */
export function createCounts(db: Db): { byImage(minScore: number): ImageCount[] } {
  const all = db.prepare<[number], ImageCount>(`
    SELECT imageId, labelId, sum(annotations) AS annotations, sum(suggestions) AS suggestions FROM (
      SELECT a.image_id AS imageId, a.label_id AS labelId, count(*) AS annotations, 0 AS suggestions
      FROM annotation a GROUP BY a.image_id, a.label_id
      UNION ALL
      SELECT s.image_id, s.label_id, 0, count(*)
      FROM suggestion s JOIN image i ON i.id = s.image_id AND i.newest_run_id = s.run_id
      WHERE s.score >= ? AND NOT EXISTS (SELECT 1 FROM decision d WHERE d.suggestion_id = s.id) AND NOT ${COVERED}
      GROUP BY s.image_id, s.label_id
    ) GROUP BY imageId, labelId ORDER BY imageId, labelId`);
  return { byImage: (minScore) => all.all(minScore) };
}

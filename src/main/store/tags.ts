import type { ImageTag, TagState } from '../../shared/answers/views.ts';
import { AppError } from '../../shared/errors.ts';
import type { Db } from './database.ts';

export interface NewTag {
  readonly labelId: number;
  /** 0..1 */
  readonly score: number;
}

/** What an image shows as a whole: what classifiers proposed, and what a person said. Neither touches the other's rows. */
export interface Tags {
  /** The newest proposal of a classifier and everything a person said, the surest first. Throws `not-found`. */
  of(imageId: number): ImageTag[];
  /** Null takes a person's word back. Throws `not-found` for an image or a class that is not there. */
  set(imageId: number, labelId: number, state: TagState | null): void;
  /** Keeps what a classifier proposed in a run. */
  propose(runId: number, imageId: number, tags: readonly NewTag[]): void;
}

export function createTags(db: Db, write: <T>(work: () => T) => T, clock: () => number): Tags {
  const image = db.prepare<[number], number>('SELECT 1 FROM image WHERE id = ?').pluck();
  const label = db.prepare<[number], number>('SELECT 1 FROM label WHERE id = ? AND removed = 0').pluck();
  const list = db.prepare<[number, number, number], ImageTag>(`
    SELECT l.id AS labelId, p.score, t.state
    FROM label l
    LEFT JOIN tag_suggestion p ON p.label_id = l.id AND p.image_id = ?
      AND p.run_id = (SELECT max(run_id) FROM tag_suggestion WHERE image_id = ?)
    LEFT JOIN image_tag t ON t.label_id = l.id AND t.image_id = ?
    WHERE l.removed = 0 AND (p.score IS NOT NULL OR t.state IS NOT NULL)
    ORDER BY coalesce(p.score, 2) DESC, l.position, l.id`);
  const say = db.prepare<[number, number, TagState, number]>(`
    INSERT INTO image_tag (image_id, label_id, state, at) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET state = excluded.state, at = excluded.at`);
  const unsay = db.prepare<[number, number]>('DELETE FROM image_tag WHERE image_id = ? AND label_id = ?');
  const keep = db.prepare<[number, number, number, number]>(
    'INSERT INTO tag_suggestion (run_id, image_id, label_id, score) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET score = excluded.score',
  );

  function requireImage(imageId: number): void {
    if (image.get(imageId) === undefined) throw new AppError('not-found', `There is no image ${imageId} in this project.`, { imageId });
  }

  return {
    of(imageId) {
      requireImage(imageId);
      return list.all(imageId, imageId, imageId);
    },
    set(imageId, labelId, state) {
      write(() => {
        requireImage(imageId);
        if (label.get(labelId) === undefined) throw new AppError('not-found', `There is no class ${labelId}.`, { labelId });
        if (state === null) unsay.run(imageId, labelId);
        else say.run(imageId, labelId, state, Math.round(clock()));
      });
    },
    propose(runId, imageId, tags) {
      write(() => {
        for (const { labelId, score } of tags) keep.run(runId, imageId, labelId, score);
      });
    },
  };
}

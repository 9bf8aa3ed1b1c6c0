import type { ModelScore } from '../../shared/answers/bundles.ts';
import type { Db } from './database.ts';

/** What models reached on the hold-out. A measurement is never changed. */
export interface Scores {
  add(score: Omit<ModelScore, 'id'>): ModelScore;
  /** Newest first. */
  list(): ModelScore[];
}

type Figures = Pick<ModelScore, 'images' | 'instances' | 'segm' | 'bbox' | 'perClass'>;
type Row = Omit<ModelScore, keyof Figures> & { readonly figures: string };

export function createScores(db: Db, write: <T>(work: () => T) => T): Scores {
  const insert = db.prepare<[string, string, string, number, string, number, string]>(
    'INSERT INTO model_score (model_id, model_version, sha256, at, split, run_id, figures) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const all = db.prepare<[], Row>(`
    SELECT id, model_id AS modelId, model_version AS modelVersion, sha256, at AS atMs, split, run_id AS runId, figures FROM model_score
    ORDER BY at DESC, id DESC`);
  return {
    add(score) {
      const { modelId, modelVersion, sha256, atMs, split, runId, images, instances, segm, bbox, perClass } = score;
      const figures: Figures = { images, instances, segm, bbox, perClass };
      const { lastInsertRowid } = write(() => insert.run(modelId, modelVersion, sha256, atMs, split, runId, JSON.stringify(figures)));
      return { id: Number(lastInsertRowid), ...score };
    },
    list: () =>
      all.all().map(({ figures, ...row }) => {
        // Written above.
        const read = JSON.parse(figures) as Figures;
        return { ...row, ...read };
      }),
  };
}

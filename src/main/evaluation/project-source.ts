import { AppError } from '../../shared/errors.ts';
import type { EvaluationOptions } from '../../shared/calls/evaluation.ts';
import type { Annotation, Box, ImageState, Label, Rle } from '../../shared/records.ts';
import { openSnapshot, storageError } from '../store/database.ts';
import { contentReader } from '../store/documents.ts';
import { createLabels } from '../store/labels.ts';
import type { MaskRow, SuggestionRow } from '../store/suggestion-rows.ts';
import { SUGGESTION, SUGGESTION_MASK, suggestionMask, suggestionOf } from '../store/suggestion-rows.ts';

/** A detection as evaluation needs it, of a suggestion (`id`) or of a results file (null). */
export interface Detected {
  readonly id: number | null;
  readonly labelId: number;
  readonly score: number;
  readonly box: Box;
  readonly rle: Rle;
}

export interface RunName {
  readonly runId: number | null;
  readonly modelId: string;
  readonly modelVersion: string;
}

/** What evaluation needs of an image. */
export interface EvaluatedImage {
  readonly id: number;
  readonly path: string;
  readonly width: number;
  readonly height: number;
  readonly sha256: string;
  readonly state: ImageState;
  readonly split: string | null;
  /** False: its file is missing or cannot be read. */
  readonly usable: boolean;
}

type ImageRow = Omit<EvaluatedImage, 'usable'> & { readonly usable: number };

/** A project at one moment, for evaluation: readable from a thread of its own. */
export interface EvaluationProject {
  readonly labels: readonly Label[];
  /** In the order of the image list. */
  readonly images: readonly EvaluatedImage[];
  annotations(imageId: number): readonly Annotation[];
  /** For each image that a run or a model has looked at, the run that did it last. Throws `not-found`. */
  looked(source: Exclude<EvaluationOptions['source'], { kind: 'file' }>): {
    readonly name: RunName;
    readonly runs: ReadonlyMap<number, number>;
  };
  /** What a run proposed on an image, best first, whatever became of it. */
  suggestions(runId: number, imageId: number): Detected[];
  /** The mask of a suggestion; null where there is none of that id. */
  suggestion(id: number): Rle | null;
  close(): void;
}

/** Throws AppError `storage` or `io`, naming the file. Close it: it keeps the log from being folded in. */
export function openEvaluationProject(file: string): EvaluationProject {
  const { db, close } = openSnapshot(file);
  try {
    const readOnly = <T>(work: () => T): T => work();
    const content = contentReader(db);
    const images = db.prepare<[], ImageRow>(`
      SELECT i.id, i.path, i.width, i.height, i.sha256, i.state, p.name AS split, i.missing = 0 AND i.error IS NULL AS usable
      FROM image i LEFT JOIN split p ON p.image_id = i.id ORDER BY i.sort_key, i.path`);
    const run = db.prepare<[number], { modelId: string; modelVersion: string }>(
      'SELECT model_id AS modelId, model_version AS modelVersion FROM run WHERE id = ?',
    );
    const lookedByRun = db.prepare<[number], { imageId: number; runId: number }>(
      "SELECT image_id AS imageId, run_id AS runId FROM run_image WHERE run_id = ? AND state <> 'pending'",
    );
    const lookedByModel = db.prepare<[string], { imageId: number; runId: number; modelVersion: string }>(`
      SELECT x.image_id AS imageId, max(x.run_id) AS runId, r.model_version AS modelVersion
      FROM run_image x JOIN run r ON r.id = x.run_id WHERE r.model_id = ? AND x.state <> 'pending' GROUP BY x.image_id`);
    const suggestions = db.prepare<[number, number], SuggestionRow & { readonly id: number }>(
      `SELECT s.id, ${SUGGESTION} FROM suggestion s WHERE s.image_id = ? AND s.run_id = ? ORDER BY s.score DESC, s.id`,
    );
    const one = db.prepare<[number], MaskRow>(`SELECT ${SUGGESTION_MASK} FROM suggestion s WHERE s.id = ?`);
    return {
      labels: createLabels(db, readOnly).list(),
      images: images.all().map((row) => ({ ...row, usable: row.usable === 1 })),
      annotations: (imageId) => content(imageId).annotations,
      looked(source) {
        if (source.kind === 'run') {
          const found = run.get(source.runId);
          if (!found) throw new AppError('not-found', `There is no run ${source.runId}.`, { runId: source.runId });
          return {
            name: { runId: source.runId, ...found },
            runs: new Map(lookedByRun.all(source.runId).map(({ imageId, runId }) => [imageId, runId])),
          };
        }
        const rows = lookedByModel.all(source.modelId);
        const versions = [...new Set(rows.map(({ modelVersion }) => modelVersion))];
        return {
          name: { runId: null, modelId: source.modelId, modelVersion: versions.join(', ') },
          runs: new Map(rows.map(({ imageId, runId }) => [imageId, runId])),
        };
      },
      suggestions: (runId, imageId) => suggestions.all(imageId, runId).map((row) => ({ id: row.id, ...suggestionOf(row) })),
      suggestion(id) {
        const row = one.get(id);
        return row ? suggestionMask(row) : null;
      },
      close,
    };
  } catch (thrown) {
    close();
    throw storageError(thrown, file);
  }
}

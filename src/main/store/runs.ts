import type { RunFailure, RunInfo, RunOptions, RunState } from '../../shared/answers.ts';
import { AppError } from '../../shared/errors.ts';
import type { StoredSuggestion } from './covering.ts';
import { createCovering } from './covering.ts';
import type { Db } from './database.ts';
import type { NewSuggestion, SuggestionRow } from './suggestion-rows.ts';
import { SUGGESTION, suggestionOf } from './suggestion-rows.ts';

/** A run as it is stored; `msLeft` is known only to the job that works on it. */
export type StoredRun = Omit<RunInfo, 'msLeft'>;

/** Its row: the options are JSON. */
type Row = Omit<StoredRun, 'options'> & { readonly options: string };

/** Which model looked at which images, what it proposed, and what failed, so that a run can go on. */
export interface Runs {
  start(modelId: string, modelVersion: string, imageIds: readonly number[], options?: RunOptions): StoredRun;
  /** Throws `not-found`. */
  get(runId: number): StoredRun;
  /** Newest first. */
  list(): StoredRun[];
  /** Images still to be done, in the order of the image list. */
  pending(runId: number): number[];
  /** Images that were looked at, in the same order. */
  done(runId: number): number[];
  /** What the run proposed on an image, best first, whatever became of it. */
  suggestions(runId: number, imageId: number): NewSuggestion[];
  failures(runId: number): RunFailure[];
  setState(runId: number, state: RunState, message: string | null): void;
  setProvider(runId: number, provider: string): void;
  /**
   * Keeps what the model proposed and makes it the image's newest proposal. Undecided suggestions of
   * earlier runs are no longer shown; decided ones and every annotation stay as they are. What repeats
   * an instance or a decision that is there is kept, but not asked about (see `createCovering`). Null: the model
   * looked for no instances (a classifier), and what others proposed stays in view.
   */
  finishImage(runId: number, imageId: number, suggestions: readonly NewSuggestion[] | null): void;
  failImage(runId: number, imageId: number, reason: string): void;
  /** Runs that a crash left running become `interrupted`. */
  interruptRunning(): number;
}

const SELECT = `
  SELECT r.id, r.model_id AS modelId, r.model_version AS modelVersion, r.options, r.state, r.started_at AS startedAtMs, r.provider, r.message,
    (SELECT count(*) FROM run_image x WHERE x.run_id = r.id) AS total,
    (SELECT count(*) FROM run_image x WHERE x.run_id = r.id AND x.state <> 'pending') AS finished,
    (SELECT count(*) FROM run_image x WHERE x.run_id = r.id AND x.state = 'failed') AS failed,
    (SELECT count(*) FROM suggestion s WHERE s.run_id = r.id) AS suggestions
  FROM run r`;

function stored(row: Row): StoredRun {
  return { ...row, options: JSON.parse(row.options) as RunOptions };
}

export function createRuns(db: Db, write: <T>(work: () => T) => T, clock: () => number): Runs {
  const one = db.prepare<[number], Row>(`${SELECT} WHERE r.id = ?`);
  const all = db.prepare<[], Row>(`${SELECT} ORDER BY r.id DESC`);
  const insert = db.prepare<[string, string, string, number]>(
    "INSERT INTO run (model_id, model_version, options, state, started_at) VALUES (?, ?, ?, 'running', ?)",
  );
  const insertImage = db.prepare<[number, number]>("INSERT OR IGNORE INTO run_image (run_id, image_id, state) VALUES (?, ?, 'pending')");
  const exists = db.prepare<[number], number>('SELECT 1 FROM image WHERE id = ?').pluck();
  const imagesOf = db
    .prepare<[number, string], number>(
      'SELECT x.image_id FROM run_image x JOIN image i ON i.id = x.image_id WHERE x.run_id = ? AND x.state = ? ORDER BY i.sort_key, i.path',
    )
    .pluck();
  const proposed = db.prepare<[number, number], SuggestionRow>(
    `SELECT ${SUGGESTION} FROM suggestion s WHERE s.image_id = ? AND s.run_id = ? ORDER BY s.score DESC, s.id`,
  );
  const failures = db.prepare<[number], RunFailure>(`
    SELECT x.image_id AS imageId, i.path, coalesce(x.reason, '') AS reason FROM run_image x JOIN image i ON i.id = x.image_id
    WHERE x.run_id = ? AND x.state = 'failed' ORDER BY i.sort_key, i.path`);
  const setState = db.prepare<[RunState, string | null, number]>('UPDATE run SET state = ?, message = ? WHERE id = ?');
  const setProvider = db.prepare<[string, number]>('UPDATE run SET provider = ? WHERE id = ?');
  const setImage = db.prepare<[string, string | null, number, number]>(
    'UPDATE run_image SET state = ?, reason = ? WHERE run_id = ? AND image_id = ?',
  );
  const suggest = db.prepare(`INSERT INTO suggestion
    (run_id, image_id, label_id, score, x, y, width, height, rle_height, rle_width, counts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const cover = createCovering(db);
  const newest = db.prepare<[number, number]>(
    "UPDATE image SET newest_run_id = ?, state = CASE state WHEN 'new' THEN 'predicted' ELSE state END WHERE id = ?",
  );
  const interrupt = db.prepare(
    "UPDATE run SET state = 'interrupted', message = 'Maskloop was closed while it ran.' WHERE state = 'running'",
  );

  function get(runId: number): StoredRun {
    const run = one.get(runId);
    if (!run) throw new AppError('not-found', `There is no run ${runId}.`, { runId });
    return stored(run);
  }

  return {
    start(modelId, modelVersion, imageIds, options = {}) {
      return write(() => {
        const runId = Number(insert.run(modelId, modelVersion, JSON.stringify(options), Math.round(clock())).lastInsertRowid);
        for (const imageId of imageIds) {
          if (exists.get(imageId) === undefined)
            throw new AppError('not-found', `There is no image ${imageId} in this project.`, { imageId });
          insertImage.run(runId, imageId);
        }
        return get(runId);
      });
    },
    get,
    list: () => all.all().map(stored),
    pending: (runId) => imagesOf.all(runId, 'pending'),
    done: (runId) => imagesOf.all(runId, 'done'),
    suggestions: (runId, imageId) => proposed.all(imageId, runId).map(suggestionOf),
    failures: (runId) => failures.all(get(runId).id),
    setState(runId, state, message) {
      write(() => setState.run(state, message, runId));
    },
    setProvider(runId, provider) {
      write(() => setProvider.run(provider, runId));
    },
    finishImage(runId, imageId, suggestions) {
      write(() => {
        const stored: StoredSuggestion[] = [];
        for (const { labelId, score, box, rle } of suggestions ?? []) {
          const [height, width] = rle.size;
          const { lastInsertRowid } = suggest.run(runId, imageId, labelId, score, ...box, height, width, rle.counts);
          stored.push({ id: Number(lastInsertRowid), labelId, rle });
        }
        cover(runId, imageId, stored);
        setImage.run('done', null, runId, imageId);
        if (suggestions) newest.run(runId, imageId);
      });
    },
    failImage(runId, imageId, reason) {
      write(() => setImage.run('failed', reason, runId, imageId));
    },
    interruptRunning: () => write(() => interrupt.run().changes),
  };
}

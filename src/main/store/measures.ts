import { AppError } from '../../shared/errors.ts';
import { measurePixels } from '../../shared/geometry/measure.ts';
import { geometryOfShape } from '../formats/coco-geometry.ts';
import type { MeasuredShape, PixelMeasure } from '../formats/coco-measure.ts';
import { measureShape } from '../formats/coco-measure.ts';
import type { Db } from './database.ts';
import type { GeometryRow } from './imported.ts';
import { GEOMETRY, storedGeometry, WITH_IMPORTED } from './imported.ts';

/** What one instance measures in pixels: COCO's `area` and `bbox`, of the filled pixels or as an import says and its outline agrees. */
export interface Measure {
  readonly annotationId: string;
  readonly labelId: number;
  readonly crowd: boolean;
  readonly area: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The measures of all instances of an image as they were at its `edits`-th change. */
export interface ImageMeasures {
  readonly imageId: number;
  readonly edits: number;
  readonly measures: readonly Measure[];
}

/** Measures of instances, kept beside them. Whoever changes an annotation makes those of its image stale, by trigger. */
export interface Measures {
  /** Images whose instances changed since they were measured. */
  open(): number;
  /** Keeps measures, but not those of an image that changed meanwhile. */
  keep(batch: readonly ImageMeasures[]): void;
  /** Measures at most so many stale images at once. */
  freshen(most: number): void;
}

interface Row extends GeometryRow {
  readonly id: string;
  readonly labelId: number;
  readonly crowd: number;
}

/** Reads stale images and measures them; works on a snapshot of the project as well. */
export function measuring(db: Db): { open(): number; stale(most: number): ImageMeasures[] } {
  const open = db.prepare<[], number>('SELECT count(*) FROM annotation_edits WHERE measured < edits').pluck();
  const next = db.prepare<[number, number], { imageId: number; edits: number; width: number; height: number }>(`
    SELECT e.image_id AS imageId, e.edits, i.width, i.height FROM annotation_edits e JOIN image i ON i.id = e.image_id
    WHERE e.measured < e.edits AND e.image_id > ? ORDER BY e.image_id LIMIT ?`);
  const rows = db.prepare<[number], Row>(
    `SELECT a.id, a.label_id AS labelId, a.crowd, ${GEOMETRY} FROM ${WITH_IMPORTED} WHERE a.image_id = ?`,
  );
  let after = 0;

  function measured(imageId: number, width: number, height: number): Measure[] {
    return rows.all(imageId).map((row) => {
      try {
        const { area, box } = measureRow(row, width, height);
        return {
          annotationId: row.id,
          labelId: row.labelId,
          crowd: row.crowd === 1,
          area,
          x: box[0],
          y: box[1],
          width: box[2],
          height: box[3],
        };
      } catch (thrown) {
        const why = thrown instanceof Error ? thrown.message : String(thrown);
        throw new AppError(
          'storage',
          `Annotation ${row.id} of image ${imageId} cannot be measured: ${why}`,
          { imageId, annotationId: row.id },
          thrown,
        );
      }
    });
  }

  return {
    open: () => open.get() ?? 0,
    /** The next ones by id, each once; none when all were answered. */
    stale(most) {
      const found = next.all(after, most);
      after = found.at(-1)?.imageId ?? after;
      return found.map(({ imageId, edits, width, height }) => ({ imageId, edits, measures: measured(imageId, width, height) }));
    },
  };
}

function measureRow(row: Row, width: number, height: number): PixelMeasure {
  if (row.geometry === null && row.source !== null) {
    const shape = JSON.parse(row.source) as MeasuredShape;
    const geometry = geometryOfShape(shape);
    if (geometry !== null) return measureShape(shape, geometry, width, height);
  }
  return measurePixels(storedGeometry(row), width, height);
}

export function createMeasures(db: Db, write: <T>(work: () => T) => T): Measures {
  const open = db.prepare<[], number>('SELECT count(*) FROM annotation_edits WHERE measured < edits').pluck();
  const edits = db.prepare<[number], number>('SELECT edits FROM annotation_edits WHERE image_id = ?').pluck();
  const forget = db.prepare<[number]>('DELETE FROM measure WHERE image_id = ?');
  const insert = db.prepare(`INSERT INTO measure (image_id, annotation_id, label_id, crowd, area, x, y, width, height)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const done = db.prepare<[number, number]>('UPDATE annotation_edits SET measured = ? WHERE image_id = ?');

  function keep(batch: readonly ImageMeasures[]): void {
    if (batch.length === 0) return;
    write(() => {
      for (const image of batch) {
        if (edits.get(image.imageId) !== image.edits) continue;
        forget.run(image.imageId);
        for (const m of image.measures) {
          insert.run(image.imageId, m.annotationId, m.labelId, m.crowd ? 1 : 0, m.area, m.x, m.y, m.width, m.height);
        }
        done.run(image.edits, image.imageId);
      }
    });
  }

  return {
    open: () => open.get() ?? 0,
    keep,
    freshen(most) {
      if (most > 0) keep(measuring(db).stale(most));
    },
  };
}

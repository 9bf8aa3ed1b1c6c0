import type { StatisticsReport, TimeFigures } from '../shared/answers/statistics.ts';
import type { StatisticsInput } from '../shared/calls/statistics.ts';
import { IMAGE_STATES } from '../shared/records.ts';
import type { ImageState, Label } from '../shared/records.ts';
import { HEAT_CELLS, PAUSE_MS, SIZES } from '../shared/statistics/ranges.ts';
import type { Tally, TallyInstance } from '../shared/statistics/tally.ts';
import { createTally, createTimeTally } from '../shared/statistics/tally.ts';
import type { Db } from './store/database.ts';
import { IMPORTED } from './store/image-filter.ts';

interface ImageRow {
  readonly id: number;
  readonly width: number;
  readonly height: number;
  readonly state: ImageState;
  readonly broken: number;
  readonly split: string | null;
}

/** `image_id, label_id, crowd, area, x, y, width, height` */
type MeasureRow = [number, number, number, number, number, number, number, number];

/**
 * Figures of a project by a connection, from what was measured. Rows are read one after the other: memory follows the
 * number of classes and ranges, not that of images or instances.
 */
export function collectStatistics(db: Db, labels: readonly Label[], input: StatisticsInput): StatisticsReport {
  const tally = createTally(input.labelId ?? null);
  const states = new Map(IMAGE_STATES.map((state) => [state, { state, images: 0, empty: 0 }]));
  const splits = new Map<string | null, { images: number; instances: number }>();
  const images = db.prepare<[], ImageRow>(`
    SELECT i.id, i.width, i.height, i.state, i.missing = 1 OR i.error IS NOT NULL AS broken, s.name AS split
    FROM image i LEFT JOIN split s ON s.image_id = i.id ORDER BY i.id`);
  const measures = db
    .prepare<[], MeasureRow>('SELECT image_id, label_id, crowd, area, x, y, width, height FROM measure ORDER BY image_id')
    .raw()
    .iterate();
  let next = measures.next();
  let count = 0;
  let broken = 0;
  try {
    for (const image of images.iterate()) {
      const instances: TallyInstance[] = [];
      while (!next.done && next.value[0] <= image.id) {
        const [, labelId, crowd, area, x, y, width, height] = next.value;
        instances.push({ labelId, crowd: crowd === 1, area, x, y, width, height });
        next = measures.next();
      }
      const part = splits.get(image.split) ?? { images: 0, instances: 0 };
      part.images += 1;
      part.instances += instances.length;
      splits.set(image.split, part);
      if (input.split !== undefined && image.split !== input.split) continue;
      count += 1;
      broken += image.broken;
      const state = states.get(image.state);
      if (state) {
        state.images += 1;
        if (instances.length === 0) state.empty += 1;
      }
      tally.image(image.width, image.height, instances);
    }
  } finally {
    measures.return?.();
  }
  return {
    images: count,
    broken,
    annotated: tally.annotated,
    instances: tally.instances,
    crowds: tally.crowds,
    classes: classFigures(labels, tally),
    sizes: tally.sizes(),
    areas: tally.areas(),
    ratios: tally.ratios(),
    perImage: tally.perImage(),
    heat: { columns: HEAT_CELLS, rows: HEAT_CELLS, cells: tally.heat() },
    states: [...states.values()],
    time: collectTime(db, input),
    splits: [...splits].map(([name, part]) => ({ name, ...part })).sort((a, b) => b.images - a.images),
  };
}

function classFigures(labels: readonly Label[], tally: Tally): StatisticsReport['classes'] {
  return labels.map(({ id, name, color }) => {
    const found = tally.labels.get(id);
    const size = (i: number): number => found?.sizes[i] ?? 0;
    return {
      labelId: id,
      name,
      color,
      instances: found?.instances ?? 0,
      images: found?.images ?? 0,
      crowds: found?.crowds ?? 0,
      small: size(SIZES.findIndex((range) => range.name === 'small')),
      medium: size(SIZES.findIndex((range) => range.name === 'medium')),
      large: size(SIZES.findIndex((range) => range.name === 'large')),
    };
  });
}

/** Undo and redo take time as edits do, but only edits are paid in instances. */
function collectTime(db: Db, { split }: StatisticsInput): TimeFigures {
  const tally = createTimeTally();
  const condition =
    split === undefined
      ? ''
      : split === null
        ? 'AND image_id NOT IN (SELECT image_id FROM split)'
        : 'AND image_id IN (SELECT image_id FROM split WHERE name = $split)';
  // Diffs are long: those of images with one change, as imports and accepted runs leave them, are not read.
  const rows = db.prepare<[{ split: string | null }], { imageId: number; atMs: number; added: number | null }>(`
    SELECT image_id AS imageId, at AS atMs, CASE kind WHEN 'edit' THEN json_array_length(diff, '$.added') ELSE 0 END AS added
    FROM change WHERE image_id IN (SELECT image_id FROM change GROUP BY image_id HAVING count(*) > 1) AND NOT ${IMPORTED} ${condition}
    ORDER BY image_id, revision`);
  for (const { imageId, atMs, added } of rows.iterate({ split: split ?? null })) tally.change({ imageId, atMs, added: added ?? 0 });
  return { pauseMs: PAUSE_MS, ...tally.result() };
}

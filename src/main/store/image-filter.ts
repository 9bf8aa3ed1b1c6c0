import type { Behind } from '../../shared/image-query.ts';
import type { ImageState } from '../../shared/records.ts';
import { HEAT_CELLS, PAUSE_MS } from '../../shared/statistics/ranges.ts';
import { fold } from './natural-order.ts';

export interface ListFilter {
  /** Substring of the path, case-insensitive; empty for all. */
  readonly search: string;
  /** Empty for all. */
  readonly states: readonly ImageState[];
  /** Lowest score of the suggestions counted as pending; 0 where absent. */
  readonly minScore?: number | undefined;
  readonly behind?: Behind | undefined;
}

export type Values = Readonly<Record<string, string | number | null>>;

/** A condition on the image `i`, and what its parameters are. */
export interface Condition {
  readonly sql: string;
  readonly values: Values;
}

/** Whether the condition reads measures, which an edit makes stale. */
export function needsMeasures(behind: Behind | undefined): boolean {
  return behind?.area !== undefined || behind?.ratio !== undefined || behind?.cell !== undefined;
}

/** What a filter asks of the image `i`. Few texts come out, so that statements can be kept by their text. */
export function conditionOf({ search, states, minScore = 0, behind = {} }: ListFilter): Condition {
  const part = fold(search.trim());
  const asked: string[] = [];
  const values: Record<string, string | number | null> = { least: minScore };
  if (part !== '') {
    asked.push('instr(i.folded, $part) > 0');
    values['part'] = part;
  }
  if (states.length > 0) {
    asked.push('i.state IN (SELECT value FROM json_each($wanted))');
    values['wanted'] = JSON.stringify(states);
  }
  if (behind.split === null) asked.push('NOT EXISTS (SELECT 1 FROM split p WHERE p.image_id = i.id)');
  else if (behind.split !== undefined) {
    asked.push('EXISTS (SELECT 1 FROM split p WHERE p.image_id = i.id AND p.name = $split)');
    values['split'] = behind.split;
  }
  if (behind.imageIds !== undefined) {
    asked.push('i.id IN (SELECT value FROM json_each($ids))');
    values['ids'] = JSON.stringify(behind.imageIds);
  }
  askInstances(behind, asked, values);
  if (behind.spent !== undefined) askSpent(behind.spent, asked, values);
  return { sql: asked.length === 0 ? 'WHERE 1' : `WHERE ${asked.join(' AND ')}`, values };
}

function askInstances(behind: Behind, asked: string[], values: Record<string, string | number | null>): void {
  const one: string[] = ['n.image_id = i.id'];
  if (behind.labelId !== undefined) {
    one.push('n.label_id = $label');
    values['label'] = behind.labelId;
  }
  if (behind.crowd !== undefined) {
    one.push('n.crowd = $crowd');
    values['crowd'] = behind.crowd ? 1 : 0;
  }
  if (behind.area !== undefined) {
    one.push('n.area >= $areaFrom AND ($areaTo IS NULL OR n.area < $areaTo)');
    values['areaFrom'] = behind.area.from;
    values['areaTo'] = behind.area.to;
  }
  if (behind.ratio !== undefined) {
    // As in the statistics: one division, and instances without a pixel have no shape.
    one.push('n.height > 0 AND n.width / n.height >= $ratioFrom AND ($ratioTo IS NULL OR n.width / n.height < $ratioTo)');
    values['ratioFrom'] = behind.ratio.from;
    values['ratioTo'] = behind.ratio.to;
  }
  if (behind.cell !== undefined) {
    one.push(`n.height > 0 AND ${cell('n.x + n.width / 2', 'i.width')} = $column AND ${cell('n.y + n.height / 2', 'i.height')} = $row`);
    values['column'] = behind.cell.column;
    values['row'] = behind.cell.row;
  }
  if (one.length === 1 && behind.instances === undefined) return;
  const from = `FROM ${needsMeasures(behind) ? 'measure' : 'annotation'} n WHERE ${one.join(' AND ')}`;
  const { from: least, to: most } = behind.instances ?? { from: 1, to: null };
  if (least === 1 && most === null) asked.push(`EXISTS (SELECT 1 ${from})`);
  else if (least === 0 && most === 1) asked.push(`NOT EXISTS (SELECT 1 ${from})`);
  else {
    asked.push(`(SELECT count(*) ${from}) BETWEEN $fewest AND $most`);
    values['fewest'] = least;
    values['most'] = most === null ? Number.MAX_SAFE_INTEGER : most - 1;
  }
}

/** `heatCell` in SQL: the cast of a positive number is its floor. */
function cell(centre: string, length: string): string {
  return `max(0, min(${HEAT_CELLS - 1}, CAST((${centre}) * ${HEAT_CELLS} / ${length} AS INTEGER)))`;
}

/** Condition on a row of `change`: an import wrote it, which is no work on the image (see `importEntryText`). */
export const IMPORTED = `substr(diff, 1, 10) = '{"import":'`;

/** Milliseconds between the changes of the image `i`, pauses capped; null with fewer than two changes. */
export const SPENT = `(SELECT sum(min(pause, ${PAUSE_MS})) FROM (
  SELECT at - lag(at) OVER (ORDER BY revision) AS pause FROM change WHERE image_id = i.id AND NOT ${IMPORTED}))`;

function askSpent(spent: NonNullable<Behind['spent']>, asked: string[], values: Record<string, string | number | null>): void {
  asked.push(`${SPENT} >= $spentFrom${spent.to === null ? '' : ` AND ${SPENT} < $spentTo`}`);
  values['spentFrom'] = spent.from;
  if (spent.to !== null) values['spentTo'] = spent.to;
}

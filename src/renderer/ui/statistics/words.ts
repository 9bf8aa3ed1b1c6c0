import type { Behind } from '../../../shared/image-query.ts';
import type { Label } from '../../../shared/records.ts';
import type { Range } from '../../../shared/statistics/ranges.ts';
import { HEAT_CELLS, SIZES } from '../../../shared/statistics/ranges.ts';
import { count, duration } from '../wording.ts';

/** `3`, `6–7` or `101 or more`: whole numbers from `from` on and below `to`. */
export function wholeRange({ from, to }: Range): string {
  if (to === null) return `${count(from)} or more`;
  return to - from === 1 ? count(from) : `${count(from)}–${count(to - 1)}`;
}

/** Area by the side of its square: `23–32 px`. */
export function sideRange({ from, to }: Range): string {
  const side = (area: number): string => count(Math.round(Math.sqrt(area)));
  return to === null ? `${side(from)} px or more` : `${side(from)}–${side(to)} px`;
}

const ratioText = (ratio: number): string => (ratio >= 1 ? `${Number(ratio.toFixed(1))}:1` : `1:${Number((1 / ratio).toFixed(1))}`);

/** Width over height: `2:3 to 1:1.1`. */
export function ratioRange({ from, to }: Range): string {
  if (from === 0) return `narrower than ${ratioText(to ?? 1)}`;
  return to === null ? `wider than ${ratioText(from)}` : `${ratioText(from)} to ${ratioText(to)}`;
}

export function timeRange({ from, to }: Range): string {
  if (to === null) return `${roundTime(from)} or more`;
  return from === 0 ? `under ${roundTime(to)}` : `${roundTime(from)} to ${roundTime(to)}`;
}

/** A time that was chosen round: `5 s`, `2 min`. */
export function roundTime(ms: number): string {
  return duration(ms)
    .replace(/\.0 s$/, ' s')
    .replace(/ 0 s$/, '');
}

/** What one of COCO's sizes is called, or null for another range. */
export function sizeName({ from, to }: Range): string | null {
  return SIZES.find((size) => size.from === from && size.to === to)?.name ?? null;
}

/** One condition of a filter: how it is called, and the filter without it. */
export interface FilterChip {
  readonly key: string;
  readonly text: string;
  readonly rest: Behind | undefined;
}

/** Every condition of a filter by what is on the images, in words. */
export function chipsOf(behind: Behind, labels: readonly Label[]): FilterChip[] {
  const chips: FilterChip[] = [];
  const chip = (key: keyof Behind, text: string): void => {
    const rest = Object.fromEntries(Object.entries(behind).filter(([name]) => name !== key)) as Behind;
    chips.push({ key, text, rest: Object.keys(rest).length > 0 ? rest : undefined });
  };
  if (behind.labelId !== undefined) chip('labelId', labels.find((label) => label.id === behind.labelId)?.name ?? `class ${behind.labelId}`);
  if (behind.crowd !== undefined) chip('crowd', behind.crowd ? 'crowd' : 'no crowd');
  if (behind.instances) chip('instances', behind.instances.to === 1 ? 'no instance' : `${wholeRange(behind.instances)} on the image`);
  if (behind.area) chip('area', sizeName(behind.area) ?? sideRange(behind.area));
  if (behind.ratio) chip('ratio', ratioRange(behind.ratio));
  if (behind.cell) chip('cell', placeName(behind.cell.column, behind.cell.row));
  if (behind.split !== undefined) chip('split', behind.split ?? 'in no split');
  if (behind.spent) chip('spent', timeRange(behind.spent));
  if (behind.imageIds) chip('imageIds', behind.imageIds.length === 1 ? 'one image' : `a group of ${behind.imageIds.length}`);
  return chips;
}

/** Where a cell of the heat map is: `centre at 52 %, 48 %`, from the left and from the top. */
export function placeName(column: number, row: number): string {
  const percent = (cell: number): string => `${Math.round(((cell + 0.5) * 100) / HEAT_CELLS)} %`;
  return `centre at ${percent(column)}, ${percent(row)}`;
}

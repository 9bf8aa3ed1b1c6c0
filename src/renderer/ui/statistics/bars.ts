import type { ChartConfiguration, ChartType } from 'chart.js';
import type { RangeCount } from '../../../shared/answers/statistics.ts';
import type { Behind } from '../../../shared/image-query.ts';
import type { ImageState } from '../../../shared/records.ts';
import type { ChartColors, ChartItem } from '../charts/chart-kit.ts';
import { axisLook, chartLook, tooltipLook } from '../charts/chart-kit.ts';
import { count } from '../wording.ts';

/** The images behind a bar. */
export interface Target {
  readonly behind: Behind | undefined;
  readonly states?: readonly ImageState[];
}

export interface Bar {
  readonly value: number;
  /** Drawn in; a custom property's name with `--`, or a colour. */
  readonly color: string;
  /** What it counts, e.g. `31 small instances`. */
  readonly text: string;
  /** Null where nothing can be opened. */
  readonly target: Target | null;
}

/** Bars on one place of the axis: of one stack on top of each other, of several side by side. */
export interface BarRow {
  readonly label: string;
  readonly bars: readonly Bar[];
}

export interface BarLook {
  readonly horizontal?: boolean;
  /** For each bar of a row the stack it is in; all in one where absent. */
  readonly stacks?: readonly string[];
  readonly axis?: string;
  /** End of the axis; a round number above the longest bar where absent. */
  readonly most?: number;
}

/** The items that have something to say, row by row. */
export function barItems(rows: readonly BarRow[]): ChartItem[] {
  return rows.flatMap(({ label, bars }, index) =>
    bars.flatMap((bar, dataset) =>
      bar.value > 0 ? [{ text: `${label}: ${bar.text}${bar.target ? ', show the images' : ''}`, dataset, index }] : [],
    ),
  );
}

export function barConfig(rows: readonly BarRow[], look: BarLook, colors: ChartColors): ChartConfiguration<ChartType, unknown[]> {
  const paint = (color: string): string => (color.startsWith('--') ? colors.token(color.slice(2)) : color);
  const series = Math.max(0, ...rows.map((row) => row.bars.length));
  const values = {
    ...axisLook(colors, look.axis),
    beginAtZero: true,
    stacked: true,
    ...(look.most === undefined ? {} : { max: look.most }),
  };
  const places = { ...axisLook(colors), stacked: true, grid: { display: false } };
  // Of a list that scrolls, the scale is where one begins to read.
  const position = !look.horizontal ? 'left' : rows.length > 12 ? 'top' : 'bottom';
  const numbers = {
    ...values,
    position,
    ticks: { ...values.ticks, precision: 0, maxTicksLimit: 6, callback: (value: string | number) => count(Number(value)) },
  };
  const names = { ...places, ticks: { ...places.ticks, autoSkip: !look.horizontal } };
  return {
    type: 'bar',
    data: {
      labels: rows.map((row) => shortened(row.label)),
      datasets: Array.from({ length: series }, (_, i) => ({
        // Nothing has no least length.
        data: rows.map((row) => row.bars[i]?.value || null),
        backgroundColor: rows.map((row) => paint(row.bars[i]?.color ?? '--accent')),
        hoverBackgroundColor: rows.map((row) => paint(row.bars[i]?.color ?? '--accent')),
        hoverBorderColor: colors.text,
        hoverBorderWidth: 1.5,
        borderRadius: 2,
        borderSkipped: false,
        stack: look.stacks?.[i] ?? 'all',
        // A count of one among thousands can still be seen and hit.
        minBarLength: 3,
        maxBarThickness: 26,
        categoryPercentage: look.stacks ? 0.82 : 0.86,
        barPercentage: 0.94,
      })),
    },
    options: {
      ...chartLook(colors),
      indexAxis: look.horizontal ? 'y' : 'x',
      interaction: { mode: 'nearest', intersect: true },
      scales: look.horizontal ? { x: numbers, y: names } : { x: names, y: numbers },
      plugins: {
        tooltip: {
          ...tooltipLook(colors),
          filter: (item) => (rows[item.dataIndex]?.bars[item.datasetIndex]?.value ?? 0) > 0,
          callbacks: {
            title: (items) => rows[items[0]?.dataIndex ?? -1]?.label ?? '',
            label: (item) => rows[item.dataIndex]?.bars[item.datasetIndex]?.text ?? '',
            footer: (items) => (items[0] && rows[items[0].dataIndex]?.bars[items[0].datasetIndex]?.target ? 'Click to see the images' : ''),
          },
        },
      },
    },
  };
}

/** Ranges without the empty ones at both ends, at least one. */
export function trimmed(ranges: readonly RangeCount[]): readonly RangeCount[] {
  const first = ranges.findIndex((range) => range.count > 0);
  if (first < 0) return ranges.slice(0, 1);
  return ranges.slice(first, ranges.findLastIndex((range) => range.count > 0) + 1);
}

function shortened(text: string): string {
  return text.length > 22 ? `${text.slice(0, 20)}…` : text;
}

import {
  BarController,
  BarElement,
  CategoryScale,
  Chart,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  PointElement,
  Tooltip,
} from 'chart.js';
import { MatrixController, MatrixElement } from 'chartjs-chart-matrix';

// Only what is registered comes into the bundle.
Chart.register(
  BarController,
  BarElement,
  CategoryScale,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  MatrixController,
  MatrixElement,
  PointElement,
  Tooltip,
);
export { Chart };

/** Colours of the theme of now, for what is drawn on a canvas. */
export interface ChartColors {
  readonly text: string;
  readonly secondary: string;
  readonly line: string;
  readonly accent: string;
  readonly panel: string;
  readonly raised: string;
  readonly good: string;
  readonly warn: string;
  readonly bad: string;
  /** Any other custom property of `tokens.css`. */
  token(name: string): string;
}

export function readColors(): ChartColors {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    text: token('text'),
    secondary: token('secondary'),
    line: token('line'),
    accent: token('accent'),
    panel: token('panel'),
    raised: token('raised'),
    good: token('good'),
    warn: token('warn'),
    bad: token('bad'),
    token,
  };
}

/** One thing that a chart shows and that the keys reach: a bar, a cell, a point. */
export interface ChartItem {
  /** What it says, in full, and what Enter does: the item's accessible name. */
  readonly text: string;
  /** Index of its dataset, and of itself in it. */
  readonly dataset: number;
  readonly index: number;
}

const FONT = { family: "'Inter Variable', system-ui, sans-serif", size: 11.5 } as const;

/** How every chart of the window looks. Nothing moves: a chart is there, or it is another one. */
export function chartLook(colors: ChartColors) {
  return { animation: false, responsive: true, maintainAspectRatio: false, font: FONT, color: colors.secondary } as const;
}

/** An axis in the colours of the theme. */
export function axisLook(colors: ChartColors, title?: string) {
  return {
    border: { color: colors.line },
    grid: { color: colors.line, tickColor: 'transparent' },
    ticks: { color: colors.secondary, font: FONT, maxRotation: 0 },
    title: title === undefined ? { display: false } : { display: true, text: title, color: colors.secondary, font: FONT },
  } as const;
}

/** The box that follows the pointer, in the colours of the theme. */
export function tooltipLook(colors: ChartColors) {
  return {
    backgroundColor: colors.raised,
    borderColor: colors.token('line-strong'),
    borderWidth: 1,
    titleColor: colors.text,
    bodyColor: colors.text,
    footerColor: colors.secondary,
    titleFont: { ...FONT, weight: 'bold' },
    bodyFont: FONT,
    footerFont: { ...FONT, weight: 'normal' },
    padding: 9,
    cornerRadius: 7,
    displayColors: false,
    caretSize: 0,
  } as const;
}

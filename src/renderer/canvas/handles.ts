import type { ScreenPoint } from '../editor/viewport.ts';
import type { Paint } from './paint.ts';

/** Marks of constant screen size, CSS pixels. */
export const HANDLE = 4;
export const ACCENT = '#3B82F6';
export const INK = '#0F1113';

/** A square handle; filled in the accent where it is taken. */
export function square(paint: Paint, at: ScreenPoint, taken: boolean, half = HANDLE): void {
  paint.beginPath();
  paint.roundRect(at.x - half, at.y - half, 2 * half, 2 * half, half / 2);
  paint.fillStyle = taken ? ACCENT : '#FFFFFF';
  paint.fill();
  paint.strokeStyle = taken ? '#FFFFFF' : INK;
  paint.stroke();
}

const POSITIVE = '#3CC48F';
const NEGATIVE = '#E5484D';
const DOT = 6.5;

/** A place that belongs to the object (a plus) or does not (a minus): told by sign, not by colour alone. */
export function dot(paint: Paint, at: ScreenPoint, positive: boolean): void {
  paint.beginPath();
  paint.arc(at.x, at.y, DOT + 1.5, 0, 2 * Math.PI);
  paint.fillStyle = INK;
  paint.fill();
  paint.beginPath();
  paint.arc(at.x, at.y, DOT, 0, 2 * Math.PI);
  paint.fillStyle = positive ? POSITIVE : NEGATIVE;
  paint.fill();
  paint.beginPath();
  paint.moveTo(at.x - 3.25, at.y);
  paint.lineTo(at.x + 3.25, at.y);
  if (positive) {
    paint.moveTo(at.x, at.y - 3.25);
    paint.lineTo(at.x, at.y + 3.25);
  }
  paint.lineWidth = 1.75;
  paint.strokeStyle = positive ? INK : '#FFFFFF';
  paint.stroke();
}

import type { Stroke } from '../../shared/classical/questions.ts';
import type { Window } from '../../shared/classical/raster.ts';

/**
 * Calls `paint` with the index of each pixel of a `width` × `height` raster over `window` that the stroke covers:
 * those whose middle is within half its width of its line, and at least those the line passes through.
 * The stroke and the window are in one space.
 */
export function coverStroke(stroke: Stroke, window: Window, width: number, height: number, paint: (pixel: number) => void): void {
  const scaleX = width / window.width;
  const scaleY = height / window.height;
  const radius = Math.max(0.71, (stroke.width / 2) * Math.sqrt(scaleX * scaleY));
  const { points } = stroke;
  for (let i = 0; i < points.length; i += 2) {
    const x1 = (points[i]! - window.x) * scaleX;
    const y1 = (points[i + 1]! - window.y) * scaleY;
    const x0 = i === 0 ? x1 : (points[i - 2]! - window.x) * scaleX;
    const y0 = i === 0 ? y1 : (points[i - 1]! - window.y) * scaleY;
    const length2 = (x1 - x0) ** 2 + (y1 - y0) ** 2;
    const right = Math.min(width - 1, Math.ceil(Math.max(x0, x1) + radius));
    const bottom = Math.min(height - 1, Math.ceil(Math.max(y0, y1) + radius));
    for (let y = Math.max(0, Math.floor(Math.min(y0, y1) - radius)); y <= bottom; y++) {
      for (let x = Math.max(0, Math.floor(Math.min(x0, x1) - radius)); x <= right; x++) {
        const px = x + 0.5;
        const py = y + 0.5;
        const t = length2 === 0 ? 0 : Math.max(0, Math.min(1, ((px - x0) * (x1 - x0) + (py - y0) * (y1 - y0)) / length2));
        if ((px - x0 - t * (x1 - x0)) ** 2 + (py - y0 - t * (y1 - y0)) ** 2 <= radius * radius) paint(y * width + x);
      }
    }
  }
}

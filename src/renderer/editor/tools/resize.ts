import type { Box } from '../../../shared/records.ts';
import type { ImagePoint, Size } from '../viewport.ts';
import { clampPoint } from '../viewport.ts';
import type { Cursor } from './tool.ts';

/** Which edges of a box a handle moves: -1 left or top, 1 right or bottom, 0 neither. */
export interface BoxHandle {
  readonly h: -1 | 0 | 1;
  readonly v: -1 | 0 | 1;
}

const HANDLES: readonly BoxHandle[] = [
  { h: -1, v: -1 },
  { h: 1, v: -1 },
  { h: 1, v: 1 },
  { h: -1, v: 1 },
  { h: 0, v: -1 },
  { h: 1, v: 0 },
  { h: 0, v: 1 },
  { h: -1, v: 0 },
];

/** The eight handles of a box and where they lie, image space; corners first. */
export function boxHandles(box: Box): readonly (BoxHandle & ImagePoint)[] {
  const [x, y, width, height] = box;
  return HANDLES.map((handle) => ({
    ...handle,
    x: x + (width * (handle.h + 1)) / 2,
    y: y + (height * (handle.v + 1)) / 2,
  }));
}

/** The nearest handle within `reach` image pixels, or null. */
export function handleAt(box: Box, at: ImagePoint, reach: number): BoxHandle | null {
  let best: BoxHandle | null = null;
  let least = reach;
  for (const handle of boxHandles(box)) {
    const distance = Math.hypot(handle.x - at.x, handle.y - at.y);
    if (distance <= least) {
      // A strict comparison after the first, so that corners win over edges of a tiny box.
      if (best && distance === least) continue;
      best = { h: handle.h, v: handle.v };
      least = distance;
    }
  }
  return best;
}

/** The box with the handle's edges moved to `at`, inside the image; edges may change sides. */
export function resizedBox(box: Box, handle: BoxHandle, at: ImagePoint, image: Size): Box {
  const to = clampPoint(at, image);
  const [x, y, width, height] = box;
  const left = handle.h === -1 ? to.x : x;
  const right = handle.h === 1 ? to.x : x + width;
  const top = handle.v === -1 ? to.y : y;
  const bottom = handle.v === 1 ? to.y : y + height;
  return [Math.min(left, right), Math.min(top, bottom), Math.abs(right - left), Math.abs(bottom - top)];
}

export function handleCursor(handle: BoxHandle): Cursor {
  if (handle.h === 0) return 'ns-resize';
  if (handle.v === 0) return 'ew-resize';
  return handle.h === handle.v ? 'nwse-resize' : 'nesw-resize';
}

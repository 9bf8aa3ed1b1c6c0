import type { Box } from '../../../shared/records.ts';
import type { ImagePoint, Size } from '../viewport.ts';
import { clampPoint } from '../viewport.ts';
import type { Tool } from './tool.ts';

export type BoxState = { readonly kind: 'idle' } | { readonly kind: 'drag'; readonly from: ImagePoint; readonly to: ImagePoint };

const IDLE: BoxState = { kind: 'idle' };
/** A box smaller than this, in image pixels, is a slip of the hand. */
const LEAST = 1;

/** Drags out a box, clipped to the image; Shift makes it a square. */
export const box: Tool<BoxState> = {
  name: 'box',
  start: IDLE,
  drafting: (state) => state.kind === 'drag',
  step(state, input, view) {
    const cursor = 'crosshair';
    if (state.kind === 'idle') {
      if (input.kind !== 'press' || !view.canAdd) return { state, cursor, hover: null };
      const from = clampPoint(input.at, view.image);
      return { state: { kind: 'drag', from, to: from }, select: null, cursor, hover: null };
    }
    switch (input.kind) {
      case 'move': {
        const to = corner(state.from, input.at, input.modifiers.shift, view.image);
        return { state: { ...state, to }, draft: { kind: 'box', box: boxBetween(state.from, to) }, cursor };
      }
      case 'release': {
        const drawn = boxBetween(state.from, corner(state.from, input.at, input.modifiers.shift, view.image));
        if (drawn[2] < LEAST || drawn[3] < LEAST) return { state: IDLE, cursor };
        return { state: IDLE, cursor, commit: { kind: 'add', geometry: { kind: 'box', box: drawn } } };
      }
      case 'cancel':
        return { state: IDLE, cursor, used: true };
      case 'press':
      case 'leave':
      case 'finish':
      case 'remove-last':
      case 'delete':
        return { state, cursor, draft: { kind: 'box', box: boxBetween(state.from, state.to) } };
    }
  },
};

function corner(from: ImagePoint, at: ImagePoint, square: boolean, image: Size): ImagePoint {
  if (!square) return clampPoint(at, image);
  const right = at.x >= from.x;
  const down = at.y >= from.y;
  const room = Math.min(right ? image.width - from.x : from.x, down ? image.height - from.y : from.y);
  const side = Math.min(room, Math.max(Math.abs(at.x - from.x), Math.abs(at.y - from.y)));
  return { x: from.x + (right ? side : -side), y: from.y + (down ? side : -side) };
}

/** The box with these opposite corners, image space. */
export function boxBetween(a: ImagePoint, b: ImagePoint): Box {
  return [Math.min(a.x, b.x), Math.min(a.y, b.y), Math.abs(a.x - b.x), Math.abs(a.y - b.y)];
}

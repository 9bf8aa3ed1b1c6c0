import type { PolygonPart, Ring } from '../records.ts';
import type { Bitmap } from './bitmap.ts';
import { bitmapBox, cropBitmap } from './bitmap.ts';

/** Steps right, down, left, up. */
const STEP_X = [1, 0, -1, 0] as const;
const STEP_Y = [0, 1, 0, -1] as const;
/** The pixel ahead to the right and to the left of a walker at a corner, relative to that corner. */
const RIGHT_OF = [
  [0, 0],
  [-1, 0],
  [-1, -1],
  [0, -1],
] as const;
const LEFT_OF = [
  [0, -1],
  [0, 0],
  [-1, 0],
  [-1, -1],
] as const;

/**
 * What `contourOfRle` must find, by another way: pixel by pixel over the bitmap. Crack following after
 * Kovalevsky (1989), holes assigned after Suzuki & Abe (1985).
 */
export function contour(bitmap: Bitmap): PolygonPart[] {
  const box = bitmapBox(bitmap);
  if (box[2] === 0) return [];
  return trace(cropBitmap(bitmap, box), box[0], box[1]);
}

/** Traces a bitmap whose origin lies at (left, top). */
function trace(bitmap: Bitmap, left: number, top: number): PolygonPart[] {
  const { width, height, data } = bitmap;
  const at = (x: number, y: number): boolean => x >= 0 && y >= 0 && x < width && y < height && data[y * width + x] === 1;
  /** Horizontal pixel edges already walked. */
  const walked = new Uint8Array(width * (height + 1));
  /** Which part the left edge of a pixel belongs to, by pixel. */
  const partOfLeftEdge = new Map<number, number>();
  const parts: { outer: Ring; holes: Ring[] }[] = [];

  const walk = (startX: number, startY: number, startTurn: number, part: number): Ring => {
    const ring: number[] = [];
    let x = startX;
    let y = startY;
    let direction = startTurn;
    do {
      if (direction === 0) walked[y * width + x] = 1;
      else if (direction === 2) walked[y * width + x - 1] = 1;
      // Going up, the foreground lies to the right: this is the left edge of pixel (x, y - 1).
      else if (direction === 3) partOfLeftEdge.set((y - 1) * width + x, part);
      x += STEP_X[direction] ?? 0;
      y += STEP_Y[direction] ?? 0;
      const before = direction;
      const [rx, ry] = RIGHT_OF[direction] ?? [0, 0];
      const [lx, ly] = LEFT_OF[direction] ?? [0, 0];
      if (!at(x + rx, y + ry)) direction = (direction + 1) & 3;
      else if (at(x + lx, y + ly)) direction = (direction + 3) & 3;
      if (direction !== before) ring.push(left + x, top + y);
    } while (x !== startX || y !== startY || direction !== startTurn);
    return ring;
  };

  for (let y = 0; y <= height; y++) {
    for (let x = 0; x < width; x++) {
      const below = at(x, y);
      const above = at(x, y - 1);
      if (below === above || walked[y * width + x]) continue;
      if (below) {
        // The topmost edge of an outer ring has its pixel below: walk right.
        const part = parts.length;
        parts.push({ outer: walk(x, y, 0, part), holes: [] });
      } else {
        // The topmost edge of a hole has its pixel above. That pixel's row was seen: the nearest left edge
        // on it tells the part.
        let pixel = (y - 1) * width + x;
        while (!partOfLeftEdge.has(pixel)) pixel--;
        const part = partOfLeftEdge.get(pixel) ?? 0;
        parts[part]?.holes.push(walk(x + 1, y, 2, part));
      }
    }
  }
  return parts;
}

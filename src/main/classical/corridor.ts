import type { Rgb } from '../../shared/classical/raster.ts';
import { gradients, snapTo, strongest, waysFrom } from '../../shared/classical/scissors.ts';

/** Half the corridor's width, in pixels of the small picture. */
const HALF_WIDTH = 1.5;
/** Steps of the small way that are decided again at once: so much of the large picture is looked at. */
const STEPS = 24;
/** Pieces that are remembered: while the pointer moves, most of the way stays as it was. */
const REMEMBERED = 2000;

/**
 * A way on the small picture as pixels of the large one, flat x, y: found again by the same costs within a
 * corridor around it. Where both have one size, the way as it is.
 */
export type Corridor = (way: readonly number[]) => number[];

export function createCorridor(large: Rgb, width: number, height: number): Corridor {
  if (large.width === width && large.height === height) return (way) => way.flatMap((i) => [i % width, Math.floor(i / width)]);
  const scaleX = large.width / width;
  const scaleY = large.height / height;
  const radius = Math.ceil(HALF_WIDTH * Math.max(scaleX, scaleY));
  /** By the small pixels of a piece and where it begins. */
  const known = new Map<string, readonly number[]>();

  function middle(i: number): { x: number; y: number } {
    return { x: Math.floor(((i % width) + 0.5) * scaleX), y: Math.floor((Math.floor(i / width) + 0.5) * scaleY) };
  }

  /** Flat x, y from `from` to where the piece ends; an end within the way is put on the strongest edge there. */
  function again(piece: readonly number[], from: { x: number; y: number }, isLast: boolean): readonly number[] {
    const middles = piece.map(middle);
    const left = Math.max(0, Math.min(from.x, ...middles.map(({ x }) => x)) - radius);
    const top = Math.max(0, Math.min(from.y, ...middles.map(({ y }) => y)) - radius);
    const right = Math.min(large.width, Math.max(from.x, ...middles.map(({ x }) => x)) + radius + 1);
    const bottom = Math.min(large.height, Math.max(from.y, ...middles.map(({ y }) => y)) + radius + 1);
    const part = crop(large, left, top, right - left, bottom - top);
    const features = gradients(part);
    const within = new Uint8Array(part.width * part.height);
    for (const { x, y } of [from, ...middles]) {
      for (let row = Math.max(top, y - radius); row < Math.min(bottom, y + radius + 1); row++) {
        const start = (row - top) * part.width - left;
        within.fill(1, start + Math.max(left, x - radius), start + Math.min(right, x + radius + 1));
      }
    }
    const last = middles.at(-1) ?? from;
    const end = isLast ? { x: last.x - left, y: last.y - top } : snapTo(features, last.x - left, last.y - top, radius);
    const ways = waysFrom(features, (from.y - top) * part.width + from.x - left, strongest(features), within);
    return ways.to(end.y * part.width + end.x).flatMap((i) => [(i % part.width) + left, Math.floor(i / part.width) + top]);
  }

  return (way) => {
    const first = way[0];
    if (first === undefined) return [];
    let from = middle(first);
    const out: number[] = [from.x, from.y];
    for (let start = 0; start + 1 < way.length; start += STEPS) {
      const piece = way.slice(start, start + STEPS + 1);
      const isLast = start + STEPS + 1 >= way.length;
      const key = `${from.x},${from.y},${isLast ? 'last' : ''}:${piece.join(',')}`;
      let points = known.get(key);
      if (!points) {
        points = again(piece, from, isLast);
        if (known.size >= REMEMBERED) known.clear();
        known.set(key, points);
      }
      for (let i = 2; i < points.length; i++) out.push(points[i]!);
      from = { x: points.at(-2) ?? from.x, y: points.at(-1) ?? from.y };
    }
    return out;
  };
}

function crop(image: Rgb, x: number, y: number, width: number, height: number): Rgb {
  const data = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const at = ((y + row) * image.width + x) * 3;
    data.set(image.data.subarray(at, at + width * 3), row * width * 3);
  }
  return { width, height, data };
}
